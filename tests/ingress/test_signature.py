"""Who is believed to be Telnyx: the same as by the vendor's own check."""

from __future__ import annotations

import base64
import time

import pytest
import telnyx

from tests.ingress.desk import KEY, NOW, OTHER_KEY, Desk, event, public, signed


class TestSignature:
    @pytest.mark.parametrize("offset", [-300, -299, 0, 299, 300])
    async def test_within_five_minutes_either_way(self, desk: Desk, offset: int):
        """
        Clocks differ and deliveries wait.
        """
        body = event()

        assert (
            await desk.client.post("/webhooks/telnyx", content=body, headers=signed(body, at=NOW + offset))
        ).status_code == 200

    @pytest.mark.parametrize("offset", [-301, 301, -90_000])
    async def test_beyond_them_it_is_stale(self, desk: Desk, offset: int):
        """
        An old delivery cannot be played again, though its signature is right.
        """
        body = event()
        answer = await desk.client.post("/webhooks/telnyx", content=body, headers=signed(body, at=NOW + offset))

        assert answer.status_code == 401
        assert desk.counted() == {"stale": 1}
        assert desk.log.appends == 0

    async def test_whoever_the_vendors_client_refuses_is_refused(self, desk: Desk):
        """
        Headers and bodies tampered with in every part: we say no where the vendor's own check does, and nowhere else.
        """
        desk.clock.seconds = now = int(time.time())  # The vendor's check goes by the machine's clock.
        body = event()
        good = signed(body, at=now)
        raw = base64.b64decode(good["telnyx-signature-ed25519"])
        tampered = [
            (body, good),
            (body + b" ", good),
            (body.replace(b"answered", b"hungup"), good),
            (body, signed(body, OTHER_KEY, now)),
            (body, good | {"telnyx-timestamp": str(now + 1)}),
            (body, good | {"telnyx-timestamp": "soon"}),
            (body, good | {"telnyx-timestamp": "1e9"}),
            (body, good | {"telnyx-signature-ed25519": "!"}),
            (body, good | {"telnyx-signature-ed25519": base64.b64encode(raw[:63]).decode()}),
            (body, good | {"telnyx-signature-ed25519": base64.b64encode(raw + b"x").decode()}),
            (body, good | {"telnyx-signature-ed25519": base64.b64encode(bytes(64)).decode()}),
            (body, {"telnyx-timestamp": good["telnyx-timestamp"]}),
            (body, {"telnyx-signature-ed25519": good["telnyx-signature-ed25519"]}),
            (body, {}),
        ]
        theirs = telnyx.Telnyx(api_key="x").webhooks
        for number, (content, headers) in enumerate(tampered):
            try:
                theirs.unwrap(content.decode(), headers=headers, key=public(KEY))
                allowed = True
            except ValueError:
                allowed = False

            answer = await desk.client.post("/webhooks/telnyx", content=content, headers=headers)

            assert answer.status_code == (200 if allowed else 401), number

        assert desk.log.appends == 1
        assert desk.counted() == {"accepted": 1, "forged": 10, "unsigned": 3}

    async def test_a_forger_learns_nothing(self, desk: Desk):
        """
        A wrong key, a wrong body and a broken signature get the same words.
        """
        body = event()
        headers = [signed(body, OTHER_KEY), signed(body + b"x"), signed(body) | {"telnyx-signature-ed25519": "?"}]

        answers = [await desk.client.post("/webhooks/telnyx", content=body, headers=each) for each in headers]

        assert len({answer.content for answer in answers}) == 1
