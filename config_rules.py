"""What a single setting may hold: numbers within bounds, web and email addresses, lines of text.

Each rule takes a setting's name and text and raises BadSetting. Must not know: which settings there are.
"""

from __future__ import annotations

import os
import re
import unicodedata
from datetime import date
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
#: RFC 5321 4.1.2, Dot-string.
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
#: Control characters, lone surrogates (bytes that were no UTF-8), line and paragraph separators.
_NO_TEXT = frozenset({"Cc", "Cs", "Zl", "Zp"})
#: Days. Rules, and events that providers send late, look back by less than the least.
LEAST_STAY, LONGEST_STAY = 30, 36_500
_SHOWN = 80
#: Emails a second, least and most.
RATES = (0.001, 1_000_000)
#: Emails a day.
MOST_A_DAY = 1_000_000_000


class BadSetting(ValueError):
    """A setting is missing or cannot be used. The message is one line for the operator."""

    def __init__(self, message: str) -> None:
        """Fold the message into one line: what was set may hold line breaks."""
        seen = "".join(sign if unicodedata.category(sign) not in _NO_TEXT else " " for sign in message)
        super().__init__(" ".join(seen.split()))


def shown(value: str) -> str:
    """Return a value as a message repeats it."""
    return value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"


def number(name: str, value: str, least: float, most: float) -> float:
    """Read a number from `least` to `most`."""
    return _number(f"{name.upper()}={shown(value)}", value, least, most)


def _number(place: str, value: str, least: float, most: float) -> float:
    try:
        found = float(value)
    except ValueError:
        found = float("nan")
    if not (least <= found <= most):
        raise BadSetting(f"{place} is not a number from {least:g} to {most:,.0f}.")
    return found


def whole_number(name: str, value: str, least: int, most: int) -> int:
    """Read a whole number from `least` to `most`."""
    found = number(name, value, least, most)
    if found != int(found):
        raise BadSetting(f"{name.upper()}={shown(value)} is not a whole number.")
    return int(found)


def ramp(name: str, value: str) -> tuple[int, ...]:
    """Read the emails of one day after the other, with commas between."""
    return tuple(whole_number(name, part.strip(), 1, MOST_A_DAY) for part in value.split(","))


def domain_rates(name: str, value: str) -> tuple[tuple[str, float], ...]:
    """Read emails a second by domain, as gmail.com=50,*=200; `*` is each domain that is not named."""
    found: dict[str, float] = {}
    for part in value.split(","):
        domain, equals, rate = (piece.strip() for piece in part.partition("="))
        domain = domain.lower().removesuffix(".")
        if not equals or not (domain == "*" or ("." in domain and is_host(domain) and not domain[-1].isdigit())):
            raise BadSetting(
                f"{name.upper()}: {shown(part.strip()) or 'an empty part'} is not like gmail.com=50. Write a domain in "
                "ASCII (or * for each other one), = and emails a second, with commas between."
            )
        if domain in found:
            raise BadSetting(f"{name.upper()} names {shown(domain)} twice.")
        found[domain] = _number(f"{name.upper()}: {shown(part.strip())}", rate, *RATES)
    return tuple(found.items())


def day(name: str, value: str) -> date:
    """Read a day."""
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise BadSetting(f"{name.upper()}={shown(value)} is not a day. Write it as 2026-03-31.") from None


def retention(name: str, value: str) -> int:
    """Read for how many days something stays; 0 for ever."""
    found = whole_number(name, value, 0, LONGEST_STAY)
    if 0 < found < LEAST_STAY:
        raise BadSetting(
            f"{name.upper()}={found} is too short. Set {LEAST_STAY} days or more, or 0 to keep everything."
        )
    return found


def truth(name: str, value: str) -> bool:
    """Read a yes or no."""
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if value.lower() not in words:
        raise BadSetting(f"{name.upper()}={shown(value)} is not a yes or no. Write true or false.")
    return words[value.lower()]


def proxies(name: str, value: str) -> tuple[str, ...]:
    """Read addresses and networks of proxies, and the word `unix`, with commas between."""
    words = tuple(word.strip() for word in value.split(",") if word.strip())
    for word in words:
        try:
            _ = word == "unix" or ip_network(word)
        except ValueError:
            raise BadSetting(
                f"{name.upper()}: {shown(word)} is no address and no network. Write them as 10.0.0.5,192.168.7.0/24; "
                "the word unix stands for a Unix socket."
            ) from None
    return words


def check_line(name: str, value: str) -> None:
    """Refuse line breaks, control characters and bytes that are no UTF-8. The value may be a secret: not repeated."""
    if any(unicodedata.category(sign) in _NO_TEXT for sign in value):
        raise BadSetting(f"{name.upper()} must be one line of text, without line breaks or control characters.")


def check_words(name: str, value: str, most: int) -> None:
    """Refuse a text that shows nothing, or that is too long to stand in a header or a footer."""
    if not any(sign.isalnum() for sign in value):
        raise BadSetting(f"{name.upper()} is blank. Write some words, or leave it unset.")
    if len(value) > most:
        raise BadSetting(f"{name.upper()} has {len(value)} characters; {most} is the most.")


def web_address(url: str) -> SplitResult | None:
    """Return the parts of a web address; None where it is none, or holds spaces or a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    sound = parts.scheme in ("http", "https") and is_host(parts.hostname or "") and port != 0
    return parts if sound and "@" not in parts.netloc and not re.search(r"[\s\\]", url) else None


def origin(url: str) -> str | None:
    """Return scheme, host and port of a web address that is made of nothing else, in lower case; else None."""
    parts = web_address(url)
    if parts is None or parts.path.strip("/") or "?" in url or "#" in url:
        return None
    return f"{parts.scheme}://{parts.netloc.lower().removesuffix(':')}"


def is_host(host: str) -> bool:
    """Say whether this is a host name in ASCII (RFC 1123, and the underscore of container networks) or an address."""
    try:
        ip_address(host)
    except ValueError:
        return 0 < len(host) <= 253 and all(_LABEL.fullmatch(label) for label in host.removesuffix(".").split("."))
    return True


def is_bare_address(value: str) -> bool:
    """Say whether this is one email address without name or brackets, in ASCII (RFC 5321 4.1.2, 4.5.3.1)."""
    local, _, domain = value.rpartition("@")
    return bool(_LOCAL_PART.fullmatch(local)) and len(local) <= 64 and len(value) <= 254 and is_host(domain)


def is_path_secret(value: str) -> bool:
    """Say whether this can stand in an address as it is, and is not too short to be a secret."""
    return bool(re.fullmatch(r"[A-Za-z0-9._~-]{8,200}", value))


def check_folder(name: str, folder: Path, *, written: bool) -> None:
    """Refuse a folder that is a file or lies in one; where it is `written` to, one that could not be made or used."""
    there = next((place for place in (folder, *folder.parents) if place.exists()), Path("/"))
    if not there.is_dir():
        raise BadSetting(f"{name.upper()}={shown(str(folder))} cannot be a folder: {shown(str(there))} is a file.")
    if written and not os.access(there, os.W_OK | os.X_OK):
        raise BadSetting(f"{name.upper()}={shown(str(folder))}: nothing may be written in {shown(str(there))}.")
