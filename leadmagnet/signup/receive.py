"""What a form brings becomes one row.

The worker does the rest, so every address gets the same answer in the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from leadmagnet import store
from leadmagnet.clock import Now
from leadmagnet.domain.consent import COURSE, Purpose, written
from leadmagnet.domain.networks import network_of
from leadmagnet.domain.zones import known
from leadmagnet.signup.addresses import Address
from leadmagnet.signup.proof import LONGEST


@dataclass(frozen=True, slots=True)
class Request:
    """A checked form, with where and how it came."""

    address: Address
    first_name: str
    timezone: str
    form: str
    wording: str
    language: str
    version: str = ""
    purposes: frozenset[Purpose] = COURSE
    page: str = ""
    ip: str = ""
    user_agent: str = ""
    network: str = ""
    """Where it came from, for the caps; empty: worked out from `ip`, which the settings may have left out."""
    track_links: bool = False
    proof: str = ""
    """The browser's proof of work, where it was asked for one."""


def receive(session: Session, request: Request, now: Now) -> None:
    """Write the sign-up down. A time zone nobody knows is left out; the clinic's will be used."""
    receive_all(session, [request], now)


def receive_all(session: Session, requests: Sequence[Request], now: Now) -> None:
    """Write sign-ups down that came at one moment."""
    wordings = {
        words: store.consents.keep_wording(session, *words[:2], now.course, words[2])
        for words in sorted({_words(request) for request in requests})
    }
    store.signups.add_all(session, [_row(request, wordings[_words(request)], now) for request in requests])


def _words(request: Request) -> tuple[str, str, str]:
    return request.wording, request.language, request.version


def _row(request: Request, wording_id: str, now: Now) -> dict[str, object]:
    return {
        "email": request.address.email,
        "email_canonical": request.address.canonical,
        "first_name": request.first_name,
        "timezone": request.timezone if known(request.timezone) else "",
        "form": request.form,
        "wording_id": wording_id,
        "purposes": written(request.purposes),
        "page": request.page[:500],
        "ip": request.ip[:45],
        "user_agent": request.user_agent[:300],
        "track_links": request.track_links,
        "network": request.network or network_of(request.ip),
        "proof": request.proof if len(request.proof) <= LONGEST else "",
        "asked_at": now.course,
        "asked_real_at": now.real,
    }
