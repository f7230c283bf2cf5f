"""A stand-in for Telnyx: calls that live, signed webhooks, faults on demand. It knows nothing of the catalogue."""
