"""The list: pages that miss nobody and show nobody twice, search, groups."""

from datetime import timedelta
from itertools import pairwise, product

import pytest

from leadmagnet.audience import listing
from leadmagnet.audience.groups import Group, group_of
from leadmagnet.audience.listing import Filter, Sort
from leadmagnet.audience.rows import rows_of
from leadmagnet.store.activities import Activity
from leadmagnet.store.check_ins import CheckIn
from leadmagnet.store.watching import Watch


@pytest.fixture
def crowd(session, person, now):
    """Two hundred people, many of whom share a moment or a name."""
    return [
        person(
            f"p{number:03}@example.org",
            first_name=("Anna", "Bo", "anna", "Élodie")[number % 4],
            created_at=now.course - timedelta(days=10 - number // 25),
            last_active_at=now.course - timedelta(hours=number % 7) if number % 3 else None,
        )
        for number in range(200)
    ]


@pytest.mark.parametrize("sort", list(Sort))
def test_pages_hold_everybody_once_there_and_back(session, crowd, now, sort):
    filter_, seen, cursor, pages = Filter(sort=sort), [], "", []
    while True:
        page = listing.page(session, filter_, now.course, cursor, size=30)
        pages.append(page)
        seen += [one.id for one in page.people]
        cursor = page.next
        if not cursor:
            break
    assert len(pages) == 7
    assert sorted(seen) == sorted(one.id for one in crowd)
    assert pages[0].previous == ""
    for before, page in pairwise(pages):
        back = listing.page(session, filter_, now.course, page.previous, size=30)
        assert [one.id for one in back.people] == [one.id for one in before.people]
        assert back.next
    assert listing.page(session, filter_, now.course, pages[1].previous, size=30).previous == ""


def test_newest_first_and_names_in_order(session, crowd, now):
    newest = listing.page(session, Filter(), now.course).people
    assert [one.created_at for one in newest] == sorted((one.created_at for one in newest), reverse=True)
    names = [one.first_name.lower() for one in listing.page(session, Filter(sort=Sort.NAME), now.course).people]
    assert names[:50] == ["anna"] * 50


@pytest.mark.parametrize(
    "cursor", ["x", "!!", "bnVsbA", "WzFd", "WyJuYW1lIiwieCIsMSxmYWxzZV0", "W251bGwsMSwyLDNd", "é"]
)
def test_a_damaged_cursor_means_the_first_page(session, crowd, now, cursor):
    first = listing.page(session, Filter(), now.course)
    assert listing.page(session, Filter(), now.course, cursor).people == first.people


def test_a_cursor_of_another_order_means_the_first_page(session, crowd, now):
    cursor = listing.page(session, Filter(sort=Sort.NAME), now.course).next
    assert (
        listing.page(session, Filter(), now.course, cursor).people == listing.page(session, Filter(), now.course).people
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("anna", {"anna.w@example.org", "joanna@example.org"}),
        ("Whit", {"anna.w@example.org"}),
        ("  anna   whitfield ", {"anna.w@example.org"}),
        ("ANNA.W@Exam", {"anna.w@example.org"}),
        ("w@example", set()),
        ("élodie", {"e@example.org"}),
        ("100%", {"odd@example.org"}),
        ("a_b", set()),
        ("nobody", set()),
    ],
)
def test_search(session, person, now, text, found):
    person("Anna.W@example.org", first_name="Anna Whitfield")
    person("joanna@example.org")
    person("e@example.org", first_name="Élodie")
    person("odd@example.org", first_name="100% Bo")
    person("aXb@example.net")
    people = listing.page(session, Filter(text), now.course).people
    assert {one.email_canonical for one in people} == found


def test_groups_by_row_and_by_query_agree_and_add_up(session, person, now):
    moments = (None, now.course - timedelta(hours=1), now.course + timedelta(hours=1))
    states = ("pending", "active", "unsubscribed", "bounced", "complained")
    for number, (status, hurt, paused, until, unanswered) in enumerate(
        product(states, moments[:2], moments[:2], moments, (0, 6, 7))
    ):
        person(
            f"{number}@example.org",
            status=status,
            hurt_at=hurt,
            paused_at=paused,
            paused_until=until,
            unanswered=unanswered,
        )
    counts = listing.counts(session, Filter(), now.course)
    assert sum(counts.values()) == number + 1
    for group in Group:
        people = listing.page(session, Filter(group=group), now.course, size=1000).people
        assert len(people) == counts[group] > 0
        assert {group_of(one, now.course) for one in people} == {group}


def test_filters_at_video_and_came_from(session, person, enrolled, now):
    one, two, three = (
        person("one@example.org"),
        person("two@example.org", source="article-core"),
        person("three@example.org"),
    )
    enrolled(one, 1), enrolled(two, 2), enrolled(three, 2)
    at_two = listing.page(session, Filter(step="dead-bug"), now.course).people
    assert {each.email for each in at_two} == {"two@example.org", "three@example.org"}
    both = Filter(step="dead-bug", source="article-core")
    assert [each.email for each in listing.page(session, both, now.course).people] == ["two@example.org"]
    assert listing.counts(session, both, now.course)[Group.ACTIVE] == 1
    assert listing.page(session, Filter(step="no-such-step"), now.course).people == []


def test_rows_show_path_last_thing_and_next_email(session, person, enrolled, now):
    anna, bo = (
        person("anna@example.org", confirmed_at=now.course - timedelta(hours=9)),
        person("bo@example.org", status="pending"),
    )
    enrolled(anna, 6)
    enrolled(anna, 2, number=2)
    at = now.course - timedelta(hours=1)
    session.add_all(
        [
            Watch(subscriber_id=anna.id, step_slug="dead-bug", percent=60, first_at=at, last_at=at),
            Activity(subscriber_id=anna.id, at=at, kind="hurt", detail="dead-bug"),
            CheckIn(subscriber_id=anna.id, step_slug="dead-bug", day=at.date(), at=at, felt="hurt"),
        ]
    )
    session.flush()
    first, second = rows_of(session, [anna, bo])
    assert (first.videos_sent, first.last.kind, first.last.what) == (2, "felt hurt", "dead-bug")
    assert first.next is not None
    assert (second.videos_sent, second.last.kind, second.next) == (0, "sign_up", None)
