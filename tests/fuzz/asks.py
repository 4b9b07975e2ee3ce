"""Hostile requests, as Hypothesis draws them: every address and method, markers in every place where a value may stand.

Requests are built below any client's good manners: raw bytes in paths, queries, headers and bodies, lengths that lie.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

#: Part of every value that could be reflected. As a tag, an attribute or a header of this name it has broken out.
MARK = "lmq7"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", ""]
NASTY: list[bytes] = [
    f'"><{MARK} onload=1>'.encode(),
    f"'><{MARK}>".encode(),
    f'" {MARK}=1 x="'.encode(),
    f"' {MARK}=1 x='".encode(),
    f"</script></title></textarea><{MARK}>".encode(),
    f"javascript:{MARK}()".encode(),
    f"https://{MARK}.example/".encode(),
    f"//{MARK}.example".encode(),
    f"a\r\nX-{MARK}: 1\r\n\r\n<{MARK}>".encode(),
    f"{{{{{MARK}}}}}[[{MARK}]]{{%{MARK}%}}".encode(),
    f"\0{MARK}\x01\x7f".encode(),
    b"\xc0\xaf\xff\xfe" + MARK.encode(),
    b"\xed\xa0\x80" + MARK.encode(),
    "\u202e\u2028\ufeff𝕷\U0010ffff".encode() + MARK.encode(),
    f"{MARK}@example.org".encode(),
    f"<{MARK}@example.org>, b@example.org".encode(),
    "ü@xn--.example".encode(),
    b"A" * 5000,
    b"../../../../etc/passwd",
    b"%00%ff%2e%2e%2f%u0000%",
    b"",
    b" ",
    b"0",
    b"-1",
    b"1e999",
    b"NaN",
    "٣²".encode(),
    b"9" * 400,
    b"9223372036854775808",
    b"2026-13-45T99:99",
    b"9999-12-31T23:59",
    b"0001-01-01T00:00",
    b"America/Vancouver",
    b"../UTC",
    b"=1+1",
]
#: Values that lead further in than noise would.
SOUND = [b"yes", b"1", b"7", b"100", b"landing", b"page", b"easy", b"hurt", b"renew", b"Etc/UTC", b"anna@example.org"]
NAMES = """
email first_name consent form timezone shown homepage csrf_token action day hour pause felt note t percent by saved
ready as before v next password q step from group sort after start days reason id headers text envelope List-Unsubscribe
altcha news reminders address until name to subject
""".split()
ACTS = "rhythm pause resume snooze next restart go_on remind links renew".split()
HEADERS = """
Host User-Agent Referer Origin Cookie Accept Accept-Language Accept-Encoding Range If-Range If-None-Match
If-Modified-Since If-Match Content-Encoding X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto Forwarded X-Real-IP
X-HTTP-Method-Override X-Requested-With X-CSRFToken Authorization Sec-GPC Sec-Purpose Purpose Expect Transfer-Encoding
X-Twilio-Email-Event-Webhook-Signature X-Twilio-Email-Event-Webhook-Timestamp
""".split()
TYPES = [
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=B",
    "application/json",
    "application/json; charset=utf-16",
    "text/plain",
    "application/x-www-form-urlencoded; charset=utf-7",
    "multipart/form-data",
    "multipart/form-data; boundary=" + "B" * 300,
    f'multipart/mixed; boundary="{MARK}"',
    f"text/html; {MARK}",
    "application/octet-stream",
    "application/vnd.api+json",
    "",
    "/",
]


@dataclass(frozen=True)
class Ask:
    """One request, as bytes where HTTP has bytes."""

    method: str
    path: bytes
    query: bytes = b""
    headers: tuple[tuple[str, bytes], ...] = ()
    body: bytes = b""
    length: str | None = None
    """Content-Length as claimed; None: the true one."""
    signed_in: bool = False
    signed: bool = False
    """Whether a webhook's body bears the provider's true signature."""

    def environ(self) -> dict[str, Any]:
        """Return what a WSGI server would hand over."""
        made: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path.decode("latin-1"),
            "QUERY_STRING": self.query.decode("latin-1"),
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1:8000",
            "RAW_URI": quote(self.path) + "?" + quote(self.query),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.input_terminated": True,
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if self.length is not None or self.body:
            made["CONTENT_LENGTH"] = str(len(self.body)) if self.length is None else self.length
        for name, value in self.headers:
            key = name.upper().replace("-", "_")
            made[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value.decode("latin-1")
        return made


values = st.one_of(st.sampled_from(NASTY), st.sampled_from(SOUND), st.binary(max_size=24))
fields = st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=6)
lengths = st.sampled_from([None] * 12 + ["0", "3", "-1", "x", "", "99999999", "9" * 30, "1.5", " 4"])


def _urlencoded(pairs: list[tuple[str, bytes]], raw: bool) -> bytes:
    spell = (lambda value: value) if raw else (lambda value: quote(value).encode())
    return b"&".join(name.encode() + b"=" + spell(value) for name, value in pairs)


def _multipart(pairs: list[tuple[str, bytes]], ended: bool) -> bytes:
    parts = b"".join(
        b'--B\r\nContent-Disposition: form-data; name="' + name.encode() + b'"\r\n\r\n' + value + b"\r\n"
        for name, value in pairs
    )
    return parts + (b"--B--\r\n" if ended else b"--B\r\nContent-Disposition: form-data; name=x; filename=")


texts = values.map(lambda value: value.decode("utf-8", "replace"))
torn = values.map(lambda value: value.decode("utf-8", "surrogateescape"))
numbers = st.one_of(
    st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([10**30, -(2**63)])
)
leaves = st.one_of(texts, texts, torn, numbers, st.booleans(), st.none())
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=8,
)
#: What SendGrid posts, with anything where something is expected.
EVENT_KEYS = """
email timestamp event sg_event_id sg_message_id smtp-id category lm_delivery reason status type bounce_classification
response attempt ip useragent url url_offset sg_machine_open asm_group_id tls
""".split()
EVENTS = ["processed", "deferred", "delivered", "bounce", "dropped", "open", "click", "spamreport", "unsubscribe", "?"]
events = st.lists(
    st.one_of(
        st.dictionaries(st.sampled_from(EVENT_KEYS), trees, max_size=8),
        st.fixed_dictionaries(
            {
                "email": texts,
                "timestamp": st.one_of(st.integers(), st.just(1772463600), trees),
                "event": st.one_of(st.sampled_from(EVENTS), trees),
                "sg_event_id": st.one_of(st.uuids().map(str), trees),
            },
            optional=dict.fromkeys(EVENT_KEYS[4:], trees),
        ),
        trees,
    ),
    max_size=4,
)


def _json(tree: Any) -> bytes:
    return json.dumps(tree).encode("utf-8", "surrogateescape")


@st.composite
def bodies(draw: DrawFn, token: str, hook: bool) -> tuple[str, bytes]:
    """A content type and a body: mostly of one kind, sometimes of two."""
    pairs = draw(fields)
    if draw(st.booleans()):
        pairs = [("csrf_token", token.encode()), ("action", draw(st.sampled_from(ACTS)).encode()), *pairs]
    kind = draw(st.integers(0, 9)) if not hook else draw(st.sampled_from([2, 2, 2, 3, 9]))
    if kind in (0, 4, 5, 6):
        made = TYPES[0], _urlencoded(pairs, draw(st.booleans()))
    elif kind in (1, 7):
        made = TYPES[1], _multipart(pairs, draw(st.sampled_from([True, True, False])))
    elif kind in (2, 8):
        made = TYPES[2], _json(draw(events if hook else trees))
    else:
        made = draw(st.sampled_from(TYPES)), draw(st.binary(max_size=60))
    if draw(st.integers(0, 14)) == 0:
        made = draw(st.sampled_from(TYPES)), made[1]
    return made


@dataclass(frozen=True)
class Door:
    """One address of the application: its parts, split at the converters, and the methods it takes."""

    rule: str
    parts: tuple[str, ...]
    methods: tuple[str, ...]


@dataclass(frozen=True)
class Ground:
    """What requests are drawn from: addresses, keys by the first part of the address they open, tokens of forms."""

    doors: tuple[Door, ...]
    keys: Mapping[str, tuple[str, ...]]
    csrf: str
    desk_csrf: str

    @property
    def all_keys(self) -> list[str]:
        return sorted({key for keys in self.keys.values() for key in keys})


def _one_in(draw: DrawFn, many: int) -> bool:
    return draw(st.integers(1, many)) == many


@st.composite
def asks(draw: DrawFn, ground: Ground) -> Ask:
    """One request: mostly by a key that opens the door and a method that it takes, with noise in every place."""
    door = draw(st.sampled_from(ground.doors))
    own = ground.keys.get(door.rule.split("/")[1], ())
    path = b""
    for place, part in enumerate(door.parts):
        path += _bent(draw, _key(draw, own, ground.all_keys)) if place % 2 else part.encode()
    if _one_in(draw, 25):
        path += draw(values)
    hook, signed_in = door.rule.startswith("/webhooks"), door.rule.startswith("/admin") and not _one_in(draw, 4)
    method = draw(st.sampled_from(METHODS if _one_in(draw, 12) else door.methods))
    headers = draw(st.lists(st.tuples(st.sampled_from(HEADERS), values), max_size=2)) if _one_in(draw, 3) else []
    query = _urlencoded(draw(st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=3)), draw(st.booleans()))
    if door.rule.startswith("/v/") and not _one_in(draw, 5):
        query = b"t=" + _bent(draw, _key(draw, own, ground.all_keys)) + b"&" + query
    body = b""
    if method not in ("GET", "HEAD") or _one_in(draw, 10):
        kind, body = draw(bodies(ground.desk_csrf if signed_in else ground.csrf, hook))
        headers = [*headers, ("Content-Type", kind.encode())]
    return Ask(method, path, query, tuple(headers), body, draw(lengths), signed_in, hook and not _one_in(draw, 4))


def _key(draw: DrawFn, own: Sequence[str], all_keys: Sequence[str]) -> bytes:
    if _one_in(draw, 5):
        return draw(values)
    return draw(st.sampled_from(all_keys if not own or _one_in(draw, 8) else own)).encode()


def _bent(draw: DrawFn, value: bytes) -> bytes:
    """A key is mostly left alone, sometimes cut, lengthened or changed in one place."""
    how = draw(st.integers(0, 14))
    if how == 0:
        return value[:-1]
    if how == 1:
        return value + draw(values)
    if how == 2 and value:
        return value[:-1] + base64.b64encode(value[-1:])[:1]
    return value
