"""Who followed a link: a person, or a program that looks through emails? Judged from all follows of one email at once.

Scanners open links within seconds of delivery, several at once, by HEAD, or under a name of their own; some name
themselves as a browser. So a judgement is never certain, and the facts it came from stay as they were.
Must not know: where links lead, where facts are kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

#: Nobody has read an email and pressed a link this soon after it was delivered.
SOON = timedelta(seconds=10)
#: Nobody presses two links of an email this soon one after the other.
AT_ONCE = timedelta(seconds=2)

#: By then a mail provider has told when it delivered: it reports every half minute. So everything is judged once more.
LOOK_AGAIN_AFTER = timedelta(minutes=2)


class Agent(StrEnum):
    """The kind of program that followed, as it names itself."""

    BROWSER = "browser"
    SCANNER = "scanner"  #: mail gateways, crawlers, previews of messengers
    TOOL = "tool"  #: a library or a command
    NONE = "none"  #: it gave no name


class Why(StrEnum):
    """By what a machine was known; PERSON where nothing speaks against one."""

    PERSON = ""
    HEAD = "head"
    AGENT = "agent"
    PREFETCH = "prefetch"
    SOON = "soon"
    AT_ONCE = "at_once"


_SCANNERS = re.compile(
    "bot|crawl|spider|scan|preview|prefetch|proofpoint|mimecast|barracuda|safelinks|sophos|symantec|messagelabs|fireeye|"
    "trend ?micro|cisco|ironport|forcepoint|zscaler|fortinet|kaspersky|bitdefender|urldefense|cloudmark|vade|avanan|"
    "imageproxy|mailproxy|facebookexternalhit|whatsapp|slack|skypeuri|telegram|embedly|validator|monitor|headless|"
    "phantomjs|ms-office|msoffice|microsoft office|microsoft outlook",
    re.IGNORECASE,
)
_TOOLS = re.compile(
    r"python|curl|wget|libwww|java/|okhttp|go-http|ruby|perl|php|node|axios|undici|httpclient|guzzle|winhttp|powershell",
    re.IGNORECASE,
)
_FETCHED_AHEAD = re.compile("prefetch|prerender|preview", re.IGNORECASE)


class Click(NamedTuple):
    """One follow of one link. `at` is real time."""

    id: int
    link_id: int
    at: datetime
    method: str
    agent: str
    ahead: bool
    """Whether the browser said that nobody has pressed the link yet."""


def agent_of(name: str) -> Agent:
    """Return the kind of program that calls itself `name` (the User-Agent header)."""
    if not name.strip():
        return Agent.NONE
    if _SCANNERS.search(name):
        return Agent.SCANNER
    return Agent.TOOL if _TOOLS.search(name) or not name.startswith("Mozilla/") else Agent.BROWSER


def fetched_ahead(purpose: str) -> bool:
    """Say whether a Purpose or Sec-Purpose header speaks of a page that is loaded before anybody asked for it."""
    return _FETCHED_AHEAD.search(purpose) is not None


def judge(clicks: Sequence[Click], delivered_at: datetime | None) -> Mapping[int, Why]:
    """Return for each follow of one email by what a machine was known. The order in which they come does not matter.

    A program that follows several links gives itself away with the second: then the first was a machine's, too.
    """
    alone = {click.id: _alone(click, delivered_at) for click in clicks}
    return {click.id: alone[click.id] or _beside(click, clicks, alone) for click in clicks}


def _alone(click: Click, delivered_at: datetime | None) -> Why:
    if click.method != "GET":
        return Why.HEAD
    if click.agent != Agent.BROWSER:
        return Why.AGENT
    if click.ahead:
        return Why.PREFETCH
    return Why.SOON if delivered_at is not None and click.at - delivered_at < SOON else Why.PERSON


def _beside(click: Click, clicks: Sequence[Click], alone: Mapping[int, Why]) -> Why:
    for other in clicks:
        if other.id == click.id or abs(other.at - click.at) > AT_ONCE:
            continue
        # The same link twice may be a double click; the same link by HEAD and by GET is one program.
        if other.link_id != click.link_id or alone[other.id] is Why.HEAD:
            return Why.AT_ONCE
    return Why.PERSON
