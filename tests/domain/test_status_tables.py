"""Every pair of states, written out: what may follow what."""

from __future__ import annotations

from itertools import permutations, product

import pytest

from leadmagnet.domain.status import (
    ANSWERS,
    DELIVERY_TRANSITIONS,
    SUBSCRIBER_TRANSITIONS,
    DeliveryKind,
    DeliveryStatus,
    SubscriberStatus,
    after,
    may_become,
)

#: A row is what a delivery is, a column what it may become, in the order of the class; x = may.
DELIVERIES = """
           due claimed unknown sent delivered bounced failed skipped
due         .     x       .      x      x        x      x      x
claimed     x     .       x      x      .        .      x      x
unknown     x     .       .      x      x        x      x      x
sent        .     .       .      .      x        x      x      .
delivered   .     .       .      .      .        x      .      .
bounced     .     .       .      .      .        .      .      .
failed      x     .       .      x      x        x      .      .
skipped     .     .       .      .      .        .      .      .
"""

#: A row is what a subscriber is, a column the fact that arrives; the cell is what they are then.
SUBSCRIBERS = """
              pending      active       unsubscribed bounced      complained
pending       pending      active       unsubscribed bounced      complained
active        active       active       unsubscribed bounced      complained
unsubscribed  unsubscribed active       unsubscribed bounced      complained
bounced       bounced      bounced      bounced      bounced      complained
complained    complained   complained   complained   complained   complained
"""


def cells(table: str) -> list[tuple[str, str, str]]:
    """Return (row, column, cell) for every cell of a table."""
    head, *rows = (line.split() for line in table.strip().splitlines())
    return [(row[0], column, cell) for row in rows for column, cell in zip(head, row[1:], strict=True)]


@pytest.mark.parametrize(("current", "wanted", "cell"), cells(DELIVERIES))
def test_a_delivery_may_become(current: str, wanted: str, cell: str) -> None:
    assert may_become(DeliveryStatus(current), DeliveryStatus(wanted)) is (cell == "x")


@pytest.mark.parametrize(("current", "fact", "then"), cells(SUBSCRIBERS))
def test_a_subscriber_is_afterwards(current: str, fact: str, then: str) -> None:
    assert after(SubscriberStatus(current), SubscriberStatus(fact)) is SubscriberStatus(then)


def test_the_tables_cover_every_pair() -> None:
    assert {(a, b) for a, b, _ in cells(DELIVERIES)} == set(product(DeliveryStatus, repeat=2))
    assert {(a, b) for a, b, _ in cells(SUBSCRIBERS)} == set(product(SubscriberStatus, repeat=2))
    assert set(DELIVERY_TRANSITIONS) == set(DeliveryStatus)
    assert set(SUBSCRIBER_TRANSITIONS) == set(SubscriberStatus)


def test_facts_may_come_in_any_order_and_the_strongest_wins() -> None:
    facts = [SubscriberStatus.UNSUBSCRIBED, SubscriberStatus.BOUNCED, SubscriberStatus.COMPLAINED]
    for start in (SubscriberStatus.PENDING, SubscriberStatus.ACTIVE):
        for count in (1, 2, 3):
            for order in permutations(facts, count):
                stands = start
                for fact in order:
                    stands = after(stands, fact)
                assert stands is max(order, key=facts.index)


def test_what_belongs_to_the_course_is_no_answer_to_what_the_person_just_did() -> None:
    assert set(DeliveryKind) - ANSWERS == {DeliveryKind.VIDEO, DeliveryKind.FINISHED, DeliveryKind.REMINDER}
