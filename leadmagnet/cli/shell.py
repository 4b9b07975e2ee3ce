"""What all commands share: one-line errors, instants, results as JSON or as words."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import IO, Any, TypeVar, cast

import click
import orjson
from alembic.util import CommandError
from flask import current_app
from flask.cli import AppGroup, with_appcontext
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError, ProgrammingError

from leadmagnet.clock import END
from leadmagnet.services import Services

F = TypeVar("F", bound=Callable[..., Any])
USAGE, FAILED = 2, 1
#: No database of ours has a greater number for a row.
MOST_ID = 2**63 - 1
#: Rules of zones and arithmetic with dates need some room on either side.
EARLIEST_YEAR = 1969
#: Flask's decorator, with the type that it keeps.
in_app = cast("Callable[[F], F]", with_appcontext)


class Failure(click.ClickException):
    """One line on standard error and an exit status: 2 for wrong use, 1 for what failed."""

    def __init__(self, message: str, status: int = FAILED) -> None:
        """Fold the message into one line."""
        super().__init__(" ".join(message.split()))
        self.status = status

    @property
    def exit_code(self) -> int:  # type: ignore[override]  # click declares a class variable and reads it from instances
        """The exit status."""
        return self.status

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the line."""
        click.echo(f"leadmagnet: {self.message}", err=True, file=file)


class Command(click.Command):
    """A command whose usage errors are one line, too."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the arguments."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            raise Failure(f"{info_name}: {error.format_message()} See {info_name} --help.", USAGE) from error

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. What the database or a migration objects to is one line as well."""
        try:
            return super().invoke(ctx)
        except (OperationalError, ProgrammingError) as error:
            raise Failure(_database_words(error)) from error
        except DatabaseError as error:
            # Of this bare kind is a file that is no database; its subclasses are mistakes of ours.
            if type(error) is not DatabaseError:
                raise
            raise Failure(_database_words(error)) from error
        except CommandError as error:
            raise Failure(str(error)) from error
        except OSError as error:
            # A file that somebody named. Whatever else it is, a closed pipe for one, is click's to judge.
            if not error.filename:
                raise
            raise Failure(f"{error.filename}: {error.strerror}.") from error


def _database_words(error: DBAPIError) -> str:
    """Say what is wrong with the database, without its address, which may hold a password."""
    words = str(error.orig)
    if "FATAL" in words:  # PostgreSQL lets nobody in: no such database, no such role, a wrong password
        return f"the database cannot be used: {words.splitlines()[0]}"
    if "no such table" in words or "does not exist" in words or "no such column" in words:
        return f"the database has not been migrated ({words.splitlines()[0]}). Run: flask --app wsgi db upgrade."
    return f"the database cannot be used: {words}"


class Group(AppGroup):
    """A group of such commands, each run with the application at hand."""

    command_class = Command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was named."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise Failure(f"{self.name}: {error.format_message()} See {self.name} --help.", USAGE) from error


class Root(Group):
    """All commands. Flask's own group asks here for what it doesn't know itself, and would answer with four lines."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command:
        """Return a command. Raises Failure."""
        found = super().get_command(ctx, name)
        if found is None:
            near = difflib.get_close_matches(name, self.list_commands(ctx), 1)
            advice = f"Did you mean {near[0]}?" if near else "See flask --app wsgi --help."
            raise Failure(f"there is no command {name}. {advice}", USAGE)
        return found


def services() -> Services:
    """Return the running program's parts."""
    found: Services = current_app.extensions["leadmagnet"]
    return found


def command(name: str) -> Callable[[F], click.Command]:
    """Declare a command that stands alone."""

    def declare(function: F) -> click.Command:
        return click.command(name, cls=Command)(in_app(function))

    return declare


def as_json(function: F) -> F:
    """Add the option --json."""
    return click.option("--json", "json_out", is_flag=True, help="Print JSON.")(function)


def show(result: Any, json_out: bool, words: str) -> None:
    """Print a result, as JSON or in words."""
    click.echo(orjson.dumps(result, default=str).decode() if json_out else words)


class InstantType(click.ParamType[datetime, Any]):
    """An ISO 8601 instant; without an offset it is refused, because nobody could say what it means."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read the instant as UTC."""
        if isinstance(value, datetime):
            return value
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not an instant like 2026-11-23T09:00:00Z.", param, ctx)
        if found.tzinfo is None:
            self.fail(f"{value!r} has no offset. Write 2026-11-23T09:00:00Z or +01:00 at its end.", param, ctx)
        if not EARLIEST_YEAR < found.year < END.year:
            self.fail(f"{value!r} is too far away: take a year from 1970 to {END.year - 1}.", param, ctx)
        return found.astimezone(UTC)


INSTANT = InstantType()


def iso(instant: datetime) -> str:
    """Return an instant as ISO 8601 in UTC, ending in Z."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
