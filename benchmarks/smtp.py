"""Messages a second to Postfix's smtp-sink on this machine: smtplib, our client, and smtp-source as the ceiling.

    python -m benchmarks.smtp [ROUNDS]

Needs smtp-sink and smtp-source (Debian: postfix; its service need not run). The ways take turns; the table shows the
median of the rounds and how far they lie apart. The sink runs on the same cores and throws the messages away.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import smtplib
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import IO

from benchmarks.messages import batch_of
from leadmagnet.domain.message import Batch, Outcome, expand
from leadmagnet.mail import Composer, SmtpMailer

PATH = "/usr/sbin:/usr/bin:/usr/local/sbin"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def sink(*options: str, output: IO[bytes] | None = None) -> Iterator[int]:
    """Run smtp-sink and give its port; what it prints goes to `output`."""
    port = free_port()
    if os.geteuid() == 0:
        options = ("-u", "nobody", *options)
    command = [shutil.which("smtp-sink", path=PATH) or "smtp-sink", *options, f"127.0.0.1:{port}", "256"]
    process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


def usual(port: int, batch: Batch) -> None:
    """EmailMessage and smtplib, one connection for all."""
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        for one in batch.letters:
            filled = expand(batch.content, one.values)
            message = EmailMessage()
            message["From"], message["To"], message["Subject"] = batch.from_email, one.to_email, filled.subject
            message.set_content(filled.text)
            message.add_alternative(filled.html, subtype="html")
            smtp.send_message(message)


def library(port: int, batch: Batch) -> None:
    """Our compiled messages and smtplib, one connection for all."""
    composer = Composer(batch)
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        for one in batch.letters:
            smtp.sendmail(batch.from_email, one.to_email, composer.message(one))


def ours(connections: int) -> Callable[[int, Batch], None]:
    """Our mailer with so many connections."""

    def way(port: int, batch: Batch) -> None:
        mailer = SmtpMailer(f"smtp://127.0.0.1:{port}", most_connections=connections)
        assert {result.outcome for result in mailer.send(batch)} == {Outcome.SENT}
        mailer.close()

    return way


def source(sessions: int) -> Callable[[int, Batch], None]:
    """Postfix's own load generator: no work but the network's."""

    def way(port: int, batch: Batch) -> None:
        command = [shutil.which("smtp-source", path=PATH) or "smtp-source", "-d", "-s", str(sessions)]
        subprocess.run([*command, "-l", "16800", "-m", str(len(batch.letters)), f"127.0.0.1:{port}"], check=True)

    return way


WAYS: dict[str, tuple[Callable[[int, Batch], None], int]] = {
    "EmailMessage, smtplib": (usual, 300),
    "compiled, smtplib": (library, 1_000),
    "ours, 1 connection": (ours(1), 3_000),
    "ours, 4 connections": (ours(4), 6_000),
    "ours, 8 connections": (ours(8), 6_000),
    "smtp-source, 1 session": (source(1), 3_000),
    "smtp-source, 4 sessions": (source(4), 6_000),
}


def main(rounds: int) -> None:
    """Measure and print."""
    rates: dict[str, list[float]] = {name: [] for name in WAYS}
    batches = {name: batch_of(count) for name, (_, count) in WAYS.items()}
    with sink() as port:
        for _ in range(rounds):
            for name, (way, count) in WAYS.items():
                begun = time.perf_counter()
                way(port, batches[name])
                rates[name].append(count / (time.perf_counter() - begun))
    base = statistics.median(rates["EmailMessage, smtplib"])
    for name, found in rates.items():
        middle = statistics.median(found)
        print(f"{name:24} {middle:>8,.0f}/s  {min(found):>7,.0f} - {max(found):>7,.0f}  {middle / base:>6.1f} x")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
