"""sequence load, export, calendar, pause, resume."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy.orm import Session

from leadmagnet import pauses, store
from leadmagnet.cli.shell import INSTANT, USAGE, Failure, Group, as_json, iso, services, show
from leadmagnet.domain.rehearsal import rehearse
from leadmagnet.domain.zones import UnknownZone, zone
from leadmagnet.editing.export import export
from leadmagnet.editing.files import join, read_files
from leadmagnet.editing.load import Loaded, load
from leadmagnet.editing.shipped import load_shipped
from leadmagnet.rendering.document import BadDocument

#: What a sample subscriber of the rehearsal exercises on: Monday, Wednesday, Friday.
SAMPLE_DAYS = frozenset({0, 2, 4})
#: Who paused or resumed, in the record.
BY = "command"

sequence = Group("sequence", help="The sequence of emails: load, export, rehearse, pause, resume.")


@sequence.command("load")
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@as_json
def load_command(path: Path | None, json_out: bool) -> None:
    """Load a FILE or FOLDER; without one, the six videos that come with the product."""
    parts = services()
    now = parts.clock.now().course
    try:
        files = read_files(path) if path is not None else None
        with store.writing(parts.engine) as session:
            if files is None:
                done = load_shipped(session, now)
            else:
                done = load(session, files, now, author=str(path), shipped=False)
    except (BadDocument, OSError) as error:
        raise Failure(str(error)) from error
    show(done.summary(), json_out, _words(done))


def _words(done: Loaded) -> str:
    lists = (("created", done.created), ("updated", done.updated), ("removed", done.removed), ("kept", done.kept))
    changes = [f"{name}: {', '.join(slugs)}" for name, slugs in lists if slugs]
    return f"{done.sequence}: " + ("; ".join(changes) if changes else "nothing changed") + "."


@sequence.command("export")
@click.argument("slug")
@click.option(
    "--to", "folder", type=click.Path(path_type=Path), help="Write a folder of files instead of printing one."
)
def export_command(slug: str, folder: Path | None) -> None:
    """Print the sequence SLUG as one file that `sequence load` reads, or write it to a folder."""
    parts = services()
    with store.reading(parts.engine) as session:
        named = export(session, _found(session, slug))
    if folder is None:
        click.echo(join(named), nl=False)
        return
    try:
        _write(folder, named)
    except OSError as error:
        raise Failure(f"{folder} cannot be written: {error.strerror}.") from error
    click.echo(f"{len(named)} files written to {folder}.")


def _write(folder: Path, named: Mapping[str, str]) -> None:
    """Write files into a folder. Raises Failure before the first one where a name leads elsewhere, and OSError."""
    base = folder.resolve()
    for name in named:
        if not (base / name).resolve().is_relative_to(base):
            raise Failure(f"{name} would be written outside {folder}: give that email another slug.")
    for name, source in named.items():
        target = base / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source, encoding="utf-8")


def _found(session: Session, slug: str) -> store.sequences.Sequence:
    found = store.sequences.by_slug(session, slug)
    if found is None:
        raise Failure(_unknown(slug))
    return found


def _unknown(slug: str) -> str:
    return f"there is no sequence {slug}. Load it first: flask sequence load."


@sequence.command("calendar")
@click.argument("slug")
@click.option("--start", type=INSTANT, required=True, help="When the sample subscriber confirms.")
@click.option("--timezone", "zone_name", required=True, help="The sample subscriber's zone, as Europe/Zurich.")
@as_json
def calendar(slug: str, start: datetime, zone_name: str, json_out: bool) -> None:
    """Rehearse: every email of a sample subscriber with its instant, local time and reason."""
    try:
        where = zone(zone_name)
    except UnknownZone as error:
        raise Failure(str(error), USAGE) from error
    with store.reading(services().engine) as session:
        found = _found(session, slug)
        steps = [step.rule() for step in store.sequences.steps_of(session, found.id)]
        planned = rehearse(steps, found.rhythm(None), where, start, SAMPLE_DAYS)
    rows = [
        {
            "kind": str(email.kind),
            "step": email.step,
            "at": iso(email.at),
            "local": email.at.astimezone(where).isoformat(),
            "reason": email.reason,
        }
        for email in planned
    ]
    words = [f"{row['local']}  {row['kind']:<9} {row['step']:<24} {row['reason']}" for row in rows]
    show(rows, json_out, "\n".join(words))


@sequence.command("pause")
@click.argument("slug")
@as_json
def pause(slug: str, json_out: bool) -> None:
    """Hold every email of the sequence SLUG, until `sequence resume`. Nothing is lost."""
    done = pauses.pause(services(), slug, services().clock.now().course, BY)
    if done is None:
        raise Failure(_unknown(slug))
    before = "" if done.changed else "It was paused already. "
    words = f"{before}Nothing of {slug} goes out until: flask --app wsgi sequence resume {slug}. {done.waiting} held."
    show({"sequence": slug, "paused": True, "changed": done.changed, "held": done.waiting}, json_out, words)


@sequence.command("resume")
@click.argument("slug")
@as_json
def resume(slug: str, json_out: bool) -> None:
    """Let the sequence SLUG go on: one overdue email a person, and the next a full delay later."""
    done = pauses.resume(services(), slug, services().clock.now().course, BY)
    if done is None:
        raise Failure(_unknown(slug))
    gone_on = f"{slug} goes on. {done.waiting} held emails go out one by one, each inside its reader's window."
    words = gone_on if done.changed else f"{slug} was not paused."
    show({"sequence": slug, "paused": False, "changed": done.changed, "held": done.waiting}, json_out, words)
