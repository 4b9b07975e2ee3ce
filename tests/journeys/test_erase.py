"""Erasing: no byte of the address or the name is left, the figures stand, and who had left stays stopped."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from leadmagnet import erasing, store
from leadmagnet.audience import rejects
from leadmagnet.audience.erase import erase
from leadmagnet.audience.importing import import_rows, read
from leadmagnet.domain.consent import Channel
from leadmagnet.domain.zones import local_day, to_utc, zone
from leadmagnet.feedback.check_ins import Felt, check_in
from leadmagnet.feedback.leaving import leave
from leadmagnet.feedback.watching import watched
from leadmagnet.hearing import hear_first
from leadmagnet.signup.addresses import parse_address
from leadmagnet.store import reports
from leadmagnet.store.consents import Wording
from leadmagnet.store.signups import SignUp
from leadmagnet.store.subscribers import Subscriber
from leadmagnet.store.suppressions import Suppression

ANNA, NAME, BO = "anna.needle@example.org", "Zebulonia", "bo.thimble@example.org"
KEY = "test-" + "p" * 40


def spellings(words: str) -> Iterator[bytes]:
    """A text as files may hold it: plain, and within base64 at any offset."""
    yield words.lower().encode()
    for before in ("", "x", "xx"):
        yield base64.b64encode((before + words).encode())[len(before) and 4 : -4].lower()


def in_files(folder: Path, words: str) -> list[str]:
    """The files in which a text stands: database, its log, outbox, rejected rows."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [file.name for file in files if any(one in file.read_bytes().lower() for one in spellings(words))]


def in_postgres(engine: Any, words: str) -> list[str]:
    """The files of a PostgreSQL database in which a text stands, read by the server from its own disk."""
    query = text(
        "SELECT pg_filenode_relation(0, regexp_replace(f, '\\D.*', '')::oid)::text FROM pg_database d, "
        "LATERAL pg_ls_dir('base/' || d.oid) f WHERE d.datname = current_database() AND f ~ '^[0-9]' "
        "AND position(CAST(:bytes AS bytea) IN pg_read_binary_file('base/' || d.oid || '/' || f)) > 0"
    )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))
        return [row[0] or "?" for row in connection.execute(query, {"bytes": words.encode()})]


def found(world: Any, folder: Path, words: str) -> list[str]:
    places = in_files(folder, words)
    return places + (in_postgres(world.services.engine, words) if world.services.engine.name == "postgresql" else [])


def take_in(world: Any, csv: str, **more: Any) -> Any:
    with store.writing(world.services.engine) as session:
        config = world.services.config
        return import_rows(
            session, read(io.StringIO(csv)), world.clock.now(), clinic_zone=config.clinic_timezone,
            suppression_key=config.suppression_key, parse_address=parse_address, **more,
        )  # fmt: skip


def erase_now(world: Any, address: str) -> bool:
    config = world.services.config
    with store.writing(world.services.engine) as session:
        return erase(session, address, world.clock.now(), config.suppression_key, clinic_zone=config.clinic_timezone)


def tell(world: Any, address: str, public_id: str, number: int) -> None:
    """An event of the provider, in whose words the address stands once more."""
    told = {
        "email": address, "event": "bounce", "type": "blocked", "sg_event_id": f"e{number}", "timestamp": 1772463600,
        "reason": f"550 5.7.1 <{address.title()}>: not now", "lm_delivery": public_id,
    }  # fmt: skip
    with store.writing(world.services.engine) as session:
        store.event_batches.add(session, "sendgrid", orjson.dumps([told]), world.clock.real)
    hear_first(world.services, world.clock.now())


def figures(world: Any) -> dict[str, Any]:
    """What the first page and the sequence's page count, without who is there this moment."""
    with store.reading(world.services.engine) as session:
        now, where = world.clock.course, zone(world.services.config.clinic_timezone)
        today = local_day(now, where)
        since = to_utc(today - timedelta(days=60), 0, where)
        return _figures(session, now, since, to_utc(today, 0, where), today)


def _figures(session: Session, now: Any, since: Any, midnight: Any, today: Any) -> dict[str, Any]:
    sequence = store.sequences.by_slug(session, "six-core-videos")
    assert sequence is not None
    videos = [step.slug for step in store.sequences.steps_of(session, sequence.id) if step.kind == "video"]
    trouble = reports.trouble(session, since, now)
    return {
        "joined": reports.joined(session, since, now),
        "left": reports.left(session, since, now),
        "watched": reports.watched(session, since, now),
        "exercised": reports.exercised(session, today - timedelta(days=7), today),
        "funnel": reports.funnel(session, since, now, videos[0], videos[-1], today)[:-1],
        "sources": {one.slug: (one.signed_up, one.confirmed) for one in reports.sources(session, since, now, today)},
        "steps": {key: (s.sent, s.watched, s.did) for key, s in reports.steps(session, sequence.id).items()},
        "trouble": (trouble.failed, trouble.bounced, trouble.sent_again),
        "sent today": {kind: sent for kind, (_, sent) in reports.day(session, midnight, now).items()},
        "not reminded": reports.not_reminded(session, today),
    }


def live_a_while(world: Any) -> None:
    """Neighbours, and Anna with a trace in every table: form, mail, events, watching, notes, imports, a second form."""
    before, behind = (
        "email,first_name\n" + "".join(f"{side}{number}@example.org,Neighbour\n" for number in range(300))
        for side in "lr"
    )
    take_in(world, before, consent="Asked at the desk.")
    world.join(ANNA, name=NAME)
    world.join(BO, name="Thimbledore")
    take_in(world, behind, consent="Asked at the desk.")
    now = world.clock.now()
    world.act(watched, "breathing-and-bracing", 80, now.course, address=ANNA)
    world.act(check_in, "breathing-and-bracing", Felt.HURT, now.course, note=f"{NAME}, {ANNA}: my back", address=ANNA)
    world.act(check_in, "breathing-and-bracing", Felt.RIGHT, now.course, address=BO)
    world.live(24 * 7, step=12)
    for number, address in enumerate((ANNA, BO)):
        tell(world, address, world.deliveries(address, kind="video")[0].public_id, number)
        tell(world, address, "", number + 10)
    world.tick()
    tell(world, ANNA, "", 20)  # stored, and not applied when she is erased
    world.act(leave, world.clock.now(), Channel.ONE_CLICK, address=BO)
    desk = f"email,first_name,consent\n{ANNA},{NAME},{NAME} agreed at the desk\nx@example.org,{NAME},{NAME} asked\n"
    take_in(world, desk, enroll="six-core-videos")
    bad = f"email,first_name\n{BO},Thimbledore\n{ANNA.upper()},{NAME} www.example.org\n"
    report = take_in(world, bad, consent="yes")
    rejects.write(world.services.config.rejects_dir, "list", report.rejects, world.clock.real)
    world.sign_up(ANNA, name=NAME)


def test_no_byte_is_left_and_the_figures_stand(world: Any, tmp_path: Path, capfd: Any) -> None:
    live_a_while(world)
    world.clock.move(minutes=1)
    erase_now(world, "x@example.org")  # whose import names Anna, too
    with store.writing(world.services.engine) as session:
        session.connection().execute(text("ANALYZE"))
    before = figures(world)
    assert before["watched"], before
    assert before["exercised"], before
    for words in (ANNA, NAME, BO, "Thimbledore"):
        assert found(world, tmp_path, words), "the search finds what is there"
    assert erase_now(world, f" {ANNA.title()} ")
    assert erase_now(world, BO)
    assert figures(world) == before
    world.tick()
    for _ in range(20):
        store.engine.rewrite(world.services.engine)
        left = {words: places for words in (ANNA, NAME, BO, "Thimbledore") if (places := found(world, tmp_path, words))}
        if not left:
            break
        time.sleep(0.5)  # PostgreSQL's own statistics job looks at a table now and then, and keeps deleted rows alive
    assert not left
    said = "".join(capfd.readouterr()).lower()
    assert not [words for words in (ANNA, NAME.lower(), BO) if words in said]
    with store.reading(world.services.engine) as session:
        assert session.query(store.erasures.Erasure).count() == 0
        assert session.query(Subscriber).count() == 600
        reasons = [one.reason for one in session.query(Suppression)]
        assert sorted(reasons) == ["erased", "erased", "unsubscribed"], "of Bo, who had left, and of two who had not"
    assert {mail["To"] for mail in world.outbox()} == set()
    _afterwards(world)


def _afterwards(world: Any) -> None:
    """Bo stays stopped, whatever comes; Anna may come back as a stranger, and nobody else can bring her."""
    report = take_in(world, f"email\n{BO}\n{ANNA}\n", consent="yes")
    assert (report.created, report.rejected) == (0, 2)
    assert "stays stopped" in report.rejects[0][1]
    world.sign_up(BO)
    world.sign_up(ANNA)
    world.tick()
    assert ANNA in {mail["To"] for mail in world.outbox()}, "she is asked, as everybody"
    world.press_confirm(ANNA)
    world.tick()
    assert [row.status for row in world.deliveries(ANNA, kind="video") if row.status != "due"] == ["sent"]
    assert take_in(world, f"email\n{ANNA}\n", consent="yes").unchanged == 1
    with store.reading(world.services.engine) as session:
        assert [row.outcome for row in session.query(SignUp).filter_by(email_canonical=BO)] == ["suppressed"]
    assert BO not in {mail["To"] for mail in world.outbox()}


@pytest.fixture
def world_here(new_config: Any, build_services: Any, world_of: Any, hand_clock: Any) -> Any:
    """A clinic on SQLite, with an outbox."""
    return world_of(build_services(new_config(), hand_clock), hand_clock)


def test_sqlite_needs_no_rewriting(world_here: Any, tmp_path: Path) -> None:
    """Deleted cells are overwritten at once (secure_delete), and the log is cut: nothing else is needed."""
    world = world_here
    live_a_while(world)
    for address in ("x@example.org", ANNA, BO):
        assert erase_now(world, address)
    assert in_files(tmp_path, ANNA), "the log and the folders still hold it"
    assert erasing.finish(world.services, world.clock.now())
    for words in (ANNA, NAME, BO, "Thimbledore"):
        assert in_files(tmp_path, words) == [], words


def test_what_is_in_use_is_tried_again(world_here: Any) -> None:
    """While somebody reads from SQLite's log it cannot be cut: the next pass does it."""
    world = world_here
    world.join()
    erase_now(world, "anna@example.org")
    with world.services.engine.connect() as reader:
        reader.execute(text("SELECT count(*) FROM subscriber")).all()
        assert erasing.finish(world.services, world.clock.now()) is False
    assert erasing.finish(world.services, world.clock.now())
    assert world.outbox() == []


def test_an_email_that_was_on_its_way_goes_as_well(world_here: Any) -> None:
    world = world_here
    world.join()
    world.live(24 * 2)
    row = world.deliveries(status="due")[0]
    lease = world.clock.real + timedelta(seconds=120)
    with store.writing(world.services.engine) as session:
        session.get_one(store.deliveries.Delivery, row.id).status = "claimed"
        session.get_one(store.deliveries.Delivery, row.id).lease_until = lease
    (folder := Path(world.services.config.outbox_dir) / "new").mkdir(parents=True, exist_ok=True)
    erase_now(world, "anna@example.org")
    world.tick()
    assert world.outbox() == []
    (folder / "late.leadmagnet").write_bytes(b"To: Anna <ANNA@example.org>\n\nvideo")
    (folder / "other.leadmagnet").write_bytes(b"To: Bo <bo@example.org>\n\nvideo")
    world.tick()
    assert len(world.outbox()) == 2, "the lease is not over"
    world.clock.move(seconds=121)
    world.tick()
    assert [mail["To"] for mail in world.outbox()] == ["Bo <bo@example.org>"]


def test_the_small_print(world: Any) -> None:
    """Former addresses go along; a wording stays that others agreed to; a source that names one person does not."""
    world.join("old@example.org", name=NAME)
    with store.writing(world.services.engine) as session:
        person = store.subscribers.by_canonical(session, "old@example.org")
        person.email = person.email_canonical = "new@example.org"
    assert erase_now(world, "new@example.org")
    assert not erase_now(world, "new@example.org")
    world.tick()
    assert world.outbox() == []
    desk, fair = "Asked at the desk.", ",fair\n"
    rows = f"a@example.org,{desk},Aunt Agatha\nb@example.org,{desk}{fair}c@example.org,C said so.{fair}"
    take_in(world, f"email,consent,source\n{rows}")
    for address, left in (("a@example.org", 3), ("c@example.org", 2), ("b@example.org", 1)):
        erase_now(world, address)
        with store.reading(world.services.engine) as session:
            assert session.query(SignUp).count() == 0
            assert session.query(Wording).count() == left, "one is the form's"
    world.clock.move(minutes=1)
    assert figures(world)["sources"] == {"landing": (1, 1), "": (2, 2), "fair": (1, 1)}


#: Every column that holds an address or a name, and how it gets away.
KNOWN = {
    "subscriber": {"email", "email_canonical", "first_name"},  # deleted
    "consent_event": {"email"},  # with the person
    "sign_up": {"email", "email_canonical", "first_name"},  # by address
    "provider_event": {"email"},  # emptied once applied; by address before
    "suppression": {"email_hash"},  # a keyed hash, and meant to stay
    "erasure": {"email_hash"},  # a keyed hash, for a moment
    "fresh_link": {"new_email"},  # with the person; by address where another person has asked for it
    "marketer": {"email"},  # people of the clinic
}


def test_no_other_column_holds_an_address_or_a_name() -> None:
    """A new table with an address in it belongs into audience/erase.py first, and then here."""
    words = ("email", "address", "first_name")
    named = {
        table.name: {column.name for column in table.columns if any(word in column.name for word in words)}
        for table in store.Base.metadata.sorted_tables
    }
    counts = {"delivery_count": {"emails"}}
    assert {name: columns for name, columns in named.items() if columns} == KNOWN | counts
