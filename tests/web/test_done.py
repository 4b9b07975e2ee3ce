"""'I did it': four answers, one of which leads to a page of its own."""

import pytest

from leadmagnet.store.activities import Activity
from leadmagnet.store.check_ins import CheckIn


def test_looking_only_preselects(site):
    person = site.person(sent=1)
    before = site.dump()
    page = site.get(site.done(person) + "?felt=hurt")
    assert 'value="hurt" id="felt-hurt" checked' in page.text
    assert " checked" not in site.get(site.done(person)).text
    assert " checked" not in site.get(site.done(person) + "?felt=nonsense").text
    assert site.dump() == before


@pytest.mark.parametrize("felt", ["easy", "right", "hard"])
def test_an_answer_is_recorded_and_thanked_for(site, felt):
    person = site.person(sent=1)
    answer = site.post(site.done(person), felt=felt)
    assert answer.status_code == 303
    page = site.get(answer.location).text
    assert "Done for today" in page
    assert "1 of 3" in page
    assert "Next comes video 2, Dead bug, on Thursday, 5 March" in page
    assert [(row.felt, row.step_slug) for row in site.rows(CheckIn)] == [(felt, "breathing-and-bracing")]


def test_a_made_up_address_thanks_for_nothing(site):
    person = site.person(sent=1)
    assert "How did it feel?" in site.get(site.done(person) + "?saved=yes").text


def test_without_an_answer_the_question_stays(site):
    person = site.person(sent=1)
    answer = site.post(site.done(person), felt="sideways")
    assert answer.status_code == 422
    assert 'href="#felt-easy"' in answer.text
    assert site.rows(CheckIn) == []


def test_it_hurt_stops_and_shows_whom_to_call_then_takes_a_note_and_goes_on(site):
    person = site.person(sent=1)
    link = site.done(person)
    hurt = site.post(link, felt="hurt").location
    page = site.get(hurt).text
    assert "Thank you for telling us" in page
    assert "We’ve stopped the reminders" in page
    assert "tel:+16045550142" in page
    assert "Get emergency care" in page
    assert site.again(person).hurt_at is not None

    noted = site.post(link, page=hurt, action="note", note=" left knee ")
    assert "Your note is with our team" in site.get(noted.location).text
    assert site.rows(CheckIn)[0].note == "left knee"

    on = site.post(link, page=hurt, action="go_on")
    assert "Start gently" in site.get(on.location).text
    assert site.again(person).hurt_at is None
    assert {row.kind for row in site.rows(Activity)} == {"hurt", "went on"}


def test_an_empty_note_is_no_note(site):
    person = site.person(sent=1)
    site.post(site.done(person), felt="hurt")
    empty = site.post(site.done(person), action="note", note="  ")
    page = site.get(empty.location).text
    assert "Your note is with our team" not in page, "nothing was sent"
    assert "Send the note" in page
    assert site.rows(CheckIn)[0].note == ""


def test_a_done_token_opens_nothing_else(site):
    person = site.person(sent=1)
    token = site.done(person).rpartition("/")[2]
    for path in (f"/p/{token}", f"/confirm/{token}", f"/u/{token}", f"/v/dead-bug?t={token}"):
        assert site.get(path).status_code == 404


def test_a_cross_site_answer_is_refused(site):
    person = site.person(sent=1)
    assert site.client.post(site.done(person), data={"felt": "easy"}).status_code == 400
    assert site.rows(CheckIn) == []


def test_the_video_just_done_is_not_announced_as_the_next(site):
    """Somebody may do video 1 before its email has gone out: the thank-you page then says nothing of a next one."""
    person = site.person(sent=0, asked_first_at=site.clock.course)
    link = site.done(person)
    site.post(link, felt="right")
    page = site.get(f"{link}?saved=right").text
    assert "1 of 3" in page
    assert "Next comes" not in page
