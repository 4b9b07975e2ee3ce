"""Emails that could not be sent: by reason, page by page, and once more. The page they stand on is sending.py's.

Must not know: how a letter is sent, who may be sent what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from leadmagnet import store
from leadmagnet.delivery.again import Again, Left, try_again, try_matching
from leadmagnet.domain.failures import may_pass, reason_of
from leadmagnet.store.dead_letters import DeadLetter
from leadmagnet.web.context import now, services
from leadmagnet.web.marketing.desk import blueprint, editors

#: Emails on a page, and reasons above it.
SHOWN, REASONS = 50, 20
#: The newest failed emails: so many are counted by their reason, and so many one press looks at.
LOOKED_AT = 10_000
#: Rows read at a time while looking for those with one reason.
STEP = 1000
WHY: Mapping[Left, tuple[str, str]] = {
    Left.DAY_TAKEN: ("gets another email today", "get another email today"),
    Left.REMINDER: ("was a reminder, which belongs to its day", "were reminders, which belong to their day"),
    Left.PAUSED: ("belongs to a paused sequence", "belong to a paused sequence"),
    Left.NOT_NOW: ("is for somebody who has left or pauses", "are for people who have left or pause"),
    Left.GONE_ON: ("is not among the failed any more", "are not among the failed any more"),
}


@dataclass(slots=True)
class Group:
    """Failed emails with one reason: how many, and how many of them are no reminders."""

    reason: str
    may_pass: bool
    emails: int = 0
    to_retry: int = 0


@dataclass(frozen=True, slots=True)
class Groups:
    """The commonest reasons of the newest failed emails."""

    shown: list[Group]
    others: int
    """Emails with rarer reasons."""
    passing: int
    """Emails that may well go through by now."""
    all_counted: bool


def failures(session: Session) -> Groups:
    """Return why the newest failed emails could not be sent."""
    found: dict[str, Group] = {}
    looked_at = 0
    for same in store.dead_letters.newest(session, LOOKED_AT):
        reason = reason_of(same.detail)
        group = found.setdefault(reason, Group(reason, may_pass(same.detail)))
        group.emails += same.emails
        group.to_retry += 0 if same.is_reminder else same.emails
        looked_at += same.emails
    groups = sorted(found.values(), key=lambda group: (-group.emails, group.reason))
    passing = sum(group.to_retry for group in groups if group.may_pass)
    rare = sum(group.emails for group in groups[REASONS:])
    return Groups(groups[:REASONS], rare, passing, all_counted=looked_at < LOOKED_AT)


def page(session: Session, reason: str | None, before: int | None) -> tuple[list[DeadLetter], int | None]:
    """Return a page of failed emails, of one reason where one is named, and where the next page begins."""
    if reason is None:
        rows = store.dead_letters.failed(session, SHOWN + 1, before)
        return rows[:SHOWN], rows[SHOWN - 1].id if len(rows) > SHOWN else None
    found: list[int] = []
    looked_at, more = 0, True
    while more and len(found) <= SHOWN and looked_at < LOOKED_AT:
        seen = store.dead_letters.walk(session, STEP, before)
        found += [row_id for row_id, detail in seen if reason_of(detail) == reason]
        looked_at, more, before = looked_at + len(seen), len(seen) == STEP, seen[-1][0] if seen else before
    rows = store.dead_letters.of_ids(session, found[:SHOWN])
    if len(found) > SHOWN:
        return rows, found[SHOWN - 1]
    return rows, before if more else None


@blueprint.post("/sending/retry")
@editors
def retry_sending() -> Response:
    """Try one failed email again, all with one reason, or all that may go through by now."""
    chosen, reason = request.form.get("id", type=int), request.form.get("reason")
    if chosen is not None:
        with store.writing(services().engine) as session:
            done = try_again(session, [chosen], now())
    elif reason is not None or request.form.get("all"):
        wanted: Callable[[str], bool] = may_pass if reason is None else lambda detail: reason_of(detail) == reason
        done = try_matching(services().engine, wanted, now, LOOKED_AT)
    else:
        done = Again()
    flash(told(done))
    return redirect(url_for("marketing.sending"), 303)


def told(done: Again) -> str:
    """Return in words what became of it."""
    words = [f"{done.due:,} email{'s' * (done.due != 1)} will go out again."]
    for why, count in sorted(done.left.items()):
        words.append(f"{count:,} {WHY[why][count != 1]}, and stay{'s' * (count == 1)} here.")
    if done.more:
        words.append(f"Those were among the newest {LOOKED_AT:,}; press again for older ones.")
    return " ".join(words)
