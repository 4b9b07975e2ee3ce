"""Batches side by side in one process: while one waits for the database or the provider, another is written.

Only threads that send emails of the course. Answers to people, plans and all else stay with the pass that has them.
Must not know: what is due, or why.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from types import TracebackType
from typing import Self

from leadmagnet.clock import Now
from leadmagnet.delivery.direct import send_due
from leadmagnet.delivery.send import Post
from leadmagnet.delivery.settle import Tally
from leadmagnet.domain.message import Mailer

#: Makes mailers for the other senders of a pass; none where one sender is right.
Mailers = Callable[[], Sequence[Mailer]]


class Abreast:
    """The other senders of one pass, each with a mailer of its own. They begin when asked and end with the block."""

    def __init__(self, post: Post, clock: Callable[[], Now], going: Callable[[], bool], mailers: Mailers) -> None:
        """Begin nothing yet; `going` is asked between batches, and `mailers` for one mailer a thread."""
        self._post, self._clock, self._going, self._mailers = post, clock, going, mailers
        self._leaving = threading.Event()
        self._threads: ThreadPoolExecutor | None = None
        self._running: list[Future[tuple[int, Tally]]] = []

    def begin(self) -> None:
        """Let each thread send until nothing is due, unless they are at it already."""
        if self._running or not (mailers := self._mailers()):
            return
        self._threads = self._threads or ThreadPoolExecutor(len(mailers), thread_name_prefix="sender")
        self._running = [self._threads.submit(self._send, replace(self._post, mailer=mailer)) for mailer in mailers]

    def __bool__(self) -> bool:
        """Say whether threads have begun whose work was not asked for yet."""
        return bool(self._running)

    def end(self, tally: Tally) -> int:
        """Wait until they have found nothing more, add what they did, and return how many rows they claimed.

        Raises what a thread could not cope with.
        """
        running, self._running = self._running, []
        done = [one.result() for one in running]
        for _, theirs in done:
            tally.add(theirs)
        return sum(claimed for claimed, _ in done)

    def _send(self, post: Post) -> tuple[int, Tally]:
        claimed, tally = 0, Tally()
        try:
            while self._going() and not self._leaving.is_set() and (done := send_due(post, self._clock, 1, tally)):
                claimed += done
        finally:
            post.mailer.close()
        return claimed, tally

    def __enter__(self) -> Self:
        """Begin nothing yet."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Let each finish the batch in hand."""
        self._leaving.set()
        if self._threads:
            self._threads.shutdown()
