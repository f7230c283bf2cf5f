"""Who asks, and whether they may: what all ports share, and none of them knows of the others."""

from cordboard.access.access import Access as Access
from cordboard.access.caller import ANYBODY as ANYBODY
from cordboard.access.caller import Caller as Caller
from cordboard.access.denials import Denied as Denied
from cordboard.access.denials import NotKnown as NotKnown
from cordboard.access.denials import NotPermitted as NotPermitted
from cordboard.access.denials import OverLimit as OverLimit
from cordboard.access.known import Proof as Proof
from cordboard.access.known import bearer as bearer
from cordboard.access.known import hash_of as hash_of
from cordboard.access.metrics import AccessMetrics as AccessMetrics
from cordboard.access.usage import Share as Share
from cordboard.settings import Right as Right
