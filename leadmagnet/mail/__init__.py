"""Message -> provider: SendGrid, SMTP and the outbox behind the Mailer of domain/message.py.

A mailer gets plain values and says what became of each letter. Must not know: subscribers, sessions, settings.
"""

from leadmagnet.mail.build import mailer_from
from leadmagnet.mail.failover import Failover, has_evidence_from
from leadmagnet.mail.mime import Composer
from leadmagnet.mail.outbox import Outbox
from leadmagnet.mail.parsed import ParsedMail, Summary
from leadmagnet.mail.sendgrid import SendGridMailer
from leadmagnet.mail.smtp import SmtpMailer

__all__ = [
    "Composer",
    "Failover",
    "Outbox",
    "ParsedMail",
    "SendGridMailer",
    "SmtpMailer",
    "Summary",
    "has_evidence_from",
    "mailer_from",
]
