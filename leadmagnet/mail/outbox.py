"""Letters as files in a Maildir, which any mail program can open. The default transport: nothing leaves the machine.

The file name is made from the delivery id alone, so a file is its own evidence that a delivery was taken, and the same
delivery sent twice is one file. Must not know: who reads the files, or what a delivery is.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from leadmagnet.domain.message import Batch, Letter, MailError, Outcome, Result
from leadmagnet.mail.mime import Composer, require_values
from leadmagnet.mail.parsed import ParsedMail, Summary, parse, recipient, summarize

_SUFFIX = ".leadmagnet"
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
_SAFE_NAME = re.compile(r"[A-Za-z0-9_%=+-][A-Za-z0-9_%=+.-]*")
#: Errors that waiting does not mend.
_FOR_A_PERSON = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ELOOP})
_HEAD_BYTES = 32_768


class Outbox:
    """A mailer that writes files, and the reading side for a view of them."""

    name = "outbox"
    batch_size = 500
    has_evidence = True

    def __init__(self, directory: Path) -> None:
        """Take the Maildir's place. It is made when the first letter is written."""
        self._directory = Path(directory)

    def send(self, batch: Batch) -> list[Result]:
        """Write one file per letter that has none yet. Raises MailError where not even the first could be written."""
        require_values(batch)
        try:
            composer = Composer(batch)
        except ValueError as error:
            raise MailError(f"outbox: the sender cannot be used: {error}", permanent=True) from error
        self._make_maildir()
        seen = {_bare(entry.name) for entry in self._entries("cur")}
        results: list[Result] = []
        try:
            for letter in batch.letters:
                if not batch.may_begin():
                    break
                results.append(self._write(composer, letter, seen))
            _flush(self._directory / "new")
        except OSError as error:
            if not any(result.outcome is Outcome.SENT for result in results):
                raise _failure(error) from error
            left = batch.letters[len(results) :]
            results += [Result(letter.delivery_id, Outcome.RETRY, self.name, str(_failure(error))) for letter in left]
        left = batch.letters[len(results) :]
        return results + [Result(one.delivery_id, Outcome.UNTRIED, self.name, "sending was stopped") for one in left]

    def taken(self, delivery_id: str) -> bool:
        """Say whether the delivery's file is there, read or unread."""
        try:
            return self._find(_file_name(delivery_id)) is not None
        except ValueError:
            return False

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def messages(self, limit: int, before: str | None = None) -> list[Summary]:
        """Return up to `limit` messages, newest first; with `before`, those older than the message of that name."""
        found = sorted(self._files(), reverse=True)
        if before is not None:
            place = next((at for at, (_, name, _) in enumerate(found) if name == before), len(found))
            found = found[place + 1 :]
        summaries = []
        for stamp, name, path in found[:limit]:
            # A mail program may move a file at any moment; such a one shows up in the next listing.
            with suppress(FileNotFoundError):
                head = _read(Path(path), _HEAD_BYTES)
                summaries.append(summarize(name, head, datetime.fromtimestamp(stamp / 1e9, UTC)))
        return summaries

    def read(self, name: str) -> ParsedMail:
        """Return the message of that name. Raises FileNotFoundError, also for what can be no name."""
        path = self._find(name) if _SAFE_NAME.fullmatch(name) else None
        if path is None:
            raise FileNotFoundError(errno.ENOENT, "no such message")
        return parse(_read(path))

    def remove(self, addressed: Callable[[str], bool]) -> int:
        """Delete the messages, drafts among them, whose recipient fits, and return how many there were."""
        gone = 0
        for part in ("tmp", "new", "cur"):
            for entry in self._entries(part):
                # A mail program may move a file at any moment; a later pass finds it at its new place.
                with suppress(FileNotFoundError):
                    if addressed(recipient(_read(Path(entry.path), _HEAD_BYTES))):
                        Path(entry.path).unlink()
                        gone += 1
        return gone

    def _write(self, composer: Composer, letter: Letter, seen: set[str]) -> Result:
        try:
            name = _file_name(letter.delivery_id)
            raw = composer.message(letter)
        except ValueError as error:
            return Result(letter.delivery_id, Outcome.REJECTED, self.name, str(error))
        target = self._directory / "new" / name
        if name not in seen and not target.exists():
            # Files on Unix have LF line ends, in a Maildir too. Bodies are encoded, so no other byte pair is touched.
            self._store(raw.replace(b"\r\n", b"\n"), target)
        return Result(letter.delivery_id, Outcome.SENT, self.name, provider_id=name)

    def _store(self, raw: bytes, target: Path) -> None:
        draft = self._directory / "tmp" / f"{target.name}.{secrets.token_hex(8)}"
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            draft.rename(target)
        except OSError:
            draft.unlink(missing_ok=True)
            raise

    def _make_maildir(self) -> None:
        try:
            # mkdir(parents=True) gives parents the default mode, which suits an instance folder but not the Maildir.
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            for part in ("tmp", "new", "cur"):
                (self._directory / part).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise _failure(error) from error

    def _entries(self, part: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self._directory / part) as entries:
                return [entry for entry in entries if entry.is_file(follow_symlinks=False)]
        except FileNotFoundError:
            return []

    def _find(self, name: str) -> Path | None:
        fresh = self._directory / "new" / name
        if fresh.is_file() and not fresh.is_symlink():
            return fresh
        return next((Path(entry.path) for entry in self._entries("cur") if _bare(entry.name) == name), None)

    def _files(self) -> Iterator[tuple[int, str, str]]:
        """Yield the time of writing, the name without flags and the path of each message."""
        for entry in self._entries("new") + self._entries("cur"):
            name = _bare(entry.name)
            if _SAFE_NAME.fullmatch(name):
                with suppress(FileNotFoundError):
                    yield entry.stat(follow_symlinks=False).st_mtime_ns, name, entry.path


def _file_name(delivery_id: str) -> str:
    escaped = _UNSAFE.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), delivery_id)
    if not 0 < len(escaped) <= 200:
        raise ValueError("not a usable delivery id")
    return escaped + _SUFFIX


def _bare(name: str) -> str:
    """Return a file's name without what a mail program added: flags after a colon, sizes after a comma."""
    return name.partition(":")[0].partition(",")[0]


def _read(path: Path, most: int = -1) -> bytes:
    # O_NOFOLLOW: a link in the Maildir must not show a file from elsewhere.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        return file.read(most)


def _flush(directory: Path) -> None:
    """Make the renames themselves survive a power cut."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _failure(error: OSError) -> MailError:
    # strerror alone: the full text would name a path.
    return MailError(f"outbox: {error.strerror or 'cannot write'}", permanent=error.errno in _FOR_A_PERSON)
