"""A stored message -> what a person wants to see of it: headers in order, HTML, plain text, the source.

Must not know: where the message is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import DateHeader
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from email.utils import parseaddr

from leadmagnet.mail.headers import DELIVERY_HEADER


@dataclass(frozen=True, slots=True)
class Summary:
    """One line of a list of messages. `name` is what reads the message; `date` is the message's own."""

    name: str
    delivery_id: str
    subject: str
    sender: str
    to: str
    date: datetime | None
    received: datetime


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """One message, decoded. `source` is what lies in the file."""

    headers: tuple[tuple[str, str], ...]
    html: str
    text: str
    source: bytes

    @property
    def subject(self) -> str:
        """Return the decoded subject."""
        return self.header("Subject")

    def header(self, name: str) -> str:
        """Return the first header of that name, decoded; an empty string where there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


def summarize(name: str, head: bytes, received: datetime) -> Summary:
    """Return one line about a message from its first bytes."""
    message = BytesHeaderParser(policy=policy.default).parsebytes(head)
    date = message["Date"]
    return Summary(
        name=name,
        delivery_id=str(message.get(DELIVERY_HEADER, "")),
        subject=str(message.get("Subject", "")),
        sender=str(message.get("From", "")),
        to=str(message.get("To", "")),
        date=date.datetime if isinstance(date, DateHeader) else None,
        received=received,
    )


def recipient(head: bytes) -> str:
    """Return the bare address of a message's reader, from its first bytes; an empty string where there is none."""
    return parseaddr(str(BytesHeaderParser(policy=policy.compat32).parsebytes(head)["To"] or ""))[1]


def parse(source: bytes) -> ParsedMail:
    """Return the decoded message."""
    message = BytesParser(policy=policy.default).parsebytes(source)
    headers = tuple((name, str(value)) for name, value in message.items())
    return ParsedMail(headers, _body(message, "html"), _body(message, "plain"), source)


def _body(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    return str(part.get_content()).replace("\r\n", "\n") if part else ""
