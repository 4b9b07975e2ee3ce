"""The video page: what it shows to whom, whom to ask first, and how much was watched."""

import re

import pytest

from leadmagnet.store.watching import Watch

FIRST = "/v/breathing-and-bracing"


def ready(site, person):
    site.post(f"{FIRST}/ready?t={site.video(person).partition('t=')[2]}", page=site.video(person))


def test_the_first_video_is_open_to_everybody_without_anything_personal(site):
    site.person(sent=1)
    page = site.get(FIRST)
    assert page.status_code == 200
    assert "Ask first" in page.text
    assert "<video" not in page.text
    shown = site.get(f"{FIRST}?ready=1").text
    assert "<video controls" in shown
    for word in ("Anna", "I did it", "data-token", "data-progress", "Your path"):
        assert word not in shown


def test_the_others_ask_for_the_link_from_the_email(site):
    page = site.get("/v/dead-bug")
    assert page.status_code == 403
    assert "This page needs the link from your email" in page.text
    assert site.get("/v/nothing").status_code == 404
    assert site.get(f"{FIRST}?t=broken").status_code == 404


def test_the_page_has_all_its_parts(site):
    person = site.person(sent=3, asked_first_at=site.clock.course)
    page = site.get(site.video(person, "glute-bridge")).text
    for words in (
        "Video 3 of 6",
        "Step by step",
        "How much",
        "Easier",
        "Harder",
        "On a chair or standing",
        "Common mistakes",
        "When to stop",
        "Read the film as text",
        "Done for today?",
        "Your path",
        "Sample content, not yet reviewed by a clinician.",
        "Doing the exercise takes five to ten minutes",
        'kind="captions"',
        'type="video/mp4"',
        "Next comes Bird dog, on Wednesday, 11 March.",
    ):
        assert words in page
    film = re.search(r'<source src="([^"]+)"', page)[1]
    assert site.get(film).mimetype == "video/mp4"
    assert re.search(r"The film runs \d+ seconds", page)


def test_before_the_first_film_comes_the_list_of_whom_to_ask(site):
    person = site.person(sent=1)
    before = site.dump()
    page = site.get(site.video(person)).text
    assert "None of these, start" in page
    assert "<video" not in page
    assert "I did it" not in page
    assert site.dump() == before
    ready(site, person)
    assert site.again(person).asked_first_at == site.clock.course
    assert "<video" in site.get(site.video(person)).text


def test_acknowledging_needs_the_page_s_token(site):
    person = site.person(sent=1)
    token = site.video(person).partition("t=")[2]
    assert site.client.post(f"{FIRST}/ready?t={token}").status_code == 400
    assert site.again(person).asked_first_at is None


def test_a_video_that_has_not_come_yet_says_when(site):
    person = site.person(sent=1, asked_first_at=site.clock.course)
    page = site.get(site.video(person, "dead-bug"))
    assert page.status_code == 200
    assert "It comes on Thursday, 5 March." in page.text
    assert "<video" not in page.text
    assert "It comes on Tuesday, 17 March." in site.get(site.video(person, "front-plank")).text


def test_a_video_taken_out_of_the_course_stays_open_to_those_who_have_it(site):
    from leadmagnet import store

    old, new = site.person(sent=2, asked_first_at=site.clock.course), site.person(sent=1, email="b@example.org")
    with store.writing(site.services.engine) as session:
        session.query(store.sequences.Step).filter_by(slug="dead-bug").one().removed = True
    assert "<video" in site.get(site.video(old, "dead-bug")).text
    assert site.get(site.video(new, "dead-bug")).status_code == 404
    assert "Dead bug" not in site.get("/").text


def test_while_paused_it_has_no_date(site):
    person = site.person(sent=1, paused_at=site.clock.course)
    assert "It comes when your emails go on." in site.get(site.video(person, "dead-bug")).text


def test_the_first_opens_right_after_confirming_even_before_its_email(site):
    person = site.person(asked_first_at=site.clock.course)
    assert "<video" in site.get(site.video(person)).text


@pytest.mark.parametrize("as_json", [False, True])
def test_watching_is_reported_with_the_token_alone(site, as_json):
    person = site.person(sent=2)
    visitor = site.app.test_client(use_cookies=False)
    body = {"t": site.video(person, "dead-bug").partition("t=")[2], "percent": 50 if as_json else "50"}
    answer = visitor.post("/v/dead-bug/progress", **({"json": body} if as_json else {"data": body}))
    assert (answer.status_code, answer.data) == (204, b"")
    assert [(row.step_slug, row.percent) for row in site.rows(Watch)] == [("dead-bug", 50)]
    assert site.again(person).started_at == site.clock.course


@pytest.mark.parametrize("percent", ["", "x", "-1", "101", "1e2", "٣", "9" * 5000])
def test_nonsense_is_refused(site, percent):
    person = site.person(sent=1)
    token = site.video(person).partition("t=")[2]
    assert site.client.post(f"{FIRST}/progress", data={"t": token, "percent": percent}).status_code == 400
    assert site.rows(Watch) == []


@pytest.mark.parametrize("body", [[], "text", None, {"t": 1, "percent": 5}])
def test_nonsense_in_json_is_refused(site, body):
    assert site.client.post(f"{FIRST}/progress", json=body).status_code == 400


def test_what_was_not_sent_cannot_be_watched(site):
    person = site.person(sent=1)
    token = site.video(person).partition("t=")[2]
    assert site.client.post("/v/side-plank/progress", data={"t": token, "percent": "95"}).status_code == 204
    assert site.client.post(f"{FIRST}/progress", data={"t": "broken", "percent": "95"}).status_code == 404
    assert site.rows(Watch) == []


def test_a_clinic_s_own_film_may_lie_elsewhere(site):
    from leadmagnet import store
    from leadmagnet.editing.load import revise
    from leadmagnet.store.sequences import Step, StepRevision

    with store.writing(site.services.engine) as session:
        step = session.query(Step).filter_by(slug="breathing-and-bracing").one()
        source = session.get_one(StepRevision, step.revision_id).source
        own = source.replace("film: media/breathing-and-bracing.mp4", "film: https://films.example:8443/a.mp4?x=1")
        revise(session, step, own, site.clock.course, "test")
    page = site.get(f"{FIRST}?ready=1")
    assert 'src="https://films.example:8443/a.mp4?x=1"' in page.text
    assert "media-src 'self' https://films.example:8443;" in page.headers["Content-Security-Policy"]
    assert "films.example" not in site.get("/").headers["Content-Security-Policy"]
