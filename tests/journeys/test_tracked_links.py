"""Links to other sites, from the text to the marketer's figures: led through /c/, judged, and nobody's who objects."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from config import Config
from leadmagnet import content, create_app, store
from leadmagnet.audience.erase import erase
from leadmagnet.audience.timeline import timeline_of
from leadmagnet.domain.zones import zone
from leadmagnet.editing.files import read_files
from leadmagnet.editing.load import load
from leadmagnet.signup.addresses import parse_address
from leadmagnet.signup.receive import Request, receive
from leadmagnet.store.clicks import LinkClick
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.links import Link
from leadmagnet.store.subscribers import Subscriber

STUDY, BOOK = "https://example.org/study?a=1&b=2", "https://book.example/now"
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"}


class Clinic:
    """A clinic whose first video links to a study and to the booking page."""

    def __init__(self, world: Any, folder: Path) -> None:
        self.world, self.folder = world, folder
        self.app = create_app(world.services.config)
        self.app.extensions["leadmagnet"].engine.dispose()
        self.app.extensions["leadmagnet"] = world.services
        self.write(f"Read [a study]({STUDY}) or [book a visit]({{{{booking_url}}}}).")

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def write(self, words: str) -> None:
        """Publish the first video with these words in it."""
        path = self.folder / "01-breathing-and-bracing.md"
        source = (content.SEQUENCES / "six-core-videos" / path.name).read_text(encoding="utf-8")
        path.write_text(source.replace("# Email\n", f"# Email\n\n{words}\n", 1), encoding="utf-8")
        with store.writing(self.world.services.engine) as session:
            load(session, read_files(self.folder), self.world.clock.now().course, author="m", shipped=False)

    def join(self, *, track: bool = True) -> None:
        request = Request(
            parse_address("anna@example.org"), "Anna", "Europe/Zurich", "landing", "Yes.", "en", track_links=track
        )
        with store.writing(self.world.services.engine) as session:
            receive(session, request, self.world.clock.now())
        self.world.tick()
        self.world.press_confirm()
        self.world.tick()

    def links(self) -> list[str]:
        """The /c/ addresses of the newest email."""
        html = self.world.outbox()[-1].get_body(("html",)).get_content()
        return re.findall(r'href="http://127.0.0.1:8000(/c/[\w-]+)"', html)

    def follow(self, path: str, after: float = 0, method: str = "GET", **headers: str) -> TestResponse:
        self.world.clock.move(seconds=after)
        return self.client.open(path, method=method, headers=FIREFOX | headers)

    def rows(self, model: Any = LinkClick) -> list[Any]:
        with store.reading(self.world.services.engine) as session:
            return list(session.scalars(select(model).order_by(model.id)))

    def found(self) -> list[str]:
        return [row.machine for row in self.rows()]

    def look_again(self) -> None:
        self.world.clock.move(minutes=3)
        self.world.tick()


@pytest.fixture
def clinic_of(
    new_config: Callable[..., Config],
    build_services: Callable[..., Any],
    hand_clock: Any,
    world_of: Any,
    tmp_path: Path,
) -> Callable[..., Clinic]:
    def make(**settings: Any) -> Clinic:
        settings = {"track_links": True, "clinic_booking_url": BOOK} | settings
        folder = tmp_path / "sequence"
        shutil.copytree(content.SEQUENCES / "six-core-videos", folder)
        return Clinic(world_of(build_services(new_config(**settings), hand_clock), hand_clock), folder)

    return make


@pytest.fixture
def clinic(clinic_of: Callable[..., Clinic], database_url: str) -> Clinic:
    return clinic_of(database_url=database_url)


def test_a_link_leads_on_is_counted_and_changes_nothing_else(clinic: Clinic) -> None:
    clinic.join()
    study, book = clinic.links()
    before = clinic.rows(Subscriber)[0].__dict__ | {"_sa_instance_state": None}
    answer = clinic.follow(study, after=60)
    assert (answer.status_code, answer.headers["Location"]) == (302, STUDY)
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert clinic.follow(book, after=60).headers["Location"] == BOOK
    first, second = clinic.rows()
    delivery = next(row for row in clinic.rows(Delivery) if row.kind == "video")
    assert (first.delivery_id, first.method, first.agent, first.machine) == (delivery.id, "GET", "browser", "")
    assert first.real_at - delivery.settled_at == timedelta(seconds=60)
    assert first.link_id != second.link_id
    assert clinic.rows(Subscriber)[0].__dict__ | {"_sa_instance_state": None} == before
    with store.reading(clinic.world.services.engine) as session:
        events = timeline_of(session, session.query(Subscriber).one(), zone("Europe/Zurich"))
    told = [(event.status, event.reason) for event in events if event.kind == "link"]
    assert told == [("followed", STUDY), ("followed", "The clinic’s booking page.")]


def test_scanners_are_told_apart_even_when_the_provider_says_late_when_it_delivered(clinic: Clinic) -> None:
    clinic.join()
    study, book = clinic.links()
    clinic.follow(study, after=3)
    clinic.follow(study, after=57)
    clinic.follow(book, after=1)
    clinic.follow(study, after=30, method="HEAD")
    clinic.follow(study, after=30, **{"User-Agent": "curl/8"})
    clinic.follow(study, after=30, **{"Sec-Purpose": "prefetch"})
    clinic.follow(study, after=60)
    assert clinic.found() == ["soon", "at_once", "at_once", "head", "agent", "prefetch", ""]
    sent = next(row for row in clinic.rows(Delivery) if row.kind == "video")
    at = clinic.rows()[-1].real_at - timedelta(seconds=5)
    with store.writing(clinic.world.services.engine) as session:
        row = {"event_id": "e1", "provider": "sendgrid", "public_id": sent.public_id, "signal": "delivered"}
        row |= {"at": at, "received_at": at, "email": "", "detail": "", "raw": "{}"}
        store.events.add(session, [row])
    clinic.look_again()
    assert clinic.found()[-1] == "soon"
    assert all(row.looked_again for row in clinic.rows())


def test_old_emails_lead_where_they_led_after_the_text_was_edited_and_the_step_removed(clinic: Clinic) -> None:
    clinic.join()
    study, _ = clinic.links()
    clinic.write("Read [another study](https://example.org/other).")
    assert clinic.follow(study, after=60).headers["Location"] == STUDY
    (clinic.folder / "01-breathing-and-bracing.md").unlink()
    second = clinic.folder / "02-dead-bug.md"
    second.write_text(second.read_text(encoding="utf-8").replace("delay: 3 days", "delay: at confirmation"), "utf-8")
    with store.writing(clinic.world.services.engine) as session:
        load(session, read_files(clinic.folder), clinic.world.clock.now().course, author="m", shipped=False)
    assert clinic.follow(study, after=60).headers["Location"] == STUDY
    with store.reading(clinic.world.services.engine) as session:
        step = session.query(store.sequences.Step).filter_by(slug="breathing-and-bracing").one()
        assert [(f.url, f.people, f.machine, f.current) for f in store.clicks.of_step(session, step.id)] == [
            ("https://example.org/other", 0, 0, True),
            (STUDY, 1, 0, False),
            ("{{booking_url}}", 0, 0, False),
        ]


def test_follows_outlive_the_row_of_the_ledger_and_fall_with_the_person(clinic: Clinic) -> None:
    clinic.join()
    study, _ = clinic.links()
    clinic.follow(study, after=60)
    clinic.follow(study, after=60)
    with store.writing(clinic.world.services.engine) as session:
        session.delete(session.query(Delivery).filter_by(kind="video", status="sent").one())
    assert [(row.delivery_id, row.machine) for row in clinic.rows()] == [(None, "")] * 2
    clinic.look_again()
    assert all(row.looked_again for row in clinic.rows())
    with store.writing(clinic.world.services.engine) as session:
        erase(session, "anna@example.org", clinic.world.clock.now(), "test-" + "p" * 40, clinic_zone="UTC")
    assert clinic.rows() == []
    assert clinic.follow(study).headers["Location"] == STUDY
    assert clinic.rows() == []
    assert {row.url for row in clinic.rows(Link)} == {STUDY, "{{booking_url}}"}


def test_whoever_was_not_told_or_objects_gets_the_addresses_themselves(clinic_of: Callable[..., Clinic]) -> None:
    clinic = clinic_of()
    clinic.join(track=False)
    html = clinic.world.outbox()[-1].get_body(("html",)).get_content()
    assert clinic.links() == []
    assert f'href="{STUDY.replace("&", "&amp;")}"' in html
    assert f'href="{BOOK}"' in html


def test_who_objects_after_the_email_is_only_led_on(clinic_of: Callable[..., Clinic]) -> None:
    clinic = clinic_of()
    clinic.join()
    study, _ = clinic.links()
    assert clinic.follow(study, after=60, **{"Sec-GPC": "1"}).headers["Location"] == STUDY
    assert clinic.rows() == []
    clinic.follow(study, after=60)
    assert len(clinic.rows()) == 1
    page = clinic.world.services.links.page(clinic.rows(Subscriber)[0].id).removeprefix("http://127.0.0.1:8000")
    client = clinic.client
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page).text)
    assert token
    client.post(page, data={"csrf_token": token[1], "action": "snooze"}, headers={"Sec-GPC": "1"})
    assert clinic.rows() == []
    assert clinic.follow(study, after=60).status_code == 302
    assert clinic.rows() == []


def test_off_by_the_setting(clinic_of: Callable[..., Clinic]) -> None:
    clinic = clinic_of(track_links=False)
    clinic.join()
    assert clinic.links() == []
    assert "/c/" not in clinic.world.outbox()[-1].as_string()


def test_what_a_link_cannot_do(clinic_of: Callable[..., Clinic]) -> None:
    """Lead elsewhere, break on a bad token, fill the table; and turned off later, it leads on uncounted."""
    clinic = clinic_of()
    clinic.join()
    study, _ = clinic.links()
    links = clinic.world.services.links
    unknown = links.tracked(1, 10**12).removeprefix("http://127.0.0.1:8000")
    page = links.page(1).removeprefix("http://127.0.0.1:8000/p/")
    for path in (study[:-1], study + "A", f"/c/{page}", "/c/x", unknown, "/c/https:%2F%2Fevil.example"):
        answer = clinic.follow(path)
        assert answer.status_code == 404, path
        assert "<h1>" in answer.text
        assert "Location" not in answer.headers
    assert clinic.follow(study, method="POST").status_code == 405
    assert clinic.rows() == []
    client = clinic.client
    for _ in range(103):
        assert client.get(study).status_code == 302
    assert len(clinic.rows()) == 100
    parts = clinic.world.services
    clinic.app.extensions["leadmagnet"] = replace(parts, config=replace(parts.config, track_links=False))
    with store.writing(parts.engine) as session:
        store.clicks.forget(session, clinic.rows(Subscriber)[0].id)
    assert clinic.follow(study, after=60).headers["Location"] == STUDY
    assert clinic.rows() == []


def test_the_confirmation_and_the_answer_to_a_second_sign_up_are_never_counted(
    clinic_of: Callable[..., Clinic],
) -> None:
    clinic = clinic_of()
    with store.writing(clinic.world.services.engine) as session:
        for text in session.query(store.email_texts.EmailText).filter(
            store.email_texts.EmailText.kind.in_(["confirmation", "already_subscribed"])
        ):
            text.source = text.source.replace("# Email\n", f"# Email\n\n[x]({STUDY})\n", 1)
            store.links.keep_text(session, text, [STUDY])
    clinic.join()
    clinic.world.sign_up()
    clinic.world.tick()
    kinds = [row.kind for row in clinic.rows(Delivery)]
    assert {"confirmation", "already_subscribed"} <= set(kinds)
    mails = [mail.get_body(("html",)).get_content() for mail in clinic.world.outbox()]
    assert [("/c/" in html) for html in mails] == [False, True, False]


def test_sendgrid_gets_a_token_for_each_letter(clinic_of: Callable[..., Clinic], memory_mailer: Any) -> None:
    from leadmagnet.mail.sendgrid_body import Personalizer

    clinic = clinic_of()
    clinic.world.services = replace(clinic.world.services, mailer=memory_mailer)
    clinic.join()
    batch = memory_mailer.calls[-1]
    (letter,) = batch.letters
    other = letter._replace(values={slot: f"{value}x" for slot, value in letter.values.items()})
    written = Personalizer(replace(batch, letters=(letter, other)))
    own = written.personalization(letter, letter.to_email)
    substitutions = json.loads(own)["substitutions"]
    tracked = [value for value in substitutions.values() if "/c/" in value]
    assert len(tracked) == 2
    body = written.request([own]).decode()
    for tag, value in substitutions.items():
        if value in tracked:
            assert f'href=\\"{tag}\\"' in body
