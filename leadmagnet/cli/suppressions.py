"""suppressions: the addresses that stay stopped, out and in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from leadmagnet import store
from leadmagnet.audience.csv_files import BadFile, survey
from leadmagnet.audience.suppressions import Report, known_people, lines, take_in
from leadmagnet.cli.lists import write_rejects
from leadmagnet.cli.shell import USAGE, Failure, Group, as_json, iso, services, show
from leadmagnet.feedback.stopping import stop_all
from leadmagnet.feedback.way_back import open_way_back
from leadmagnet.signup.addresses import BadAddress, parse_address

suppressions = Group("suppressions", help="Addresses that stay stopped, also after an erasure.")


@suppressions.command("list")
@click.argument("email", required=False)
@as_json
def list_command(email: str | None, json_out: bool) -> None:
    """Count the addresses that stay stopped, by reason; or say of EMAIL whether and why it does."""
    parts = services()
    if email is None:
        with store.reading(parts.engine) as session:
            counts = store.suppressions.counts(session)
        show(counts, json_out, ", ".join(f"{number} {reason}" for reason, number in counts.items()) or "None.")
        return
    canonical = _canonical(email)
    with store.reading(parts.engine) as session:
        found = store.suppressions.suppressed(session, parts.config.suppression_key, canonical)
    result = {"suppressed": found is not None, "reason": found.reason if found else None}
    result["at"] = iso(found.at) if found else None
    show(result, json_out, f"Stays stopped: {found.reason}, {iso(found.at)}." if found else "Not on the list.")


@suppressions.command("lift")
@click.argument("email")
@as_json
def lift_command(email: str, json_out: bool) -> None:
    """Let EMAIL sign up again, because its owner has asked for it. Nothing is sent until they do, and confirm."""
    parts = services()
    canonical = _canonical(email)
    with store.writing(parts.engine) as session:
        now, key = parts.clock.now(), parts.config.suppression_key
        lifted = open_way_back(session, canonical, now.course, key=key, actor="command")
    show({"lifted": lifted}, json_out, "May sign up again, and confirms then." if lifted else "Nothing kept it out.")


def _canonical(email: str) -> str:
    try:
        return parse_address(email).canonical
    except BadAddress as error:
        raise Failure(f"{email}: {error}") from error


@suppressions.command("export")
@click.option("--to", "file", type=click.Path(dir_okay=False, path_type=Path), help="A file instead of the screen.")
def export_command(file: Path | None) -> None:
    """Print the list as CSV: fingerprints, no addresses."""
    parts = services()
    with store.reading(parts.engine) as session:
        text = lines(session, parts.config.suppression_key)
        if file is None:
            for part in text:
                click.echo(part, nl=False)
            return
        file.touch(mode=0o600)
        with file.open("w", encoding="utf-8", newline="") as out:
            out.writelines(text)
    click.echo(f"Written to {file}.", err=True)


@suppressions.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json
def import_command(file: Path, json_out: bool) -> None:
    """Take in a CSV FILE with a header: email or hash, and where present reason and at."""
    parts = services()
    now, key = parts.clock.now(), parts.config.suppression_key
    try:
        with (
            file.open(encoding=survey(file).encoding, newline="") as text,
            store.engine.writing_in_batches(parts.engine) as session,
        ):

            def after_batch(_report: Report) -> None:
                session.commit()

            report = take_in(session, text, now, key=key, parse_address=parse_address, after_batch=after_batch)
            for people in known_people(session, key, report.added):
                report.stopped += stop_all(session, people, now, channel="suppression list", actor="command")
                session.commit()
    except BadFile as error:
        raise Failure(f"{file}: {error}", USAGE) from error
    result = _result(report, write_rejects(file, report.rejects))
    words = ", ".join(f"{name} {value}" for name, value in result.items() if value is not None)
    show(result, json_out, words)
    for line, reason, _ in [] if json_out else report.rejects[:10]:
        click.echo(f"line {line}: {reason}", err=True)


def _result(report: Report, rejects: Path | None) -> dict[str, Any]:
    return {
        "read": report.read,
        "created": len(report.added) - report.known,
        "unchanged": report.known,
        "stopped": report.stopped,
        "rejected": len(report.rejects),
        "rejects_file": str(rejects) if rejects else None,
    }
