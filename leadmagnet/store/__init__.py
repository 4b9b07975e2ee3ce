"""Tables with their queries, one noun a file. Every function takes the session first; only entry points commit."""

from leadmagnet.store import (
    activities,
    agenda,
    check_ins,
    claims,
    clocks,
    consents,
    decisions,
    deliveries,
    email_texts,
    enrollments,
    forms,
    halts,
    leases,
    sequences,
    signups,
    subscribers,
    suppressions,
    watching,
)
from leadmagnet.store.base import Base
from leadmagnet.store.engine import connect, reading, writing

__all__ = [
    "Base",
    "activities",
    "agenda",
    "check_ins",
    "claims",
    "clocks",
    "connect",
    "consents",
    "decisions",
    "deliveries",
    "email_texts",
    "enrollments",
    "forms",
    "halts",
    "leases",
    "reading",
    "sequences",
    "signups",
    "subscribers",
    "suppressions",
    "watching",
    "writing",
]
