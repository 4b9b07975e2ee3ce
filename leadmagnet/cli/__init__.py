"""The commands: `flask --app wsgi …`. Names, options and printed JSON are contracts (docs/commands.md)."""

from __future__ import annotations

from flask import Flask

from leadmagnet.cli import database, marketers, preparing, sequences, subscribers, work


def register(app: Flask) -> None:
    """Add all commands to the application."""
    for group in (database.db, sequences.sequence, subscribers.subscribers, marketers.marketers):
        app.cli.add_command(group)
    for command in (work.worker, work.tick_command, preparing.prepare):
        app.cli.add_command(command)
