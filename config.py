"""Settings from the environment: strict, frozen, read once at the start.

A bad or missing setting stops the start with one line that says what to do. Every name has a `_FILE` twin that reads
the value from a file, as secrets are handed over by most hosts. docs/settings.md lists them; a test compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

import config_rules as rules
from config_rules import BadSetting, shown

__all__ = ["BadSetting", "Config"]

INSTANCE = Path(__file__).resolve().parent / "instance"
SAMPLE_ADDRESS = "2210 Marine Crescent, Vancouver, BC V6P 0A0"
TRANSPORTS = ("outbox", "smtp", "sendgrid")
BROKERS = ("redis", "rediss", "amqp", "amqps")
DRIVERS = ("sqlite", "postgresql+psycopg")
NOT_BUILT = ("metrics_token",)
MIN_SECRET = 32
KEYS = ("secret_key", "suppression_key")
#: Texts that people read, and the most characters each may have.
WORDS = {"clinic_name": 120, "clinic_address": 250, "clinic_phone": 40, "content_reviewer": 200}
#: Least and most. A lease of more than a day, or a wait of more than a week (seconds), would hold an email for good.
WHOLE_NUMBERS = {
    "claim_lease_seconds": (1, 86_400),
    "evidence_window_seconds": (1, 604_800),
    "daily_cap": (1, rules.MOST_A_DAY),
    "consent_ip_days": (0, rules.LONGEST_STAY),
    "consent_agent_days": (0, rules.LONGEST_STAY),
    "signup_address_cap": (0, 1000),
    "signup_network_cap": (0, 1_000_000),
    "signup_form_cap": (0, 1_000_000),
    "signup_hourly_cap": (0, 1_000_000),
    "signup_requests_per_minute": (0, 1_000_000),
}
READERS: Mapping[str, Callable[[str, str], object]] = {
    "domain_rate": rules.domain_rates,
    "ledger_retention_days": rules.retention,
    "run_worker_in_web": rules.truth,
    "track_links": rules.truth,
    "trusted_proxies": rules.proxies,
    "warm_up": rules.ramp,
    "warm_up_start": rules.day,
}
FOLDERS = ("outbox_dir", "rejects_dir")
RATES = {"send_rate": rules.RATES, "time_lapse": (1, 1_000_000)}


@dataclass(frozen=True, slots=True)
class Config:
    """All settings, checked. Field names are the environment's names in lower case."""

    secret_key: tuple[str, ...]
    suppression_key: str
    database_url: str
    public_url: str = "http://127.0.0.1:8000"
    mail_transport: tuple[str, ...] = ("outbox",)
    outbox_dir: Path = INSTANCE / "outbox"
    smtp_url: str = ""
    sendgrid_api_key: str = ""
    sendgrid_api_url: str = "https://api.sendgrid.com"
    sendgrid_webhook_public_key: str = ""
    mail_from: str = "hello@riversidephysio.example"
    mail_reply_to: str = ""
    mail_unsubscribe: str = ""
    mail_bounces: str = ""
    imap_url: str = ""
    inbound_secret: str = ""
    metrics_token: str = ""
    broker_url: str = ""
    send_rate: float | None = None
    """Emails a second, over all workers."""
    domain_rate: tuple[tuple[str, float], ...] = ()
    """Emails a second to each domain, over all workers; `*` stands for each that is not named."""
    daily_cap: int | None = None
    """Emails a day, over all workers; a day begins at midnight in CLINIC_TIMEZONE."""
    warm_up: tuple[int, ...] = ()
    """Emails on the first day, the second …"""
    warm_up_start: date | None = None
    claim_lease_seconds: int = 120
    evidence_window_seconds: int = 900
    ledger_retention_days: int = 0
    consent_ip_days: int | None = None
    """After how many days network addresses leave the consent record; 0: they are never written. None: they stay."""
    consent_agent_days: int | None = None
    """The same for browsers' descriptions of themselves."""
    rejects_dir: Path = INSTANCE / "rejects"
    trusted_proxies: tuple[str, ...] = ()
    """Whose X-Forwarded-For counts: addresses, networks, and `unix`."""
    signup_address_cap: int = 5
    """Confirmations a day to one address; for all caps, 0 is none."""
    signup_network_cap: int = 30
    """Sign-ups an hour from one network, on one form, and in all."""
    signup_form_cap: int = 300
    signup_hourly_cap: int = 600
    signup_requests_per_minute: int = 30
    """Requests of the form a minute from one network; what is more gets 429, for each process."""
    run_worker_in_web: bool = False
    track_links: bool = False
    """Whether links to other sites are counted."""
    time_lapse: float | None = None
    """Course seconds in a real one. Unset, a server runs at 1 and a command takes the clock as it finds it."""
    clinic_name: str = "Riverside Physiotherapy"
    clinic_address: str = SAMPLE_ADDRESS
    clinic_phone: str = "604-555-0142"
    clinic_timezone: str = "America/Vancouver"
    clinic_booking_url: str = ""
    content_reviewer: str = ""

    @classmethod
    def from_env(cls, environ: Mapping[str, str], instance: Path = INSTANCE) -> Config:
        """Read and check the settings in `environ`; keys may lie in `instance`. Raises BadSetting with one line."""
        values = {field.name: _read(environ, field.name.upper()) for field in fields(cls)}
        given = {name: value for name, value in values.items() if value is not None}
        given.setdefault("database_url", f"sqlite:///{INSTANCE / 'leadmagnet.db'}")
        for name in KEYS:
            # `make run` has put them there; so commands typed by hand afterwards find the same keys.
            made = instance / name
            if name not in given and made.exists():
                given[name] = made.read_text(encoding="utf-8").strip()
            if name not in given:
                raise BadSetting(
                    f"{name.upper()} is not set. `make run` makes one for you; elsewhere set it to a random text of "
                    f"{MIN_SECRET} characters or more, or point {name.upper()}_FILE to a file that holds one."
                )
        parsed: dict[str, Any] = {name: _parse(name, value) for name, value in given.items()}
        config = cls(**parsed)
        _check(config)
        return config

    @property
    def without_effect(self) -> tuple[str, ...]:
        """Names of settings that are set and that this version does not act upon (docs/roadmap.md)."""
        return tuple(name.upper() for name in NOT_BUILT if getattr(self, name))

    @property
    def secret_keys(self) -> tuple[bytes, ...]:
        """The keys that sign tokens: the first signs, all verify."""
        return tuple(key.encode() for key in self.secret_key)

    @property
    def public_host(self) -> str:
        """The host name and port of PUBLIC_URL."""
        return urlsplit(self.public_url).netloc

    @property
    def is_loopback(self) -> bool:
        """Whether PUBLIC_URL points to this machine: then, and then only, the browser's outbox is served."""
        return _loopback(urlsplit(self.public_url).hostname or "")

    @property
    def is_trial(self) -> bool:
        """Whether emails are only files here and PUBLIC_URL is this machine."""
        return self.mail_transport == ("outbox",) and self.is_loopback

    @property
    def is_sample_clinic(self) -> bool:
        """Whether the clinic's address is still the sample's."""
        return self.clinic_address == SAMPLE_ADDRESS


def _read(environ: Mapping[str, str], name: str) -> str | None:
    """Return a setting's text, from its `_FILE` twin where that is set, None where it is not set or empty."""
    if name in environ and environ[name].strip() and environ.get(f"{name}_FILE", "").strip():
        raise BadSetting(f"{name} and {name}_FILE are both set. Set one of them.")
    path = environ.get(f"{name}_FILE", "").strip()
    if path:
        try:
            text = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadSetting(f"{name}_FILE={path} cannot be read: {error}") from error
        if not text:
            raise BadSetting(f"{name}_FILE={path} is empty.")
        return text
    return environ.get(name, "").strip() or None


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _parse(name: str, value: str) -> object:
    """Turn a setting's text into its type. Raises BadSetting."""
    if name not in KEYS:  # a key may well be what a random generator printed, line breaks and all
        rules.check_line(name, value)
    if name in ("secret_key", "mail_transport"):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if name in FOLDERS:
        return Path(value).resolve()
    if name in READERS:
        return READERS[name](name, value)
    if name in WHOLE_NUMBERS:
        return rules.whole_number(name, value, *WHOLE_NUMBERS[name])
    if name in RATES:
        return rules.number(name, value, *RATES[name])
    if name == "public_url":
        return rules.origin(value) or value
    return value


def _check(config: Config) -> None:
    if not config.secret_key:
        raise BadSetting("SECRET_KEY holds no key. Set it to one key, or to several with commas between them.")
    for key in (*config.secret_key, config.suppression_key):
        if len(key) < MIN_SECRET:
            raise BadSetting(f"SECRET_KEY and SUPPRESSION_KEY need {MIN_SECRET} characters or more each.")
        if any("\ud800" <= sign <= "\udfff" for sign in key):
            raise BadSetting("SECRET_KEY and SUPPRESSION_KEY must be text in UTF-8.")
    _check_database(config.database_url)
    _check_broker(config.broker_url)
    _check_addresses(config)
    _check_mailbox(config)
    _check_clinic(config)
    rules.check_folder("outbox_dir", config.outbox_dir, written="outbox" in config.mail_transport)
    rules.check_folder("rejects_dir", config.rejects_dir, written=False)
    _check_transport(config)
    _check_zone(config.clinic_timezone)
    if config.warm_up_start and not config.warm_up:
        raise BadSetting(
            "WARM_UP_START is set and WARM_UP is not. Set WARM_UP to the emails of each day, as 50,100,200."
        )


def _check_database(url: str) -> None:
    """Check the driver by name; the address is not repeated, because it may hold a password."""
    driver = url.partition(":")[0]
    if driver not in DRIVERS or "://" not in url:
        raise BadSetting(f"DATABASE_URL must begin with one of: {', '.join(f'{name}://' for name in DRIVERS)}.")


def _check_broker(url: str) -> None:
    """Check the broker's address, which is not repeated either."""
    if not url:
        return
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = SplitResult("", "", "", "", "")
    if parts.scheme not in BROKERS or not parts.hostname:
        raise BadSetting(
            f"BROKER_URL must be an address that begins with one of: {', '.join(f'{b}://' for b in BROKERS)}."
        )
    for namespace in parse_qs(parts.query).get("namespace", []):
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", namespace):
            raise BadSetting(f"BROKER_URL: namespace={namespace} may hold letters, digits, - and _, 40 at most.")


def _check_addresses(config: Config) -> None:
    """Check web and email addresses; one that may hold a password is not repeated."""
    if rules.origin(config.public_url) is None:
        _refuse_address("PUBLIC_URL", config.public_url, "is not an address like https://videos.example.org.")
    if rules.web_address(config.sendgrid_api_url) is None:
        _refuse_address("SENDGRID_API_URL", config.sendgrid_api_url, "is no address like https://api.sendgrid.com.")
    if config.clinic_booking_url and rules.web_address(config.clinic_booking_url) is None:
        _refuse_address("CLINIC_BOOKING_URL", config.clinic_booking_url, "must begin with https:// or http://.")
    for name in ("mail_from", "mail_reply_to", "mail_unsubscribe", "mail_bounces"):
        value = getattr(config, name)
        if value and not rules.is_bare_address(value):
            raise BadSetting(f"{name.upper()}={shown(value)} is not one bare email address like hello@example.org.")


def _check_mailbox(config: Config) -> None:
    """Check what comes back by email: the words repeat no part of an address that holds a password."""
    from leadmagnet.mail.imap import Account

    if config.imap_url:
        try:
            Account.from_url(config.imap_url)
        except ValueError as error:
            raise BadSetting(f"{error}.") from None
    if config.inbound_secret and not rules.is_path_secret(config.inbound_secret):
        raise BadSetting("INBOUND_SECRET needs 8 to 200 letters, figures, and - . _ ~ only: it is part of an address.")


def _refuse_address(name: str, value: str, words: str) -> None:
    if "@" in value:
        raise BadSetting(f"{name} {words} It may hold no user name and no password.")
    raise BadSetting(f"{name}={shown(value)} {words}")


def _check_clinic(config: Config) -> None:
    for name, most in WORDS.items():
        if value := getattr(config, name):
            rules.check_words(name, value, most)


def _check_transport(config: Config) -> None:
    unknown = [name for name in config.mail_transport if name not in TRANSPORTS]
    if unknown or not config.mail_transport or len(set(config.mail_transport)) < len(config.mail_transport):
        given = ",".join(config.mail_transport)
        raise BadSetting(f"MAIL_TRANSPORT={given} must be made of: {', '.join(TRANSPORTS)}; each once at most.")
    if "smtp" in config.mail_transport and not _smtp_address(config.smtp_url):
        like = "as in smtp://user:password@host:587, with %23 for a # in the password"
        raise BadSetting(
            f"SMTP_URL cannot be read: it must be {like}."
            if config.smtp_url
            else f"MAIL_TRANSPORT names smtp, so SMTP_URL must be set, {like}."
        )
    if "sendgrid" in config.mail_transport and not config.sendgrid_api_key:
        raise BadSetting("MAIL_TRANSPORT names sendgrid, so SENDGRID_API_KEY must be set.")
    real = [name for name in config.mail_transport if name != "outbox"]
    if real and config.is_sample_clinic:
        raise BadSetting(
            f"MAIL_TRANSPORT={real[0]} would send the sample clinic's postal address. Set CLINIC_NAME, CLINIC_ADDRESS, "
            "CLINIC_PHONE and MAIL_FROM to your own."
        )


def _smtp_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("smtp", "smtps") and bool(parts.hostname)


def _check_zone(name: str) -> None:
    from leadmagnet.domain.zones import UnknownZone, zone

    try:
        zone(name)
    except UnknownZone as error:
        raise BadSetting(f"CLINIC_TIMEZONE={name} is not a time zone like America/Vancouver.") from error
