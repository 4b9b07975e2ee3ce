"""The proof of consent: who, what wording, when, where and how, whatever became of the wording since."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import orjson
import pytest
from sqlalchemy import event

from leadmagnet import store
from leadmagnet.audience.proof import as_data, proof_of
from leadmagnet.audience.proof_export import CHUNK, csv_lines, json_parts
from leadmagnet.domain.consent import COURSE, Channel, ConsentKind, Origin, Purpose
from leadmagnet.domain.tokens import token_id

HOUR = timedelta(hours=1)
FIRST, SECOND, THIRD = (f"[ ] Yes, wording number {number}.\n\nAround it, {number}." for number in (1, 2, 3))


@pytest.fixture
def signed(session, now):
    """A maker of people who asked and confirmed with a wording at an instant, as form and button write it down."""

    def sign(person, words, version, at, purposes=COURSE):
        wording = store.consents.keep_wording(session, words, "en", at, version)
        form = {"form": "landing", "page": "https://clinic.example/core", "wording_id": wording}
        for kind, channel, after, origin in (
            (ConsentKind.REQUESTED, Channel.FORM, 0 * HOUR, Origin("192.0.2.1", "Firefox")),
            (ConsentKind.CONFIRMED, Channel.CONFIRMATION, HOUR, Origin("192.0.2.2", "Safari", token_id("a token"))),
        ):
            store.consents.record(session, person, kind, purposes, at + after, channel=channel, origin=origin, **form)
        session.flush()

    return sign


def test_a_wording_that_changed_twice_since_is_proved_as_it_was(session, person, signed, now):
    """Line for line what the law asks for: identity, words, time, place, way; and the confirmation's own evidence."""
    start = now.course - timedelta(days=300)
    anna = person("Anna@example.org", first_name="Anna", created_at=start)
    signed(anna, FIRST, "1", start)
    signed(person("bo@example.org"), SECOND, "2", start + timedelta(days=100))
    signed(person("cy@example.org"), THIRD, "3", start + timedelta(days=200))
    proof = as_data(proof_of(session, anna))
    assert (proof["email"], proof["first_name"], proof["status"]) == ("Anna@example.org", "Anna", "active")
    assert proof["granted"] == ["videos", "reminders"]
    (wording,) = proof["wordings"]
    assert (wording["text"], wording["version"], wording["language"]) == (FIRST, "1", "en")
    asked, confirmed = proof["events"]
    assert asked["wording"] == confirmed["wording"] == wording["id"]
    assert (asked["kind"], asked["at"], asked["effective_at"]) == ("requested", f"{start:%Y-%m-%dT%H:%M:%SZ}", None)
    assert (asked["channel"], asked["form"], asked["page"]) == ("form", "landing", "https://clinic.example/core")
    assert (asked["ip"], asked["user_agent"], asked["token_id"]) == ("192.0.2.1", "Firefox", "")
    then = f"{start + HOUR:%Y-%m-%dT%H:%M:%SZ}"
    assert (confirmed["kind"], confirmed["at"], confirmed["effective_at"]) == ("confirmed", then, then)
    assert (confirmed["ip"], confirmed["user_agent"]) == ("192.0.2.2", "Safari")
    assert confirmed["token_id"] == token_id("a token")
    assert (asked["status_after"], confirmed["status_after"]) == ("pending", "active")
    assert asked["email"] == confirmed["email"] == "Anna@example.org"


def test_who_left_and_came_back_has_both_wordings_and_the_whole_history(session, person, signed, now):
    start = now.course - timedelta(days=300)
    anna = person("anna@example.org", created_at=start)
    signed(anna, FIRST, "1", start)
    store.consents.record(
        session, anna, ConsentKind.WITHDRAWN, set(Purpose), start + 5 * HOUR, channel=Channel.MAILTO,
        asked_at=start + 4 * HOUR,
    )  # fmt: skip
    signed(anna, SECOND, "2", start + timedelta(days=9), {*COURSE, Purpose.NEWS})
    store.consents.record(session, anna, ConsentKind.WITHDRAWN, {Purpose.NEWS}, now.course, channel=Channel.OWN_PAGE)
    session.flush()
    proof = as_data(proof_of(session, anna))
    assert [one["version"] for one in proof["wordings"]] == ["1", "2"]
    assert [one["status_after"] for one in proof["events"]] == [
        *("pending", "active", "unsubscribed", "unsubscribed", "active", "active")
    ]
    left = proof["events"][2]
    assert (left["channel"], left["granted_after"]) == ("mailto", [])
    assert left["at"] < left["effective_at"]
    assert proof["events"][4]["granted_after"] == ["videos", "reminders", "news"]
    assert proof["granted"] == ["videos", "reminders"]


def test_everybody_as_csv_is_formula_safe_and_complete(session, person, signed, now):
    signed(person("=cmd@example.org", first_name="@SUM(A1)"), f"=1+1 {FIRST}", "1", now.course)
    person("nobody@example.org")
    rows = list(csv.DictReader(io.StringIO("".join(csv_lines(session)))))
    assert [(row["email"], row["first_name"], row["kind"]) for row in rows] == [
        ("'=cmd@example.org", "'@SUM(A1)", "requested"),
        ("'=cmd@example.org", "'@SUM(A1)", "confirmed"),
    ]
    assert rows[0]["wording"] == f"'=1+1 {FIRST}"
    assert (rows[1]["wording_version"], rows[1]["token_id"]) == ("1", token_id("a token"))


@pytest.mark.parametrize("number", [0, 1, CHUNK + 1])
def test_everybody_as_json_is_one_array_however_many(session, person, signed, now, number):
    for place in range(number):
        made = person(f"p{place}@example.org")
        if place % 200 == 0:
            signed(made, FIRST, "1", now.course)
    asked = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *args: asked.append(args[2]))
    found = orjson.loads("".join(json_parts(session)))
    assert [one["email"] for one in found] == [f"p{place}@example.org" for place in range(number)]
    assert len(asked) <= 3 * (number // CHUNK + 2), "a few queries a chunk"
