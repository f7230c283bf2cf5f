"""What an answer, or none, means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordboard.work import Repeat, TelnyxError, Verdict
from workers.core.outcome import TABLE, Answer, Ending, Meaning, NoAnswer, errors_of, read, reset_ms_of

OK = b'{"data":{"result":"ok"}}'
ENDED = b'{"errors":[{"code":"90018","title":"Call has already ended","source":{"pointer":"/call_control_id"}}]}'

ANSWERS = [
    (Answer(200, OK), Meaning.ACCEPTED),
    (Answer(201, b"{}"), Meaning.ACCEPTED),
    (Answer(204, b""), Meaning.ACCEPTED),
    (Answer(200, b""), Meaning.ACCEPTED),
    (Answer(200, b"", Ending.BROKEN), Meaning.HALF),
    (Answer(200, OK[:9], Ending.BROKEN), Meaning.HALF),
    (Answer(200, b"[" * 65_536, Ending.CUT), Meaning.FOREIGN),
    (Answer(200, b"<html>welcome</html>"), Meaning.FOREIGN),
    (Answer(200, b"[]"), Meaning.FOREIGN),
    (Answer(200, b"null"), Meaning.FOREIGN),
    (Answer(200, b'{"data":"\xff"}'), Meaning.FOREIGN),
    (Answer(200, b"[" * 5_000), Meaning.FOREIGN),
    (Answer(101, b""), Meaning.FOREIGN),
    (Answer(302, b""), Meaning.FOREIGN),
    (Answer(999, b""), Meaning.FOREIGN),
    (Answer(400, ENDED), Meaning.REFUSED),
    (Answer(401, b"nope"), Meaning.REFUSED),
    (Answer(404, b""), Meaning.REFUSED),
    (Answer(422, ENDED), Meaning.REFUSED),
    (Answer(422, ENDED[:30], Ending.BROKEN), Meaning.REFUSED),
    (Answer(408, b"{}"), Meaning.UNANSWERED),
    (Answer(429, b'{"errors":[{"code":"10011"}]}'), Meaning.LIMITED),
    (Answer(429, b"", Ending.BROKEN), Meaning.LIMITED),
    (Answer(422, b'{"errors":[{"code":"10011"}]}'), Meaning.REFUSED),
    (Answer(500, b'{"errors":[{"code":"10007"}]}'), Meaning.FAULT),
    (Answer(503, b"<html>bad gateway</html>"), Meaning.FAULT),
    (Answer(502, b"", Ending.BROKEN), Meaning.FAULT),
    (Answer(0), Meaning.HALF),
    (NoAnswer(unsent=True, why="ConnectError"), Meaning.UNREACHED),
    (NoAnswer(unsent=False, why="ReadTimeout"), Meaning.UNANSWERED),
]


class TestRead:
    @pytest.mark.parametrize(("reply", "meaning"), ANSWERS, ids=str)
    def test_every_kind_of_answer_has_a_meaning(self, reply: Answer | NoAnswer, meaning: Meaning) -> None:
        """
        The status decides, the body explains, and nothing is a crash.
        """
        assert meaning is read(reply, Repeat.WINDOW).meaning

    def test_a_dial_answered_without_its_ids_is_not_done(self) -> None:
        """
        An empty success is enough for an action; a dial's call could not be found again.
        """
        assert Meaning.FOREIGN is read(Answer(200, b""), Repeat.UNSENT).meaning
        assert Meaning.ACCEPTED is read(Answer(200, OK), Repeat.UNSENT).meaning

    def test_an_accepted_answer_hands_on_its_body(self) -> None:
        """
        The response is what Telnyx sent, byte for byte.
        """
        assert read(Answer(200, OK), Repeat.WINDOW).response == OK

    def test_a_refusal_hands_on_telnyx_errors(self) -> None:
        """
        Code, title and pointer reach the sender, and the sentence names the code.
        """
        reading = read(Answer(422, ENDED), Repeat.WINDOW)

        assert (TelnyxError("90018", "Call has already ended", "", "/call_control_id"),) == reading.errors
        assert reading.message == "422 90018: Call has already ended"

    def test_a_foreign_page_is_never_quoted(self) -> None:
        """
        What is not Telnyx's may be anything, so neither results nor logs repeat it.
        """
        reading = read(Answer(502, b"<html>secret</html>"), Repeat.WINDOW)

        assert reading.message == "502 without readable errors, 19 bytes"

    @given(st.integers(0, 999), st.binary(max_size=200), st.sampled_from(Ending), st.text(max_size=8))
    def test_nothing_that_arrives_raises(self, status: int, body: bytes, ending: Ending, reset: str) -> None:
        """
        Whatever bytes come back, there is a reading, and its errors fit their bounds.
        """
        for repeat in Repeat:
            reading = read(Answer(status, body, ending, reset), repeat)
            assert reading.meaning in TABLE


class TestErrors:
    @pytest.mark.parametrize(
        "body",
        [b"", b"x", b"{}", b'{"errors":null}', b'{"errors":{}}', b'{"errors":[1,"a",null]}', b"[1]", b'{"errors":'],
    )
    def test_a_body_without_errors_has_none(self, body: bytes) -> None:
        """
        Anything but the documented shape yields no errors.
        """
        assert errors_of(body) == ()

    def test_odd_entries_are_read_as_far_as_they_go(self) -> None:
        """
        A numeric code, a missing title, a source that is no object: each costs only itself.
        """
        body = b'{"errors":[{"code":10011,"detail":["a"],"source":"x"},{"code":"1","source":{"parameter":"to"}}]}'

        assert (TelnyxError("10011"), TelnyxError("1", pointer="to")) == errors_of(body)

    def test_endless_errors_are_cut(self) -> None:
        """
        No answer can make an outcome grow beyond its bounds.
        """
        body = b'{"errors":[' + b",".join([b'{"code":"' + b"9" * 2_000 + b'"}'] * 100) + b"]}"

        errors = errors_of(body)

        assert len(errors) == 20
        assert len(errors[0].code) == 500


class TestReset:
    @pytest.mark.parametrize(
        ("header", "ms"),
        [
            ("2", 2_000),
            ("0.5", 500),
            ("0", 100),
            ("-3", 100),
            ("1e9", 60_000),
            ("inf", 60_000),
            ("nan", 1_000),
            ("", 1_000),
            ("soon", 1_000),
        ],
    )
    def test_the_header_is_seconds_within_bounds(self, header: str, ms: int) -> None:
        """
        Whatever the header says, the wait is between 0.1 and 60 seconds.
        """
        assert ms == reset_ms_of(header)


class TestTable:
    def test_every_meaning_has_a_row(self) -> None:
        """
        Nothing that can happen is undecided.
        """
        assert set(Meaning) == set(TABLE)

    def test_a_dial_is_repeated_only_after_what_had_no_effect(self) -> None:
        """
        The class UNSENT repeats exactly where the row says that no doubt is left.
        """
        again = {meaning for meaning, rule in TABLE.items() if Repeat.UNSENT in rule.again}

        assert {Meaning.UNREACHED, Meaning.LIMITED} == again
        assert not any(TABLE[meaning].doubt for meaning in again)

    def test_a_no_after_a_doubt_is_ambiguous(self) -> None:
        """
        Only a first no is certain.
        """
        assert Verdict.REFUSED is TABLE[Meaning.REFUSED].ends
        assert Verdict.AMBIGUOUS is TABLE[Meaning.REFUSED].doubted
