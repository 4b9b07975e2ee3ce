"""May a reminder go out today, in which state of mind is it written, and if not, why not.

Answering means: a check-in, WATCHED_ENOUGH of a video watched, or any act on one's own page (pause, snooze, days, hour,
next video, go on). Opening an email is no answer: mail programs do that by themselves. Reminders that go unanswered
grow rarer and stop; one answer starts the count anew.
Must not know: how the facts were gathered, what the reminder says, at which hour it goes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from leadmagnet.domain.status import SkipReason

#: Share of a video that counts as an answer, and as having started.
WATCHED_ENOUGH = 0.25
#: Unanswered reminders after which they go out once a week only, then ask a last time, then stop.
WEEKLY_AFTER = 3
LAST_QUESTION_AFTER = 6
SILENCE_AFTER = 7
#: At most so many reminders in any seven local days running.
WEEKLY_CAP = 3
WEEK = timedelta(days=7)
#: No activity for so long means lapsed; so many good weeks running mean a streak.
LAPSED_AFTER = timedelta(days=14)
STREAK_WEEKS = 2


class Cadence(StrEnum):
    """How often reminders go out."""

    EXERCISE_DAYS = "exercise_days"
    WEEKLY = "weekly"
    LAST_QUESTION = "last_question"
    SILENCE = "silence"


class ReminderState(StrEnum):
    """What the reminder's wording has to fit."""

    NEVER_STARTED = "never_started"
    ACTIVE = "active"
    STREAK = "streak"
    LAPSED = "lapsed"
    LAST_QUESTION = "last_question"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything the decision needs, as it stands on `today`, a local day of the subscriber."""

    today: date
    exercise_days: frozenset[int]  #: weekdays, Monday 0
    active: bool = True
    wants_reminders: bool = True
    started: bool = False  #: has ever checked in, or watched WATCHED_ENOUGH of any video
    paused: bool = False
    sequence_paused: bool = False  #: on the way through sequences, and the clinic has paused all of them
    snoozed_until: date | None = None  #: the first day on which reminders may come again
    hurt: bool = False
    unreachable: bool = False  #: several emails in a row came back
    checked_in_today: bool = False
    video_today: bool = False  #: a video went out today, or is due today
    mailed_today: bool = False  #: another automatic email went out today
    recent: tuple[date, ...] = ()  #: local days of the reminders sent in at least the last 7 days, newest last
    unanswered: int = 0  #: reminders sent since the last answer
    last_active_on: date | None = None
    good_weeks: int = 0


@dataclass(frozen=True, slots=True)
class Send:
    """A reminder goes out, worded for this state."""

    state: ReminderState


@dataclass(frozen=True, slots=True)
class Hold:
    """No reminder today, for this reason."""

    reason: SkipReason


def cadence(unanswered: int) -> Cadence:
    """Return how often reminders go out after so many without an answer."""
    if unanswered >= SILENCE_AFTER:
        return Cadence.SILENCE
    if unanswered >= LAST_QUESTION_AFTER:
        return Cadence.LAST_QUESTION
    return Cadence.WEEKLY if unanswered >= WEEKLY_AFTER else Cadence.EXERCISE_DAYS


def state(facts: Facts) -> ReminderState:
    """Return the state that the wording has to fit."""
    if cadence(facts.unanswered) is Cadence.LAST_QUESTION:
        return ReminderState.LAST_QUESTION
    if not facts.started:
        return ReminderState.NEVER_STARTED
    if facts.last_active_on is not None and facts.today - facts.last_active_on >= LAPSED_AFTER:
        return ReminderState.LAPSED
    return ReminderState.STREAK if facts.good_weeks >= STREAK_WEEKS else ReminderState.ACTIVE


def decide(facts: Facts) -> Send | Hold:
    """Decide about today. The first reason that holds is the one on record, in this order:

    what the person, their state or the clinic has settled for longer (not active, no consent, unreachable, hurt,
    paused, the sequence paused, snoozed, no answers), so that the record keeps one long run; then what is only so today
    (no exercise day any more, done, a video, another email); then the pace (three a week, once a week).
    """
    for reason, holds in (
        (SkipReason.NOT_ACTIVE, not facts.active),
        (SkipReason.NO_CONSENT, not facts.wants_reminders),
        (SkipReason.UNREACHABLE, facts.unreachable),
        (SkipReason.HURT, facts.hurt),
        (SkipReason.PAUSED, facts.paused),
        (SkipReason.SEQUENCE_PAUSED, facts.sequence_paused),
        (SkipReason.SNOOZED, facts.snoozed_until is not None and facts.today < facts.snoozed_until),
        (SkipReason.STOPPED_ANSWERING, cadence(facts.unanswered) is Cadence.SILENCE),
        (SkipReason.SUPERSEDED, facts.today.weekday() not in facts.exercise_days),
        (SkipReason.DONE_TODAY, facts.checked_in_today),
        (SkipReason.VIDEO_TODAY, facts.video_today),
        (SkipReason.MAILED_TODAY, facts.mailed_today or facts.today in facts.recent),
        (SkipReason.WEEKLY_CAP, _sent_this_week(facts) >= WEEKLY_CAP),
        (SkipReason.WEEKLY_PACE, cadence(facts.unanswered) is not Cadence.EXERCISE_DAYS and _sent_this_week(facts) > 0),
    ):
        if holds:
            return Hold(reason)
    return Send(state(facts))


def _sent_this_week(facts: Facts) -> int:
    """Count the reminders of the seven local days that end today."""
    return sum(facts.today - WEEK < day <= facts.today for day in facts.recent)


def pick(variants: Sequence[str], history: Sequence[str]) -> str:
    """Return the wording that was used least recently: unused ones first, as listed. Raises ValueError without any.

    `history` holds what this person was sent, oldest first. With two wordings or more none comes twice running.
    """
    if not variants:
        raise ValueError("a reminder needs at least one wording")
    last_used = {wording: place for place, wording in enumerate(history)}
    return min(variants, key=lambda wording: last_used.get(wording, -1))


_EXPLANATIONS: Mapping[SkipReason, str] = {
    SkipReason.NOT_ACTIVE: "The person is not an active subscriber.",
    SkipReason.PAUSED: "The person has paused all emails.",
    SkipReason.SNOOZED: "The person asked for quiet until a later day.",
    SkipReason.HURT: "The person said that an exercise hurt; emails wait until they or the clinic say go on.",
    SkipReason.UNREACHABLE: "Five emails in a row came back, because the mailbox was full or away.",
    SkipReason.SUPPRESSED: "The address is on the list of those that stay stopped.",
    SkipReason.EXPIRED: "It could not go out before its time was over, and a late one would be of no use.",
    SkipReason.VIDEO_TODAY: "A video goes out on the same day.",
    SkipReason.DONE_TODAY: "The person had already exercised that day.",
    SkipReason.WEEKLY_CAP: "Three reminders had gone out within seven days, which is the most.",
    SkipReason.WEEKLY_PACE: "Several reminders in a row had no answer, so only one a week goes out.",
    SkipReason.STOPPED_ANSWERING: "No reminder had an answer, the last question included, so they have stopped.",
    SkipReason.NO_CONSENT: "The person has not agreed to emails of this kind.",
    SkipReason.MAILED_TODAY: "Another automatic email went out that day, and one a day is the most.",
    SkipReason.SUPERSEDED: "The plan changed before it went out: a newer one took its place.",
    SkipReason.STEP_REMOVED: "The step was removed from the sequence before it went out.",
    SkipReason.SEQUENCE_PAUSED: "The clinic has paused the sequence for everybody.",
}


def explain(reason: SkipReason) -> str:
    """Return one plain sentence for the marketer's timeline."""
    return _EXPLANATIONS[reason]
