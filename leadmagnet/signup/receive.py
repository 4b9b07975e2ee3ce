"""What a form brings becomes one row.

The worker does the rest, so every address gets the same answer in the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.zones import known
from leadmagnet.signup.addresses import Address


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


def receive(session: Session, request: Request, now: Now) -> None:
    """Write the sign-up down. A time zone nobody knows is left out; the clinic's will be used."""
    receive_all(session, [request], now)


def receive_all(session: Session, requests: Sequence[Request], now: Now) -> None:
    """Write sign-ups down that came at one moment."""
    wordings = {
        words: store.consents.keep_wording(session, *words, now.course)
        for words in sorted({(request.wording, request.language) for request in requests})
    }
    rows = [_row(request, wordings[request.wording, request.language], now) for request in requests]
    store.signups.add_all(session, rows)


def _row(request: Request, wording_id: str, now: Now) -> dict[str, object]:
    return {
        "email": request.address.email,
        "email_canonical": request.address.canonical,
        "first_name": request.first_name,
        "timezone": request.timezone if known(request.timezone) else "",
        "form": request.form,
        "wording_id": wording_id,
        "page": request.page[:500],
        "ip": request.ip[:45],
        "user_agent": request.user_agent[:300],
        "asked_at": now.course,
        "asked_real_at": now.real,
    }
