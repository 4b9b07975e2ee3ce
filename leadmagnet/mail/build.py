"""The transport setting -> a mailer. Must not know: where the settings come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from leadmagnet.domain.message import Mailer
from leadmagnet.mail.failover import Failover
from leadmagnet.mail.outbox import Outbox
from leadmagnet.mail.sendgrid import SendGridMailer
from leadmagnet.mail.smtp import SmtpMailer


def mailer_from(
    transport: str,
    *,
    outbox_dir: Path | str | None = None,
    smtp_url: str | None = None,
    bounces_to: str = "",
    sendgrid_api_key: str | None = None,
    sendgrid_api_url: str | None = None,
) -> Mailer:
    """Return the mailer for "outbox", "smtp", "sendgrid", or a comma list of them as a fail-over order.

    Nothing is connected. Raises ValueError, which names the setting at fault and no secret.
    """
    kinds: Mapping[str, Callable[[], Mailer]] = {
        "outbox": lambda: Outbox(Path(_needed("OUTBOX_DIR", "outbox", outbox_dir))),
        "smtp": lambda: SmtpMailer(str(_needed("SMTP_URL", "smtp", smtp_url)), bounces_to=bounces_to),
        "sendgrid": lambda: SendGridMailer(
            str(_needed("SENDGRID_API_KEY", "sendgrid", sendgrid_api_key)),
            sendgrid_api_url or "https://api.sendgrid.com",
        ),
    }
    names = [name.strip() for name in transport.split(",")]
    if len(set(names)) < len(names) or not set(names) <= kinds.keys():
        raise ValueError("MAIL_TRANSPORT must be outbox, smtp or sendgrid, or a comma list that names none twice")
    mailers = [kinds[name]() for name in names]
    return mailers[0] if len(mailers) == 1 else Failover(mailers)


def _needed(setting: str, transport: str, value: Path | str | None) -> Path | str:
    if not value:
        raise ValueError(f"MAIL_TRANSPORT={transport} needs {setting}")
    return value
