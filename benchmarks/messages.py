"""Messages a second on one core: EmailMessage, expanding and encoding each one, and the compiled way, side by side.

    python -m benchmarks.messages [ROUNDS]

A 12 KB HTML and a 2 KB text part with ten slots, read 18 times. The ways take turns, so that a noisy neighbour hits all
of them; the table shows the median of the rounds and how far they lie apart.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

from leadmagnet.domain.message import Batch, Content, Letter, expand
from leadmagnet.mail import Composer, headers
from leadmagnet.mail.compiled import BOUNDARY
from leadmagnet.mail.encoding import encoded_body

DATE = datetime(2026, 3, 9, 16, 0, tzinfo=UTC)
PARAGRAPH = (
    '<p style="margin:0 0 16px;font-family:Georgia,serif;font-size:17px;line-height:26px;color:#23301f">One arm '
    "reaches, and the opposite leg too – slowly; the trunk stays level and quiet. Breathe out as you reach.</p>\n"
)
HTML = (
    "<!doctype html><html><body>\n<p>Hello{{comma_name}},</p>\n"
    + PARAGRAPH * 29
    + '<p><a href="{{video_url}}">Watch video {{video_number}}, {{video_length}}</a></p>\n'
    + '<p><a href="{{video_url}}">here</a></p>\n'
    + PARAGRAPH * 27
    + '<p>{{next_line}} You exercise on {{days_phrase}}. <a href="{{page_url}}">Your page</a></p>\n'
    + '<p>You asked for this on {{signed_up_on}}{{and_confirmed}}. <a href="{{leave_url}}">Leave</a></p>\n'
    + "</body></html>\n"
)
TEXT = (
    "Hello{{comma_name}},\n\n"
    + "One arm reaches, and the opposite leg too, slowly; the trunk stays level.\n" * 24
    + "\nVideo {{video_number}}, {{video_length}}:\n{{video_url}}\n\n{{next_line}}\nYour page: {{page_url}}\n"
    + "You asked for this on {{signed_up_on}}{{and_confirmed}}.\nLeave: {{leave_url}}\n"
)
CONTENT = Content("Bird dog: reach and stay level", HTML, TEXT)


def letter(number: int) -> Letter:
    """Return a letter like those of a video, with addresses as long as ours."""
    token = f"{number:064x}"[:43]
    site, leave_id = "https://videos.clinic.example", token[:32]
    return Letter(
        delivery_id=f"d-{number}",
        to_email=f"reader{number}@mail.example",
        to_name="Anna",
        message_id=f"<d-{number}@clinic.example>",
        date=DATE,
        values={
            "comma_name": ", Anna",
            "video_url": f"{site}/v/bird-dog?t={token}",
            "video_number": "4",
            "video_length": "38 seconds",
            "next_line": "Next, on Saturday: side plank.",
            "days_phrase": "Monday, Wednesday and Friday",
            "page_url": f"{site}/p/{token}",
            "signed_up_on": "9 November 2026",
            "and_confirmed": " and confirmed your address",
            "leave_url": f"{site}/u/{leave_id}",
        },
        headers={
            "List-Unsubscribe": f"<{site}/u/{leave_id}>, <mailto:leave@clinic.example?subject=leave%20{leave_id}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "List-Id": "Six core videos <six-core-videos.videos.clinic.example>",
            "Feedback-ID": "video:six-core-videos:bird-dog:clinic",
            "Auto-Submitted": "auto-generated",
        },
    )


def batch_of(count: int) -> Batch:
    """Return a batch of `count` letters."""
    letters = tuple(letter(number) for number in range(count))
    return Batch(CONTENT, "videos@clinic.example", "Core Clinic", "desk@clinic.example", letters)


def usual(batch: Batch) -> int:
    """Make each message with the standard library; return the bytes made."""
    size = 0
    for one in batch.letters:
        filled = expand(batch.content, one.values)
        message = EmailMessage()
        message["From"], message["Reply-To"] = f"{batch.from_name} <{batch.from_email}>", batch.reply_to
        message["To"], message["Subject"] = f"{one.to_name} <{one.to_email}>", filled.subject
        message["Date"], message["Message-ID"] = format_datetime(one.date), one.message_id
        for name, value in one.headers.items():
            message[name] = value
        message.set_content(filled.text)
        message.add_alternative(filled.html, subtype="html")
        size += len(message.as_bytes())
    return size


def expanded(batch: Batch) -> int:
    """Fill and encode all of each message by hand; return the bytes made."""
    size = 0
    sender = headers.mailbox("From", batch.from_name, headers.address(batch.from_email))
    for one in batch.letters:
        filled = expand(batch.content, one.values)
        parts = [encoded_body(filled.text)[1], encoded_body(filled.html)[1]]
        lines = [
            sender,
            headers.mailbox("To", one.to_name, headers.address(one.to_email)),
            headers.written("Subject", filled.subject),
            f"Date: {format_datetime(one.date)}",
            f"Message-ID: {headers.message_id(one.message_id)}",
            *headers.own_lines(one),
        ]
        size += len("\r\n".join(lines).encode() + f"\r\n--{BOUNDARY}\r\n".encode().join(parts))
    return size


def compiled(batch: Batch) -> int:
    """Make each message with the composer of SMTP and the outbox; return the bytes made."""
    composer = Composer(batch)
    return sum(len(composer.message(one)) for one in batch.letters)


#: Way -> how many messages a round makes with it.
WAYS: dict[Callable[[Batch], int], int] = {usual: 100, expanded: 1_000, compiled: 10_000}


def main(rounds: int) -> None:
    """Measure and print."""
    batches = {way: batch_of(count) for way, count in WAYS.items()}
    rates: dict[Callable[[Batch], int], list[float]] = {way: [] for way in WAYS}
    sizes = {}
    for way, batch in batches.items():
        sizes[way] = way(batch) / len(batch.letters)
    for _ in range(rounds):
        for way, batch in batches.items():
            begun = time.perf_counter()
            way(batch)
            rates[way].append(len(batch.letters) / (time.perf_counter() - begun))
    base = statistics.median(rates[usual])
    print(f"HTML {len(HTML)}, text {len(TEXT)} characters; {rounds} rounds; Python {sys.version.split()[0]}")
    for way, found in rates.items():
        middle = statistics.median(found)
        spread = f"{min(found):>8,.0f} - {max(found):>8,.0f}"
        print(f"{way.__name__:10} {middle:>9,.0f}/s  {spread}  {sizes[way]:>7,.0f} bytes  {middle / base:>6.1f} x")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
