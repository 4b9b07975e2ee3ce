"""prepare.

What `make run` does before it serves. Migrates, loads the six videos, makes the first marketer, says where to go.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

import click

from leadmagnet import store
from leadmagnet.cli.database import upgrade_to_head
from leadmagnet.cli.shell import command, services
from leadmagnet.editing.shipped import load_shipped

OWNER = "owner@clinic.example"


@command("prepare")
def prepare() -> None:
    """Make the database ready, load what comes with the product, and print where everything is."""
    parts = services()
    _, backup = upgrade_to_head(parts.engine)
    if backup is not None:
        click.echo(f"Backup before the migration: {backup}")
    # Outside of it: the first look at a fast clock is a transaction of its own.
    at = parts.clock.now().course
    with store.writing(parts.engine) as session:
        done = load_shipped(session, at)
    if done.kept:
        click.echo(f"Kept as you edited them: {', '.join(done.kept)}")
    _say(parts.config.public_url, _first_marketer())
    _say_clock()


def _say_clock() -> None:
    parts = services()
    now, lapse = parts.clock.now(), parts.config.time_lapse
    if lapse not in (None, 1):
        click.echo(f"  Time lapse     {lapse:g} course seconds pass in each real one.\n")
    elif now.course - now.real > timedelta(minutes=1):
        click.echo(
            f"  Clock          The course stands at {now.course:%d %B %Y}, because it was run in a time lapse before.\n"
            "                 It goes on from there; remove instance/ to begin afresh.\n"
        )


def _first_marketer() -> str | None:
    """Make an owner with a random password if there is no marketer yet; return the password, which is shown once."""
    from leadmagnet.cli.marketers import add_first_owner

    password = secrets.token_urlsafe(15)
    return password if add_first_owner(OWNER, password) else None


def _say(url: str, password: str | None) -> None:
    sign_in = f"{OWNER}, password {password} (shown this once)" if password else "with the account made before"
    parts = services()
    lines = ["", "Leadmagnet is ready.", f"  Sign up        {url}/"]
    if parts.config.mail_transport == ("outbox",) and parts.config.is_loopback:
        lines.append(f"  Read emails    {url}/outbox/")
    lines += [f"  Marketers      {url}/admin/  {sign_in}", "  Stop           Ctrl-C", ""]
    click.echo("\n".join(lines))
