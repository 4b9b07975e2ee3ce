"""SMTP_URL -> where to connect and as whom. Must not know: how to connect."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

_FORM = "SMTP_URL must look like smtp://user:password@host:port, smtps://… or end in ?starttls=require"


@dataclass(frozen=True, slots=True)
class Account:
    """Where to connect and as whom."""

    host: str
    port: int
    tls: bool = False
    require_starttls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def from_url(cls, url: str) -> Account:
        """Read smtp://user:password@host:port?starttls=require. Raises ValueError, with no part of the URL in it."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError(_FORM) from None
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        wanted = query.pop("starttls", "")
        tls = parts.scheme == "smtps"
        if query or wanted not in {"", "require"} or (tls and wanted) or not _is_server(parts):
            raise ValueError(_FORM)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if not (user + password).isascii():
            raise ValueError("the user name and password in SMTP_URL must be ASCII")
        return cls(parts.hostname or "", port or (465 if tls else 25), tls, wanted == "require", user, password)


def _is_server(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    named = bool(host) and host.isascii() and host.isprintable() and " " not in host
    return parts.scheme in {"smtp", "smtps"} and named and parts.path in {"", "/"} and not parts.fragment
