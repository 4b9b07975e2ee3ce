"""feedback: what came back by email, from a pipe or a mailbox."""

from __future__ import annotations

import os
import sys

from leadmagnet import mailbox
from leadmagnet.cli.shell import USAGE, Failure, Group, as_json, services, show
from leadmagnet.mail.reports import MOST_BYTES

feedback = Group("feedback", help="Bounces, complaints and wishes to leave that came by email.")

_WORDS = {
    "bounce": "A bounce, taken in.",
    "complaint": "A complaint, taken in.",
    "unsubscribe": "A wish to leave: the emails have stopped.",
    "nothing": "Nothing that counts: no report of an email of ours, and nobody who leaves.",
}


@feedback.command("bounce")
@as_json
def bounce(json_out: bool) -> None:
    """Take in one email from standard input: a bounce, a complaint, or a wish to leave."""
    raw = sys.stdin.buffer.read(MOST_BYTES)
    # What is left is read as well: whoever pipes it would take a closed pipe for a failure.
    while sys.stdin.buffer.read(MOST_BYTES):
        pass
    if not raw.strip():
        raise Failure("feedback bounce: no email on standard input.", USAGE)
    taken = mailbox.take(services(), raw)
    show({"taken": taken}, json_out, _WORDS[taken])


@feedback.command("mailbox")
@as_json
def read_mailbox(json_out: bool) -> None:
    """Read the mailbox of IMAP_URL now, as the worker does each minute."""
    if not services().config.imap_url:
        raise Failure("feedback mailbox: IMAP_URL is not set.", USAGE)
    try:
        found = mailbox.look(services(), f"command-{os.getpid()}")
    except mailbox.MailboxAway as error:
        raise Failure(str(error)) from error
    counts = {name: found.get(name, 0) for name in _WORDS}
    show(counts, json_out, ", ".join(f"{number} {name}" for name, number in counts.items()))
