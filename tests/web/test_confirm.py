"""Confirming needs a button; looking changes nothing; old and broken links have kind pages."""

import re
from datetime import timedelta

import pytest

from leadmagnet import store
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.store.consents import ConsentEvent
from leadmagnet.store.deliveries import Delivery


@pytest.fixture
def pending(site):
    with store.writing(site.services.engine) as session:
        person = store.subscribers.Subscriber(
            email="anna@example.org",
            email_canonical="anna@example.org",
            first_name="Anna",
            timezone="America/Vancouver",
            source="landing",
            created_at=site.clock.course,
        )
        session.add(person)
    return person


def test_looking_shows_a_button_and_changes_nothing(site, pending):
    before = site.dump()
    page = site.get(site.confirm(pending))
    assert page.status_code == 200
    assert "One tap, Anna, and video 1 is yours" in page.text
    assert "anna@example.org" in page.text
    assert site.dump() == before


def test_pressing_confirms_and_shows_the_dates_of_all_six(site, pending):
    page = site.post(site.confirm(pending))
    assert page.status_code == 200
    assert "You’re in, Anna" in page.text
    assert site.again(pending).status == SubscriberStatus.ACTIVE
    (event,) = site.rows(ConsentEvent)
    assert (event.kind, event.ip) == ("confirmed", "127.0.0.1")
    for words in ("Today", "Thu 5 Mar", "Sun 8 Mar", "Wed 11 Mar", "Sat 14 Mar", "Tue 17 Mar"):
        assert words in page.text
    assert "around 9 in the morning, Vancouver time" in page.text
    href = re.search(r'class="btn" href="(/v/breathing-and-bracing\?t=[^"]+)"', page.text)[1]
    assert site.get(href).status_code == 200
    assert site.get(re.search(r'href="(/p/[^"]+)"', page.text)[1]).status_code == 200


def test_a_second_look_says_that_all_is_well(site, pending):
    site.post(site.confirm(pending))
    before = site.dump()
    page = site.get(site.confirm(pending))
    assert "Your address is confirmed." in page.text
    assert site.dump() == before


def test_an_expired_link_offers_a_fresh_one(site, pending):
    link = site.confirm(pending)
    site.clock.move(days=8)
    page = site.get(link)
    assert "This link has run out" in page.text
    answer = site.post(link, action="renew")
    assert (answer.status_code, answer.location) == (303, "/signup/check-inbox")
    (delivery,) = site.rows(Delivery)
    assert delivery.kind == "confirmation"
    assert site.again(pending).status == SubscriberStatus.PENDING


def test_pressing_an_expired_link_confirms_nothing(site, pending):
    link = site.confirm(pending)
    site.clock.move(days=8)
    assert "This link has run out" in site.post(link).text
    assert site.again(pending).status == SubscriberStatus.PENDING


def test_a_fresh_link_cannot_be_used_to_ask_for_more(site, pending):
    site.post(site.confirm(pending), action="renew")
    assert site.rows(Delivery) == []


@pytest.mark.parametrize("status", [SubscriberStatus.BOUNCED, SubscriberStatus.COMPLAINED])
def test_a_stopped_address_stays_stopped(site, pending, status):
    with store.writing(site.services.engine) as session:
        session.get_one(store.subscribers.Subscriber, pending.id).status = status
    link = site.confirm(pending)
    assert "We can’t write to this address" in site.get(link).text
    site.client.post(link, data=site.hidden("/"))
    assert site.again(pending).status == status


@pytest.mark.parametrize("token", ["x", "AAAAAAAAAAEAAAAAawQIANUQGP6R9P7w", "%00", "ä"])
def test_a_broken_link_has_a_kind_page(site, token):
    page = site.get(f"/confirm/{token}")
    assert page.status_code == 404
    assert "This link is old or was cut in two" in page.text


def test_a_link_of_somebody_who_is_gone(site, pending):
    link = site.confirm(pending)
    with store.writing(site.services.engine) as session:
        session.delete(session.get_one(store.subscribers.Subscriber, pending.id))
    page = site.get(link)
    assert page.status_code == 404
    assert "Sign up" in page.text


def test_confirming_without_the_page_s_own_token_is_refused(site, pending):
    answer = site.client.post(site.confirm(pending))
    assert answer.status_code == 400
    assert "This page lay open for a while" in answer.text
    assert site.again(pending).status == SubscriberStatus.PENDING


def test_the_course_clock_dates_the_path_in_the_person_s_own_zone(site, pending):
    with store.writing(site.services.engine) as session:
        session.get_one(store.subscribers.Subscriber, pending.id).timezone = "Pacific/Kiritimati"
    site.clock.course += timedelta(hours=2)
    assert "Kiritimati time" in site.post(site.confirm(pending)).text
