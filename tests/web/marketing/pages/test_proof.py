"""The proof of consent in the workspace, and the files with everybody's."""

import csv
import io
import json
import re

import pytest

from leadmagnet import store
from leadmagnet.domain.consent import Channel, ConsentKind, Origin, Purpose
from leadmagnet.store.subscribers import Subscriber

PAGE, FILES = "/admin/subscribers/60/consent", ("/admin/consents.csv", "/admin/consents.json")


@pytest.fixture
def proved(seeded):
    with store.writing(seeded.engine) as session:
        person = session.get_one(Subscriber, 60)
        store.consents.record(
            session, person, ConsentKind.WITHDRAWN, {Purpose.REMINDERS}, seeded.clock.now().course,
            channel=Channel.OWN_PAGE, origin=Origin("192.0.2.1", "<b>Fox</b>", "0" * 32),
        )  # fmt: skip
    return person


def test_the_page_is_ready_to_print(desk, proved):
    desk.sign_in("editor")
    page = desk.get(PAGE).text
    assert page.count("<h1") == 1
    for words in (proved.email, "Asked for videos and reminders", "Withdrew reminders", "Please send me the videos.",
                  "192.0.2.1", "&lt;b&gt;Fox&lt;/b&gt;", "The boxes on the own page",
                  "2026-11-23T18:00:00Z"):  # fmt: skip
        assert words in page
    assert not re.search(r"<[^>]+\sstyle=|<style|<script|<b>Fox", page)
    assert "/admin/static/proof.css" in page
    assert PAGE in desk.get("/admin/subscribers/60").text


def test_nobody_has_no_proof(desk, seeded):
    desk.sign_in("editor")
    assert desk.get("/admin/subscribers/9999/consent").status_code == 404
    assert desk.get(f"/admin/subscribers/{2**63}/consent").status_code == 404


@pytest.mark.parametrize(("role", "page", "files"), [("viewer", 403, 403), ("editor", 200, 403), ("owner", 200, 200)])
def test_who_may_see_what(desk, seeded, role, page, files):
    desk.sign_in(role)
    assert desk.get(PAGE).status_code == page
    assert [desk.get(path).status_code for path in FILES] == [files, files]


def test_everybodys_consents_come_as_files(desk, proved, seeded):
    desk.sign_in("owner")
    rows = list(csv.DictReader(io.StringIO(desk.get(FILES[0]).text)))
    assert [row["purposes"] for row in rows if row["email"] == proved.email][-1] == "reminders"
    answer = desk.get(FILES[1])
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="consents-2026-11-23.json"')
    assert len(json.loads(answer.text)) == 60
