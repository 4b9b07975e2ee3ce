"""Workers that die: at the beginning or the end of a transaction, just before a call to the provider, or just after.

Must not know: which step of the engine a transaction belongs to. So whatever the engine does, its every edge is met.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, event


class Death(BaseException):
    """A worker's process ends here. No handler of the engine may catch it, as none catches a kill -9."""


class Deaths:
    """Counts the edges that a pass goes by, and lets the worker die at the one that was chosen."""

    def __init__(self, engine: Engine) -> None:
        """Watch the transactions of an engine."""
        self._left: int | None = None
        #: Called when a transaction is about to be committed, and when a worker dies.
        self.committed: Callable[[], None] = lambda: None
        self.died: Counter[str] = Counter()
        event.listen(engine, "begin", self._begins)
        event.listen(engine, "commit", self._ends)

    @contextmanager
    def chosen(self, edge: int | None) -> Iterator[None]:
        """Let the worker die at this edge, counted from 1; at none for None."""
        self._left = edge
        try:
            yield
        finally:
            self._left = None

    def go_by(self, edge: str) -> None:
        """Pass an edge. Raises Death."""
        if self._left is None:
            return
        self._left -= 1
        if self._left <= 0:
            self._left = None
            self.died[edge] += 1
            raise Death(edge)

    def as_counts(self) -> Counter[str]:
        """Return how many workers died, by the edge."""
        return Counter({f"deaths {edge}": count for edge, count in self.died.items()})

    def _begins(self, _connection: Connection) -> None:
        self.go_by("before a transaction")

    def _ends(self, connection: Connection) -> None:
        if connection.get_execution_options().get("postgresql_readonly"):
            return  # nothing is written that a death could take away
        self.go_by("before a commit")
        self.committed()
