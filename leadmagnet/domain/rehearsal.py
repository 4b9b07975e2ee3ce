"""The rehearsal: every email a sample subscriber would get, worked out with the rules that the engine itself follows.

It assumes that everything goes out when it is due and that the person never answers, so reminders thin out and stop.
Must not know: any real subscriber, what the emails say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from leadmagnet.domain.reminders import Facts, Hold, cadence, decide
from leadmagnet.domain.schedule import Delay, DelayUnit, Rhythm, clock_words, due_at, local_day, next_on_days, to_utc
from leadmagnet.domain.sequence import Step, delay_before, next_step
from leadmagnet.domain.status import DeliveryKind, SkipReason

#: Days of reminders that are shown after the last email of the sequence.
REMINDERS_AFTER = 28

_CADENCE_REASONS = {
    "exercise_days": "An exercise day without a video.",
    "weekly": "The reminders so far had no answer, so one a week goes out.",
    "last_question": "Still no answer: the last question, shall we go on? After it, silence.",
}


@dataclass(frozen=True, slots=True)
class Planned:
    """One email of the rehearsal. A reminder carries the slug of the newest video sent before it."""

    kind: DeliveryKind
    step: str
    at: datetime
    reason: str


def rehearse(
    steps: Iterable[Step],
    rhythm: Rhythm,
    zone: ZoneInfo,
    start: datetime,
    exercise_days: Collection[int],
    *,
    share: float = 0.0,
    reminder_until: int = REMINDERS_AFTER,
) -> list[Planned]:
    """Return every email of somebody who confirms at `start`, in time order.

    Reminders are planned after the sequence, because they never move it: a video's day is known one step ahead, and
    on that day the reminder gives way.
    """
    emails = _sequence(list(steps), rhythm, zone, start, share)
    if not emails or not exercise_days:
        return emails
    until = local_day(emails[-1].at, zone) + timedelta(days=reminder_until)
    reminders = _reminders(emails, frozenset(exercise_days), rhythm.minute(share), zone, until)
    return sorted([*emails, *reminders], key=lambda planned: planned.at)


def _sequence(steps: list[Step], rhythm: Rhythm, zone: ZoneInfo, start: datetime, share: float) -> list[Planned]:
    emails: list[Planned] = []
    sent: list[int] = []
    previous = start
    while step := next_step(steps, sent):
        delay = delay_before(step, sent)
        # The first email is exempt from one a day: a step some hours after it may go out on the same day.
        due = due_at(previous, delay, rhythm, zone, share=share, previous_counts=len(sent) > 1)
        emails.append(Planned(step.kind, step.slug, due, _why(delay, rhythm.minute(share), previous, due, zone)))
        sent.append(step.id)
        previous = due
    return emails


def _why(delay: Delay, minute: int, previous: datetime, due: datetime, zone: ZoneInfo) -> str:
    """Say in one sentence how the instant came about."""
    if delay.unit is DelayUnit.AT_ONCE:
        return "At confirmation, whatever the hour."
    after = f"{delay.words()} after the previous email"
    if delay.unit is DelayUnit.HOURS:
        waits = due - previous > timedelta(hours=delay.amount)
        return f"{after}, then the first moment inside the window." if waits else f"{after}."
    day = local_day(due, zone)
    moved = ", moved to the next allowed day" if day - local_day(previous, zone) > timedelta(days=delay.amount) else ""
    if due == to_utc(day, minute, zone):
        return f"{after}, at {clock_words(minute)} local time{moved}."
    return f"{after}{moved}, and not before 20 hours have passed."


def _reminders(emails: list[Planned], days: frozenset[int], minute: int, zone: ZoneInfo, until: date) -> list[Planned]:
    videos = [email for email in emails if email.kind is DeliveryKind.VIDEO]
    video_days = {local_day(video.at, zone) for video in videos}
    mailed_days = {local_day(email.at, zone) for email in emails} - video_days
    sent: list[Planned] = []
    at = next_on_days(videos[0].at, days, minute, zone) if videos else None
    while at and (today := local_day(at, zone)) <= until:
        facts = Facts(
            today=today,
            exercise_days=days,
            video_today=today in video_days,
            mailed_today=today in mailed_days,
            recent=tuple(local_day(reminder.at, zone) for reminder in sent),
            unanswered=len(sent),
        )
        decision = decide(facts)
        if decision == Hold(SkipReason.STOPPED_ANSWERING):
            break
        if not isinstance(decision, Hold):
            newest = max((video for video in videos if video.at <= at), key=lambda video: video.at)
            sent.append(Planned(DeliveryKind.REMINDER, newest.step, at, _CADENCE_REASONS[cadence(len(sent))]))
        at = next_on_days(at, days, minute, zone)
    return sent
