"""The REST door: Telnyx's own API, so that its SDKs and existing code work with only the base URL replaced."""

from dispatcher.rest.server import RestServer

__all__ = ["RestServer"]
