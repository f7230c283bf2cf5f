"""Fields on the command line, by the types that the contract gives them."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message import Message

from cordboard import body
from cordboard.cli.durations import milliseconds
from cordboard.cli.exits import Failure, Status
from cordboard.cli.fields import action_named, fill
from cordboard.masking import shown
from cordboard.v1 import Command


def filled(action: str, *words: str, body: str | None = None) -> Command:
    command = Command()
    fill(command, action_named(action), words, body)
    return command


def written(message: Message, field: str) -> Any:
    """What the command's body holds of it."""
    return body.written(message.DESCRIPTOR.fields_by_name[field], getattr(message, field))


class TestFill:
    def test_types_come_from_the_contract(self) -> None:
        """
        Text, numbers, flags and names with hyphens, each with or without an equals sign.
        """
        given = filled("gather-using-speak", "--payload", "Hello there", "--maximum-digits=4", "--voice", "female")

        assert given.gather_using_speak.payload == "Hello there"
        assert given.gather_using_speak.maximum_digits == 4
        assert filled("playback_start", "--overlay").playback_start.overlay
        assert filled("playback_start", "--overlay", "false").playback_start.HasField("overlay")

    def test_telnyx_names_are_known(self) -> None:
        """
        `from` is from_number, as Telnyx writes it.
        """
        assert filled("dial", "--from", "+12025550199").dial.from_number == "+12025550199"

    def test_into_messages_and_lists(self) -> None:
        """
        A dotted path goes into a message; a repeated field is given repeatedly, or as JSON.
        """
        dial = filled(
            "dial",
            *("--to-list", "+12025550100", "--to-list", "+12025550101"),
            *("--sound-modifications.pitch", "0.5"),
            *("--custom-headers", '{"name": "X-A", "value": "1"}'),
        ).dial

        assert list(dial.to_list) == ["+12025550100", "+12025550101"]
        assert dial.sound_modifications.pitch == 0.5
        assert [(header.name, header.value) for header in dial.custom_headers] == [("X-A", "1")]

    def test_objects_with_names_of_the_senders_own(self) -> None:
        """
        As JSON: settings whose fields the contract does not know, and addresses by event type, also one at a time.
        """
        speak = filled("speak", "--voice-settings", '{"type": "azure", "rate": 2, "deep": {"list": [true]}}').speak
        answer = filled(
            "answer",
            *("--webhook-urls", '{"call.answered": "https://a.example"}'),
            *("--webhook-urls", '{"call.hangup": ["https://b.example"]}'),
            *("--webhook-retries-policies", '{"call.hangup": {"retries_ms": [1, 2]}}'),
            *("--deepfake-detection.enabled", "--deepfake-detection.timeout", "30"),
        ).answer

        assert written(speak, "voice_settings") == {"type": "azure", "rate": 2, "deep": {"list": [True]}}
        assert written(answer, "webhook_urls") == {
            "call.answered": "https://a.example",
            "call.hangup": ["https://b.example"],
        }
        assert written(answer, "webhook_retries_policies") == {"call.hangup": {"retries_ms": [1, 2]}}
        assert written(answer, "deepfake_detection") == {"enabled": True, "timeout": 30}

    def test_json_and_words(self) -> None:
        """
        Both may be given; the words win.
        """
        dial = filled("dial", "--to=+12025550101", body='{"to": "+12025550100", "from": "+12025550199"}').dial

        assert (dial.to, dial.from_number) == ("+12025550101", "+12025550199")

    def test_an_action_without_fields(self) -> None:
        """
        It is asked for all the same.
        """
        assert filled("hangup").WhichOneof("action") == "hangup"

    @pytest.mark.parametrize(
        ("action", "words", "body", "said"),
        [
            ("speek", [], None, "did you mean speak?"),
            ("speak", ["--paylod=x"], None, "did you mean payload?"),
            ("speak", ["Hello"], None, "'Hello' stands alone"),
            ("speak", ["--payload"], None, "needs a value"),
            ("gather", ["--maximum-digits=four"], None, "must be a whole number"),
            ("playback_start", ["--overlay=perhaps"], None, "must be true or false"),
            ("dial", ["--custom-headers=x"], None, "must be JSON"),
            ("dial", ["--to.number=x"], None, "is not a message"),
            ("speak", ["--voice-settings.type=x"], None, "give the whole field as JSON"),
            ("answer", ["--webhook-urls.call.answered=x"], None, "give the whole field as JSON"),
            ("answer", ["--webhook-urls=[]"], None, "must be a JSON object"),
            ("speak", [], "[]", "must be a JSON object"),
            ("speak", [], '{"pay": 1}', "speak: "),
        ],
    )
    def test_says_what_is_wrong(self, action: str, words: list[str], body: str | None, said: str) -> None:
        """
        What cannot be a command is bad usage, in a sentence that names the word.
        """
        with pytest.raises(Failure) as caught:
            filled(action, *words, body=body)

        assert said in str(caught.value)
        assert Status.USAGE is caught.value.status


class TestShown:
    def test_secrets_never_and_sensitive_texts_on_request(self) -> None:
        """
        A password is masked always, a text where the command says so.
        """
        dial = filled("dial", "--to=+12025550100", "--sip-auth-password=hush").dial
        speak = filled("speak", "--payload=4711", "--voice=female").speak

        assert shown(dial, sensitive=False) == {"to": "+12025550100", "sip_auth_password": "***"}
        assert shown(speak, sensitive=False) == {"payload": "4711", "voice": "female"}
        assert shown(speak, sensitive=True) == {"payload": "***", "voice": "female"}

    def test_a_custom_action(self) -> None:
        """
        Its body as JSON, how it may be repeated by the contract's word.
        """
        custom = filled(
            "custom",
            *("--name=siprec_start", "--without-command-id", "--repeat=REPEAT_CLASS_UNSENT"),
            *("--body", '{"secure": true, "session_timeout_secs": 90}'),
        ).custom

        assert shown(custom, sensitive=False) == {
            "name": "siprec_start",
            "body": {"secure": True, "session_timeout_secs": 90},
            "without_command_id": True,
            "repeat": "REPEAT_CLASS_UNSENT",
        }

    def test_newer_secrets_and_texts(self) -> None:
        """
        Tokens always; digits, what an assistant says, and what has no type on request, inside objects and lists too.
        """
        start = filled(
            "streaming_start",
            *("--stream-auth-token=hush", "--custom-parameters", '{"name": "pin", "value": "4711"}'),
        ).streaming_start
        dial = filled(
            "dial",
            *("--stream-auth-token=hush", "--send-digits-on-answer=4711", "--assistant", '{"instructions": "Ask"}'),
            *("--webhook-urls", '{"call.answered": ["https://a.example"]}'),
            *("--webhook-retries-policies", '{"call.answered": {"retries_ms": [1]}}'),
        ).dial

        assert shown(start, sensitive=False) == {
            "stream_auth_token": "***",
            "custom_parameters": [{"name": "pin", "value": "4711"}],
        }
        assert shown(start, sensitive=True)["custom_parameters"] == [{"name": "pin", "value": "***"}]
        assert shown(dial, sensitive=False) == {
            "stream_auth_token": "***",
            "send_digits_on_answer": "4711",
            "assistant": {"instructions": "Ask"},
            "webhook_urls": {"call.answered": ["https://a.example"]},
            "webhook_retries_policies": {"call.answered": {"retries_ms": [1]}},
        }
        assert shown(dial, sensitive=True) == {
            "stream_auth_token": "***",
            "send_digits_on_answer": "***",
            "assistant": "***",
            "webhook_urls": {"call.answered": "***"},
            "webhook_retries_policies": {"call.answered": {"retries_ms": [1]}},
        }


class TestMilliseconds:
    @pytest.mark.parametrize(
        ("text", "expected"), [("500ms", 500), ("30s", 30_000), ("1.5s", 1_500), ("2m", 120_000), ("1h", 3_600_000)]
    )
    def test_durations(self, text: str, expected: int) -> None:
        """
        As people write them.
        """
        assert expected == milliseconds(text, "--expire")

    @pytest.mark.parametrize("text", ["30", "s", "-1s", "1d", ""])
    def test_anything_else(self, text: str) -> None:
        """
        A number without its unit could be anything.
        """
        with pytest.raises(Failure, match="--expire must be a duration"):
            milliseconds(text, "--expire")
