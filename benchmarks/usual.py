"""The same work the usual way: one row, one message, one request or SMTP transaction, one commit.

What most programs do: the row as an object, the sendgrid package with a dictionary, or EmailMessage and one smtplib
connection; then the row is marked and the next one added. Rendering is not the point: our own code fills the slots.
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

from sendgrid import SendGridAPIClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from benchmarks.messages import CONTENT, letter
from leadmagnet.domain.message import Expanded, Letter, expand
from leadmagnet.store.deliveries import Delivery
from leadmagnet.store.subscribers import Subscriber

Send = Callable[[Subscriber, Letter, Expanded], None]


def by_sendgrid(url: str) -> Send:
    """Return a sender of one request per email, through the package."""
    client = SendGridAPIClient("SG.bench", host=url).client

    def send(person: Subscriber, one: Letter, filled: Expanded) -> None:
        body: dict[str, Any] = {
            "personalizations": [{"to": [{"email": person.email}], "custom_args": {"lm_delivery": one.delivery_id}}],
            "from": {"email": "videos@clinic.example"},
            "subject": filled.subject,
            "headers": dict(one.headers),
            "content": [{"type": "text/plain", "value": filled.text}, {"type": "text/html", "value": filled.html}],
        }
        client.mail.send.post(request_body=body)

    return send


def by_smtplib(url: str) -> Send:
    """Return a sender over one kept connection."""
    parts = urlsplit(url)
    smtp = smtplib.SMTP(parts.hostname or "", parts.port or 25)

    def send(person: Subscriber, one: Letter, filled: Expanded) -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "videos@clinic.example", person.email, filled.subject
        message["Message-ID"] = one.message_id
        for name, value in one.headers.items():
            message[name] = value
        message.set_content(filled.text)
        message.add_alternative(filled.html, subtype="html")
        smtp.send_message(message)

    return send


def drain(engine: Engine, send: Send, count: int) -> None:
    """Send `count` of the deliveries that are due, one after the other."""
    with Session(engine) as session:
        rows = session.query(Delivery).filter_by(status="due").order_by(Delivery.due_at, Delivery.id).limit(count).all()
        for row in rows:
            person = session.get_one(Subscriber, row.subscriber_id)
            row.status = "claimed"
            session.commit()
            one = letter(row.id)
            send(person, one, expand(CONTENT, one.values))
            row.status = "sent"
            after = {"due_at": row.due_at + timedelta(days=3), "created_at": row.due_at, "kind": "video"}
            own = {
                "subscriber_id": row.subscriber_id,
                "enrollment_id": row.enrollment_id,
                "step_id": (row.step_id or 0) + 1,
            }
            session.add(Delivery(status="due", **own, **after))
            session.commit()
