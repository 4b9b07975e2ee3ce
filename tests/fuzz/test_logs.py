"""Nothing that is logged names a key, an address or a person: pages that work, that refuse and that break."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import structlog
from gunicorn.config import Config as GunicornConfig
from hypothesis import given, settings
from hypothesis import strategies as st

from leadmagnet import store
from leadmagnet.domain.tokens import Purpose, sign
from leadmagnet.logs import Discreet, configure, discreet
from tests.fuzz.asks import Ask, Ground
from tests.fuzz.target import Target

ROOT = Path(__file__).parents[2]
FORM = (("Content-Type", b"application/x-www-form-urlencoded"),)


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    """A target of its own, with a page that breaks."""
    made = Target(tmp_path)
    yield made
    made.close()


def secrets_of(ground: Ground) -> list[str]:
    keyed = [key for kind in ("confirm", "u", "p", "done", "c", "calendar") for key in ground.keys[kind]]
    shown = [key for key in ground.keys["v"] if "-and-" not in key and key not in ("dead-bug", "side-plank")]
    return [*keyed, *shown, "@example.org", "a-secret-name", ground.csrf, ground.desk_csrf]


def test_driving_every_address_logs_no_key_no_address_no_name(
    target: Target, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    ground = target.ground()
    for door in ground.doors:
        kind = door.rule.split("/")[1]
        for key in (ground.keys.get(kind, ("x",))[0], "no" + ground.keys.get(kind, ("x",))[-1]):
            path = "".join(key if place % 2 else part for place, part in enumerate(door.parts)).encode()
            query = f"t={ground.keys['v'][0]}&email=b%40example.org&q=a-secret-name".encode()
            for method in ("GET", "POST"):
                form = f"csrf_token={ground.csrf}&email=b%40example.org&first_name=a-secret-name&password=x".encode()
                target.ask(Ask(method, path, query, FORM, form if method == "POST" else b"", signed_in=kind == "admin"))
    for _ in range(12):
        target.ask(Ask("POST", b"/admin/login", b"", FORM, f"csrf_token={ground.csrf}&email=b%40example.org".encode()))
    target.ask(Ask("POST", b"/webhooks/sendgrid", body=b'{"email": "b@example.org"}', signed=True))
    # The database is gone: everything that asks it breaks, and says so.
    store.Base.metadata.drop_all(target.parts.engine)
    for kind in ("u", "p", "confirm", "done", "c"):
        broken = target.ask(Ask("GET", f"/{kind}/{ground.keys[kind][0]}".encode(), b"email=b@example.org"))
        assert broken.status == 500
    out = capfd.readouterr()
    said = "\n".join([caplog.text, out.out, out.err])
    assert "Exception on /p/…" in said
    assert "OperationalError" in said
    assert [secret for secret in secrets_of(ground) if secret in said] == []


def test_the_program_s_own_log_is_discreet_and_shows_no_values(capfd: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    configure()
    try:
        anna = "anna@example.org"
        try:
            int(anna)
        except ValueError:
            structlog.get_logger("x").exception("failed for b@example.org", path="/p/AAAAAAAAAAAdcA9x", again=3)
    finally:
        structlog.configure(**before)
    out = capfd.readouterr()
    assert out.out == ""
    assert "@example.org" not in out.err
    assert "AAAAAAAAAAAdcA9x" not in out.err
    assert all(word in out.err for word in ("failed for", "/p/…", "again", "3", "ValueError", "Traceback"))


@pytest.fixture(scope="module")
def served() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gunicorn_conf", ROOT / "gunicorn.conf.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_access_log_that_somebody_asks_for_names_no_key_and_no_visitor(served: ModuleType) -> None:
    logger = served.logger_class(GunicornConfig())
    environ = {
        "REQUEST_METHOD": "GET", "RAW_URI": "/p/AAAAAAAAAAAdcA9x?t=BBBB", "SERVER_PROTOCOL": "HTTP/1.1",
        "PATH_INFO": "/p/AAAAAAAAAAAdcA9x", "QUERY_STRING": "t=BBBB", "REMOTE_ADDR": "192.0.2.7",
        "HTTP_REFERER": "https://x.example/?CCCC", "HTTP_USER_AGENT": "DDDD", "HTTP_COOKIE": "EEEE",
    }  # fmt: skip
    answer = SimpleNamespace(status="200 OK", headers=[("Location", "FFFF")], sent=12, response_length=12)
    request = SimpleNamespace(headers=[("REFERER", "CCCC"), ("COOKIE", "EEEE")])
    atoms = logger.atoms(answer, request, environ, timedelta(seconds=1))
    line = GunicornConfig().access_log_format + " %(U)s %(q)s %({cookie}i)s %({location}o)s %({raw_uri}e)s"
    said = line % logger.atoms_wrapper_class(atoms)
    assert '"GET /p/…' in said
    assert " 200 " in said
    for hidden in ("AAAA", "BBBB", "192.0.2.7", "CCCC", "DDDD", "EEEE", "FFFF"):
        assert hidden not in said


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**40), st.integers(0, 2**20), st.sampled_from(Purpose), st.binary(min_size=16, max_size=32))
def test_keys_and_addresses_never_pass(one: int, two: int, purpose: Purpose, secret: bytes) -> None:
    key = sign([secret], purpose, one, two)
    for text in (f"GET /c/{key} HTTP/1.1", f"/v/dead-bug?t={key}", f"'/u/{key}'", f"Exception on /done/{key} [POST]"):
        assert key not in discreet(text)
    record = logging.LogRecord("x", logging.ERROR, "f", 1, "for %s at %s", (f"/p/{key}", "o'neil+x@example.org"), None)
    assert Discreet().filter(record)
    assert record.getMessage() == "for /p/… at …@…"


@pytest.mark.parametrize(
    "text",
    ["worker started holder=clinic-42-0a1b2c3d4e5f", "/v/breathing-and-bracing", "six-core-videos", "12:30 100 %"],
)
def test_what_names_nobody_stays(text: str) -> None:
    assert discreet(text) == text


@pytest.mark.parametrize("ip", ["203.0.113.7", "2001:db8::7"])
def test_a_broken_request_is_logged_without_its_network(ip: str) -> None:
    said = discreet(f"Invalid request from ip={ip}: Invalid HTTP request line: 'zz'")
    assert said == "Invalid request from ip=…: Invalid HTTP request line: 'zz'"
