"""The application under fire: a clinic with people in every state, keys that open things, and what no answer may do."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask

from config import Config
from leadmagnet import create_app, store
from leadmagnet.clock import Now
from leadmagnet.domain.status import DeliveryKind, DeliveryStatus, SubscriberStatus
from leadmagnet.editing.shipped import SLUG, load_shipped
from leadmagnet.mail.outbox import Outbox
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.enrollments import Enrollment
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.web.marketing import accounts, add_marketer
from tests.fuzz.asks import MARK, Ask, Door, Ground

START = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
KEY = ec.generate_private_key(ec.SECP256R1())
HERE = "127.0.0.1:8000"
PASSWORD = "a quiet long password"
ALWAYS = (
    "Content-Security-Policy",
    "X-Content-Type-Options",
    "Referrer-Policy",
    "Permissions-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
)
#: Where a fault is the honest answer: nothing works for a machine that asks while there is no worker.
MAY_FAIL = {b"/readyz": 503}
_FRAMES = re.compile(rb"/admin/sequence/\d+/frame|/outbox/[^/]+/html")


class Standing:
    """A clock that stands."""

    def now(self) -> Now:
        return Now(START, START)


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


class Target:
    """The application on a database of its own in a folder."""

    def __init__(self, folder: Path, *, bare: bool = False, **settings: Any) -> None:
        spki = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        known = base64.b64encode(KEY.public_key().public_bytes(*spki)).decode()
        values: dict[str, Any] = {
            "secret_key": ("fuzz-" + "s" * 40,),
            "suppression_key": "fuzz-" + "p" * 40,
            "database_url": f"sqlite:///{folder / 'fuzz.db'}",
            "outbox_dir": folder / "outbox",
            "sendgrid_webhook_public_key": known,
            "track_links": True,
            "clinic_booking_url": "https://book.example/",
        }
        cheap = {"argon2__memory_cost": 8, "argon2__time_cost": 1}
        dear, accounts.ARGON2 = accounts.ARGON2, accounts.ARGON2 | cheap
        try:
            self.app: Flask = create_app(Config(**(values | settings)))
        finally:
            accounts.ARGON2 = dear
        self.parts = replace(self.app.extensions["leadmagnet"], clock=Standing())
        self.app.extensions["leadmagnet"] = self.parts
        store.Base.metadata.create_all(self.parts.engine)
        self.people: list[int] = []
        self.cookie = self.csrf = self.desk_cookie = self.desk_csrf = ""
        if bare:
            return
        self.people = self._live()
        add_marketer(self.app, "owner@clinic.example", "owner", PASSWORD)
        (self.cookie, self.csrf), (self.desk_cookie, self.desk_csrf) = self._visit(), self._sign_in()

    def _live(self) -> list[int]:
        """People in every state; the first three have been sent videos."""
        with store.writing(self.parts.engine) as session:
            load_shipped(session, START)
            sequence = store.sequences.by_slug(session, SLUG)
            assert sequence is not None
            steps = store.sequences.steps_of(session, sequence.id)
            store.links.keep_step(session, steps[0].revision_id or 0, ["https://example.org/study"])
            ids = []
            for number, status in enumerate([SubscriberStatus.ACTIVE] * 3 + list(SubscriberStatus)):
                address = f"p{number}@example.org"
                person = Subscriber(
                    email=address, email_canonical=address, first_name="Anna", status=status, track_links=True,
                    timezone="Europe/Zurich", created_at=START, confirmed_at=START, source="landing",
                )  # fmt: skip
                session.add(person)
                session.flush()
                mine = Enrollment(subscriber_id=person.id, sequence_id=sequence.id, started_at=START)
                session.add(mine)
                session.flush()
                for place, step in enumerate(steps[:2]):
                    at = START - timedelta(days=6 - 3 * place)
                    common = {"created_at": at, "due_at": at, "sent_at": at, "settled_at": at}
                    session.add(
                        Delivery(
                            subscriber_id=person.id,
                            enrollment_id=mine.id,
                            step_id=step.id,
                            kind=DeliveryKind.VIDEO,
                            status=DeliveryStatus.SENT,
                            **common,
                        )
                    )
                ids.append(person.id)
            return ids

    def ground(self) -> Ground:
        """What a fuzzer needs to know: every address, and keys of every kind."""
        links = self.parts.links
        with store.reading(self.parts.engine) as session:
            rows = session.query(Subscriber).filter(Subscriber.id.in_(self.people)).all()
            link, delivery = session.query(store.links.Link).first(), session.query(Delivery).first()
            step = session.query(store.sequences.Step).first()
            assert link and step and delivery
        found: dict[str, list[str]] = {}
        for row in rows:
            urls = [links.page(row.id), links.done(row.id, step.id), links.confirm(row.id, START)]
            urls += [links.leave(row.leave_id), links.calendar(row.id), links.tracked(delivery.id, link.id)]
            for url in urls:
                _, kind, key = url.removeprefix(self.parts.config.public_url).split("/")
                found.setdefault(kind, []).append(key)
            found.setdefault("v", []).append(links.video(row.id, "x").rpartition("=")[2])
            found.setdefault("admin", []).append(str(row.id))
        found["v"] += ["breathing-and-bracing", "dead-bug", "side-plank"] * 4
        found["admin"] += [SLUG]
        found |= {"f": ["landing", "article-core"], "static": ["site.css"], "media": ["posters/1.svg", "films.json"]}
        found["outbox"] = [mail.name for mail in Outbox(self.parts.config.outbox_dir).messages(3)] or ["x"]
        keys = {kind: tuple(keys) for kind, keys in found.items()}
        return Ground(self.doors(), keys, self.csrf, self.desk_csrf)

    def doors(self) -> tuple[Door, ...]:
        """Every address of the application."""
        methods: dict[str, set[str]] = {}
        for rule in self.app.url_map.iter_rules():
            methods.setdefault(rule.rule, set()).update((rule.methods or set()) - {"OPTIONS"})
        return tuple(
            Door(rule, tuple(re.split(r"(<[^>]+>)", rule)), tuple(sorted(found)))
            for rule, found in sorted(methods.items())
        )

    def _visit(self) -> tuple[str, str]:
        """A visitor's cookie, and the token of forms that goes with it."""
        client = self.app.test_client()
        found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/").text)
        assert found is not None
        return f"leadmagnet={client.get_cookie('leadmagnet').value}", found[1]  # type: ignore[union-attr]

    def _sign_in(self) -> tuple[str, str]:
        client = self.app.test_client()

        def token(path: str) -> str:
            found = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', client.get(path).text)
            assert found is not None
            return found[1]

        data = {"csrf_token": token("/admin/login"), "email": "owner@clinic.example", "password": PASSWORD}
        assert client.post("/admin/login", data=data).status_code == 302
        return f"leadmagnet={client.get_cookie('leadmagnet').value}", token("/admin/")  # type: ignore[union-attr]

    def ask(self, ask: Ask) -> Answer:
        """Send one request through the WSGI door."""
        environ = ask.environ()
        environ.setdefault("HTTP_COOKIE", self.desk_cookie if ask.signed_in else self.cookie)
        if ask.signed:
            stamp = str(int(START.timestamp()))
            signature = KEY.sign(stamp.encode() + ask.body, ec.ECDSA(hashes.SHA256()))
            environ["HTTP_X_TWILIO_EMAIL_EVENT_WEBHOOK_SIGNATURE"] = base64.b64encode(signature).decode()
            environ["HTTP_X_TWILIO_EMAIL_EVENT_WEBHOOK_TIMESTAMP"] = stamp
        began: list[Any] = []
        chunks: Any = ()
        try:
            chunks = self.app(environ, lambda status, headers, exc_info=None: began.append((status, headers)))
            body = b"".join(chunks)
        except Exception as error:  # noqa: BLE001 (a fault of any kind is what is looked for)
            return Answer(599, [], repr(error).encode("utf-8", "replace"))
        finally:
            if close := getattr(chunks, "close", None):
                close()
        status, headers = began[-1]
        return Answer(int(status.split()[0]), headers, body)

    def close(self) -> None:
        """Give everything back."""
        self.parts.mailer.close()
        self.parts.engine.dispose()


class _Marks(HTMLParser):
    """Looks for marks that have become more than text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if MARK in tag:
            self.found.append(f"a tag {tag}")
        for name, value in attrs:
            text = (value or "").strip().lower()
            if MARK in name:
                self.found.append(f"an attribute {name}")
            if name in ("href", "src", "action", "formaction") and MARK in text:
                parts = urlsplit(text)
                if parts.scheme not in ("", "http", "mailto", "tel") or parts.netloc not in ("", HERE):
                    self.found.append(f"{name} leads to {text}")


def complaints(ask: Ask, answer: Answer) -> list[str]:
    """What is wrong with an answer, whatever was asked."""
    found = []
    if answer.status >= 500 and MAY_FAIL.get(ask.path) != answer.status:
        found.append(f"status {answer.status}")
    found += [f"no {name}" for name in ALWAYS if not answer.header(name)]
    policy = answer.header("Content-Security-Policy")
    if "unsafe" in policy and not _FRAMES.fullmatch(ask.path):
        found.append(f"a policy with {policy}")
    for name, value in answer.headers:
        if MARK in name.lower() or "\n" in value or "\r" in value:
            found.append(f"a header {name}: {value!r}")
    to = urlsplit(answer.header("Location"))
    stored = ("example.org", "book.example") if ask.path.startswith(b"/c/") else ()
    if to.netloc and to.netloc not in (HERE, *stored):
        found.append(f"leads to {answer.header('Location')}")
    if MARK.encode() in answer.body and answer.header("Content-Type").startswith("text/html"):
        marks = _Marks()
        marks.feed(answer.body.decode("utf-8", "replace"))
        found += marks.found
    return found
