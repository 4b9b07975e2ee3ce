"""Several conversations at once in one thread: each goes on when its server has answered.

One thread, because the work between two answers is Python's own: threads would only wait for one another.
Must not know: what is said.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable
from dataclasses import dataclass

from leadmagnet.domain.message import MailError
from leadmagnet.mail.smtp_round import Round
from leadmagnet.mail.smtp_session import Session
from leadmagnet.mail.smtp_talk import Closing, Conversation, Stopped, Talk
from leadmagnet.mail.smtp_wire import Lost, Reply

#: After the closing dot a server checks and stores the message. RFC 5321, 4.5.3.2.6, gives it ten minutes, because who
#: gives up too early sends twice; a claim's lease does not allow that much.
PATIENCE = 3


@dataclass(slots=True)
class _Lane:
    talk: Talk
    conversation: Conversation
    #: Whether the connection comes from an earlier batch and has said nothing in this one.
    may_be_dead: bool
    deadline: float = 0.0


class Loop:
    """Runs one batch over the connections of `pool`; dead ones leave it, new ones enter it."""

    def __init__(self, pool: list[Session], reopen: Callable[[], Session], letters: Round, timeout: float) -> None:
        """Begin nothing yet. `timeout` is in seconds, for each answer."""
        self._pool = pool
        self._reopen = reopen
        self._round = letters
        self._timeout = timeout
        self._lanes: set[int] = set()
        self._selector = selectors.DefaultSelector()

    def run(self, most: int) -> None:
        """Hand the letters over, by at most so many connections, until none is left or no connection is."""
        with self._selector:
            for session in self._pool[:most]:
                self._start(session)
            while self._lanes:
                self._step()

    def _start(self, session: Session) -> None:
        may_be_dead = session.was_used
        talk = Talk(session, self._round)
        lane = _Lane(talk, talk.run(), may_be_dead)
        handle = session.wire.fileno()
        self._lanes.add(handle)
        self._selector.register(handle, selectors.EVENT_READ, lane)
        self._advance(lane, None)

    def _step(self) -> None:
        lanes: list[_Lane] = [key.data for key in self._selector.get_map().values()]
        soonest = min(lane.deadline for lane in lanes)
        for key, _ in self._selector.select(max(0.0, soonest - time.monotonic())):
            self._hear(key.data)
        now = time.monotonic()
        for lane in lanes:
            if lane.deadline < now and lane.talk.session.wire.fileno() in self._lanes:
                self._lose(lane, Lost("timed out"))

    def _hear(self, lane: _Lane) -> None:
        wire = lane.talk.session.wire
        try:
            wire.receive()
            while (reply := wire.next_reply()) is not None:
                if not self._advance(lane, reply):
                    return
        except Lost as error:
            self._lose(lane, error)

    def _advance(self, lane: _Lane, reply: Reply | None) -> bool:
        """Go on with a conversation; False where it is over."""
        try:
            if reply is None:
                next(lane.conversation)
            else:
                lane.conversation.send(reply)
        except StopIteration:
            self._leave(lane, keep=not lane.talk.session.wire.has_unread())
        except Closing:
            lane.talk.give_back()
            self._leave(lane, keep=False)
            # Servers that take only so many letters a connection say 421. Going on over a new one is safe while each
            # one takes at least one letter.
            self._replace(lane.talk.session.delivered > 0)
        except Stopped:
            lane.talk.give_back()
            self._leave(lane, keep=False)
        except MailError as error:
            lane.talk.give_back()
            self._leave(lane, keep=False)
            self._round.fail(error)
        except Lost as error:
            self._lose(lane, error)
        else:
            lane.deadline = time.monotonic() + self._timeout * (PATIENCE if lane.talk.handed else 1)
            return True
        return False

    def _lose(self, lane: _Lane, error: Lost) -> None:
        was_dead = lane.may_be_dead and not lane.talk.was_answered
        if was_dead:
            lane.talk.give_back()
        else:
            lane.talk.abandon(str(error))
        self._leave(lane, keep=False)
        self._replace(was_dead)

    def _leave(self, lane: _Lane, *, keep: bool) -> None:
        session = lane.talk.session
        handle = session.wire.fileno()
        self._selector.unregister(handle)
        self._lanes.discard(handle)
        if not keep:
            self._pool.remove(session)
            session.wire.close()

    def _replace(self, is_safe: bool) -> None:
        if not is_safe or not self._round.has_more():
            return
        try:
            session = self._reopen()
        except MailError as error:
            # The other connections, if there are any, do the rest.
            if not self._lanes:
                self._round.fail(error)
            return
        self._pool.append(session)
        self._start(session)
