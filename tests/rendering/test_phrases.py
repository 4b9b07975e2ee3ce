from datetime import date

import pytest

from leadmagnet.rendering import phrases


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("Anna", "Anna"),
        ("  Anna\tMaria ", "Anna Maria"),
        ("J. R.", "J. R."),
        ("O’Brien-Łukasz", "O’Brien-Łukasz"),
        ("Jean-Luc d'Arc", "Jean-Luc d'Arc"),
        ("李小龍", "李小龍"),
        ("می\u200cنا", "می\u200cنا"),
        ("", ""),
        ("{{leave_url}}", "leaveurl"),
        ("<script>alert(1)</script>", ""),
        ("<b>Anna</b>", ""),
        ("Anna\r\nBcc: x@y.example", "Anna"),
        ("http://evil", ""),
        ("Anna http://evil.example", "Anna"),
        ("see www.evil.example now", "see now"),
        ("evil.example", ""),
        ("EVIL.COM", ""),
        ("evil。com", ""),
        ("evil．com", ""),
        ("a@b.example", ""),
        ("\u202eannA\u202c", "annA"),
        ("Anna\x00\x1b", "Anna"),
        ("x" * 300, "x" * 40),
        ("Anna, ", "Anna"),
    ],
)
def test_a_name_can_only_be_read_as_a_name(raw: str, name: str) -> None:
    assert phrases.safe_name(raw) == name


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (38.2, "38 seconds"),
        (1, "1 second"),
        (0.2, "1 second"),
        (50.6, "50 seconds"),
        (59.9, "59 seconds"),
        (60, "1 minute"),
        (80, "1 minute 20 seconds"),
        (121, "2 minutes 1 second"),
        (300, "5 minutes"),
        (None, "a short film"),
        (0, "a short film"),
    ],
)
def test_length(seconds: float | None, words: str) -> None:
    assert phrases.length(seconds) == words


@pytest.mark.parametrize(
    ("weekdays", "words"),
    [
        ((0, 2, 4), "Monday, Wednesday and Friday"),
        (frozenset({5, 1}), "Tuesday and Saturday"),
        ((6,), "Sunday"),
        (tuple(range(7)), "every day"),
        ((), "no day"),
    ],
)
def test_days(weekdays: tuple[int, ...], words: str) -> None:
    assert phrases.days(weekdays) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "one session"), (3, "three sessions"), (0, "no sessions"), (12, "twelve sessions"), (13, "13 sessions")],
)
def test_count(number: int, words: str) -> None:
    assert phrases.count(number, "session") == words


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Bird dog", "bird dog"),
        ("Dead Bug", "dead bug"),
        ("90/90 breathing", "90/90 breathing"),
        ("TRX row", "TRX row"),
        ("Übung", "übung"),
        ("", ""),
    ],
)
def test_a_title_inside_a_sentence(title: str, words: str) -> None:
    assert phrases.in_sentence(title) == words


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 11, 17), "soon"),
        (date(2026, 11, 18), "later today"),
        (date(2026, 11, 19), "on Thursday"),
        (date(2026, 11, 24), "on Tuesday"),
        (date(2026, 11, 25), "on Wednesday 25 November"),
        (date(2027, 1, 2), "on Saturday 2 January"),
    ],
)
def test_day_from(day: date, words: str) -> None:
    assert phrases.day_from(date(2026, 11, 18), day) == words


def test_long_date() -> None:
    assert phrases.long_date(date(2026, 11, 9)) == "9 November 2026"
