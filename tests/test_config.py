"""Settings: what is missing or wrong stops the start with one line that names the setting and says what to do."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import MISSING, fields
from datetime import date
from pathlib import Path

import pytest

from config import BadSetting, Config
from leadmagnet import services
from leadmagnet.domain.tokens import BadToken, Purpose, sign
from leadmagnet.domain.tokens import read as read_token

#: No keys that an earlier `make run` has left may come to the help of a test.
NOWHERE = Path(__file__).parent / "no-instance"
KEYS = {"SECRET_KEY": "k" * 40, "SUPPRESSION_KEY": "p" * 40}
OWN_CLINIC = {
    "CLINIC_NAME": "Harbour Physio",
    "CLINIC_ADDRESS": "1 Harbour Street, Halifax, NS B3H 1A1",
    "CLINIC_PHONE": "902-555-0100",
    "MAIL_FROM": "hello@harbour.example",
}


def read(**settings: str) -> Config:
    return Config.from_env(KEYS | settings, NOWHERE)


def refusal(environ: dict[str, str]) -> str:
    with pytest.raises(BadSetting) as caught:
        Config.from_env(environ, NOWHERE)
    return str(caught.value)


def test_two_keys_are_enough_to_start() -> None:
    config = read()
    assert config.mail_transport == ("outbox",)
    assert config.database_url.startswith("sqlite:///")
    assert config.is_sample_clinic
    assert config.is_loopback


def test_old_rows_stay_unless_told_otherwise() -> None:
    assert read().ledger_retention_days == 0
    assert read().consent_ip_days is read().consent_agent_days is None
    assert [read(CONSENT_IP_DAYS=days).consent_ip_days for days in ("0", "365")] == [0, 365]
    assert [read(LEDGER_RETENTION_DAYS=days).ledger_retention_days for days in ("0", "30", "36500")] == [0, 30, 36_500]


def test_every_setting_has_a_default_or_is_required() -> None:
    required = {field.name for field in fields(Config) if field.default is MISSING}
    assert required == {"secret_key", "suppression_key", "database_url"}
    assert all(field.default_factory is MISSING for field in fields(Config)), "a default must be visible in the class"


@pytest.mark.parametrize("name", ["SECRET_KEY", "SUPPRESSION_KEY"])
def test_a_missing_key_stops_the_start(name: str) -> None:
    line = refusal({key: value for key, value in KEYS.items() if key != name})
    assert line.startswith(f"{name} is not set.")
    assert f"{name}_FILE" in line
    assert "\n" not in line


@pytest.fixture
def start(tmp_path: Path) -> Callable[[dict[str, str]], str]:
    """Start as wsgi.py does, settings and parts; return the line that stopped it."""
    place = {"OUTBOX_DIR": str(tmp_path / "outbox"), "DATABASE_URL": f"sqlite:///{tmp_path / 'a.db'}"}

    def run(environ: dict[str, str]) -> str:
        with pytest.raises(BadSetting) as caught:
            built = services.build(Config.from_env(place | environ, NOWHERE))
            built.engine.dispose()
            built.links.page(1)
        return str(caught.value)

    return run


@pytest.mark.parametrize(
    ("settings", "names", "advice"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY", "32 characters or more"),
        ({"SECRET_KEY": "k" * 40 + ",short"}, "SECRET_KEY", "32 characters or more"),
        ({"SECRET_KEY": " , "}, "SECRET_KEY", ""),
        ({"SUPPRESSION_KEY": "short"}, "SUPPRESSION_KEY", "32 characters or more"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL", ""),
        ({"DATABASE_URL": "mysql://clinic@127.0.0.1/clinic"}, "DATABASE_URL", ""),
        ({"PUBLIC_URL": "videos.example.org"}, "PUBLIC_URL", "https://"),
        ({"PUBLIC_URL": "ftp://videos.example.org"}, "PUBLIC_URL", "https://"),
        ({"PUBLIC_URL": "https://videos.example.org/below"}, "PUBLIC_URL", "https://"),
        ({"PUBLIC_URL": "https://videos.example.org?x=1"}, "PUBLIC_URL", "https://"),
        ({"PUBLIC_URL": "http://127.0.0.1:eighty"}, "PUBLIC_URL", "https://"),
        ({"PUBLIC_URL": "http://[half"}, "PUBLIC_URL", "https://"),
        ({"MAIL_TRANSPORT": "pigeon"}, "MAIL_TRANSPORT", "outbox, smtp, sendgrid"),
        ({"MAIL_TRANSPORT": ","}, "MAIL_TRANSPORT", "outbox, smtp, sendgrid"),
        ({"MAIL_TRANSPORT": "outbox,outbox"}, "MAIL_TRANSPORT", ""),
        ({"MAIL_TRANSPORT": "smtp"}, "SMTP_URL", "smtp://user:password@host:587"),
        ({"MAIL_TRANSPORT": "smtp", "SMTP_URL": "https://mail.example"}, "SMTP_URL", "smtp://"),
        ({"MAIL_TRANSPORT": "smtp", "SMTP_URL": "smtp://u:p#x@h:587"}, "SMTP_URL cannot be read", "%23"),
        ({"MAIL_TRANSPORT": "smtp", "SMTP_URL": "smtp://", **OWN_CLINIC}, "SMTP_URL", "smtp://"),
        ({"MAIL_TRANSPORT": "sendgrid"}, "SENDGRID_API_KEY", "must be set"),
        (
            {"MAIL_TRANSPORT": "sendgrid", "SENDGRID_API_KEY": "k", "SENDGRID_API_URL": "nowhere", **OWN_CLINIC},
            "SENDGRID_API_URL",
            "https://",
        ),
        ({"MAIL_FROM": "hello"}, "MAIL_FROM", "hello@example.org"),
        ({"MAIL_FROM": "Us <hello@example.org>"}, "MAIL_FROM", "hello@example.org"),
        ({"MAIL_REPLY_TO": "a@example.org, b@example.org"}, "MAIL_REPLY_TO", "hello@example.org"),
        ({"MAIL_UNSUBSCRIBE": "leave"}, "MAIL_UNSUBSCRIBE", "hello@example.org"),
        ({"BROKER_URL": "sqs://broker.example"}, "BROKER_URL", "redis://"),
        ({"BROKER_URL": "redis://"}, "BROKER_URL", "redis://"),
        ({"BROKER_URL": "amqp://broker.example:half"}, "BROKER_URL", "amqp://"),
        ({"BROKER_URL": "redis://broker.example/0?namespace=a:b"}, "BROKER_URL", "letters, digits"),
        ({"SEND_RATE": "fast"}, "SEND_RATE", "number"),
        ({"SEND_RATE": "0"}, "SEND_RATE", "number"),
        ({"DOMAIN_RATE": "gmail.com"}, "DOMAIN_RATE", "gmail.com=50"),
        ({"DOMAIN_RATE": "gmail.com=50,,*=5"}, "DOMAIN_RATE", "an empty part"),
        ({"DOMAIN_RATE": "gmail.com=50;*=5"}, "DOMAIN_RATE", "is not a number"),
        ({"DOMAIN_RATE": "gmail.com=0"}, "DOMAIN_RATE", "is not a number from 0.001"),
        ({"DOMAIN_RATE": "gmail.com=nan"}, "DOMAIN_RATE", "is not a number"),
        ({"DOMAIN_RATE": "gmail.com=5,Gmail.com.=6"}, "DOMAIN_RATE", "gmail.com twice"),
        ({"DOMAIN_RATE": "gmail=5"}, "DOMAIN_RATE", "ASCII"),
        ({"DOMAIN_RATE": "*.gmail.com=5"}, "DOMAIN_RATE", "ASCII"),
        ({"DOMAIN_RATE": "praxis-zürich.ch=5"}, "DOMAIN_RATE", "ASCII"),
        ({"DOMAIN_RATE": "192.0.2.1=5"}, "DOMAIN_RATE", "ASCII"),
        ({"DOMAIN_RATE": "a@gmail.com=5"}, "DOMAIN_RATE", "ASCII"),
        ({"SEND_RATE": "inf"}, "SEND_RATE", "number"),
        ({"CLAIM_LEASE_SECONDS": "0"}, "CLAIM_LEASE_SECONDS", "number"),
        ({"EVIDENCE_WINDOW_SECONDS": "nan"}, "EVIDENCE_WINDOW_SECONDS", "number"),
        ({"LEDGER_RETENTION_DAYS": "29"}, "LEDGER_RETENTION_DAYS", "30 days or more, or 0"),
        ({"LEDGER_RETENTION_DAYS": "-1"}, "LEDGER_RETENTION_DAYS", "number from 0"),
        ({"LEDGER_RETENTION_DAYS": "a year"}, "LEDGER_RETENTION_DAYS", "number from 0"),
        ({"LEDGER_RETENTION_DAYS": "400.5"}, "LEDGER_RETENTION_DAYS", "whole"),
        ({"LEDGER_RETENTION_DAYS": "36501"}, "LEDGER_RETENTION_DAYS", "36,500"),
        ({"CONSENT_IP_DAYS": "-1"}, "CONSENT_IP_DAYS", "number from 0"),
        ({"CONSENT_AGENT_DAYS": "0.5"}, "CONSENT_AGENT_DAYS", "whole"),
        ({"RUN_WORKER_IN_WEB": "perhaps"}, "RUN_WORKER_IN_WEB", "true or false"),
        ({"TIME_LAPSE": "0.5"}, "TIME_LAPSE", "number"),
        ({"CLINIC_TIMEZONE": "Mars/Olympus"}, "CLINIC_TIMEZONE", "America/Vancouver"),
        ({"CLINIC_TIMEZONE": "../../etc/passwd"}, "CLINIC_TIMEZONE", "America/Vancouver"),
        ({"CLINIC_BOOKING_URL": "javascript:alert(1)"}, "CLINIC_BOOKING_URL", "https://"),
        ({"DATABASE_URL": "postgresql+psycopg://u:p@db.example:port/name"}, "DATABASE_URL", ":5432/name"),
        ({"DATABASE_URL": "sqlite:////proc/x/y.db"}, "DATABASE_URL", "folder"),
        ({"DATABASE_URL": "sqlite:////etc/passwd/y.db"}, "DATABASE_URL", "folder"),
        ({"PUBLIC_URL": "http://a b"}, "PUBLIC_URL", "https://"),
        ({"PUBLIC_URL": "https://user:secret@videos.example.org"}, "PUBLIC_URL", "no password"),
        ({"PUBLIC_URL": "https://videos.example.org?"}, "PUBLIC_URL", "https://"),
        ({"PUBLIC_URL": "https://-.example.org"}, "PUBLIC_URL", "https://"),
        ({"PUBLIC_URL": "https://exa<b>mple.org"}, "PUBLIC_URL", "https://"),
        ({"PUBLIC_URL": "https://zürich.example.org"}, "PUBLIC_URL", "https://"),
        ({"PUBLIC_URL": "https://videos.example.org:0"}, "PUBLIC_URL", "https://"),
        ({"CLINIC_BOOKING_URL": "https://example.org/book a visit"}, "CLINIC_BOOKING_URL", "https://"),
        ({"CLINIC_BOOKING_URL": "https://u:p@example.org/"}, "CLINIC_BOOKING_URL", "no password"),
        ({"SENDGRID_API_URL": "https://u:p@api.sendgrid.com"}, "SENDGRID_API_URL", "no password"),
        ({"OUTBOX_DIR": "/etc/passwd"}, "OUTBOX_DIR", "is a file"),
        ({"OUTBOX_DIR": "/etc/passwd/below"}, "OUTBOX_DIR", "is a file"),
        ({"CLAIM_LEASE_SECONDS": "1e300"}, "CLAIM_LEASE_SECONDS", "86,400"),
        ({"CLAIM_LEASE_SECONDS": "86401"}, "CLAIM_LEASE_SECONDS", "86,400"),
        ({"CLAIM_LEASE_SECONDS": "1.5"}, "CLAIM_LEASE_SECONDS", "whole"),
        ({"EVIDENCE_WINDOW_SECONDS": "604801"}, "EVIDENCE_WINDOW_SECONDS", "604,800"),
        ({"SEND_RATE": "1e300"}, "SEND_RATE", "1,000,000"),
        ({"TIME_LAPSE": "1e300"}, "TIME_LAPSE", "1,000,000"),
        ({"TIME_LAPSE": "1000001"}, "TIME_LAPSE", "1,000,000"),
        ({"MAIL_FROM": "hello@example.org\nBcc: all@example.org"}, "MAIL_FROM", "one line"),
        ({"MAIL_FROM": "he@llo@example.org"}, "MAIL_FROM", "hello@example.org"),
        ({"MAIL_FROM": "hello@"}, "MAIL_FROM", "hello@example.org"),
        ({"MAIL_FROM": "@example.org"}, "MAIL_FROM", "hello@example.org"),
        ({"MAIL_FROM": "l" * 65 + "@example.org"}, "MAIL_FROM", "hello@example.org"),
        ({"MAIL_FROM": "hallo@zürich.example"}, "MAIL_FROM", "hello@example.org"),
        ({"CLINIC_NAME": "Harbour\r\nPhysio"}, "CLINIC_NAME", "one line"),
        ({"CLINIC_NAME": "\u200b"}, "CLINIC_NAME", "blank"),
        ({"CLINIC_NAME": "H" * 121}, "CLINIC_NAME", "120"),
        ({"CLINIC_ADDRESS": "1 Harbour Street\nHalifax"}, "CLINIC_ADDRESS", "one line"),
        ({"CLINIC_PHONE": "..."}, "CLINIC_PHONE", "blank"),
        ({"CONTENT_REVIEWER": "Dr \udcff"}, "CONTENT_REVIEWER", "one line"),
        ({"SECRET_KEY": "\udcff" * 40}, "SECRET_KEY", "UTF-8"),
        ({"MAIL_TRANSPORT": "smtp", "SMTP_URL": "smtp://h?starttls=maybe", **OWN_CLINIC}, "SMTP_URL", "starttls"),
        ({"MAIL_TRANSPORT": "smtp", "SMTP_URL": "smtp://a b", **OWN_CLINIC}, "SMTP_URL", "smtp://"),
        ({"MAIL_TRANSPORT": "sendgrid", "SENDGRID_API_KEY": "two words", **OWN_CLINIC}, "SENDGRID_API_KEY", "one word"),
    ],
    ids=str,
)
def test_a_bad_setting_stops_the_start(
    settings: dict[str, str], names: str, advice: str, start: Callable[[dict[str, str]], str]
) -> None:
    line = start(KEYS | settings)
    assert names in line
    assert advice in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("transport", "more"),
    [
        ("smtp", {"SMTP_URL": "smtp://user:password@mail.example:587"}),
        ("sendgrid", {"SENDGRID_API_KEY": "a-key"}),
        ("outbox,smtp", {"SMTP_URL": "smtp://mail.example"}),
    ],
)
def test_the_sample_clinic_writes_to_nobody(transport: str, more: dict[str, str]) -> None:
    """Real email from a made-up postal address would break the law, so the start stops."""
    settings = {"MAIL_TRANSPORT": transport, **more}
    line = refusal(KEYS | settings)
    assert "CLINIC_ADDRESS" in line
    assert "sample" in line
    assert read(**settings, **OWN_CLINIC).mail_transport == tuple(transport.split(","))


def test_no_line_repeats_a_secret(start: Callable[[dict[str, str]], str]) -> None:
    """What stops the start is printed and logged, so it may not hold a password or a key."""
    for settings in (
        {"SECRET_KEY": "tiny-secret"},
        {"SUPPRESSION_KEY": "tiny-secret"},
        {"MAIL_TRANSPORT": "smtp", "SMTP_URL": "http://user:tiny-secret@mail.example"},
        {"BROKER_URL": "http://user:tiny-secret@broker.example"},
        {"MAIL_TRANSPORT": "sendgrid,smtp", "SENDGRID_API_KEY": "tiny-secret"},
        {"MAIL_TRANSPORT": "sendgrid", "SENDGRID_API_KEY": "tiny-secret has words", **OWN_CLINIC},
        {"MAIL_TRANSPORT": "smtp", "SMTP_URL": "smtp://user:tiny-secret@mail.example?starttls=maybe", **OWN_CLINIC},
        {"PUBLIC_URL": "https://user:tiny-secret@example.org"},
        {"IMAP_URL": "imap://user:tiny-secret@mail.example"},
        {"IMAP_URL": "imaps://user:tiny-secret@mail.example:port"},
        {"INBOUND_SECRET": "tiny-secret with words"},
        {"DATABASE_URL": "postgresql+psycopg://user:tiny-secret@db.example:tiny-secret/x"},
    ):
        assert "tiny-secret" not in start(KEYS | settings)


@pytest.mark.parametrize("field", [field.name for field in fields(Config)])
def test_every_setting_has_a_file_twin(field: str, tmp_path: Path) -> None:
    values = {
        "mail_transport": "outbox",
        "database_url": "sqlite:///elsewhere.db",
        "public_url": "https://videos.example.org",
        "sendgrid_api_url": "https://api.eu.sendgrid.com",
        "smtp_url": "smtp://mail.example",
        "broker_url": "redis://broker.example:6379/0",
        "mail_from": "hello@example.org",
        "mail_reply_to": "hello@example.org",
        "mail_unsubscribe": "leave@example.org",
        "mail_bounces": "returned@example.org",
        "imap_url": "imaps://user:word@mail.example/Returned",
        "outbox_dir": str(tmp_path),
        "send_rate": "5",
        "domain_rate": "gmail.com=5",
        "daily_cap": "5",
        "trusted_proxies": "10.0.0.0/8",
        **dict.fromkeys(("signup_address_cap", "signup_network_cap", "signup_form_cap", "signup_hourly_cap"), "5"),
        "signup_requests_per_minute": "5",
        "warm_up": "5,10",
        "warm_up_start": "2026-03-31",
        "claim_lease_seconds": "5",
        "evidence_window_seconds": "5",
        "ledger_retention_days": "400",
        "consent_ip_days": "30",
        "consent_agent_days": "0",
        "time_lapse": "5",
        "run_worker_in_web": "true",
        "track_links": "true",
        "clinic_timezone": "Europe/Zurich",
        "clinic_phone": "902-555-0100",
        "clinic_booking_url": "https://example.org/book",
    }
    text = values.get(field, "from-a-file-" + "x" * 32)
    file = tmp_path / "secret"
    file.write_text(f"{text}\n", encoding="utf-8")
    environ = {key: value for key, value in KEYS.items() if key != field.upper()}
    if field == "warm_up_start":
        environ["WARM_UP"] = "5,10"
    found = Config.from_env(environ | {f"{field.upper()}_FILE": str(file)}, NOWHERE)
    assert getattr(found, field) == getattr(Config.from_env(environ | {field.upper(): text}, NOWHERE), field)
    line = refusal(environ | {field.upper(): text, f"{field.upper()}_FILE": str(file)})
    assert line == f"{field.upper()} and {field.upper()}_FILE are both set. Set one of them."


def test_a_file_that_cannot_be_read_or_is_empty_stops_the_start(tmp_path: Path) -> None:
    empty, binary = tmp_path / "empty", tmp_path / "binary"
    empty.write_text(" \n", encoding="utf-8")
    binary.write_bytes(b"\xff\xfe\x00")
    for path, words in ((tmp_path / "none", "cannot be read"), (tmp_path, "cannot be read"), (empty, "is empty")):
        line = refusal({"SUPPRESSION_KEY": "p" * 40, "SECRET_KEY_FILE": str(path)})
        assert line.startswith("SECRET_KEY_FILE=")
        assert words in line
        assert "\n" not in line
    assert "cannot be read" in refusal({"SUPPRESSION_KEY": "p" * 40, "SECRET_KEY_FILE": str(binary)})


def test_commands_find_the_keys_that_make_run_left(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("a" * 40 + "\n", encoding="utf-8")
    (tmp_path / "suppression_key").write_text("b" * 40 + "\n", encoding="utf-8")
    found = Config.from_env({}, tmp_path)
    assert (found.secret_key, found.suppression_key) == (("a" * 40,), "b" * 40)
    assert Config.from_env({"SECRET_KEY": "c" * 40}, tmp_path).secret_key == ("c" * 40,)


def test_an_empty_setting_is_no_setting() -> None:
    assert read(MAIL_TRANSPORT=" ", TIME_LAPSE="", SECRET_KEY_FILE="") == read()


def test_keys_rotate_through_a_comma_list() -> None:
    """The first signs, all verify: so a link made before the rotation still opens."""
    old, new = "o" * 40, "n" * 40
    before, during, after = (read(SECRET_KEY=keys).secret_keys for keys in (old, f" {new} , {old},", new))
    assert during == (new.encode(), old.encode())
    token = sign(before, Purpose.PAGE, 7)
    assert read_token(during, Purpose.PAGE, token, 1) == (7,)
    assert read_token(after, Purpose.PAGE, sign(during, Purpose.PAGE, 8), 1) == (8,)
    with pytest.raises(BadToken):
        read_token(after, Purpose.PAGE, token, 1)


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost", True),
        ("http://[::1]:8000", True),
        ("https://videos.example.org", False),
        ("http://127.0.0.1.example.org", False),
        ("http://192.168.1.5:8000", False),
    ],
)
def test_loopback_is_told_from_the_world(url: str, loopback: bool) -> None:
    assert read(PUBLIC_URL=url).is_loopback is loopback


def test_values_take_their_form() -> None:
    config = read(PUBLIC_URL="https://videos.example.org/", MAIL_TRANSPORT=" outbox ", TIME_LAPSE="8640")
    assert config.public_url == "https://videos.example.org"
    assert config.public_host == "videos.example.org"
    assert config.time_lapse == 8640
    assert read(OUTBOX_DIR="here").outbox_dir.is_absolute()


def test_what_is_odd_but_sound_is_taken() -> None:
    assert read(PUBLIC_URL="HTTPS://Videos.Example.ORG:/").public_url == "https://videos.example.org"
    assert read(PUBLIC_URL="http://[::1]:8000").is_loopback
    assert read(CLINIC_NAME="Physio\u00a0Zürich & Söhne").clinic_name == "Physio\u00a0Zürich & Söhne"
    assert read(CLINIC_BOOKING_URL="https://example.org/bücher?a=1#b").clinic_booking_url.endswith("#b")
    assert read(MAIL_FROM="o'neil+news@mail.example.org").mail_from == "o'neil+news@mail.example.org"
    wrapped = "x" * 64 + "\n" + "y" * 24
    assert read(SUPPRESSION_KEY=wrapped).suppression_key == wrapped
    assert read(TIME_LAPSE="1e6").time_lapse == 1_000_000


def test_a_folder_where_nothing_may_be_written_stops_only_the_outbox(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    away = str(tmp_path / "closed" / "outbox")
    if os.geteuid() != 0:  # the superuser may write everywhere
        assert "nothing may be written" in refusal(KEYS | {"OUTBOX_DIR": away})
    smtp = {"MAIL_TRANSPORT": "smtp", "SMTP_URL": "smtp://mail.example", **OWN_CLINIC}
    assert str(read(OUTBOX_DIR=away, **smtp).outbox_dir) == away


def test_settings_without_effect_are_named() -> None:
    """Nobody should believe in a limit that is not kept."""
    assert read().without_effect == ()
    assert read(METRICS_TOKEN="t").without_effect == ("METRICS_TOKEN",)


def test_limits_of_sending_are_read_and_refused() -> None:
    limits = read(SEND_RATE="0.5", DAILY_CAP="400", WARM_UP="50, 100,200", WARM_UP_START="2026-03-31")
    assert (limits.send_rate, limits.daily_cap, limits.warm_up) == (0.5, 400, (50, 100, 200))
    rates = read(DOMAIN_RATE="GMail.com = 50, xn--bcher-kva.example=0.5,*=200").domain_rate
    assert rates == (("gmail.com", 50.0), ("xn--bcher-kva.example", 0.5), ("*", 200.0))
    assert limits.warm_up_start == date(2026, 3, 31)
    for bad, word in (
        ({"DAILY_CAP": "0"}, "DAILY_CAP=0 is not a number from 1"),
        ({"DAILY_CAP": "1.5"}, "whole"),
        ({"WARM_UP": "50,,100"}, "WARM_UP= is not a number"),
        ({"WARM_UP": "50;100"}, "WARM_UP=50;100"),
        ({"WARM_UP": "9", "WARM_UP_START": "tomorrow"}, "Write it as 2026-03-31"),
        ({"WARM_UP_START": "2026-03-31"}, "WARM_UP is not"),
    ):
        assert word in refusal(KEYS | bad)
