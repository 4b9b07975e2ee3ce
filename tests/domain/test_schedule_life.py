"""Whole lives of an enrollment, simulated with the pure rules: any zone, window, delays, late workers and outages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from leadmagnet.domain.schedule import (
    Delay,
    DelayUnit,
    Rhythm,
    Window,
    due_at,
    inside,
    local_day,
    opens_at,
    parse_delay,
    to_utc,
)
from leadmagnet.domain.sequence import Step, delay_before, next_step
from leadmagnet.domain.status import DeliveryKind
from leadmagnet.domain.zones import zone

ZONES = (
    "America/Vancouver", "Europe/Zurich", "Australia/Lord_Howe", "America/St_Johns", "Africa/Casablanca",
    "Pacific/Apia", "Asia/Kolkata", "Pacific/Chatham", "America/Santiago",
)  # fmt: skip
DAYS = st.integers(1, 9).map(lambda amount: Delay(amount, DelayUnit.DAYS))
HOURS = st.integers(1, 72).map(lambda amount: Delay(amount, DelayUnit.HOURS))
DAYS_OR_HOURS = st.one_of(DAYS, HOURS)
LATE = st.one_of(
    st.just(timedelta(0)),
    st.integers(1, 120).map(lambda seconds: timedelta(seconds=seconds)),  # a busy worker
    st.integers(1, 240).map(lambda hours: timedelta(hours=hours)),  # an outage, a pause
)


@cache
def changes(name: str) -> tuple[datetime, ...]:
    """Return days on which the zone's clocks change, from 2008 to 2027."""
    days = [datetime(2008, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(20 * 365)]
    offsets = [day.astimezone(zone(name)).utcoffset() for day in days]
    found = [day for day, before, now in zip(days[1:], offsets, offsets[1:], strict=False) if before != now]
    return tuple(found or days[::500])


@dataclass(frozen=True)
class Life:
    """What one simulated subscriber lives with."""

    zone_name: str
    start: datetime
    rhythm: Rhythm
    share: float
    delays: tuple[Delay, ...]
    late: tuple[timedelta, ...]


@dataclass(frozen=True)
class Sent:
    """One email that went out."""

    step: Step
    due: datetime
    at: datetime


@st.composite
def rhythms(draw: st.DrawFn) -> Rhythm:
    opens = draw(st.integers(0, 1439))
    closes = draw(st.integers(opens + 1, 1440))
    window = Window(opens, closes, draw(st.frozensets(st.integers(0, 6), min_size=1)))
    chosen = draw(st.booleans())
    at = draw(st.integers(0, 1439) if chosen else st.integers(opens, closes - 1))
    return Rhythm(at, window, draw(st.sampled_from([0, 30, 240])), chosen=chosen)


@st.composite
def lives(draw: st.DrawFn, delays: st.SearchStrategy[Delay] = DAYS_OR_HOURS) -> Life:
    name = draw(st.sampled_from(ZONES))
    # Close before a night on which clocks change, so that the course runs across it.
    start = draw(st.sampled_from(changes(name))) - timedelta(seconds=draw(st.integers(0, 12 * 86400)))
    course = draw(st.lists(delays, min_size=2, max_size=6))
    late = draw(st.lists(LATE, min_size=7, max_size=7))
    share = draw(st.floats(0, 1, exclude_max=True))
    return Life(name, start, draw(rhythms()), share, (parse_delay("at confirmation"), *course), tuple(late))


def live(life: Life) -> list[Sent]:
    """Do what the engine does: plan the next step from what really went out, send when it is possible."""
    where = zone(life.zone_name)
    steps = [Step(n, f"video-{n}", n, DeliveryKind.VIDEO, delay) for n, delay in enumerate(life.delays, 1)]
    sent: list[Sent] = []
    previous = life.start
    while step := next_step(steps, [email.step.id for email in sent]):
        taken = {local_day(email.at, where) for email in sent[1:]}
        delay = delay_before(step, [email.step.id for email in sent])
        due = due_at(previous, delay, life.rhythm, where, share=life.share, taken=taken, previous_counts=len(sent) > 1)
        able = due + life.late[len(sent)]
        at = opens_at(able, life.rhythm, where, taken=taken) if sent else able
        sent.append(Sent(step, due, at))
        previous = at
    return sent


def whole_window(day: date, life: Life) -> bool:
    """Say whether clocks show some of the window on that day: a spring gap can swallow a short one."""
    window, where = life.rhythm.effective, zone(life.zone_name)
    return to_utc(day, window.opens, where) < to_utc(day, window.closes, where)


MANY = settings(max_examples=250, deadline=None)


@MANY
@given(lives())
def test_every_step_goes_out_once_and_in_order(life: Life) -> None:
    sent = live(life)
    assert [email.step.id for email in sent] == list(range(1, len(life.delays) + 1))
    assert all(earlier.at < later.at for earlier, later in pairwise(sent))
    assert all(email.due <= email.at for email in sent)


@MANY
@given(lives())
def test_video_1_goes_out_at_confirmation_whatever_the_hour(life: Life) -> None:
    assert live(life)[0].due == life.start


@MANY
@given(lives())
def test_no_two_emails_share_a_local_day_video_1_aside(life: Life) -> None:
    days = [local_day(email.at, zone(life.zone_name)) for email in live(life)[1:]]
    assert len(set(days)) == len(days)


@MANY
@given(lives())
def test_nothing_but_video_1_goes_out_outside_the_window(life: Life) -> None:
    window = life.rhythm.effective
    for email in live(life)[1:]:
        for instant in (email.due, email.at):
            wall = instant.astimezone(zone(life.zone_name))
            assert inside(instant, life.rhythm, zone(life.zone_name))
            assert wall.weekday() in window.weekdays
            if whole_window(wall.date(), life):
                assert window.opens <= wall.hour * 60 + wall.minute < window.closes


@MANY
@given(lives(DAYS))
def test_emails_that_are_days_apart_are_at_least_20_hours_and_that_many_local_days_apart(life: Life) -> None:
    for earlier, later in pairwise(live(life)):
        apart = local_day(later.at, zone(life.zone_name)) - local_day(earlier.at, zone(life.zone_name))
        assert later.due - earlier.at >= timedelta(hours=20)
        assert apart >= timedelta(days=later.step.delay.amount)


@MANY
@given(lives(HOURS))
def test_emails_that_are_hours_apart_are_at_least_those_hours_apart(life: Life) -> None:
    for earlier, later in pairwise(live(life)):
        assert later.due - earlier.at >= timedelta(hours=later.step.delay.amount)


@settings(max_examples=150, deadline=None)
@given(lives(DAYS), st.lists(st.integers(0, 120), min_size=7, max_size=7))
def test_seconds_of_lateness_never_slip_a_day(life: Life, seconds: list[int]) -> None:
    # A wide daytime window, every weekday, started in the daytime: nothing but drift could move a day.
    rhythm = Rhythm(9 * 60, Window(8 * 60, 20 * 60), life.rhythm.spread_minutes)
    where = zone(life.zone_name)
    start = opens_at(life.start, Rhythm(9 * 60, Window(8 * 60, 12 * 60)), where)
    late = tuple(timedelta(seconds=second) for second in seconds)
    sent = live(Life(life.zone_name, start, rhythm, life.share, life.delays, late))
    for earlier, later in pairwise(sent):
        day = local_day(earlier.at, where) + timedelta(days=later.step.delay.amount)
        expected = to_utc(day, rhythm.minute(life.share), where)
        if local_day(expected, where) == day:  # the day exists
            assert later.due == expected or later.due == earlier.at + timedelta(hours=20)


@settings(max_examples=150, deadline=None)
@given(life=lives(DAYS), broken=st.integers(1, 2), hours=st.integers(1, 2000))
def test_after_an_outage_one_overdue_email_goes_and_the_next_a_full_delay_later(
    life: Life, broken: int, hours: int
) -> None:
    where = zone(life.zone_name)
    late = tuple(timedelta(hours=hours if place == broken else 0) for place in range(7))
    sent = live(Life(life.zone_name, life.start, life.rhythm, life.share, life.delays, late))
    overdue, after = sent[broken], sent[broken + 1 : broken + 2]
    assert overdue.at == opens_at(overdue.due + timedelta(hours=hours), life.rhythm, where)
    for later in after:
        apart = local_day(later.due, where) - local_day(overdue.at, where)
        assert apart >= timedelta(days=later.step.delay.amount)


def test_sent_five_seconds_late_the_next_is_due_on_the_hour() -> None:
    rhythm, where = Rhythm(9 * 60, Window(8 * 60, 20 * 60)), zone("America/Vancouver")
    previous = to_utc(date(2026, 5, 1), 540, where) + timedelta(seconds=5)
    for day in range(1, 60):
        due = due_at(previous, parse_delay("1 day"), rhythm, where)
        assert due == to_utc(date(2026, 5, 1) + timedelta(days=day), 540, where)
        previous = due + timedelta(seconds=5)
