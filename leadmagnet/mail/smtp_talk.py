"""What is said over one connection, letter after letter, and what each answer means.

Where the server offers PIPELINING (RFC 2920), a message and the envelope of the next one leave together, so a letter
costs one round trip; elsewhere each command waits for its answer. Kept apart is what a mail queue must not mix up:
refused for good, refused for now, never handed over, and handed over with no answer known.
Must not know: sockets, time, how many connections there are.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Sequence

from leadmagnet.domain.message import MailError, Outcome
from leadmagnet.mail.smtp_round import Job, Round
from leadmagnet.mail.smtp_session import Session
from leadmagnet.mail.smtp_wire import Lost, Reply

#: A line that begins with a dot gets a second one (RFC 5321, 4.5.2).
_DOT = re.compile(rb"\n\.")
_QUEUED_AS = re.compile(r"queued as ([\w.-]+)", re.ASCII)
#: The server wants credentials, or better ones: that concerns every letter.
_ABOUT_US = frozenset({503, 530, 534, 535, 538})
_CLOSING = 421
_GO_ON = 354
_OUTCOMES = {2: Outcome.SENT, 4: Outcome.RETRY, 5: Outcome.REJECTED}
_RESET = b"RSET\r\n"
#: What ends a message.
_END = b".\r\n"
#: A conversation waits for a reply at each yield.
Conversation = Generator[None, Reply, None]
_Asking = Generator[None, Reply, list[Reply]]


def _joined(message: Sequence[bytes], commands: Iterable[bytes]) -> tuple[bytes, int]:
    """Return a message and the commands behind it as one, and how many octets of that are the message.

    Joined once: a message has ten thousand octets or more, and each copy takes new memory.
    """
    octets = b"".join((*message, *commands))
    length = sum(map(len, message))
    # To look first takes half as long as to replace what is hardly ever there.
    if length and _DOT.search(octets, 0, length - len(_END)):
        text = octets[: length - len(_END)].replace(b"\r\n.", b"\r\n..")
        return text + octets[length - len(_END) :], len(text) + len(_END)
    return octets, length


class Closing(Exception):
    """The server said 421: it closes this connection in good order and will take another one."""


class Stopped(Exception):
    """All sending was stopped: nothing more is handed over."""


class Talk:
    """One connection's share of a batch."""

    def __init__(self, session: Session, letters: Round) -> None:
        """Begin nothing yet."""
        self.session = session
        self.was_answered = False
        #: The letter whose message the server has in whole, and has not answered.
        self.handed: Job | None = None
        #: The letter whose envelope is on its way.
        self._open: Job | None = None
        self._round = letters
        self._pipelining = session.is_pipelining()

    def run(self) -> Conversation:
        """Hand over letters until there are no more. Raises Lost, Closing, Stopped, or MailError: we are refused."""
        # After an earlier batch nothing may be left over; where the connection has died, this is how we learn it.
        self._open = self._take()
        commands = self._commands(self._open, reset=self.session.was_used)
        self.session.was_used = True
        if self._pipelining:
            self.session.wire.send(b"".join(commands))
        while self._open:
            replies = yield from (self._replies(len(commands)) if self._pipelining else self._one_by_one(commands))
            message = self._judge_envelope(replies, reset=commands[0] == _RESET)
            commands = yield from self._hand_over(message)

    def _hand_over(self, message: list[bytes]) -> Generator[None, Reply, list[bytes]]:
        """Send what the server waits for, if anything, and begin the next letter. Returns the next one's commands."""
        job = self._open
        if message and self._round.is_stopped():
            # The server waits for a message now: only to hang up leaves it without one.
            raise Stopped
        following = self._take() if self._pipelining else None
        commands = self._commands(following, reset=not message)
        octets, length = _joined(message, commands)
        sent = self.session.wire.send(octets)
        if job and sent < length:
            # The closing dot was not sent, so the server cannot have taken the message.
            self._put_back(following)
            raise Lost("the server stopped listening")
        self.handed, self._open = job, following
        if message:
            self._judge_message((yield))
        if not self._pipelining:
            self._open = self._take()
            commands = self._commands(self._open, reset=not message)
        return commands

    def abandon(self, words: str) -> None:
        """Settle what was in hand when the connection was lost."""
        if self.handed:
            self._round.settle(self.handed.place, Outcome.UNKNOWN, f"handed over, no answer: {words}")
            self.give_back()
        elif self._open:
            self._round.lose(self._open.place, f"connection lost before the message was handed over: {words}")

    def give_back(self) -> None:
        """Put the letter back whose envelope was on its way: nothing was said about it."""
        self._put_back(self._open)
        self._open = None

    def _put_back(self, job: Job | None) -> None:
        if job:
            self._round.put_back(job)

    def _take(self) -> Job | None:
        return self._round.take(utf8=self.session.takes_utf8(), most_octets=self.session.most_octets())

    def _commands(self, job: Job | None, *, reset: bool) -> list[bytes]:
        """Return what goes before the message of a letter."""
        if job is None:
            return []
        options = " SMTPUTF8 BODY=8BITMIME" if job.needs_utf8 else ""
        envelope = [f"MAIL FROM:<{job.sender}>{options}\r\n".encode(), f"RCPT TO:<{job.recipient}>\r\n".encode()]
        return [*([_RESET] if reset else []), *envelope, b"DATA\r\n"]

    def _replies(self, count: int) -> _Asking:
        """Wait for the replies to a group of commands that has left."""
        replies: list[Reply] = []
        while len(replies) < count and (not replies or replies[-1].code != _CLOSING):
            replies.append((yield))
            self.was_answered = True
        return replies

    def _one_by_one(self, commands: list[bytes]) -> _Asking:
        """Send each command when the one before it was taken."""
        replies: list[Reply] = []
        for command in commands:
            self.session.wire.send(command)
            replies += yield from self._replies(1)
            if replies[-1].kind != 2:
                break
        return replies

    def _judge_envelope(self, replies: list[Reply], *, reset: bool) -> list[bytes]:
        """Return what to send now: the message and its dot; or, for a letter refused, a lone dot, or nothing."""
        if reset:
            first = replies.pop(0)
            if first.code == _CLOSING:
                raise Closing
            if first.code != 250:
                raise Lost("the server does not start afresh")
        refusal = next((reply for reply, good in zip(replies, (2, 2, 3), strict=False) if reply.kind != good), None)
        if refusal is None and replies[-1].code == _GO_ON:
            return self._message()
        self._refused(refusal or replies[-1], by_sender=replies[0] is refusal)
        # A server may want a message although it took no recipient (RFC 2920, 3.1): a dot ends it.
        return [_END] if replies[-1].code == _GO_ON else []

    def _message(self) -> list[bytes]:
        if self.session.wire.has_unread():
            raise Lost("the server speaks out of turn")
        return [*(self._open.message if self._open else ()), _END]

    def _refused(self, reply: Reply, *, by_sender: bool) -> None:
        """Settle a letter that was not taken. Raises where more than this letter is concerned."""
        if by_sender and reply.code != _CLOSING:
            raise MailError(f"smtp: the sender was refused: {reply.words()}", permanent=reply.kind == 5)
        if reply.code in _ABOUT_US:
            raise MailError(f"smtp: the server refuses us: {reply.words()}", permanent=True)
        if reply.kind not in {4, 5}:
            raise Lost("answer not understood")
        if self._open and reply.code == _CLOSING:
            self._round.lose(self._open.place, reply.words())
        elif self._open:
            self._round.settle(self._open.place, _OUTCOMES[reply.kind], reply.words())
        self._open = None
        if reply.code == _CLOSING:
            raise Closing

    def _judge_message(self, reply: Reply) -> None:
        """Settle the letter whose message was answered."""
        job, self.handed = self.handed, None
        if job and reply.kind == 3:
            self._round.settle(job.place, Outcome.UNKNOWN, "handed over, answer not understood")
        elif job:
            outcome, words = _OUTCOMES[reply.kind], reply.words()
            found = _QUEUED_AS.search(words) if outcome is Outcome.SENT else None
            self._round.settle(job.place, outcome, words, found[1] if found else "")
            self.session.delivered += outcome is Outcome.SENT
        if reply.kind == 3:
            raise Lost("answer not understood")
        if reply.code == _CLOSING:
            raise Closing
