"""The commands: `flask --app wsgi …`. Names, options and printed JSON are contracts (docs/commands.md)."""

from __future__ import annotations

from flask import Flask

from leadmagnet.cli import (
    database,
    feedback,
    lists,
    marketers,
    preparing,
    sending,
    sequences,
    simulating,
    subscribers,
    suppressions,
    work,
)
from leadmagnet.cli.shell import Root


def register(app: Flask) -> None:
    """Add all commands to the application."""
    app.cli = Root(app.name)
    for group in (
        database.db,
        sequences.sequence,
        subscribers.subscribers,
        marketers.marketers,
        sending.sending,
        sending.deliveries,
        feedback.feedback,
        suppressions.suppressions,
    ):
        app.cli.add_command(group)
    for listed in (lists.import_command, lists.export_command, lists.erase_command):
        subscribers.subscribers.add_command(listed)
    for command in (work.worker, work.tick_command, preparing.prepare, simulating.simulate_command):
        app.cli.add_command(command)
