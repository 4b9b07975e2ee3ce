"""Sign-up: one row, the same answer for everybody, kept input where something is to be mended."""

import re

import pytest

from leadmagnet.domain.names import NAME_LENGTH
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.store.consents import Wording
from leadmagnet.store.signups import SignUp


def test_a_sign_up_becomes_one_row_with_its_evidence(site):
    answer = site.sign_up(first_name=" Anna ", timezone="Europe/Zurich", email="Anna@EXAMPLE.org")
    assert (answer.status_code, answer.location) == (303, "/signup/check-inbox")
    (row,) = site.rows(SignUp)
    assert (row.email, row.email_canonical, row.first_name) == ("Anna@example.org", "anna@example.org", "Anna")
    assert (row.timezone, row.form, row.ip) == ("Europe/Zurich", "landing", "127.0.0.1")
    assert row.user_agent.startswith("Werkzeug")
    (wording,) = site.rows(Wording)
    page = site.get("/").text
    for words in ("I am 18 or older", "one every three days", "604-555-0142"):
        assert words in wording.text
        assert words in page
    assert "{{" not in wording.text
    assert wording.language == "en"


def test_the_page_that_carried_the_form_is_kept_without_its_query(site):
    known = site.hidden("/")
    site.clock.move(seconds=3)
    fields = known | {"email": "a@example.org", "consent": "yes"}
    site.client.post("/signup", data=fields, headers={"Referer": "http://localhost/articles/core?utm=x#y"})
    assert site.rows(SignUp)[0].page == "http://localhost/articles/core"


@pytest.mark.parametrize("status", [None, *SubscriberStatus])
def test_the_answer_is_the_same_for_every_standing(site, status):
    if status is not None:
        site.person(status=status)
    answer = site.sign_up()
    shown = site.get("/signup/check-inbox")
    assert (answer.status_code, answer.location) == (303, "/signup/check-inbox")
    assert "Now look in your inbox" in shown.text
    assert len(site.rows(SignUp)) == 1
    assert not {"Anna", "already", "unsubscribed"} & set(shown.text.split())


def test_check_inbox_points_to_the_outbox_only_in_a_trial(make_site):
    assert "/outbox/" in make_site().get("/signup/check-inbox").text
    far = make_site(public_url="https://videos.example.org")
    assert "/outbox/" not in far.get("/signup/check-inbox", base_url="https://videos.example.org").text


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("email", "anna.example.org", "An address has one @"),
        ("email", "", "Please write your address"),
        ("first_name", "www.example.org", "A first name is enough"),
        ("email", "a" * 65 + "@example.org", "longer than 64"),
        ("first_name", "visit evil.com", "A first name is enough"),
        ("first_name", "x" * 41, "Please keep the name to 40"),
        ("consent", "", "We need your yes before we write."),
    ],
)
def test_what_is_to_be_mended_stands_at_the_field_and_on_top(site, field, value, sentence):
    answer = site.sign_up(**{field: value}, timezone="Europe/Zurich")
    assert answer.status_code == 422
    assert f'<a href="#{field}">' in answer.text
    assert f'id="{field}-e"' in answer.text
    assert sentence in answer.text
    assert 'value="Europe/Zurich"' in answer.text
    box = re.search(r"<input id=\"consent\"[^>]*>", answer.text)[0]
    assert (" checked" in box) == (field != "consent"), "the visitor's own tick stays; nobody else sets one"
    assert site.rows(SignUp) == []
    if field != "email":
        assert 'value="anna@example.org"' in answer.text


@pytest.mark.parametrize(
    ("fields", "heading"),
    [
        ({"email": ""}, "One thing is missing"),
        ({"consent": ""}, "One thing is missing"),
        ({"email": " ", "consent": ""}, "A few things are missing"),
        ({"email": "anna"}, "Please look at one thing again"),
        ({"first_name": "evil.com"}, "Please look at one thing again"),
        ({"email": "anna", "consent": ""}, "Please look at a few things again"),
    ],
)
def test_the_heading_calls_missing_only_what_is_missing(site, fields, heading):
    assert f"<h2>{heading}</h2>" in site.sign_up(**fields).text


def test_an_answer_that_is_too_quick_shows_the_form_again_with_what_was_typed(site):
    answer = site.sign_up(wait=0.3, first_name="Anna")
    assert answer.status_code == 422
    assert "That was quick" in answer.text
    assert 'value="anna@example.org"' in answer.text
    assert site.rows(SignUp) == []
    assert site.sign_up(wait=2).status_code == 303


@pytest.mark.parametrize("stamp", ["", "2026-01-01", "WzFd.forged"])
def test_a_form_without_our_time_stamp_is_shown_again(site, stamp):
    assert site.sign_up(shown=stamp).status_code == 422
    assert site.rows(SignUp) == []


def test_a_filled_honeypot_gets_the_same_answer_and_stores_nothing(site):
    answer = site.sign_up(homepage="https://spam.example")
    assert (answer.status_code, answer.location) == (303, "/signup/check-inbox")
    assert site.rows(SignUp) == []


def test_nobody_can_meet_the_honeypot(site):
    page = site.get("/").text
    assert '<div hidden inert aria-hidden="true">' in page
    assert 'name="homepage" tabindex="-1" autocomplete="off"' in page


def test_an_unknown_form_counts_as_the_landing_page(site):
    site.sign_up(form="made-up")
    assert site.rows(SignUp)[0].form == "landing"


def test_the_field_takes_as_many_letters_as_the_rule(site):
    assert f'maxlength="{NAME_LENGTH}"' in re.search(r"<input id=\"first_name\"[^>]*>", site.get("/").text)[0]
    assert site.sign_up(first_name="x" * NAME_LENGTH).status_code == 303


def test_joiners_that_a_script_needs_are_kept(site):
    site.sign_up(first_name="می\u200cنا")
    assert site.rows(SignUp)[0].first_name == "می\u200cنا"


def test_a_reload_after_a_mistake_leads_to_the_form(site):
    answer = site.get("/signup")
    assert (answer.status_code, answer.location) == (303, "/#signup")
    assert 'id="signup"' in site.get(answer.location).text


def test_typed_text_is_never_markup(site):
    answer = site.sign_up(email='"><script>alert(1)</script>', first_name="<b>x</b>")
    assert "<script>alert" not in answer.text
    assert "<b>x</b>" not in answer.text
