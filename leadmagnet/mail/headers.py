"""Header lines that cannot turn into anything else: names cleaned, addresses and values checked, encoding done right.

Two kinds. What a person wrote (subject, display names) is cleaned and, where needed, becomes RFC 2047 encoded words.
What machines read (List-Unsubscribe, Feedback-ID, Message-ID …) stays ASCII on one unfolded line or is refused: mailbox
providers ignore an encoded List-Unsubscribe, and Python's EmailMessage makes one of every long address.
Must not know: any provider, any body.
"""

from __future__ import annotations

import re
import unicodedata
from email.header import Header
from functools import lru_cache

import idna

from leadmagnet.domain.message import Letter

#: RFC 5322: a line holds at most 998 octets and should hold at most 78.
LONGEST_LINE = 998
FOLD = 76

DELIVERY_HEADER = "X-Leadmagnet-Delivery"

_NAME = re.compile(r"[!-9;-~]+")
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]+@[!-;=?A-~]+>")
# RFC 5322 dot-atom, with the non-ASCII characters of RFC 6531. Quoted local parts and address literals are refused.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u00a1-\U0010ffff]+"
_ADDRESS = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@([A-Za-z0-9.\-\u00a1-\U0010ffff]+)")
#: What nearly all addresses are; each of these is usable as it stands.
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9.-]+")
_PRINTABLE = bytes(range(ord(" "), ord("~") + 1))
_PLAIN_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\- ]+")
_ADDRESS_INSIDE = re.compile(r"[^\s<>,;:'\"()]+@[^\s<>,;:'\"()]+")

#: Written by the composer (or by the provider) and by nobody else.
_OURS = frozenset(
    {
        "from", "sender", "reply-to", "to", "cc", "bcc", "subject", "date", "message-id", "mime-version",
        "content-type", "content-transfer-encoding", "return-path", "received", "dkim-signature", "x-sg-id", "x-sg-eid",
    }
)  # fmt: skip


def clean(text: str) -> str:
    """Return a name or subject on one line: no control, bidi-override or half characters, single spaces."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    kept = (_harmless(character) for character in text)
    return " ".join("".join(kept).split())


def _harmless(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    overrides = "\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069"
    return "" if overrides or category == "Cs" else character


def address(text: str) -> str:
    """Return a checked address with its domain in ASCII. Raises ValueError, without the address in the words."""
    if len(text) <= 320 and _PLAIN_ADDRESS.fullmatch(text):
        return text
    found = _ADDRESS.fullmatch(text)
    if not found or len(text.encode("utf-8", "replace")) > 320 or clean(text) != text:
        raise ValueError("not a usable email address")
    local, domain = found[1], found[2]
    if domain.isascii():
        return text
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode('ascii')}"
    except idna.IDNAError:
        raise ValueError("the domain of the email address cannot be written in ASCII") from None


def own_headers(letter: Letter) -> dict[str, str]:
    """Return the letter's own headers and the one that carries its delivery id, checked. Raises ValueError."""
    others, longest = _check_names(tuple(letter.headers))
    own = dict(letter.headers)
    for name in others:
        del own[name]
    own[DELIVERY_HEADER] = letter.delivery_id
    # One look at all of them, because nearly always nothing is wrong; whatever looks odd there is checked by itself.
    values = own.values()
    row = "".join(values)
    sound = row.isascii() and not row.encode().translate(None, _PRINTABLE) and len(row) + longest + 2 <= LONGEST_LINE
    if not sound or not all(values) or [value.strip() for value in values] != [*values]:
        for name, value in own.items():
            _check(name, value)
    return own


def own_lines(letter: Letter) -> list[str]:
    """Return the same as lines, unfolded and in the same order. Raises ValueError."""
    return [f"{name}: {value}" for name, value in own_headers(letter).items()]


# All letters of a kind have the same names in the same order.
@lru_cache(maxsize=256)
def _check_names(names: tuple[str, ...]) -> tuple[tuple[str, ...], int]:
    """Return other spellings of the one of the delivery id, and how long the longest is. Raises ValueError."""
    ours = tuple(name for name in names if name.lower() == DELIVERY_HEADER.lower())
    kept = tuple(name for name in names if name not in ours)
    seen = set(_OURS)
    for name in kept:
        if name.lower() in seen:
            raise ValueError(f"the header {name} may not be set by a letter, or is there twice")
        if not _is_name(name):
            raise ValueError(f"not a header name: {name!a}")
        seen.add(name.lower())
    return tuple(name for name in ours if name != DELIVERY_HEADER), max(map(len, (*kept, DELIVERY_HEADER)))


def message_id(text: str) -> str:
    """Return a Message-ID in angle brackets. Raises ValueError."""
    bracketed = text if text.startswith("<") else f"<{text}>"
    if not _MESSAGE_ID.fullmatch(bracketed):
        raise ValueError("not a usable Message-ID")
    if len("Message-ID: ") + len(bracketed) > LONGEST_LINE:
        raise ValueError(f"the Message-ID is longer than {LONGEST_LINE} octets")
    return bracketed


def _check(name: str, value: str) -> None:
    if not _is_name(name):
        raise ValueError(f"not a header name: {name!a}")
    if not (value.isascii() and value.isprintable() and value and value == value.strip()):
        raise ValueError(f"the header {name} needs a value of printable ASCII characters on one line")
    if len(name) + 2 + len(value) > LONGEST_LINE:
        raise ValueError(f"the header {name} is longer than {LONGEST_LINE} octets")


@lru_cache(maxsize=256)
def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def written(name: str, text: str) -> str:
    """Return a header that a person wrote, such as the subject: cleaned, folded, encoded where needed."""
    text = clean(text)
    line = f"{name}: {text}"
    if text.isascii() and "=?" not in text and len(line) <= FOLD:
        return line
    return f"{name}: {_encoded(text, name)}"


def mailbox(name: str, display_name: str, checked_address: str) -> str:
    """Return an address header such as To, with the display name quoted or encoded as it needs."""
    phrase, room = _phrase(name, display_name)
    if not phrase:
        return f"{name}: {checked_address}"
    gap = " " if len(checked_address) <= room else "\r\n "
    return f"{name}: {phrase}{gap}<{checked_address}>"


# People share their first names, and to encode one takes as long as all else of a message.
@lru_cache(maxsize=1024)
def _phrase(name: str, display_name: str) -> tuple[str, int]:
    """Return a display name as it is written, and how many octets its last line has left for an address."""
    phrase = clean(display_name)
    if phrase.isascii() and "=?" not in phrase and len(phrase) <= FOLD - len(name) - 5:
        if phrase and not _PLAIN_PHRASE.fullmatch(phrase):
            phrase = '"' + phrase.replace("\\", "\\\\").replace('"', '\\"') + '"'
    else:
        phrase = _encoded(phrase, name)
    last_line = phrase.rpartition("\n")[2] if "\n" in phrase else f"{name}: {phrase}"
    return phrase, FOLD - len(last_line) - 3


def _encoded(text: str, name: str) -> str:
    return Header(text, "utf-8", maxlinelen=FOLD, header_name=name).encode(linesep="\r\n")


def without_addresses(text: str) -> str:
    """Return a server's words fit for a log: one line, no email address, at most 300 characters."""
    return _ADDRESS_INSIDE.sub("(address)", clean(text))[:300]
