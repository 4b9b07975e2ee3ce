"""What entry points share, built once from the settings: database, clock, mailer, links, the clinic.

Entry points (web, commands, worker) hold a Services; rooms get the single things they need as arguments.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.exc import ArgumentError

from config import BadSetting, Config
from leadmagnet import store
from leadmagnet.clock import Anchor, Clock, real_now
from leadmagnet.domain.message import Mailer
from leadmagnet.mail.build import mailer_from
from leadmagnet.rendering.clinic import Clinic
from leadmagnet.rendering.links import Links


@dataclass(frozen=True, slots=True)
class Services:
    """The running program's parts."""

    config: Config
    engine: Engine
    clock: Clock
    mailer: Mailer
    links: Links
    clinic: Clinic


def clinic_from(config: Config) -> Clinic:
    """Return the clinic as the settings describe it."""
    return Clinic(
        name=config.clinic_name,
        address=config.clinic_address,
        phone=config.clinic_phone,
        timezone=config.clinic_timezone,
        booking_url=config.clinic_booking_url,
        reviewer=config.content_reviewer,
        mail_from=config.mail_from,
        reply_to=config.mail_reply_to or config.mail_from,
        unsubscribe_mailto=config.mail_unsubscribe,
    )


def new_mailer(config: Config) -> Mailer:
    """Return a mailer of its own: each thread that sends needs one, because connections are not shared.

    Raises BadSetting.
    """
    try:
        return mailer_from(
            ",".join(config.mail_transport),
            outbox_dir=config.outbox_dir,
            smtp_url=config.smtp_url,
            bounces_to=config.mail_bounces,
            sendgrid_api_key=config.sendgrid_api_key,
            sendgrid_api_url=config.sendgrid_api_url,
        )
    except ValueError as error:
        raise BadSetting(f"{error}.") from error


def mailers_beside(config: Config, engine: Engine, senders: int) -> list[Mailer]:
    """Return a mailer for each of `senders` but the first; none on SQLite, whose file has one writer at a time."""
    return [] if engine.dialect.name == "sqlite" else [new_mailer(config) for _ in range(senders - 1)]


def _engine(url: str) -> Engine:
    # No message repeats any part of the address, which may hold a password.
    try:
        return store.connect(url)
    except OSError as error:
        raise BadSetting(f"DATABASE_URL: the file's folder cannot be made ({error.strerror}).") from None
    except (ArgumentError, ValueError):
        raise BadSetting("DATABASE_URL must look like postgresql+psycopg://user:password@host:5432/name.") from None


def build(config: Config) -> Services:
    """Build the parts. Nothing is connected to before it is used. Raises BadSetting."""
    engine = _engine(config.database_url)

    def find_anchor() -> Anchor | None:
        with store.reading(engine) as session:
            ready, found = store.clocks.standing(session, config.time_lapse)
        if ready or config.time_lapse is None:
            return found
        with store.writing(engine) as session:
            return store.clocks.anchor(session, real_now(), config.time_lapse)

    links = Links(config.public_url, config.secret_keys)
    return Services(config, engine, Clock(find_anchor), new_mailer(config), links, clinic_from(config))
