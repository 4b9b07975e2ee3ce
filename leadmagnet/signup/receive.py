"""What a form brings becomes one row.

The worker does the rest, so every address gets the same answer in the same time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.zones import known
from leadmagnet.signup.addresses import Address

_LINK = re.compile(r"https?:|www\.|://|\.\w{2,}/|@", re.IGNORECASE)
NAME_LENGTH = 40


class BadName(ValueError):
    """The name carries what no name has. The message says so kindly."""


@dataclass(frozen=True, slots=True)
class Request:
    """A checked form, with where and how it came."""

    address: Address
    first_name: str
    timezone: str
    form: str
    wording: str
    language: str
    page: str = ""
    ip: str = ""
    user_agent: str = ""


def parse_name(text: str) -> str:
    """Return a first name with its white space tidied. Raises BadName for links and control characters."""
    name = " ".join(text.split())
    if _LINK.search(name) or not name.isprintable():
        raise BadName("A first name is enough, without links or signs.")
    if len(name) > NAME_LENGTH:
        raise BadName(f"Please keep the name to {NAME_LENGTH} letters.")
    return name


def receive(session: Session, request: Request, now: Now) -> None:
    """Write the sign-up down. A time zone nobody knows is left out; the clinic's will be used."""
    session.add(
        store.signups.SignUp(
            email=request.address.email,
            email_canonical=request.address.canonical,
            first_name=request.first_name,
            timezone=request.timezone if known(request.timezone) else "",
            form=request.form,
            wording_id=store.consents.keep_wording(session, request.wording, request.language, now.course),
            page=request.page[:500],
            ip=request.ip[:45],
            user_agent=request.user_agent[:300],
            asked_at=now.course,
            asked_real_at=now.real,
        )
    )
