"""Who is known, as tokens, certificates and the file of identities say it; and what each may do."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cordboard.access import ANYBODY, Access, Caller, NotKnown, NotPermitted, OverLimit, Proof, Right, Share, hash_of
from cordboard.access.usage import Usage
from cordboard.settings import IdentitiesUnusable, Identity
from tests.rpc.identities import digest, identity

TABLE = '[identities.{0}]\naccounts = ["{1}"]\ntoken_sha256 = ["{2}"]\n'


class Clock:
    ms = 1_000_000

    def now_ms(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


def shows(token: str) -> Proof:
    return Proof(hash_of(token))


def written(file: Path, *lines: tuple[str, str, str]) -> Path:
    file.write_text("".join(TABLE.format(name, account, digest(token)) for name, account, token in lines))
    return file


class TestProofs:
    def test_where_nobody_is_configured_everybody_may_do_everything(self, clock: Clock):
        """
        As it was before there were identities.
        """
        caller = Access(clock, {}).caller(Proof())

        assert caller is ANYBODY
        caller.need(Right.OPERATE)
        caller.need_account("any")
        caller.need_action("dial")
        caller.need_all_accounts("dead letters")
        caller.spend(Share.COMMAND)

    def test_a_token_is_replaced_while_both_are_known(self, clock: Clock):
        """
        First the new one is added, then the old one is taken away.
        """
        both = Identity(token_sha256=(digest("old"), digest("new")), accounts=("a",))
        access = Access(clock, {"ivr": both}, accounts=("a",))

        assert {access.caller(shows(token)).name for token in ("old", "new")} == {"ivr"}

    def test_a_certificate_is_known_by_any_of_its_names(self, clock: Clock):
        """
        But a token that is shown counts alone, also where it is wrong.
        """
        access = Access(clock, {"ivr": Identity(certificate_names=("ivr.example",), accounts=("*",))})

        assert access.caller(Proof(names=("spiffe://x", "ivr.example"))).name == "ivr"
        for proof in (Proof(names=("other.example",)), Proof(hash_of("wrong"), ("ivr.example",))):
            with pytest.raises(NotKnown):
                access.caller(proof)

    def test_no_word_of_a_token_is_told(self, clock: Clock):
        """
        Neither by the denial, nor by what was shown.
        """
        with pytest.raises(NotKnown) as denied:
            Access(clock, {"ivr": identity("known")}, accounts=("main",)).caller(shows("a-secret-token"))

        assert "a-secret-token" not in f"{denied.value}{shows('a-secret-token')}"
        assert digest("a-secret-token")[:8] not in f"{denied.value}{shows('a-secret-token')}"


class TestTheFile:
    def test_what_is_written_anew_counts_within_a_second(self, tmp_path: Path, clock: Clock):
        """
        Also for who was let in before.
        """
        file = written(tmp_path / "f", ("ivr", "a", "one"))
        access = Access(clock, {}, file, ("a", "b"))
        caller = access.caller(shows("one"))

        written(file, ("ivr", "b", "one"), ("new", "a", "two"))
        clock.ms += 1_000
        caller.need_account("b")
        assert access.caller(shows("two")).name == "new"

        written(file, ("new", "a", "two"))
        clock.ms += 1_000
        with pytest.raises(NotKnown):
            caller.need_account("b")

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (None, "must name a file that can be read: No such file or directory"),
            ("", "identities: must hold a table [identities.NAME] for each"),
            ("no toml", "must name a file of TOML, with a table [identities.NAME] for each"),
            (TABLE.format("x", "nowhere", digest("x")), "identities.x.accounts must be of the accounts (a), or '*'"),
            (TABLE.format("x", "a", "TOKEN"), "identities.x.token_sha256: must be SHA-256 in 64 digits"),
            (TABLE.format("inside", "a", digest("x")), "inside is among the settings already"),
        ],
    )
    def test_a_file_that_is_not_right_changes_nothing(
        self, tmp_path: Path, clock: Clock, content: str | None, why: str
    ):
        """
        It is said in the log, once, and for as long as that lasts there is trouble to tell of.
        """
        file = written(tmp_path / "f", ("ivr", "a", "one"))
        access = Access(clock, {"inside": identity("inside", ("a",))}, file, ("a",))
        file.unlink()
        if content is not None:
            file.write_text(content)

        with capture_logs() as logs:
            for _ in range(3):
                clock.ms += 1_000
                assert access.caller(shows("one")).name == "ivr"
        assert access.trouble.startswith(why)
        assert [(line["log_level"], line["why"]) for line in logs] == [("error", access.trouble)]

        written(file, ("new", "a", "two"))
        clock.ms += 1_000
        assert access.caller(shows("two")).name == "new"
        assert access.trouble == ""

    def test_a_start_with_a_file_that_is_not_right_is_refused(self, tmp_path: Path, clock: Clock):
        """
        There is nothing from before that could stay in force.
        """
        with pytest.raises(IdentitiesUnusable):
            Access(clock, {}, written(tmp_path / "f", ("ivr", "nowhere", "one")), ("a",))


class TestWhatItMay:
    def caller(self, usage: Usage | None = None, **settings: object) -> Caller:
        one = identity("t", ("a", "b"), **settings)
        return Caller("ivr", lambda: one, usage)

    def test_a_denial_says_what_is_missing(self):
        """
        To whoever reads it, and to programs.
        """
        caller = self.caller(actions=("hangup",))
        for ask, kind, named, message in (
            (lambda: caller.need_account("c"), "account", "c", "may not use the account 'c'; it may use a, b"),
            (lambda: caller.need_action("dial"), "action", "dial", "may not send the action dial"),
            (lambda: caller.need(Right.OPERATE), "right", "operate", "has not the right operate"),
        ):
            with pytest.raises(NotPermitted) as denied:
                ask()
            assert (denied.value.kind, denied.value.named) == (kind, named)
            assert str(denied.value) == f"The sender 'ivr' {message}."

    def test_a_share_that_is_used_up_leaves_the_others_alone(self, clock: Clock):
        """
        So that dials do not lock out what is urgent; and a second later there is room again.
        """
        caller = self.caller(Usage(clock), commands_per_second=2)
        for _ in range(2):
            caller.spend(Share.COMMAND)
        with pytest.raises(OverLimit) as denied:
            caller.spend(Share.COMMAND)

        assert denied.value.retry_seconds == 0.5
        caller.spend(Share.URGENT)
        clock.ms += 500
        caller.spend(Share.COMMAND)

    def test_room_comes_back_when_a_request_has_ended(self, clock: Clock):
        """
        However it ended.
        """
        caller = self.caller(Usage(clock), concurrent_max=1)
        with caller.busy(Share.COMMAND):
            with pytest.raises(OverLimit), caller.busy(Share.COMMAND):
                pass
            with pytest.raises(ZeroDivisionError), caller.busy(Share.WATCH):
                raise ZeroDivisionError
            with caller.busy(Share.WATCH):
                pass
        with caller.busy(Share.COMMAND):
            pass
