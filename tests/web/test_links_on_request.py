"""Links on request in a browser: asked for on the own page, read from the outbox, pressed once."""

import email
import json
import re
from email.policy import default

from leadmagnet import store
from leadmagnet.domain.fresh_links import Opens
from leadmagnet.domain.status import SubscriberStatus
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.fresh_links import FreshLink
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.store.suppressions import Suppression, email_hash
from leadmagnet.tick import tick


def mails(site):
    """The emails of the outbox, oldest first: to whom, and the plain text."""
    folder = site.services.config.outbox_dir / "new"
    files = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns) if folder.exists() else []
    parsed = [email.message_from_bytes(path.read_bytes(), policy=default) for path in files]
    return [(mail["To"], mail.get_body(("plain",)).get_content()) for mail in parsed]


def link_in_newest(site, path):
    tick(site.services, site.clock.now)
    found = [link for _, words in mails(site) for link in re.findall(rf"http\S+(/{path}/\S+)", words)]
    return found[-1]


def fresh(site, person, what):
    """Ask on the own page and return the link of the email."""
    answer = site.post(site.own_page(person), action=f"ask_{what}")
    assert answer.location.endswith("?saved=asked#said")
    return link_in_newest(site, what)


def test_pressed_again_the_answer_is_the_same_and_no_second_email_goes_out(site):
    person = site.person(sent=1)
    answers = []
    for _ in range(3):
        answer = site.post(site.own_page(person), action="ask_data")
        answers.append((answer.status_code, answer.location, site.get(answer.location.partition("#")[0]).text))
        tick(site.services, site.clock.now)
    assert "Look in your inbox" in answers[0][2]
    assert len({(code, where) for code, where, _ in answers}) == 1
    assert [row.kind for row in site.rows(Delivery)].count("fresh_link") == 1


def test_who_cannot_be_written_to_is_told_to_call(site):
    for status in ("pending", "bounced", "complained"):
        person = site.person(sent=1, status=status, email=f"{status}@example.org")
        page = site.get(site.own_page(person)).text
        assert "ask_data" not in page
        assert ("604-555-0142" in page.partition("<footer")[0]) is (status != "pending")
        token = site.hidden("/")["csrf_token"]
        site.client.post(site.own_page(person), data={"csrf_token": token, "action": "ask_data"})
    assert site.rows(FreshLink) == []


def test_who_has_left_may_still_take_a_copy_and_be_erased(site):
    person = site.person(sent=1, status=SubscriberStatus.UNSUBSCRIBED)
    page = site.get(site.own_page(person)).text
    assert "ask_data" in page
    assert "ask_erase" in page
    assert "ask_address" not in page
    assert site.get(fresh(site, person, "data")).status_code == 200


def test_a_copy_to_read_and_one_to_keep_each_once(site):
    person = site.person(sent=2)
    link = fresh(site, person, "data")
    before = site.dump()
    assert "Show it here" in site.get(link).text
    assert site.dump() == before
    page = site.post(link, part="page")
    assert page.headers["Cache-Control"] == "no-store"
    for words in (
        "anna@example.org",
        "Anna",
        "America/Vancouver",
        "odd name, calm exercise",
        "2 March 2026",
    ):
        assert words in page.text
    assert "Show it here" not in site.get(link).text
    file = site.post(link, part="file")
    assert file.mimetype == "application/json"
    assert "my-data.json" in file.headers["Content-Disposition"]
    told = json.loads(file.data)
    assert told["subscriber"][0]["email"] == "anna@example.org"
    assert [row["kind"] for row in told["delivery"]] == ["video", "video", "fresh_link", "video"]
    assert [row["kind"] for row in told["activity"]] == ["asked for a link", "took a copy"]
    assert person.leave_id not in file.text + page.text
    for part in ("page", "file", "everything"):
        assert (
            "This link has been used"
            in site.client.post(link, data={"csrf_token": site.hidden("/")["csrf_token"], "part": part}).text
        )


def test_erasing_acts_at_once_and_leaves_nothing_in_the_browser(site):
    person = site.person(sent=2)
    link = fresh(site, person, "erase")
    before = site.dump()
    assert "Erase everything?" in site.get(link).text
    site.client.head(link)
    assert site.dump() == before
    own, leave, calendar = site.own_page(person), site.leave(person), site.services.links.calendar(person.id)
    answer = site.post(link)
    assert answer.status_code == 303
    assert answer.location == "/erased"
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert "leadmagnet=;" in answer.headers["Set-Cookie"]
    assert site.rows(Subscriber) == site.rows(Delivery) == site.rows(FreshLink) == []
    goodbye = site.get(answer.location)
    assert "Everything is erased" in goodbye.text
    assert "anna@example.org" not in goodbye.text
    assert link.rpartition("/")[2] not in goodbye.text
    for path in (own, leave, calendar.removeprefix(site.services.config.public_url), link):
        assert site.get(path).status_code == 404


def test_a_link_that_has_run_out_says_so_and_acts_no_more(site):
    person = site.person(sent=1)
    links = {what: fresh(site, person, what) for what in ("data", "erase", "address")}
    site.clock.move(minutes=61)
    before = site.dump()
    token = site.hidden("/")["csrf_token"]
    for link in links.values():
        assert "This link has run out" in site.get(link).text
        answer = site.client.post(link, data={"csrf_token": token, "part": "file", "email": "x@example.org"})
        assert "This link has run out" in answer.text
    assert site.dump() == before


def test_another_address_in_two_steps(site):
    person = site.person(sent=1)
    link = fresh(site, person, "address")
    wrong = site.post(link, email='anna"@example.org<script>')
    assert wrong.status_code == 422
    assert "<script>" not in wrong.text
    assert 'role="alert"' in wrong.text
    asked = site.post(link, email="Anna@New.Example")
    assert asked.location == "/address/asked"
    assert "Look in the new inbox" in site.get(asked.location).text
    assert "This link has been used" in site.get(link).text
    button = link_in_newest(site, "new-address")
    assert "Anna@new.example" in [to for to, _ in mails(site)]
    before = site.dump()
    assert "Anna@new.example" in site.get(button).text
    assert site.dump() == before
    done = site.post(button)
    assert "Your emails come here now" in done.text
    assert "Your emails come here now" in site.get(button).text
    assert site.again(person).email_canonical == "anna@new.example"
    page = site.get(site.own_page(person)).text
    assert "anna@new.example" not in page.lower()


def test_known_stopped_and_free_addresses_get_the_same_answer(site):
    person, other = site.person(sent=1), site.person(email="ben@example.org")
    key = site.services.config.suppression_key
    with store.writing(site.services.engine) as session:
        hashed = email_hash(key, "stopped@example.org")
        session.add(Suppression(email_hash=hashed, reason="complained", at=site.clock.course))
    seen = []
    for typed in ("ben@example.org", "stopped@example.org", "free@example.org"):
        answer = site.post(fresh(site, person, "address"), email=typed)
        page = site.get(answer.location)
        seen.append((answer.status_code, answer.location, answer.data, page.text))
        tick(site.services, site.clock.now)
        site.clock.move(minutes=11)
    assert len(set(seen)) == 1
    assert {to for to, words in mails(site) if "/new-address/" in words} == {"free@example.org"}
    # Nor does the copy of one's data tell.
    told = json.loads(site.post(fresh(site, person, "data"), part="file").data)
    assert "address_taken" not in json.dumps(told)
    assert other.email not in json.dumps(told)


def test_an_address_taken_meanwhile_is_explained_to_who_reads_there(site):
    person = site.person(sent=1)
    site.post(fresh(site, person, "address"), email="new@example.org")
    button = link_in_newest(site, "new-address")
    site.person(email="new@example.org")
    assert "We can’t use this address" in site.post(button).text
    assert site.again(person).email == "anna@example.org"


def test_without_its_email_loaded_no_link_is_promised_to_the_worker(site):
    person = site.person(sent=1)
    with store.writing(site.services.engine) as session:
        session.delete(session.get_one(store.email_texts.EmailText, "fresh-data"))
    site.post(site.own_page(person), action="ask_data")
    assert site.rows(FreshLink) == []


def test_a_link_needs_the_page_s_own_form(site):
    for opens in Opens:
        link = site.services.links.fresh(opens, 1, site.clock.real)
        answer = site.client.post(link.removeprefix(site.services.config.public_url), data={"part": "file"})
        assert answer.status_code == 400
