"""Forwarding: each verified webhook is posted on to the account's own endpoint, as Telnyx sent it."""

from workers.forwarding.endpoint import Endpoint as Endpoint
from workers.forwarding.forwarder import Forwarder as Forwarder
from workers.forwarding.line import ForwardSettings as ForwardSettings
