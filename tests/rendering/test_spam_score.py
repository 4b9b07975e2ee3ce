"""SpamAssassin's own rules, without the network, look at every shipped email as it would leave over SMTP."""

from __future__ import annotations

import mailbox
import re
import shutil
import subprocess
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from leadmagnet import content
from leadmagnet.domain.message import Batch, Letter
from leadmagnet.domain.status import DeliveryKind
from leadmagnet.editing.files import read_files, read_texts
from leadmagnet.mail import Composer
from leadmagnet.rendering.clinic import Clinic
from leadmagnet.rendering.document import kind_of
from leadmagnet.rendering.email import compile_email
from leadmagnet.rendering.headers import Headers, message_id
from leadmagnet.rendering.links import Links
from leadmagnet.rendering.preview import sample_reader
from leadmagnet.rendering.values import Values
from tests.conftest import missing

NOW = datetime(2026, 3, 3, 17, 0, tzinfo=UTC)
MOST = 2.0
CLINIC = Clinic(
    name="Riverside Physiotherapy",
    address="2210 Marine Crescent, Vancouver, BC V6P 0A0",
    phone="604-555-0142",
    timezone="America/Vancouver",
    booking_url="https://riverside.example.org/book",
    reviewer="Jane Doe, physiotherapist",
    mail_from="videos@riverside.example.org",
    reply_to="desk@riverside.example.org",
    unsubscribe_mailto="leave@riverside.example.org",
)
LINKS = Links("https://videos.riverside.example.org", (b"k" * 40,))


#: So that a checker without its rules, which finds nothing in anything, is noticed.
SPAM = b"""\
From: winner@lottery.example
To: anna@example.org
Subject: VIAGRA!!! FREE MONEY $$$ ACT NOW
Date: Tue, 03 Mar 2026 17:00:00 +0000
Message-ID: <a@lottery.example>
Content-Type: text/html

<html><body><font size=7 color=red>BUY VIAGRA CIALIS NOW!!! 100% FREE. A million dollars for you, from a
prince: click here http://192.0.2.4/x</font></body></html>
"""


def messages() -> dict[str, bytes]:
    """Return every shipped email by name, as bytes on the wire."""
    found: dict[str, bytes] = {}
    shipped = [*read_files(content.SEQUENCES / "six-core-videos").steps, *read_texts(content.MESSAGES)]
    for place, document in enumerate(shipped):
        reader = sample_reader(document, CLINIC, NOW, "Front plank")
        written = compile_email(document.source, CLINIC, LINKS.public_url)
        name = f"bench{place:020d}"
        letter = Letter(
            delivery_id=name,
            to_email="anna.meier@reader.example.com",
            to_name="" if kind_of(document) is DeliveryKind.CONFIRMATION else "Anna",
            message_id=message_id(name, CLINIC),
            date=NOW,
            values=Values(LINKS, NOW, written.slots()).of(reader),
            headers=Headers(CLINIC, LINKS).of(reader, name),
        )
        batch = Batch(written, CLINIC.mail_from, CLINIC.name, CLINIC.reply_to, (letter,))
        found[document.text("slug")] = Composer(batch).message(letter)
    return found


@pytest.mark.timeout(120)
def test_no_shipped_email_looks_like_spam(tmp_path: Path) -> None:
    if shutil.which("spamassassin") is None:
        missing("spamassassin")
    written = messages()
    assert len(written) >= 15
    box = mailbox.mbox(tmp_path / "all.mbox")
    for raw in written.values():
        assert len(raw) < 120_000
        box.add(message_from_bytes(raw))
    box.add(message_from_bytes(SPAM))
    box.close()
    command = ["spamassassin", "--local", "--mbox", str(tmp_path / "all.mbox")]
    judged = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100).stdout
    scores = [float(score) for score in re.findall(r"^X-Spam-Status:.*?score=(-?[\d.]+)", judged, re.MULTILINE)]
    tests: list[Any] = re.findall(r"^X-Spam-Status:.*?tests=((?:[A-Z0-9_,]|\s)+)", judged, re.MULTILINE)
    assert len(scores) == len(written) + 1
    *ours, spam = sorted(scores)
    assert spam > MOST, "the checker does not know spam when it sees it"
    assert max(ours) < MOST, tests


def test_each_message_has_both_parts_and_is_small() -> None:
    for name, raw in messages().items():
        message = message_from_bytes(raw)
        kinds = [part.get_content_type() for part in message.walk() if not part.is_multipart()]
        assert kinds == ["text/plain", "text/html"], name
        html = message.get_payload(1).get_payload(decode=True)  # type: ignore[union-attr]
        assert len(html) < 90_000, name
        unsubscribe = message["List-Unsubscribe"]
        if unsubscribe is not None:
            line = next(line for line in raw.split(b"\r\n") if line.startswith(b"List-Unsubscribe:"))
            assert line == f"List-Unsubscribe: {unsubscribe}".encode(), "one line, never encoded"
