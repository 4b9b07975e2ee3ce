"""The pages behind the door: what they show, what a button does, who may press it."""

import csv
import io
import re
from dataclasses import replace

import pytest
from sqlalchemy import select

from leadmagnet import store
from leadmagnet.content import film_seconds
from leadmagnet.rendering.phrases import length
from leadmagnet.store.activities import Activity
from leadmagnet.store.consents import ConsentEvent, Wording
from leadmagnet.store.sequences import Step
from leadmagnet.store.subscribers import Subscriber

STYLE = re.compile(r"<[^>]+\sstyle=|<style|<script", re.IGNORECASE)


@pytest.fixture
def owner(desk, seeded):
    desk.sign_in("owner")
    return desk


@pytest.fixture
def find(seeded):
    def by_place(place):
        with store.reading(seeded.engine) as session:
            return session.get(Subscriber, 60 - place)

    return by_place


@pytest.mark.parametrize(
    "path",
    ["/admin/", "/admin/?days=30", "/admin/subscribers", "/admin/subscribers?q=zzz", "/admin/subscribers/57",
     "/admin/sequence", "/admin/sequence/1", "/admin/sequence/calendar", "/admin/subscribers/59/stop",
     "/admin/subscribers/59/erase", "/admin/subscribers/59/way-back"],
)  # fmt: skip
def test_pages_need_no_style_and_no_script(owner, path):
    page = owner.get(path)
    assert page.status_code == 200
    assert not STYLE.search(page.text)
    assert page.text.count("<h1") == 1


@pytest.mark.parametrize("path", ["/admin/", "/admin/subscribers", "/admin/sequence", "/admin/sequence/calendar"])
def test_pages_say_something_kind_when_nobody_is_there(desk, path):
    desk.sign_in("viewer")
    page = desk.get(path)
    assert page.status_code == 200
    assert "None" not in page.text


def test_home_has_the_number_in_its_headline_and_no_open_rates(owner):
    page = owner.get("/admin/").text
    assert re.search(r"<h1>\d+ people exercised this week</h1>", page)
    assert "said side plank hurt" in page
    assert "Article: why a steady core is kind to your back" in page
    assert not re.search(r"open(ed|s| rate)", page)
    assert page.count("<rect") == 6


def test_the_list_leads_to_the_next_page_and_back(owner):
    first = owner.get("/admin/subscribers").text
    assert first.count('<th scope="row">') == 50
    forward = re.search(r'rel="next" href="([^"]+)"', first)[1].replace("&amp;", "&")
    second = owner.get(forward).text
    assert second.count('<th scope="row">') == 10
    assert 'rel="next"' not in second
    back = re.search(r'rel="prev" href="([^"]+)"', second)[1].replace("&amp;", "&")
    assert "Anna Whitfield" in owner.get(back).text


def test_groups_and_search_narrow_the_list(owner):
    hurt = owner.get("/admin/subscribers?group=hurt").text
    assert hurt.count('<th scope="row">') == 2
    assert "Stopped until somebody answers" in hurt
    assert owner.get("/admin/subscribers?q=whitfield&group=active").text.count('<th scope="row">') == 3
    assert "Nobody fits." in owner.get("/admin/subscribers?q=zzz").text
    for odd in ("group=nonsense&sort=7&after=x", "q=%00", "step=%27%3B--", "after=" + "A" * 5000):
        assert owner.get(f"/admin/subscribers?{odd}").status_code == 200


def test_what_people_wrote_stays_text(owner, seeded):
    with store.writing(seeded.engine) as session:
        session.get(Subscriber, 60).first_name = "<b>Anna</b>"
    assert "<b>Anna" not in owner.get("/admin/subscribers").text
    assert "&lt;b&gt;Anna" in owner.get("/admin/subscribers/60").text


def test_the_file_holds_who_fits(owner):
    answer = owner.get("/admin/subscribers.csv?group=paused")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="subscribers-2026-11-23.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 2
    assert {row["group"] for row in rows} == {"paused"}


def test_one_person_newest_day_first_with_reasons(owner):
    page = owner.get("/admin/subscribers/40").text
    assert page.index("Today, Monday 23 November") < page.index("Friday 20 November")
    for words in ("Said side plank hurt", "Wrote: “A sharp pull on the left, low down.”", "Reminder not sent",
                  "Agreed to emails", "The words they agreed to are on record.", "3 days after the previous email",
                  "America/Vancouver"):  # fmt: skip
        assert words in page, words
    assert page.count("hurt, today") == 1


def test_the_timeline_says_where_old_emails_are_only_numbers(owner, seeded, find):
    old, young = find(50), find(2)
    said = "Of emails from more than 30 days ago only numbers are kept"
    assert said not in owner.get(f"/admin/subscribers/{old.id}").text
    app = owner.client.application
    parts = app.extensions["leadmagnet"]
    app.extensions["leadmagnet"] = replace(parts, config=replace(parts.config, ledger_retention_days=30))
    assert said in owner.get(f"/admin/subscribers/{old.id}").text
    assert said not in owner.get(f"/admin/subscribers/{young.id}").text


def test_a_timeline_has_no_hashes_and_no_machine_s_dates(owner, seeded):
    with store.writing(seeded.engine) as session:
        session.add(Activity(subscriber_id=40, at=seeded.clock.now().course, kind="snoozed", detail="until 2026-11-30"))
        session.add(Activity(subscriber_id=40, at=seeded.clock.now().course, kind="note", detail="since 2026-11-01"))
        event = session.query(ConsentEvent).filter_by(subscriber_id=40, kind="confirmed").one()
        event.detail = "link issued 2026-11-20T18:30:00Z"
        hashes = [one.id for one in session.query(Wording)]
    page = owner.get("/admin/subscribers/40").text
    assert hashes
    assert not any(one in page for one in hashes)
    assert "Until Mon 30 Nov." in page
    assert "Since 2026-11-01." in page, "a person's own words stay"
    assert "Link issued Fri 20 Nov, 11:30." in page
    assert not re.search(r"\d{4}-\d\d-\d\dT", page)


def test_an_email_is_shown_with_its_own_film_and_what_follows(owner, seeded):
    with store.reading(seeded.engine) as session:
        steps = session.query(Step).order_by(Step.position).all()
    shown = [owner.get(f"/admin/sequence/{step.id}").text for step in steps]
    for step, page, after in zip(steps, shown, [*steps[1:6], None, None], strict=True):
        if step.kind == "video":
            seconds = film_seconds({"film": f"media/{step.slug}.mp4"})
            assert f"{length(seconds)}" in page
            named = re.search("Next, [^.]*: ([^.]+)[.]", page)
            assert (named[1].replace(" ", "-") if named else None) == (after.slug if after else None)


def test_still_exercising_is_one_number(owner):
    page = owner.get("/admin/?days=365").text
    funnel = re.search(r"<span>Still exercising</span>.*?<b>([\d,]+)</b>", page, re.DOTALL)[1]
    table = re.findall(r'data-l="Still exercising">([\d,]+)<', page)
    assert int(funnel) == sum(map(int, table)) > 0


@pytest.mark.parametrize("number", [61, 0, 2**63, 10**30])
def test_nobody_there(owner, number):
    page = owner.get(f"/admin/subscribers/{number}")
    assert page.status_code == 404
    assert "Nothing here" in page.text


def test_pause_and_resume(owner, find):
    assert owner.post("/admin/subscribers/60/pause").status_code == 303
    assert find(0).paused_at is not None
    page = owner.get("/admin/subscribers/60").text
    assert "Paused. Nothing goes out" in page
    assert "By owner@clinic.example." in page
    owner.post("/admin/subscribers/60/resume")
    assert find(0).paused_at is None


def test_go_on_after_hurt(owner, find, seeded):
    owner.post("/admin/subscribers/57/go-on")
    assert find(3).hurt_at is None
    with store.reading(seeded.engine) as session:
        acts = session.scalars(select(Activity).where(Activity.subscriber_id == 57, Activity.kind == "went on")).all()
    assert [act.actor for act in acts] == ["owner@clinic.example"]


def test_stopping_asks_first(owner, find, seeded):
    assert "Only they can start again" in owner.get("/admin/subscribers/60/stop").text
    assert find(0).status == "active"
    owner.post("/admin/subscribers/60/stop")
    assert find(0).status == "unsubscribed"
    with store.reading(seeded.engine) as session:
        last = store.consents.events_of(session, 60)[-1]
    assert (last.kind, last.channel, last.detail) == ("withdrawn", "marketer", "by owner@clinic.example")
    page = owner.get("/admin/subscribers/60").text
    assert "By owner@clinic.example." in page
    assert "By marketer" not in page, "who it was is told once"


def test_erasing_asks_first_and_leaves_nothing(owner, find):
    assert "cannot be taken back" in owner.get("/admin/subscribers/60/erase").text
    assert owner.post("/admin/subscribers/60/erase").location == "/admin/subscribers"
    assert find(0) is None
    assert owner.get("/admin/subscribers/60").status_code == 404


@pytest.mark.parametrize(("status", "why"), [("bounced", "no such mailbox"), ("complained", "as spam")])
def test_letting_somebody_back_in_asks_first_and_says_why(owner, find, seeded, status, why):
    assert "sign up again" not in owner.get("/admin/subscribers/60").text
    with store.writing(seeded.engine) as session:
        session.get(Subscriber, 60).status = status
    assert 'href="/admin/subscribers/60/way-back"' in owner.get("/admin/subscribers/60").text
    assert why in owner.get("/admin/subscribers/60/way-back").text
    assert find(0).status == status
    assert owner.post("/admin/subscribers/60/way-back").location == "/admin/subscribers/60"
    assert find(0).status == "unsubscribed"
    page = owner.get("/admin/subscribers/60").text
    assert "May sign up again, because they asked you" in page
    assert "By owner@clinic.example." in page
    assert "/way-back" not in page


def test_who_left_and_is_on_the_list_may_be_let_back_in(owner, find, seeded):
    """By an import of the list, say: the standing alone does not show it."""
    key = seeded.config.suppression_key
    with store.writing(seeded.engine) as session:
        person = session.get(Subscriber, 60)
        person.status = "unsubscribed"
        store.suppressions.add(session, key, {person.email_canonical: "imported"}, person.created_at)
        leave_id = person.leave_id
    assert "Call us" in owner.get(f"/u/{leave_id}").text
    assert 'href="/admin/subscribers/60/way-back"' in owner.get("/admin/subscribers/60").text
    assert "list of addresses that stay stopped" in owner.get("/admin/subscribers/60/way-back").text
    owner.post("/admin/subscribers/60/way-back")
    assert "Sign up again" in owner.get(f"/u/{leave_id}").text
    assert "/way-back" not in owner.get("/admin/subscribers/60").text
    owner.post("/admin/subscribers/60/way-back")
    assert "Nothing kept them out" in owner.get("/admin/subscribers/60").text


ACTS = ["pause", "resume", "go-on", "stop", "way-back", "erase"]


@pytest.mark.parametrize(("role", "allowed"), [("viewer", []), ("editor", ACTS[:5]), ("owner", ACTS)])
def test_who_may_do_what(desk, seeded, role, allowed):
    desk.sign_in(role)
    for act in ACTS:
        expected = 303 if act in allowed else 403
        assert desk.post(f"/admin/subscribers/59/{act}").status_code == expected, act
    assert desk.get("/admin/subscribers.csv").status_code == (403 if role == "viewer" else 200)
    assert desk.get("/admin/subscribers/58/erase").status_code == (200 if role == "owner" else 403)


def test_a_viewer_sees_no_buttons(desk, seeded):
    desk.sign_in("viewer")
    page = desk.get("/admin/subscribers/57").text
    assert "Stop all emails" not in page
    assert "Go on" not in page
    assert "Export" not in desk.get("/admin/subscribers").text
    assert "This is not yours to do" in desk.post("/admin/subscribers/57/pause").text


def test_buttons_need_their_token_and_a_post(owner, find):
    assert owner.client.post("/admin/subscribers/60/pause").status_code == 400
    assert owner.get("/admin/subscribers/60/pause").status_code == 405
    assert find(0).paused_at is None


def test_the_sequence_in_order_with_its_days(owner):
    page = owner.get("/admin/sequence").text
    assert re.findall(r"<b>(\d+)</b>", page) == ["1", "4", "7", "10", "13", "16", "19"]
    assert "7 emails over 19 days. Monday to Sunday, at 09:00" in page
    assert "sent, " in page


def test_an_email_as_its_readers_see_it(owner):
    page = owner.get("/admin/sequence/2").text
    assert "odd name, calm exercise" in page
    assert 'sandbox src="/admin/sequence/2/frame"' in page
    frame = owner.get("/admin/sequence/2/frame")
    policy = frame.headers["Content-Security-Policy"]
    assert "style-src 'unsafe-inline'" in policy
    assert "script-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "sandbox allow-popups" in policy
    assert "Anna" in frame.text
    assert owner.get("/admin/sequence/999").status_code == 404


def test_the_rehearsal_by_week_with_reasons(owner):
    page = owner.get("/admin/sequence/calendar?start=2026-11-23T10:30&timezone=Europe/Zurich").text
    assert "Monday, 23 November 2026, 10:30" in page
    assert page.index("Week 1") < page.index("Week 2")
    assert "At confirmation, whatever the hour." in page
    assert "the last question" in page
    assert "Sat 28 Nov" not in page.split("Week 2")[0] or "09:00" in page


@pytest.mark.parametrize("start", ["2026-11-23T18:30:00Z", "2026-11-23T10:30:00-08:00", "2026-11-23", ""])
def test_a_rehearsal_takes_instants_and_local_times(owner, start):
    page = (
        owner.get(
            "/admin/sequence/calendar",
        )
        if not start
        else owner.client.get("/admin/sequence/calendar", query_string={"start": start})
    )
    assert "Week 1" in page.text
    assert "is not a" not in page.text


@pytest.mark.parametrize(
    "odd", ["start=soon", "start=9999-12-31T23:59", "start=0001-01-01", "timezone=Mars/Base", "start=2026-11-23T25:00"]
)
def test_a_rehearsal_says_what_it_could_not_read(owner, odd):
    page = owner.get(f"/admin/sequence/calendar?{odd}")
    assert page.status_code == 200
    assert re.search(r"That is not a (date and time|time zone)\.", page.text)
