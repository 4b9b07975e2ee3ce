"""The list of subscribers: groups, search, filters, pages, and the same list as a file.

Must not know: one person's page.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from flask import Response, render_template, request, stream_with_context
from sqlalchemy import select
from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.audience import export, listing
from leadmagnet.audience.groups import Group, group_of
from leadmagnet.audience.marks import marks_of
from leadmagnet.audience.rows import Row, rows_of
from leadmagnet.audience.titles import Titles, titles_of
from leadmagnet.domain.status import DeliveryKind
from leadmagnet.store.forms import Form
from leadmagnet.store.sequences import Step
from leadmagnet.web.context import now, services
from leadmagnet.web.marketing import words
from leadmagnet.web.marketing.desk import blueprint, editors, moment
from leadmagnet.web.marketing.words import Moment

SORTS = {"newest": "Newest first", "name": "Name", "activity": "Last activity"}


def asked() -> listing.Filter:
    """Return the filter that the address asks for; what makes no sense is left out."""
    group, sort = None, listing.Sort.NEWEST
    with suppress(ValueError):
        group = Group(request.args.get("group", ""))
    with suppress(ValueError):
        sort = listing.Sort(request.args.get("sort", ""))
    text, step, source = (request.args.get(name, "").replace("\0", "")[:120] for name in ("q", "step", "from"))
    return listing.Filter(text, group, step, source, sort)


def _query(filter_: listing.Filter, **changes: str) -> dict[str, str]:
    """Return the filter as the words of an address, empty ones left out."""
    values = {
        "group": filter_.group or "",
        "q": filter_.text,
        "step": filter_.step,
        "from": filter_.source,
        "sort": "" if filter_.sort is listing.Sort.NEWEST else filter_.sort,
    } | changes
    return {name: str(value) for name, value in values.items() if value}


@blueprint.get("/subscribers")
def subscribers() -> str:
    """Show one page of the list."""
    filter_, here = asked(), moment()
    with store.reading(services().engine) as session:
        counts = listing.counts(session, filter_, here.now)
        page = listing.page(session, filter_, here.now, request.args.get("after", "")[:500])
        titles, videos = titles_of(session), _videos(session)
        lines = [_line(row, titles, len(videos), here) for row in rows_of(session, page.people)]
        sources, held = _sources(session), store.held.count(session)
    everyone = sum(counts.values())
    groups = [("Everyone", everyone, filter_.group is None, _query(filter_, group=""))]
    groups += [(words.GROUPS[g], counts[g], g is filter_.group, _query(filter_, group=g)) for g in Group]
    return render_template(
        "marketing/subscribers.html",
        filter=filter_,
        groups=groups,
        found=counts[filter_.group] if filter_.group else everyone,
        lines=lines,
        total=len(videos),
        videos=[(slug, titles.step(slug)) for slug in videos],
        sources=sources,
        held=held,
        sorts=SORTS,
        this=_query(filter_),
        next=_query(filter_, after=page.next) if page.next else None,
        previous=_query(filter_, after=page.previous) if page.previous else None,
        narrowed=bool(filter_.text or filter_.step or filter_.source),
    )


def _line(row: Row, titles: Titles, total: int, here: Moment) -> dict[str, object]:
    group = group_of(row.person, here.now)
    return {
        "id": row.person.id,
        "name": row.person.first_name,
        "email": row.person.email,
        "marks": [words.MARKS[mark] for mark in marks_of(row.person.email_canonical)],
        "badge": words.badge(group, row.person.status),
        "sent": row.videos_sent,
        "last": words.last_thing(row.last, titles, here),
        "next": words.next_email(row, group, total, here),
    }


def _videos(session: Session) -> list[str]:
    query = select(Step.slug).where(Step.kind == DeliveryKind.VIDEO, ~Step.removed).order_by(Step.position, Step.id)
    return list(dict.fromkeys(session.scalars(query)))


def _sources(session: Session) -> list[tuple[str, str]]:
    return [(form.slug, form.title) for form in session.scalars(select(Form).order_by(Form.title, Form.slug))]


@blueprint.get("/subscribers.csv")
@editors
def subscribers_csv() -> Response:
    """Send everybody who fits the filter as a file, row by row."""
    filter_, at, engine = asked(), now().course, services().engine

    def rows() -> Iterator[str]:
        with store.reading(engine) as session:
            yield from export.lines(session, filter_, at)

    response = Response(stream_with_context(rows()), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="subscribers-{at:%Y-%m-%d}.csv"'
    return response
