"""The subscriber list: who fits a filter, in pages that stay fast however far one turns (keyset, no OFFSET).

A cursor says after whom a page begins, in the order shown. It is opaque to pages; a damaged one means the first page.
Must not know: how a row is worded.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from leadmagnet.audience.groups import Group, group_column, in_group
from leadmagnet.domain.status import DeliveryKind, DeliveryStatus
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.sequences import Step
from leadmagnet.store.subscribers import Subscriber

PAGE = 50
#: An email that has reached the provider.
SENT = (DeliveryStatus.SENT, DeliveryStatus.DELIVERED)
_ID = Subscriber.id.expression


class Sort(StrEnum):
    """The orders of the list. The id settles ties."""

    NEWEST = "newest"
    NAME = "name"
    ACTIVITY = "activity"


@dataclass(frozen=True, slots=True)
class Filter:
    """What somebody looks for."""

    text: str = ""
    group: Group | None = None
    step: str = ""
    """Slug of the video they were sent last."""
    source: str = ""
    sort: Sort = Sort.NEWEST


@dataclass(frozen=True, slots=True)
class Page:
    """One page, and the cursors of its neighbours; an empty cursor means that there is none."""

    people: Sequence[Subscriber]
    next: str = ""
    previous: str = ""


def matching(filter_: Filter, now: datetime) -> ColumnElement[bool]:
    """Return the condition of a filter."""
    parts = [in_group(filter_.group, now), _holds_text(" ".join(filter_.text.split()))]
    if filter_.source:
        parts.append(Subscriber.source == filter_.source)
    if filter_.step:
        parts.append(Subscriber.id.in_(_stand_at(filter_.step)))
    return and_(*parts)


def _holds_text(text: str) -> ColumnElement[bool]:
    """Text with an @ is the beginning of an address; other text may stand anywhere in a name or an address."""
    if "@" in text:
        low = text.lower()
        return Subscriber.email_canonical.startswith(low, autoescape=True)
    if not text:
        return Subscriber.id > 0
    # SQLite folds only a to z, so the spelling as typed and with a capital are asked for, too.
    spellings = {text, text.capitalize()}
    return or_(
        func.lower(Subscriber.first_name).contains(text.lower(), autoescape=True),
        *(Subscriber.first_name.contains(spelling, autoescape=True) for spelling in sorted(spellings)),
        Subscriber.email_canonical.contains(text.lower(), autoescape=True),
    )


def _stand_at(step: str) -> Select[int]:
    """Return the ids of people whose last video so far was this one."""
    later = aliased(Delivery)
    newer = select(later.id).where(
        later.subscriber_id == Delivery.subscriber_id,
        later.kind == DeliveryKind.VIDEO,
        later.status.in_(SENT),
        later.id > Delivery.id,
    )
    steps = select(Step.id).where(Step.slug == step)
    return select(Delivery.subscriber_id).where(Delivery.step_id.in_(steps), Delivery.status.in_(SENT), ~newer.exists())


def counts(session: Session, filter_: Filter, now: datetime) -> dict[Group, int]:
    """Return how many people of each group fit the rest of the filter, in one pass."""
    column = group_column(now).label("standing")
    query = select(column, func.count()).where(matching(replace(filter_, group=None), now)).group_by(column)
    found = dict.fromkeys(Group, 0)
    for name, number in session.execute(query):
        found[Group(name)] = number
    return found


def page(session: Session, filter_: Filter, now: datetime, cursor: str = "", size: int = PAGE) -> Page:
    """Return the page that begins after a cursor, or the first one."""
    start = _read(cursor, filter_.sort)
    backwards = start is not None and start.backwards
    keys = _keys(filter_.sort)
    down = (filter_.sort is not Sort.NAME) != backwards
    query = select(Subscriber, keys[0]).where(matching(filter_, now))
    if start is not None:
        query = query.where(_beyond(keys, start, down=down))
    order = [key.desc() if down else key.asc() for key in keys]
    rows = session.execute(query.order_by(*order).limit(size + 1)).all()
    more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows = rows[::-1]
    if not rows:
        return Page([])
    # Coming back, there is a page after this one: the one we came from.
    following = _write(filter_.sort, rows[-1][1], rows[-1][0].id) if backwards or more else ""
    before = more if backwards else start is not None
    preceding = _write(filter_.sort, rows[0][1], rows[0][0].id, backwards=True) if before else ""
    return Page([person for person, _ in rows], following, preceding)


def _keys(sort: Sort) -> tuple[ColumnElement[Any], ColumnElement[int]]:
    if sort is Sort.NAME:
        return func.lower(Subscriber.first_name), _ID
    if sort is Sort.ACTIVITY:
        return func.coalesce(Subscriber.last_active_at, Subscriber.created_at), _ID
    # Ids are given in the order of sign-up, and the index over status holds them, too.
    return _ID, _ID


def _beyond(keys: tuple[ColumnElement[Any], ColumnElement[int]], start: _Start, *, down: bool) -> ColumnElement[bool]:
    """Return what lies beyond the cursor. The first half lets an index over both keys begin at the right place."""
    first, second = keys
    if down:
        return and_(first <= start.key, or_(first < start.key, second < start.id))
    return and_(first >= start.key, or_(first > start.key, second > start.id))


@dataclass(frozen=True, slots=True)
class _Start:
    key: datetime | str | int
    id: int
    backwards: bool


def _write(sort: Sort, key: datetime | str | int, person_id: int, *, backwards: bool = False) -> str:
    shown = key.isoformat() if isinstance(key, datetime) else key
    data = json.dumps([sort.value, shown, person_id, backwards], separators=(",", ":"))
    return base64.urlsafe_b64encode(data.encode()).rstrip(b"=").decode()


def _read(cursor: str, sort: Sort) -> _Start | None:
    """Return where a page begins; None for a cursor that is empty, damaged or made for another order."""
    try:
        made_for, key, person_id, backwards = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        start = _Start(datetime.fromisoformat(key) if sort is Sort.ACTIVITY else key, person_id, backwards)
    except (ValueError, TypeError):
        return None
    return start if made_for == sort.value and _sound(start, sort) else None


def _sound(start: _Start, sort: Sort) -> bool:
    """Check the types: a cursor comes from outside."""
    kinds = {Sort.NAME: str, Sort.ACTIVITY: datetime, Sort.NEWEST: int}
    if type(start.id) is not int or type(start.backwards) is not bool or type(start.key) is not kinds[sort]:
        return False
    aware = not isinstance(start.key, datetime) or start.key.tzinfo is not None
    return aware and abs(start.id) < 2**63 and start.key == (start.id if sort is Sort.NEWEST else start.key)
