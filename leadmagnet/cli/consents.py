"""subscribers consent, consents export: the record of who agreed to what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from leadmagnet import store
from leadmagnet.audience.proof import as_data, proof_of
from leadmagnet.audience.proof_export import csv_lines, json_parts
from leadmagnet.cli.shell import Group, as_json, command, services, show
from leadmagnet.cli.subscribers import find

consents = Group("consents", help="Who agreed to what.")


@command("consent")
@click.argument("email")
@as_json
def consent_command(email: str, json_out: bool) -> None:
    """Prove EMAIL's consent: which words, when, where and how, and everything since."""
    with store.reading(services().engine) as session:
        found = as_data(proof_of(session, find(session, email)))
    show(found, json_out, _words(found))


def _words(proof: dict[str, Any]) -> str:
    lines = [f"{proof['email']}  {proof['status']}  agreed to: {', '.join(proof['granted']) or 'nothing'}"]
    for event in proof["events"]:
        from_where = [event[name] for name in ("page", "ip", "user_agent", "detail") if event[name]]
        wording = f"wording {event['wording']}" if event["wording"] else ""
        link = f"link {event['token_id']}" if event["token_id"] else ""
        facts = [f"by {event['channel']}", wording, link, *from_where]
        what = f"{event['kind']:<10} {' '.join(event['purposes'])}"
        lines.append(f"{event['at']}  {what:<36} {'; '.join(fact for fact in facts if fact)}")
    for wording in proof["wordings"]:
        version = f", version {wording['version']}" if wording["version"] else ""
        lines.append(f"\nWording {wording['id']}{version}, {wording['language']}:\n{wording['text']}")
    return "\n".join(lines)


@consents.command("export")
@click.option("--to", "file", type=click.Path(dir_okay=False, path_type=Path), help="A file instead of the screen.")
@as_json
def export(file: Path | None, json_out: bool) -> None:
    """Print everybody's consents, as CSV with a line for each event, or as JSON."""
    with store.reading(services().engine) as session:
        text = json_parts(session) if json_out else csv_lines(session)
        if file is None:
            for part in text:
                click.echo(part, nl=False)
            return
        file.touch(mode=0o600)
        with file.open("w", encoding="utf-8", newline="") as out:
            out.writelines(text)
    click.echo(f"Written to {file}.", err=True)
