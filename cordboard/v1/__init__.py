"""The contract as Python, made from protos/cordboard/v1 by `make proto`."""

# ruff: noqa: I001, RUF022 (generated: in the order of the files)
from cordboard.v1.actions_call_pb2 import Answer
from cordboard.v1.actions_call_pb2 import Bridge
from cordboard.v1.actions_call_pb2 import ClientStateUpdate
from cordboard.v1.actions_call_pb2 import Enqueue
from cordboard.v1.actions_call_pb2 import Hangup
from cordboard.v1.actions_call_pb2 import LeaveQueue
from cordboard.v1.actions_call_pb2 import Refer
from cordboard.v1.actions_call_pb2 import Reject
from cordboard.v1.actions_dial_pb2 import Dial
from cordboard.v1.actions_dial_pb2 import Transfer
from cordboard.v1.actions_gather_pb2 import Gather
from cordboard.v1.actions_gather_pb2 import GatherStop
from cordboard.v1.actions_gather_pb2 import GatherUsingAudio
from cordboard.v1.actions_gather_pb2 import GatherUsingSpeak
from cordboard.v1.actions_media_pb2 import ForkStart
from cordboard.v1.actions_media_pb2 import ForkStop
from cordboard.v1.actions_media_pb2 import RecordPause
from cordboard.v1.actions_media_pb2 import RecordResume
from cordboard.v1.actions_media_pb2 import RecordStart
from cordboard.v1.actions_media_pb2 import RecordStop
from cordboard.v1.actions_media_pb2 import StreamingStart
from cordboard.v1.actions_media_pb2 import StreamingStop
from cordboard.v1.actions_media_pb2 import TranscriptionStart
from cordboard.v1.actions_media_pb2 import TranscriptionStop
from cordboard.v1.actions_shared_pb2 import AnsweringMachineDetectionConfig
from cordboard.v1.actions_shared_pb2 import ConferenceConfig
from cordboard.v1.actions_shared_pb2 import CustomHeader
from cordboard.v1.actions_shared_pb2 import DeepfakeDetection
from cordboard.v1.actions_shared_pb2 import DialogflowConfig
from cordboard.v1.actions_shared_pb2 import SipHeader
from cordboard.v1.actions_shared_pb2 import SoundModifications
from cordboard.v1.actions_shared_pb2 import StreamParameter
from cordboard.v1.actions_shared_pb2 import TranscriptionConfig
from cordboard.v1.actions_shared_pb2 import WebhookRetriesPolicy
from cordboard.v1.actions_sound_pb2 import PlaybackStart
from cordboard.v1.actions_sound_pb2 import PlaybackStop
from cordboard.v1.actions_sound_pb2 import SendDtmf
from cordboard.v1.actions_sound_pb2 import Speak
from cordboard.v1.command_pb2 import CancelRequest
from cordboard.v1.command_pb2 import Command
from cordboard.v1.command_pb2 import Custom
from cordboard.v1.command_pb2 import START_AFTER_PREVIOUS_COMPLETED
from cordboard.v1.command_pb2 import START_AFTER_PREVIOUS_RESULT
from cordboard.v1.command_pb2 import START_AFTER_UNSPECIFIED
from cordboard.v1.command_pb2 import StartAfter
from cordboard.v1.dispatcher_service_pb2 import CancelCommandsRequest
from cordboard.v1.dispatcher_service_pb2 import CancelCommandsResponse
from cordboard.v1.dispatcher_service_pb2 import ExecuteRequest
from cordboard.v1.dispatcher_service_pb2 import ExecuteResponse
from cordboard.v1.dispatcher_service_pb2 import ExecuteStreamRequest
from cordboard.v1.dispatcher_service_pb2 import ExecuteStreamResponse
from cordboard.v1.dispatcher_service_pb2 import GetCallRequest
from cordboard.v1.dispatcher_service_pb2 import GetCallResponse
from cordboard.v1.dispatcher_service_pb2 import GetCommandRequest
from cordboard.v1.dispatcher_service_pb2 import GetCommandResponse
from cordboard.v1.dispatcher_service_pb2 import PauseAccountRequest
from cordboard.v1.dispatcher_service_pb2 import PauseAccountResponse
from cordboard.v1.dispatcher_service_pb2 import Refusal
from cordboard.v1.dispatcher_service_pb2 import ResumeAccountRequest
from cordboard.v1.dispatcher_service_pb2 import ResumeAccountResponse
from cordboard.v1.dispatcher_service_pb2 import SubmitRequest
from cordboard.v1.dispatcher_service_pb2 import SubmitResponse
from cordboard.v1.dispatcher_service_pb2 import SubmitStreamRequest
from cordboard.v1.dispatcher_service_pb2 import SubmitStreamResponse
from cordboard.v1.dispatcher_service_pb2 import WAIT_FOR_COMPLETION
from cordboard.v1.dispatcher_service_pb2 import WAIT_FOR_RESULT
from cordboard.v1.dispatcher_service_pb2 import WAIT_FOR_UNSPECIFIED
from cordboard.v1.dispatcher_service_pb2 import WATCH_KIND_COMPLETIONS
from cordboard.v1.dispatcher_service_pb2 import WATCH_KIND_EVENTS
from cordboard.v1.dispatcher_service_pb2 import WATCH_KIND_RESULTS
from cordboard.v1.dispatcher_service_pb2 import WATCH_KIND_UNSPECIFIED
from cordboard.v1.dispatcher_service_pb2 import WaitFor
from cordboard.v1.dispatcher_service_pb2 import WatchKind
from cordboard.v1.dispatcher_service_pb2 import WatchRequest
from cordboard.v1.dispatcher_service_pb2 import WatchResponse
from cordboard.v1.operator_service_pb2 import CallSummary
from cordboard.v1.operator_service_pb2 import DeadLetter
from cordboard.v1.operator_service_pb2 import ForgetCallRequest
from cordboard.v1.operator_service_pb2 import ForgetCallResponse
from cordboard.v1.operator_service_pb2 import GetDeadLetterRequest
from cordboard.v1.operator_service_pb2 import GetDeadLetterResponse
from cordboard.v1.operator_service_pb2 import ListCallsRequest
from cordboard.v1.operator_service_pb2 import ListCallsResponse
from cordboard.v1.operator_service_pb2 import ListDeadLettersRequest
from cordboard.v1.operator_service_pb2 import ListDeadLettersResponse
from cordboard.v1.operator_service_pb2 import ReplayDeadLetterRequest
from cordboard.v1.operator_service_pb2 import ReplayDeadLetterResponse
from cordboard.v1.options_pb2 import ActionOptions
from cordboard.v1.options_pb2 import Clears
from cordboard.v1.options_pb2 import Completion
from cordboard.v1.options_pb2 import Endless
from cordboard.v1.options_pb2 import GoesOn
from cordboard.v1.options_pb2 import LANE_ACTION
from cordboard.v1.options_pb2 import LANE_DIAL
from cordboard.v1.options_pb2 import LANE_UNSPECIFIED
from cordboard.v1.options_pb2 import LANE_URGENT
from cordboard.v1.options_pb2 import Lane
from cordboard.v1.options_pb2 import Match
from cordboard.v1.options_pb2 import PLACEMENT_LAST
from cordboard.v1.options_pb2 import PLACEMENT_NEXT
from cordboard.v1.options_pb2 import PLACEMENT_NOW
from cordboard.v1.options_pb2 import PLACEMENT_UNSPECIFIED
from cordboard.v1.options_pb2 import Placement
from cordboard.v1.options_pb2 import REPEAT_CLASS_ALWAYS
from cordboard.v1.options_pb2 import REPEAT_CLASS_UNSENT
from cordboard.v1.options_pb2 import REPEAT_CLASS_UNSPECIFIED
from cordboard.v1.options_pb2 import REPEAT_CLASS_WINDOW
from cordboard.v1.options_pb2 import RepeatClass
from cordboard.v1.options_pb2 import WireOptions
from cordboard.v1.result_pb2 import COMPLETION_STATE_COMPLETED
from cordboard.v1.result_pb2 import COMPLETION_STATE_FAILED
from cordboard.v1.result_pb2 import COMPLETION_STATE_INCOMPLETE
from cordboard.v1.result_pb2 import COMPLETION_STATE_UNSPECIFIED
from cordboard.v1.result_pb2 import CancelReport
from cordboard.v1.result_pb2 import CommandCompletion
from cordboard.v1.result_pb2 import CommandResult
from cordboard.v1.result_pb2 import CompletionState
from cordboard.v1.result_pb2 import Dialed
from cordboard.v1.result_pb2 import FieldViolation
from cordboard.v1.result_pb2 import REASON_ACCEPTANCE_UNKNOWN
from cordboard.v1.result_pb2 import REASON_ACCOUNT_MISMATCH
from cordboard.v1.result_pb2 import REASON_ALREADY_ENDED
from cordboard.v1.result_pb2 import REASON_AMBIGUOUS_REFUSAL
from cordboard.v1.result_pb2 import REASON_BAD_ANSWER
from cordboard.v1.result_pb2 import REASON_CALL_ENDED
from cordboard.v1.result_pb2 import REASON_CALL_NOT_ANSWERED
from cordboard.v1.result_pb2 import REASON_CALL_NOT_FOUND
from cordboard.v1.result_pb2 import REASON_CANCEL_REQUESTED
from cordboard.v1.result_pb2 import REASON_COMMAND_ID_REUSED
from cordboard.v1.result_pb2 import REASON_COMMAND_NOT_FOUND
from cordboard.v1.result_pb2 import REASON_COMMAND_TOO_LARGE
from cordboard.v1.result_pb2 import REASON_CREDENTIALS_REFUSED
from cordboard.v1.result_pb2 import REASON_CURSOR_EXPIRED
from cordboard.v1.result_pb2 import REASON_DESTINATION_REFUSED
from cordboard.v1.result_pb2 import REASON_DIAL_LIMIT
from cordboard.v1.result_pb2 import REASON_DRY_RUN
from cordboard.v1.result_pb2 import REASON_INTERNAL
from cordboard.v1.result_pb2 import REASON_INVALID_COMMAND
from cordboard.v1.result_pb2 import REASON_IN_LANE
from cordboard.v1.result_pb2 import REASON_IN_LINE
from cordboard.v1.result_pb2 import REASON_LETTER_NOT_FOUND
from cordboard.v1.result_pb2 import REASON_LINE_FULL
from cordboard.v1.result_pb2 import REASON_LOG_UNAVAILABLE
from cordboard.v1.result_pb2 import REASON_NOT_PERMITTED
from cordboard.v1.result_pb2 import REASON_NOT_REPLAYABLE
from cordboard.v1.result_pb2 import REASON_NO_ANSWER
from cordboard.v1.result_pb2 import REASON_NO_EVENT
from cordboard.v1.result_pb2 import REASON_NO_RECORDER
from cordboard.v1.result_pb2 import REASON_OVERLOADED
from cordboard.v1.result_pb2 import REASON_OWNER_UNREACHABLE
from cordboard.v1.result_pb2 import REASON_PAUSED
from cordboard.v1.result_pb2 import REASON_PREVIOUS_FAILED
from cordboard.v1.result_pb2 import REASON_QUOTA_EXCEEDED
from cordboard.v1.result_pb2 import REASON_RATE_LIMITED
from cordboard.v1.result_pb2 import REASON_RECORDER_UNAVAILABLE
from cordboard.v1.result_pb2 import REASON_RESTORING
from cordboard.v1.result_pb2 import REASON_SEQUENCE_GAP
from cordboard.v1.result_pb2 import REASON_SEQUENCE_TAKEN
from cordboard.v1.result_pb2 import REASON_SHUTTING_DOWN
from cordboard.v1.result_pb2 import REASON_SUPERSEDED
from cordboard.v1.result_pb2 import REASON_TELNYX_ERROR
from cordboard.v1.result_pb2 import REASON_TELNYX_REFUSED
from cordboard.v1.result_pb2 import REASON_TELNYX_UNREACHABLE
from cordboard.v1.result_pb2 import REASON_UNAUTHENTICATED
from cordboard.v1.result_pb2 import REASON_UNKNOWN_ACCOUNT
from cordboard.v1.result_pb2 import REASON_UNSPECIFIED
from cordboard.v1.result_pb2 import REASON_WEBHOOKS_ELSEWHERE
from cordboard.v1.result_pb2 import REASON_WORKER_LOST
from cordboard.v1.result_pb2 import Reason
from cordboard.v1.result_pb2 import STATE_CANCELLED
from cordboard.v1.result_pb2 import STATE_EXPIRED
from cordboard.v1.result_pb2 import STATE_FAILED
from cordboard.v1.result_pb2 import STATE_REJECTED
from cordboard.v1.result_pb2 import STATE_SUCCEEDED
from cordboard.v1.result_pb2 import STATE_UNKNOWN
from cordboard.v1.result_pb2 import STATE_UNSPECIFIED
from cordboard.v1.result_pb2 import State
from cordboard.v1.result_pb2 import TelnyxError
from cordboard.v1.status_pb2 import GetStatusRequest
from cordboard.v1.status_pb2 import GetStatusResponse
from cordboard.v1.status_pb2 import LaneStatus
from cordboard.v1.status_pb2 import PARTITION_STATE_BROKEN
from cordboard.v1.status_pb2 import PARTITION_STATE_RESTORING
from cordboard.v1.status_pb2 import PARTITION_STATE_SERVED
from cordboard.v1.status_pb2 import PARTITION_STATE_STALLED
from cordboard.v1.status_pb2 import PARTITION_STATE_UNKNOWN
from cordboard.v1.status_pb2 import PARTITION_STATE_UNOWNED
from cordboard.v1.status_pb2 import PARTITION_STATE_UNSPECIFIED
from cordboard.v1.status_pb2 import PROCESS_STATE_LEFT
from cordboard.v1.status_pb2 import PROCESS_STATE_NOT_READY
from cordboard.v1.status_pb2 import PROCESS_STATE_READY
from cordboard.v1.status_pb2 import PROCESS_STATE_SILENT
from cordboard.v1.status_pb2 import PROCESS_STATE_UNSPECIFIED
from cordboard.v1.status_pb2 import PartitionState
from cordboard.v1.status_pb2 import PartitionStatus
from cordboard.v1.status_pb2 import ProcessState
from cordboard.v1.status_pb2 import ProcessStatus
from cordboard.v1.status_pb2 import StatusFinding
from cordboard.v1.timeline_pb2 import TIMELINE_KIND_ACCEPTED
from cordboard.v1.timeline_pb2 import TIMELINE_KIND_ANSWERED
from cordboard.v1.timeline_pb2 import TIMELINE_KIND_ASKED
from cordboard.v1.timeline_pb2 import TIMELINE_KIND_CALL
from cordboard.v1.timeline_pb2 import TIMELINE_KIND_CANCEL_ASKED
from cordboard.v1.timeline_pb2 import TIMELINE_KIND_CANCEL_REPORTED
from cordboard.v1.timeline_pb2 import TIMELINE_KIND_COMPLETED
from cordboard.v1.timeline_pb2 import TIMELINE_KIND_EVENT
from cordboard.v1.timeline_pb2 import TIMELINE_KIND_HELD
from cordboard.v1.timeline_pb2 import TIMELINE_KIND_REFUSED
from cordboard.v1.timeline_pb2 import TIMELINE_KIND_RELEASED
from cordboard.v1.timeline_pb2 import TIMELINE_KIND_REPLAYED
from cordboard.v1.timeline_pb2 import TIMELINE_KIND_RESULT
from cordboard.v1.timeline_pb2 import TIMELINE_KIND_SENT
from cordboard.v1.timeline_pb2 import TIMELINE_KIND_SETTLED
from cordboard.v1.timeline_pb2 import TIMELINE_KIND_UNREADABLE
from cordboard.v1.timeline_pb2 import TIMELINE_KIND_UNSPECIFIED
from cordboard.v1.timeline_pb2 import TIMELINE_ORIGIN_PAGE_NO_RECORDER
from cordboard.v1.timeline_pb2 import TIMELINE_ORIGIN_PAGE_RECORDER_AWAY
from cordboard.v1.timeline_pb2 import TIMELINE_ORIGIN_RECORDER
from cordboard.v1.timeline_pb2 import TIMELINE_ORIGIN_UNSPECIFIED
from cordboard.v1.timeline_pb2 import TimelineEntry
from cordboard.v1.timeline_pb2 import TimelineKind
from cordboard.v1.timeline_pb2 import TimelineOrigin
from cordboard.v1.view_pb2 import CALL_STATE_ACTIVE
from cordboard.v1.view_pb2 import CALL_STATE_ENDED
from cordboard.v1.view_pb2 import CALL_STATE_RINGING
from cordboard.v1.view_pb2 import CALL_STATE_UNKNOWN
from cordboard.v1.view_pb2 import CALL_STATE_UNSPECIFIED
from cordboard.v1.view_pb2 import CallEvent
from cordboard.v1.view_pb2 import CallState
from cordboard.v1.view_pb2 import CallView
from cordboard.v1.view_pb2 import CommandView
from cordboard.v1.view_pb2 import DIRECTION_INCOMING
from cordboard.v1.view_pb2 import DIRECTION_OUTGOING
from cordboard.v1.view_pb2 import DIRECTION_UNSPECIFIED
from cordboard.v1.view_pb2 import Direction
from cordboard.v1.view_pb2 import PHASE_ENDED
from cordboard.v1.view_pb2 import PHASE_OPEN
from cordboard.v1.view_pb2 import PHASE_RELEASED
from cordboard.v1.view_pb2 import PHASE_UNSPECIFIED
from cordboard.v1.view_pb2 import PHASE_WAITING
from cordboard.v1.view_pb2 import Phase

__all__ = [
    "Answer",
    "Bridge",
    "ClientStateUpdate",
    "Enqueue",
    "Hangup",
    "LeaveQueue",
    "Refer",
    "Reject",
    "Dial",
    "Transfer",
    "Gather",
    "GatherStop",
    "GatherUsingAudio",
    "GatherUsingSpeak",
    "ForkStart",
    "ForkStop",
    "RecordPause",
    "RecordResume",
    "RecordStart",
    "RecordStop",
    "StreamingStart",
    "StreamingStop",
    "TranscriptionStart",
    "TranscriptionStop",
    "AnsweringMachineDetectionConfig",
    "ConferenceConfig",
    "CustomHeader",
    "DeepfakeDetection",
    "DialogflowConfig",
    "SipHeader",
    "SoundModifications",
    "StreamParameter",
    "TranscriptionConfig",
    "WebhookRetriesPolicy",
    "PlaybackStart",
    "PlaybackStop",
    "SendDtmf",
    "Speak",
    "CancelRequest",
    "Command",
    "Custom",
    "START_AFTER_PREVIOUS_COMPLETED",
    "START_AFTER_PREVIOUS_RESULT",
    "START_AFTER_UNSPECIFIED",
    "StartAfter",
    "CancelCommandsRequest",
    "CancelCommandsResponse",
    "ExecuteRequest",
    "ExecuteResponse",
    "ExecuteStreamRequest",
    "ExecuteStreamResponse",
    "GetCallRequest",
    "GetCallResponse",
    "GetCommandRequest",
    "GetCommandResponse",
    "PauseAccountRequest",
    "PauseAccountResponse",
    "Refusal",
    "ResumeAccountRequest",
    "ResumeAccountResponse",
    "SubmitRequest",
    "SubmitResponse",
    "SubmitStreamRequest",
    "SubmitStreamResponse",
    "WAIT_FOR_COMPLETION",
    "WAIT_FOR_RESULT",
    "WAIT_FOR_UNSPECIFIED",
    "WATCH_KIND_COMPLETIONS",
    "WATCH_KIND_EVENTS",
    "WATCH_KIND_RESULTS",
    "WATCH_KIND_UNSPECIFIED",
    "WaitFor",
    "WatchKind",
    "WatchRequest",
    "WatchResponse",
    "CallSummary",
    "DeadLetter",
    "ForgetCallRequest",
    "ForgetCallResponse",
    "GetDeadLetterRequest",
    "GetDeadLetterResponse",
    "ListCallsRequest",
    "ListCallsResponse",
    "ListDeadLettersRequest",
    "ListDeadLettersResponse",
    "ReplayDeadLetterRequest",
    "ReplayDeadLetterResponse",
    "ActionOptions",
    "Clears",
    "Completion",
    "Endless",
    "GoesOn",
    "LANE_ACTION",
    "LANE_DIAL",
    "LANE_UNSPECIFIED",
    "LANE_URGENT",
    "Lane",
    "Match",
    "PLACEMENT_LAST",
    "PLACEMENT_NEXT",
    "PLACEMENT_NOW",
    "PLACEMENT_UNSPECIFIED",
    "Placement",
    "REPEAT_CLASS_ALWAYS",
    "REPEAT_CLASS_UNSENT",
    "REPEAT_CLASS_UNSPECIFIED",
    "REPEAT_CLASS_WINDOW",
    "RepeatClass",
    "WireOptions",
    "COMPLETION_STATE_COMPLETED",
    "COMPLETION_STATE_FAILED",
    "COMPLETION_STATE_INCOMPLETE",
    "COMPLETION_STATE_UNSPECIFIED",
    "CancelReport",
    "CommandCompletion",
    "CommandResult",
    "CompletionState",
    "Dialed",
    "FieldViolation",
    "REASON_ACCEPTANCE_UNKNOWN",
    "REASON_ACCOUNT_MISMATCH",
    "REASON_ALREADY_ENDED",
    "REASON_AMBIGUOUS_REFUSAL",
    "REASON_BAD_ANSWER",
    "REASON_CALL_ENDED",
    "REASON_CALL_NOT_ANSWERED",
    "REASON_CALL_NOT_FOUND",
    "REASON_CANCEL_REQUESTED",
    "REASON_COMMAND_ID_REUSED",
    "REASON_COMMAND_NOT_FOUND",
    "REASON_COMMAND_TOO_LARGE",
    "REASON_CREDENTIALS_REFUSED",
    "REASON_CURSOR_EXPIRED",
    "REASON_DESTINATION_REFUSED",
    "REASON_DIAL_LIMIT",
    "REASON_DRY_RUN",
    "REASON_INTERNAL",
    "REASON_INVALID_COMMAND",
    "REASON_IN_LANE",
    "REASON_IN_LINE",
    "REASON_LETTER_NOT_FOUND",
    "REASON_LINE_FULL",
    "REASON_LOG_UNAVAILABLE",
    "REASON_NOT_PERMITTED",
    "REASON_NOT_REPLAYABLE",
    "REASON_NO_ANSWER",
    "REASON_NO_EVENT",
    "REASON_NO_RECORDER",
    "REASON_OVERLOADED",
    "REASON_OWNER_UNREACHABLE",
    "REASON_PAUSED",
    "REASON_PREVIOUS_FAILED",
    "REASON_QUOTA_EXCEEDED",
    "REASON_RATE_LIMITED",
    "REASON_RECORDER_UNAVAILABLE",
    "REASON_RESTORING",
    "REASON_SEQUENCE_GAP",
    "REASON_SEQUENCE_TAKEN",
    "REASON_SHUTTING_DOWN",
    "REASON_SUPERSEDED",
    "REASON_TELNYX_ERROR",
    "REASON_TELNYX_REFUSED",
    "REASON_TELNYX_UNREACHABLE",
    "REASON_UNAUTHENTICATED",
    "REASON_UNKNOWN_ACCOUNT",
    "REASON_UNSPECIFIED",
    "REASON_WEBHOOKS_ELSEWHERE",
    "REASON_WORKER_LOST",
    "Reason",
    "STATE_CANCELLED",
    "STATE_EXPIRED",
    "STATE_FAILED",
    "STATE_REJECTED",
    "STATE_SUCCEEDED",
    "STATE_UNKNOWN",
    "STATE_UNSPECIFIED",
    "State",
    "TelnyxError",
    "GetStatusRequest",
    "GetStatusResponse",
    "LaneStatus",
    "PARTITION_STATE_BROKEN",
    "PARTITION_STATE_RESTORING",
    "PARTITION_STATE_SERVED",
    "PARTITION_STATE_STALLED",
    "PARTITION_STATE_UNKNOWN",
    "PARTITION_STATE_UNOWNED",
    "PARTITION_STATE_UNSPECIFIED",
    "PROCESS_STATE_LEFT",
    "PROCESS_STATE_NOT_READY",
    "PROCESS_STATE_READY",
    "PROCESS_STATE_SILENT",
    "PROCESS_STATE_UNSPECIFIED",
    "PartitionState",
    "PartitionStatus",
    "ProcessState",
    "ProcessStatus",
    "StatusFinding",
    "TIMELINE_KIND_ACCEPTED",
    "TIMELINE_KIND_ANSWERED",
    "TIMELINE_KIND_ASKED",
    "TIMELINE_KIND_CALL",
    "TIMELINE_KIND_CANCEL_ASKED",
    "TIMELINE_KIND_CANCEL_REPORTED",
    "TIMELINE_KIND_COMPLETED",
    "TIMELINE_KIND_EVENT",
    "TIMELINE_KIND_HELD",
    "TIMELINE_KIND_REFUSED",
    "TIMELINE_KIND_RELEASED",
    "TIMELINE_KIND_REPLAYED",
    "TIMELINE_KIND_RESULT",
    "TIMELINE_KIND_SENT",
    "TIMELINE_KIND_SETTLED",
    "TIMELINE_KIND_UNREADABLE",
    "TIMELINE_KIND_UNSPECIFIED",
    "TIMELINE_ORIGIN_PAGE_NO_RECORDER",
    "TIMELINE_ORIGIN_PAGE_RECORDER_AWAY",
    "TIMELINE_ORIGIN_RECORDER",
    "TIMELINE_ORIGIN_UNSPECIFIED",
    "TimelineEntry",
    "TimelineKind",
    "TimelineOrigin",
    "CALL_STATE_ACTIVE",
    "CALL_STATE_ENDED",
    "CALL_STATE_RINGING",
    "CALL_STATE_UNKNOWN",
    "CALL_STATE_UNSPECIFIED",
    "CallEvent",
    "CallState",
    "CallView",
    "CommandView",
    "DIRECTION_INCOMING",
    "DIRECTION_OUTGOING",
    "DIRECTION_UNSPECIFIED",
    "Direction",
    "PHASE_ENDED",
    "PHASE_OPEN",
    "PHASE_RELEASED",
    "PHASE_UNSPECIFIED",
    "PHASE_WAITING",
    "Phase",
]
