"""Letters through SendGrid's Mail Send: one request for up to a thousand. The only file here that imports its package.

There is no idempotency key, so a request that was written and not answered leaves all of its letters unknown; their
events, which carry the delivery id, tell later. Must not know: what a request looks like inside (sendgrid_body.py
does), or what an answer's errors look like (sendgrid_answer.py does).
"""

from __future__ import annotations

import http.client
import logging
import urllib.request
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from typing import Any, NamedTuple
from urllib.error import URLError
from urllib.parse import urlsplit

from sendgrid import SendGridAPIClient

from leadmagnet.domain.message import Batch, Letter, MailError, Outcome, Result
from leadmagnet.mail.headers import address, without_addresses
from leadmagnet.mail.mime import require_values
from leadmagnet.mail.sendgrid_answer import Answer
from leadmagnet.mail.sendgrid_body import MOST_BODY_BYTES, MOST_RECIPIENTS, Personalizer

_NAME = "sendgrid"
_MOST_ANSWER_BYTES = 1_000_000

# At level DEBUG the package's client logs request bodies (addresses) and headers (the key).
logging.getLogger("python_http_client.client").setLevel(logging.INFO)


class SendGridMailer:
    """A mailer for one SendGrid account."""

    name = _NAME
    batch_size = MOST_RECIPIENTS
    has_evidence = True

    def __init__(self, api_key: str, api_url: str = "https://api.sendgrid.com", timeout: float = 10.0) -> None:
        """Take the account's key. Nothing is connected yet. Raises ValueError for an unusable key or address."""
        if not api_key or not api_key.isascii() or not api_key.isprintable() or " " in api_key:
            raise ValueError("SENDGRID_API_KEY must be one word of printable ASCII")
        parts = urlsplit(api_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("SENDGRID_API_URL must look like https://api.sendgrid.com")
        self._timeout = timeout
        self._client = SendGridAPIClient(api_key, host=api_url.rstrip("/")).client

    def send(self, batch: Batch) -> list[Result]:
        """Send the batch in as few requests as the rules allow. Raises MailError where SendGrid took none of it."""
        require_values(batch)
        try:
            personalizer = Personalizer(batch)
        except ValueError as error:
            raise MailError(f"sendgrid: the sender cannot be used: {error}", permanent=True) from error
        return _Sending(self, personalizer, batch).run()

    def post(self, body: bytes) -> Answer:
        """Make one request. Raises URLError where it was not written to its end, other errors where no answer came."""
        # The package knows only the json module, which takes half as long as all the rest of a batch; so it gets an
        # empty body, and the bytes are put in its place.
        response = _endpoint(self._client, body).post(request_body={}, timeout=self._timeout)
        return Answer(response.status_code, response.headers, response.body)

    def taken(self, delivery_id: str) -> None:
        """Return None: only the provider's events can tell."""

    def close(self) -> None:
        """Do nothing: the package makes a connection per request ("Connection: close"), whatever one does.

        For a thousand letters that is 1.1 ms on loopback where a kept one takes 0.4; over a network, three round trips.
        """


class _Response:
    """What the package reads an answer through. The body is only words: a cut one must not hide the status."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._status = response.status
        self._headers = response.headers
        try:
            self._body = response.read(_MOST_ANSWER_BYTES)
        except (OSError, http.client.HTTPException):
            self._body = b""
        finally:
            response.close()

    def getcode(self) -> int:
        return self._status

    def info(self) -> Message:
        return self._headers

    def read(self) -> bytes:
        return self._body


def _endpoint(client: Any, body: bytes) -> Any:
    """Return the package's client for mail/send, made to send these bytes and to follow no redirect.

    Its own opener turns a redirected POST into a GET that carries the key elsewhere, and reports that as success. The
    one here has no handler for redirects or errors, so each answer arrives as it is, whatever its status.
    """
    opener = urllib.request.OpenerDirector()
    for handler in (urllib.request.ProxyHandler(), urllib.request.HTTPHandler(), urllib.request.HTTPSHandler()):
        opener.add_handler(handler)

    def make_request(_opener: object, request: urllib.request.Request, timeout: float) -> _Response:
        request.data = body
        return _Response(opener.open(request, timeout=timeout))

    endpoint = client.mail.send
    # The package's documented seam: "separated into its own function, so we can mock it".
    endpoint._make_request = make_request
    return endpoint


class _Entry(NamedTuple):
    place: int
    letter: Letter
    own: bytes


@dataclass(frozen=True, slots=True)
class _Request:
    entries: Sequence[_Entry]
    #: Letters that SendGrid named in a refusal were already taken out of it once.
    mended: bool = False


class _Sending:
    """One batch on its way: the requests still to make and the results so far."""

    def __init__(self, mailer: SendGridMailer, personalizer: Personalizer, batch: Batch) -> None:
        self._mailer = mailer
        self._personalizer = personalizer
        self._letters = batch.letters
        self._may_begin = batch.may_begin
        self._results: dict[int, Result] = {}
        self._queue = deque(_Request(entries) for entries in self._requests())

    def _requests(self) -> list[list[_Entry]]:
        """Return the letters in groups of at most a thousand in which no address occurs twice."""
        rounds: list[list[_Entry]] = []
        times_seen: dict[str, int] = {}
        personalize = self._personalizer.personalization
        for place, letter in enumerate(self._letters):
            try:
                to = address(letter.to_email)
                own, key = personalize(letter, to), to.lower()
            except ValueError as error:
                self._results[place] = Result(letter.delivery_id, Outcome.REJECTED, _NAME, str(error))
                continue
            turn = times_seen.get(key, 0)
            times_seen[key] = turn + 1
            if turn == len(rounds):
                rounds.append([])
            rounds[turn].append(_Entry(place, letter, own))
        return [some[at : at + MOST_RECIPIENTS] for some in rounds for at in range(0, len(some), MOST_RECIPIENTS)]

    def run(self) -> list[Result]:
        """Make all requests. Once one has failed as a whole, the letters behind it are RETRY."""
        try:
            while self._queue:
                if not self._may_begin():
                    self._put_back("not tried: sending was stopped", None, Outcome.UNTRIED)
                    break
                self._make(self._queue.popleft())
        except MailError as error:
            if not any(result.outcome in {Outcome.SENT, Outcome.UNKNOWN} for result in self._results.values()):
                raise
            self._put_back(str(error), error.retry_after)
        self._put_back("not tried: an earlier request of the batch got no answer", None)
        return [self._results[place] for place in range(len(self._letters))]

    def _make(self, request: _Request) -> None:
        body = self._personalizer.request([entry.own for entry in request.entries])
        if len(body) > MOST_BODY_BYTES:
            self._halve(request, f"the request would have {len(body)} bytes; SendGrid takes {MOST_BODY_BYTES}")
            return
        try:
            answer = self._mailer.post(body)
        except URLError as error:
            # urllib raises this, and only this, before the last byte of the request has left.
            raise MailError(f"sendgrid: not reached: {without_addresses(str(error.reason))}", permanent=False) from None
        except (OSError, http.client.HTTPException) as error:
            detail = f"the request was written, no answer: {type(error).__name__}"
            self._settle(request.entries, Outcome.UNKNOWN, detail)
            self._queue.clear()
            return
        self._judge(request, answer)

    def _judge(self, request: _Request, answer: Answer) -> None:
        if answer.is_success():
            self._settle(request.entries, Outcome.SENT, provider_id=answer.message_id())
        elif answer.is_from_a_gateway():
            # As with no answer at all: it may have been taken, and the rest of the batch waits.
            self._settle(request.entries, Outcome.UNKNOWN, f"a gateway answered: {answer.words()}")
            self._queue.clear()
        elif answer.status == 413:
            self._halve(request, answer.words())
        elif named := answer.letters_named(len(request.entries)):
            self._mend(request, named)
        else:
            raise answer.as_error()

    def _halve(self, request: _Request, why: str) -> None:
        entries, middle = request.entries, len(request.entries) // 2
        if not middle:
            self._settle(entries, Outcome.REJECTED, why)
            return
        self._queue.extendleft((_Request(entries[middle:], request.mended), _Request(entries[:middle], request.mended)))

    def _mend(self, request: _Request, named: dict[int, str]) -> None:
        for at, words in named.items():
            self._settle([request.entries[at]], Outcome.REJECTED, words)
        rest = [entry for at, entry in enumerate(request.entries) if at not in named]
        if request.mended:
            self._settle(rest, Outcome.RETRY, "another letter of the request was refused, twice")
        elif rest:
            self._queue.appendleft(_Request(rest, mended=True))

    def _settle(self, entries: Sequence[_Entry], outcome: Outcome, detail: str = "", *, provider_id: str = "") -> None:
        for place, letter, _ in entries:
            self._results[place] = Result(letter.delivery_id, outcome, _NAME, detail, provider_id)

    def _put_back(self, detail: str, retry_after: float | None, outcome: Outcome = Outcome.RETRY) -> None:
        for place, letter in enumerate(self._letters):
            if place not in self._results:
                self._results[place] = Result(letter.delivery_id, outcome, _NAME, detail, retry_after=retry_after)
