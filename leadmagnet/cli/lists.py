"""subscribers import, export, erase."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from leadmagnet import store
from leadmagnet.audience.cells import safe_cell
from leadmagnet.audience.csv_files import BadFile, survey
from leadmagnet.audience.erase import erase
from leadmagnet.audience.export import lines
from leadmagnet.audience.importing import Report, import_rows, read
from leadmagnet.audience.listing import Filter
from leadmagnet.cli.shell import USAGE, Failure, as_json, command, services, show
from leadmagnet.signup.addresses import BadAddress, parse_address


@command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--consent", default="", help="The basis for rows without one: when and how these people agreed.")
@click.option("--enroll", metavar="SLUG", help="Start this sequence at once, without a confirmation email.")
@as_json
def import_command(file: Path, consent: str, enroll: str | None, json_out: bool) -> None:
    """Take in a CSV FILE with a header: email, and where present first_name, timezone, source, consent."""
    parts, screen = services(), sys.stderr
    try:
        seen = survey(file)
        with (
            file.open(encoding=seen.encoding, newline="") as text,
            click.progressbar(
                length=max(0, seen.lines - 1), label="Importing", file=screen, hidden=not screen.isatty()
            ) as bar,
            store.engine.writing_in_batches(parts.engine) as session,
        ):

            def after_batch(report: Report) -> None:
                session.commit()
                bar.update(report.read - bar.pos)

            report = import_rows(
                session,
                read(text),
                parts.clock.now(),
                consent=consent,
                enroll=enroll,
                clinic_zone=parts.config.clinic_timezone,
                suppression_key=parts.config.suppression_key,
                parse_address=parse_address,
                after_batch=after_batch,
            )
    except BadFile as error:
        raise Failure(f"{file}: {error}", USAGE) from error
    result = _result(report, write_rejects(file, report.rejects))
    words = ", ".join(f"{key} {value}" for key, value in result.items() if value is not None)
    show(result, json_out, words)


def _result(report: Report, rejects: Path | None) -> dict[str, Any]:
    return {
        "read": report.read,
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "rejected": report.rejected,
        "rejects_file": str(rejects) if rejects else None,
    }


def write_rejects(file: Path, rejects: Sequence[tuple[int, str, Mapping[str, str]]]) -> Path | None:
    """Write the rejected rows beside the file, each with its line and the reason; readable by the owner alone."""
    target = file.with_suffix(".rejects.csv")
    if not rejects:
        return None
    target.touch(mode=0o600)
    with target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        columns = list(dict.fromkeys(name for _, _, cells in rejects for name in cells))
        writer.writerow(["line", "reason", *columns])
        for line, reason, cells in rejects:
            writer.writerow([line, reason, *(safe_cell(cells.get(name, "")) for name in columns)])
    return target


@command("export")
@click.option("--to", "file", type=click.Path(dir_okay=False, path_type=Path), help="A file instead of the screen.")
def export_command(file: Path | None) -> None:
    """Print everybody as CSV; the first columns can be imported again."""
    parts = services()
    with store.reading(parts.engine) as session:
        text = lines(session, Filter(), parts.clock.now().course)
        if file is None:
            for part in text:
                click.echo(part, nl=False)
            return
        file.touch(mode=0o600)
        with file.open("w", encoding="utf-8", newline="") as out:
            out.writelines(text)
    click.echo(f"Written to {file}.", err=True)


@command("erase")
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
def erase_command(email: str, yes: bool, json_out: bool) -> None:
    """Erase everything about EMAIL. It cannot be undone."""
    parts = services()
    try:
        canonical = parse_address(email).canonical
    except BadAddress as error:
        raise Failure(f"{email}: {error}") from error
    if not yes and sys.stdin.isatty():
        click.confirm(f"Erase everything about {email}?", abort=True)
    with store.writing(parts.engine) as session:
        gone = erase(session, canonical, parts.clock.now(), parts.config.suppression_key)
    if not gone:
        raise Failure(f"nobody here has the address {email}.")
    show({"erased": True}, json_out, "Erased.")
