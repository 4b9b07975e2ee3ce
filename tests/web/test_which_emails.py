"""Which emails: a box for each kind on the own page; and the second box of the form."""

import re

import pytest

from leadmagnet import store
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.domain.tokens import token_id
from leadmagnet.store.consents import ConsentEvent, Wording
from leadmagnet.store.signups import SignUp
from leadmagnet.tick import tick


def ticked(page: str) -> list[str]:
    return re.findall(r'name="emails" value="(\w+)" checked', page)


def press(site, person, *emails):
    # Any page of the session has the token; the own page has none any more once all emails have stopped.
    return site.post(f"{site.own_page(person)}/emails", page="/", emails=list(emails))


def test_each_kind_is_chosen_for_itself_and_on_record(site):
    person = site.person(sent=1)
    assert ticked(site.get(site.own_page(person)).text) == ["videos", "reminders"]
    answer = press(site, person, "videos", "news")
    assert answer.status_code == 303
    page = site.get(answer.location).text
    assert "Saved. From now on you get just these emails." in page
    assert ticked(page) == ["videos", "news"]
    gone, come = site.rows(ConsentEvent)
    assert (gone.kind, gone.purposes, gone.channel) == ("withdrawn", "reminders", "own page")
    assert (come.kind, come.purposes, come.ip) == ("confirmed", "news", "127.0.0.1")
    assert come.token_id == token_id(site.own_page(person).removeprefix("/p/"))
    (wording,) = site.rows(Wording)
    assert "[ ] Clinic news: News from" in wording.text
    assert wording.version == "1"


def test_without_any_tick_everything_stops(site):
    person = site.person(sent=1)
    assert press(site, person).location == site.own_page(person)
    assert site.again(person).status == SubscriberStatus.UNSUBSCRIBED
    assert "Your emails have stopped" in site.get(site.own_page(person)).text
    assert press(site, person, "news").status_code == 303
    assert site.again(person).status == SubscriberStatus.UNSUBSCRIBED


def test_what_is_no_kind_of_email_is_left_out(site):
    person = site.person(sent=1)
    answer = press(site, person, "videos", "reminders", "parties", "<script>")
    assert "saved=emails_same" in answer.location
    assert site.rows(ConsentEvent) == []


def test_without_a_token_or_with_a_wrong_one_nothing_happens(site):
    person = site.person(sent=1)
    assert site.client.post(f"{site.own_page(person)}/emails").status_code == 400
    assert site.post("/p/nonsense/emails", page=site.own_page(person)).status_code == 404
    assert site.again(person).wants_videos
    answer = press(site, person, "videos")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


def test_who_wants_no_videos_reads_so_and_gets_no_button_for_one(site):
    person = site.person(sent=1)
    assert "Send video 2 now" in site.get(site.own_page(person)).text
    press(site, person, "reminders")
    page = site.get(site.own_page(person)).text
    assert "Send video 2 now" not in page
    assert "waits until you want videos again" in page


def boxes(page: str) -> list[tuple[str, str]]:
    return re.findall(r'<input id="(consent|news)" type="checkbox"([^>]*)>', page)


def test_the_form_has_two_boxes_and_neither_is_ticked(site):
    for path in ("/", "/articles/core"):
        (consent, first), (news, second) = boxes(site.get(path).text)
        assert (consent, news) == ("consent", "news")
        assert "checked" not in first + second
        assert "required" in first
        assert "required" not in second


@pytest.mark.parametrize(("fields", "purposes"), [({}, "videos reminders"), ({"news": "yes"}, "videos reminders news")])
def test_what_was_ticked_is_kept_with_the_words_of_both_boxes(site, fields, purposes):
    site.sign_up(**fields)
    (row,) = site.rows(SignUp)
    assert row.purposes == purposes
    (wording,) = site.rows(Wording)
    assert wording.text.count("[ ] ") == 2
    assert "may also email me clinic news" in wording.text
    assert (wording.version, wording.language) == ("2", "en")


def test_news_alone_is_no_sign_up(site):
    answer = site.sign_up(consent="", news="yes")
    assert answer.status_code == 422
    assert 'name="news" value="yes" aria-describedby="around" checked' in answer.text, "what was ticked stays"
    assert site.rows(SignUp) == []


@pytest.mark.parametrize(("fields", "named"), [({}, False), ({"news": "yes"}, True)])
def test_the_page_of_the_link_says_what_is_confirmed(site, fields, named):
    site.sign_up(**fields)
    tick(site.services, site.clock.now)
    with store.reading(site.services.engine) as session:
        person = store.subscribers.by_canonical(session, "anna@example.org")
    link = site.confirm(person)
    page = site.get(link).text
    assert ("news from the clinic" in page) is named
    assert site.client.post(link, data=site.hidden(link)).status_code == 200
    assert site.again(person).wants_news is named
    confirmed = site.rows(ConsentEvent)[-1]
    assert (confirmed.kind, confirmed.channel) == ("confirmed", "confirmation link")
    assert confirmed.token_id == token_id(link.removeprefix("/confirm/"))
    assert link.removeprefix("/confirm/") not in str(site.dump())


def test_with_zero_days_no_address_and_no_browser_is_ever_written(make_site):
    site = make_site(consent_ip_days=0, consent_agent_days=0)
    site.sign_up()
    assert [(row.ip, row.user_agent) for row in site.rows(SignUp)] == [("", "")]
    person = site.person(email="bo@example.org", sent=1)
    press(site, person, "videos")
    site.client.post(site.leave(person))
    assert {(row.ip, row.user_agent) for row in site.rows(ConsentEvent)} == {("", "")}
