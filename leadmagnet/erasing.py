"""What an erasure leaves outside the rows: files of the outbox, rejected rows of imports, SQLite's write-ahead log.

The erasing transaction notes what is to go (store/erasures.py); here it goes, right after it or with the next pass of
the worker, whichever comes first. Done twice, it does no harm. It reaches the folders of the machine on which it runs.
Must not know: who is erased: an address is known by its keyed hash.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from leadmagnet import store
from leadmagnet.audience import rejects
from leadmagnet.clock import Now
from leadmagnet.mail.outbox import Outbox
from leadmagnet.services import Services
from leadmagnet.signup.addresses import BadAddress, parse_address
from leadmagnet.store.suppressions import email_hash

#: Copies that are made before a migration go after this long (real time).
BACKUPS_LIVE = timedelta(days=30)


def finish(services: Services, now: Now) -> bool:
    """Let copies go that are to go by now. False where something is left for the next pass: the log was in use."""
    with store.reading(services.engine) as session:
        waiting = store.erasures.waiting(session, now.real)
    if not waiting:
        return True
    hashes = {one.email_hash for one in waiting}

    def theirs(text: str) -> bool:
        return email_hash(services.config.suppression_key, _canonical(text)) in hashes

    Outbox(services.config.outbox_dir).remove(theirs)
    rejects.remove(services.config.rejects_dir, theirs)
    if not store.engine.empty_log(services.engine):
        return False
    with store.writing(services.engine) as session:
        store.erasures.done(session, waiting, now.real)
    return True


def _canonical(text: str) -> str:
    try:
        return parse_address(text).canonical
    except BadAddress:
        return text.strip().lower()


def forget_files(services: Services, real_now: datetime) -> int:
    """Delete files that have had their time: rejected rows, and copies of a SQLite file. Return how many."""
    return rejects.forget_old(services.config.rejects_dir, real_now) + _forget_backups(services, real_now)


def _forget_backups(services: Services, real_now: datetime) -> int:
    folder = store.engine.backups_of(services.engine)
    if folder is None or not folder.is_dir():
        return 0
    oldest = (real_now - BACKUPS_LIVE).timestamp()
    old: list[Path] = [file for file in folder.glob("*.db") if file.stat().st_mtime < oldest]
    for file in old:
        file.unlink(missing_ok=True)
    return len(old)
