"""One peer sends the letters of a file, from its own tables to an SMTP server here; a line of JSON says how fast.

    .venv-peers/bin/python -m benchmarks.peers post-office|drip|drip-kept DATABASE_URL PORT LETTERS [PROCESSES]

DATABASE_URL is an empty database's, as `benchmarks.world` gives it; LETTERS is what `benchmarks.compare` wrote. Making
the tables and filling them is not timed; choosing what is due, rendering, sending and marking is. Must not import our
program: this runs in an environment of its own, made by `make bench-peers`.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import django
from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.utils import DNS_NAME
from django.core.management import call_command

#: Rows put in by one statement, outside the timed part.
ROWS = 500
#: Write-ahead log, and no flush at each commit: quicker than what our own program allows itself.
SQLITE = {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL", "transaction_mode": "IMMEDIATE"}
#: The best of what was tried on two cores, or as good; its defaults are 100 and 2. Level 1 logs failures only.
POST_OFFICE = {"BATCH_SIZE": 1000, "LOG_LEVEL": 1}
#: Processes -> threads, each with a connection that is kept for a batch. Its default, 5, is slower with either.
THREADS = {1: 2, 2: 1}


def database(url: str) -> dict[str, Any]:
    """Return Django's settings for the database at a URL of SQLAlchemy's form."""
    if url.startswith("sqlite:///"):
        options = SQLITE | {"timeout": 20}
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": url.removeprefix("sqlite:///"), "OPTIONS": options}
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.strip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": parts.port or "",
        # One connection for the whole run.
        "CONN_MAX_AGE": None,
    }


def set_up(url: str, port: int, processes: int) -> None:
    """Configure Django for that database, SMTP port and number of processes, and make the peers' tables."""
    # Before post_office is imported, which else tells of each batch.
    logging.getLogger("post_office").addHandler(logging.StreamHandler())
    logging.getLogger("post_office").setLevel(logging.WARNING)
    settings.configure(
        DATABASES={"default": database(url)},
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "post_office", "drip"],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        POST_OFFICE=POST_OFFICE | {"THREADS_PER_PROCESS": THREADS.get(processes, 1)},
        DRIP_MESSAGE_CLASSES={"bench": "benchmarks.drip_message.Message", "kept": "benchmarks.drip_message.Kept"},
        SECRET_KEY="bench-" + "s" * 40,
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", verbosity=0)
    # Looked up once a process, and it may take seconds: not the peer's doing.
    str(DNS_NAME)


def post_office(job: dict[str, Any], lock: Path, processes: int) -> tuple[Callable[[], object], Callable[[], int]]:
    """Queue the letters in post_office; return what sends them, and what counts its rows that are marked sent."""
    from post_office import mail, models

    template = models.EmailTemplate.objects.create(
        name="video", subject=job["subject"], content=job["text"], html_content=job["html"]
    )
    # A template handed over and rendered at delivery: the row holds the values alone.
    shared = {"sender": job["sender"], "template": template, "render_on_delivery": True}
    letters = [
        shared | {"recipients": one["to"], "context": one["values"], "headers": one["headers"]}
        for one in job["letters"]
    ]
    for start in range(0, len(letters), ROWS):
        mail.send_many(letters[start : start + ROWS])
    return (
        # What its command `send_queued_mail` calls: `send_queued` for batch after batch.
        lambda: mail.send_queued_mail_until_done(str(lock), processes),
        models.Email.objects.filter(status=models.STATUS.sent).count,
    )


def drip(job: dict[str, Any], message_class: str) -> tuple[Callable[[], object], Callable[[], int]]:
    """Make users who are due a drip; return what sends it, and what counts its rows of what was sent."""
    from django.contrib.auth.models import User
    from django.utils.timezone import now
    from drip.models import Drip, SentDrip

    from benchmarks import drip_message

    joined = now() - timedelta(days=4)
    people = [
        User(id=number, username=f"reader{number}", email=one["address"], date_joined=joined)
        for number, one in enumerate(job["letters"], start=1)
    ]
    User.objects.bulk_create(people, batch_size=ROWS)
    drip_message.LETTERS.update(enumerate(job["letters"], start=1))
    own = Drip.objects.create(
        name="video",
        enabled=True,
        from_email=job["from_email"],
        from_email_name=job["from_name"],
        subject_template=job["subject"],
        body_html_template=job["html"],
        message_class=message_class,
    )
    own.queryset_rules.create(field_name="date_joined", lookup_type="lte", field_value="now-3 days")

    def send() -> None:
        # What its command `send_drips` calls for each drip.
        own.drip.run()
        if message_class == "kept":
            drip_message.Kept.connection().close()

    return send, SentDrip.objects.count


def main(name: str, url: str, port: int, letters: Path, processes: int) -> None:
    """Fill the tables, send, and print: emails, seconds, emails a second, versions."""
    set_up(url, port, processes)
    job = json.loads(letters.read_text())
    if name == "post-office":
        send, sent = post_office(job, letters.with_suffix(".lock"), processes)
    else:
        send, sent = drip(job, {"drip": "bench", "drip-kept": "kept"}[name])
    with get_connection():
        pass  # Nobody listening should fail here, not as so many failed emails.
    begun = time.perf_counter()
    send()
    seconds = time.perf_counter() - begun
    if sent() != len(job["letters"]):
        raise SystemExit(f"{name}: {sent()} of {len(job['letters'])} rows are marked sent")
    versions = {part: version(part) for part in ("django", "django-post-office", "django-drip-campaigns", "psycopg")}
    said = {"peer": name, "emails": sent(), "seconds": seconds, "per_second": sent() / seconds, "versions": versions}
    print(json.dumps(said))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]), int((sys.argv[5:] or ["1"])[0]))
