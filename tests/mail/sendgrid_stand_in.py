"""A stand-in for SendGrid's Mail Send on a loopback port: checks the rules that matter, renders, and fails on request.

It substitutes as naively as a provider might: literally, tag by tag, inside values too, until nothing changes.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "SG.test-key"
RESERVED = {
    "x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding",
    "to", "from", "subject", "reply-to", "cc", "bcc",
}  # fmt: skip
KNOWN = {"personalizations", "from", "reply_to", "subject", "content", "tracking_settings"}
KNOWN_OWN = {"to", "headers", "custom_args", "substitutions"}


@dataclass
class Plan:
    """What to do with one request. `late` seconds pass before the answer; `cut` closes without one."""

    status: int = 0
    headers: dict = field(default_factory=dict)
    errors: list = field(default_factory=list)
    late: float = 0.0
    cut: bool = False
    accept_first: bool = False


@dataclass
class Delivered:
    """One message as its reader would get it."""

    to_email: str
    to_name: str
    sender: dict
    reply_to: dict
    subject: str
    text: str
    html: str
    headers: dict
    custom_args: dict


class StandIn:
    """The server. `plans` are used up one a request; with none left, requests are judged on their merits."""

    def __init__(self) -> None:
        self.plans: list[Plan] = []
        self.requests: list[dict] = []
        self.statuses: list[int] = []
        self.other_paths: list[tuple[str, str]] = []
        self.delivered: list[Delivered] = []
        self.refused: set[str] = set()
        self.name_all = True
        self.most_bytes = 30_000_000
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("BoundHandler", (Handler,), {"stand_in": self}))
        self._server.daemon_threads = False
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def judge(self, body: dict) -> list[dict]:
        """Return the errors of a request, as the provider words them."""
        errors = [*_check_shape(body)]
        for at, own in enumerate(body.get("personalizations", [])):
            errors += _check_own(f"personalizations.{at}", own, self.refused)
        return errors if self.name_all else errors[:1]

    def accept(self, body: dict) -> None:
        contents = {part["type"]: part["value"] for part in body["content"]}
        for own in body["personalizations"]:
            values = own.get("substitutions", {})
            self.delivered.append(
                Delivered(
                    to_email=own["to"][0]["email"],
                    to_name=own["to"][0].get("name", ""),
                    sender=body["from"],
                    reply_to=body.get("reply_to", {}),
                    subject=substituted(body["subject"], values),
                    text=substituted(contents["text/plain"], values),
                    html=substituted(contents["text/html"], values),
                    headers=own.get("headers", {}),
                    custom_args=own.get("custom_args", {}),
                )
            )


def substituted(text: str, values: dict) -> str:
    for _ in range(5):
        before = text
        for tag, value in values.items():
            text = text.replace(tag, value)
        if text == before:
            break
    return text


def _error(place: str, message: str) -> dict:
    return {"message": message, "field": place}


def _check_shape(body: dict):
    own = body.get("personalizations")
    if not isinstance(own, list) or not 1 <= len(own) <= 1000:
        yield _error("personalizations", "1 to 1000 are required")
    times = Counter(person["email"].lower() for one in own or [] for person in one.get("to", []))
    if any(count > 1 for count in times.values()):
        yield _error("personalizations", "each address may occur once")
    if set(body) - KNOWN:
        yield _error("null", f"unknown: {sorted(set(body) - KNOWN)}")
    yield from _check_envelope(body)
    yield from _check_content(body)


def _check_envelope(body: dict):
    if not _is_person(body.get("from")):
        yield _error("from.email", "required")
    if "reply_to" in body and not _is_person(body["reply_to"]):
        yield _error("reply_to.email", "required")


def _check_content(body: dict):
    if not body.get("subject"):
        yield _error("subject", "required")
    content = body.get("content", [])
    if [part.get("type") for part in content] != ["text/plain", "text/html"] or not all(
        p.get("value") for p in content
    ):
        yield _error("content", "text/plain, then text/html, neither empty")
    settings = body.get("tracking_settings", {})
    wanted = {"click_tracking", "open_tracking", "subscription_tracking", "ganalytics"}
    if set(settings) != wanted or any(one.get("enable") is not False for one in settings.values()):
        yield _error("tracking_settings", "this account expects every kind of tracking to be off")


def _is_person(person) -> bool:
    if not isinstance(person, dict) or set(person) - {"email", "name"}:
        return False
    email, name = person.get("email", ""), person.get("name", "x")
    return bool(re.fullmatch(r"[^\s@<>,;]+@[!-~]+", email)) and len(email) <= 320 and bool(name)


def _check_own(place: str, own: dict, refused: set):
    if set(own) - KNOWN_OWN:
        yield _error(place, f"unknown: {sorted(set(own) - KNOWN_OWN)}")
    if not all(isinstance(value, str) for value in own.get("custom_args", {}).values()):
        yield _error(f"{place}.custom_args", "must be strings")
    yield from _check_recipient(place, own.get("to", []), refused)
    yield from _check_values(place, own.get("substitutions", {}))
    yield from _check_headers(place, own.get("headers", {}))


def _check_recipient(place: str, to: list, refused: set):
    if len(to) != 1 or not _is_person(to[0]) or not to[0]["email"].isascii():
        yield _error(f"{place}.to.0.email", "Does not contain a valid address.")
    elif to[0]["email"] in refused:
        yield _error(f"{place}.to.0.email", f"Does not contain a valid address: {to[0]['email']}")
    if to and re.search(r"[;,\r\n\x00]", to[0].get("name", "")):
        yield _error(f"{place}.to.0.name", "must not contain ; or ,")


def _check_values(place: str, values: dict):
    if not all(isinstance(value, str) for value in values.values()):
        yield _error(f"{place}.substitutions", "must be strings")
    elif sum(len(tag.encode()) + len(value.encode()) for tag, value in values.items()) > 10_000:
        yield _error(f"{place}.substitutions", "may not exceed 10000 bytes")
    if any(re.search(r"[\s<>&]", tag) for tag in values):
        yield _error(f"{place}.substitutions", "no spaces and no < > & in tags")


def _check_headers(place: str, headers: dict):
    for name, value in headers.items():
        if name.lower() in RESERVED or not re.fullmatch(r"[!-9;-~]+", name):
            yield _error(f"{place}.headers", f"{name} may not be set")
        if not isinstance(value, str) or not value.isascii() or re.search(r"[\r\n\x00]", value):
            yield _error(f"{place}.headers", f"the value of {name} is no ASCII string on one line")


class Handler(BaseHTTPRequestHandler):
    """One request. `stand_in` is set on the subclass that a server gets."""

    stand_in: StandIn

    def log_message(self, *_args):
        pass

    def do_GET(self):
        with self.stand_in.lock:
            self.stand_in.other_paths.append(("GET", self.path))
        self._answer(202, {"X-Message-Id": "from-a-redirect"}, [])

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/v3/mail/send":
            with self.stand_in.lock:
                self.stand_in.other_paths.append(("POST", self.path))
            self._answer(404, {}, [_error("null", "not found")])
            return
        with self.stand_in.lock:
            plan, decision = self._receive(raw)
        if plan.late:
            self.stand_in.stopping.wait(plan.late)
        if not plan.cut:
            self._answer(*decision)

    def _receive(self, raw):
        body = json.loads(raw)
        self.stand_in.requests.append(body)
        plan = self.stand_in.plans.pop(0) if self.stand_in.plans else Plan()
        decision = (plan.status, plan.headers, plan.errors) if plan.status else self._decide(raw, body)
        if plan.accept_first or (not plan.status and not plan.cut and decision[0] == 202):
            self.stand_in.accept(body)
        self.stand_in.statuses.append(decision[0])
        return plan, decision

    def _decide(self, raw, body):
        if self.headers["Authorization"] != f"Bearer {KEY}":
            return 401, {}, [_error("null", "authorization required")]
        if len(raw) > self.stand_in.most_bytes:
            return 413, {}, [_error("null", "content too large")]
        errors = self.stand_in.judge(body)
        accepted = 202, {"X-Message-Id": f"request-{len(self.stand_in.requests)}"}, []
        return (400, {}, errors) if errors else accepted

    def _answer(self, status, headers, errors):
        text = json.dumps({"errors": errors}).encode() if errors else b""
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
        except OSError:
            # The client did not wait: that is what some tests are about.
            self.close_connection = True
