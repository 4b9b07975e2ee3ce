"""Leaving: a page with a button, and the one-click POST with either body, none, and twice."""

import pytest

from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.store.consents import ConsentEvent

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
MULTIPART = b'--cut\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--cut--\r\n'


def test_looking_shows_a_button_and_changes_nothing(site):
    person = site.person()
    before = site.dump()
    page = site.get(site.leave(person))
    assert page.status_code == 200
    assert "Stop all emails?" in page.text
    assert site.dump() == before


@pytest.mark.parametrize(
    "body",
    [
        {"data": ONE_CLICK},
        {"data": MULTIPART, "content_type": "multipart/form-data; boundary=cut"},
        {"data": b"", "content_type": "application/x-www-form-urlencoded"},
        {"data": b"\xff\x00 nonsense", "content_type": "multipart/form-data; boundary=none"},
        {},
    ],
)
def test_one_click_stops_at_once_with_any_body_and_no_cookie(site, body):
    person = site.person()
    visitor = site.app.test_client(use_cookies=False)
    for _ in range(2):
        answer = visitor.post(site.leave(person), **body)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
        assert "The emails have stopped" in answer.text
    assert site.again(person).status == SubscriberStatus.UNSUBSCRIBED
    assert [event.channel for event in site.rows(ConsentEvent)] == ["one-click"]


def test_the_button_on_the_page_is_recorded_as_such_and_offers_a_way_back(site):
    person = site.person()
    assert site.hidden(site.leave(person)) == {"by": "page"}
    page = site.client.post(site.leave(person), data={"by": "page"})
    assert 'href="/"' in page.text
    assert site.rows(ConsentEvent)[0].channel == "unsubscribe page"
    assert "The emails have stopped" in site.get(site.leave(person)).text


@pytest.mark.parametrize("status", SubscriberStatus)
def test_leaving_works_in_every_standing(site, status):
    person = site.person(status=status)
    assert site.client.post(site.leave(person), data=ONE_CLICK).status_code == 200
    assert site.again(person).status in {SubscriberStatus.UNSUBSCRIBED, status}


@pytest.mark.parametrize("status", [SubscriberStatus.BOUNCED, SubscriberStatus.COMPLAINED])
def test_who_cannot_come_back_by_the_form_is_told_to_call(site, status):
    page = site.get(site.leave(site.person(status=status))).text
    assert "Call us" in page
    assert "Sign up again" not in page


def test_an_unknown_id_is_not_found_by_either_method(site):
    assert site.get("/u/unknown").status_code == 404
    assert site.client.post("/u/unknown", data=ONE_CLICK).status_code == 404


def test_the_link_outlives_the_secret_key(make_site):
    site = make_site()
    person = site.person()
    other = make_site(secret_key=("another-" + "k" * 40,))
    assert other.client.post(site.leave(person), data=ONE_CLICK).status_code == 200
    assert site.again(person).status == SubscriberStatus.UNSUBSCRIBED
