"""The documentation says what there is: every setting, command and address, and links that lead somewhere."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest
from flask import Flask

from config import TRANSPORTS, Config
from leadmagnet import create_app
from leadmagnet.domain.status import DeliveryKind, SkipReason
from leadmagnet.rendering.slots import KNOWN_SLOTS

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.fixture
def app(new_config: Callable[..., Config]) -> Iterator[Flask]:
    made = create_app(new_config())
    yield made
    made.extensions["leadmagnet"].mailer.close()
    made.extensions["leadmagnet"].engine.dispose()


def commands_of(group: dict[str, click.Command], before: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.items():
        if isinstance(command, click.Group):
            yield from commands_of(command.commands, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


@pytest.mark.parametrize("name", [field.name.upper() for field in fields(Config)])
def test_every_setting_is_documented(name: str) -> None:
    assert re.search(rf"^\| `{name}` \|", text("settings.md"), re.MULTILINE)


def test_no_setting_is_documented_that_is_not_there() -> None:
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", text("settings.md"), re.MULTILINE))
    assert documented == {field.name.upper() for field in fields(Config)}
    assert all(f"`{transport}`" in text("settings.md") for transport in TRANSPORTS)


def test_every_command_and_its_options_are_documented(app: Flask) -> None:
    rows = re.findall(r"^\| `([a-z][^`]*)` \|", text("commands.md"), re.MULTILINE)
    found = dict(commands_of(app.cli.commands))
    documented = {name: row for row in rows for name in found if row == name or row.startswith(f"{name} ")}
    assert set(found) == set(documented)
    assert len(rows) == len(found), "a command that is not there"
    for name, command in found.items():
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.opts[0] in documented[name], f"{name} {option.opts[0]}"


def test_every_address_and_its_methods_are_documented(app: Flask) -> None:
    documented = {
        (method, path)
        for methods, path in re.findall(r"^\| ([A-Z, ]+) `([^`]+)` \|", text("addresses.md"), re.MULTILINE)
        for method in methods.split(", ")
    }
    there = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert sorted(there - documented) == []
    assert sorted(documented - there) == []


def test_every_slot_kind_and_reason_is_documented() -> None:
    emails, reminders = text("emails.md"), text("reminders.md")
    assert not [slot for slot in KNOWN_SLOTS if f"{{{{{slot}}}}}" not in emails]
    assert not [kind for kind in DeliveryKind if f"`{kind}`" not in emails]
    # Reasons for other emails, never for a reminder.
    other = {SkipReason.STEP_REMOVED, SkipReason.ADDRESS_TAKEN}
    assert not [reason for reason in SkipReason if reason not in other and f"`{reason}`" not in reminders]


def test_every_dependency_has_its_reason() -> None:
    wanted = re.findall(r"^([a-z0-9-]+)", (ROOT / "requirements.in").read_text(encoding="utf-8"), re.MULTILINE)
    named = re.findall(r"^\| ([a-z][a-z0-9-]*)(?: \d)? \|", text("decisions/0002-dependencies.md"), re.MULTILINE)
    assert sorted(set(named) - {"package"}) == sorted(wanted)


def test_the_readme_begins_with_the_two_commands() -> None:
    start = (ROOT / "README.md").read_text(encoding="utf-8")[:2500]
    assert "\n    make run\n" in start
    assert "\n    make test\n" in start


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        place, _, anchor = target.partition("#")
        file = (page.parent / place).resolve() if place else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_every_page_is_linked() -> None:
    linked = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in PAGES
        for target in re.findall(r"\]\(([^)\s]+\.md[^)\s]*)\)", page.read_text(encoding="utf-8"))
        if "://" not in target
    }
    decisions = set((DOCS / "decisions").glob("*.md"))
    assert set(PAGES) - linked - decisions == {ROOT / "README.md"}


def test_decisions_are_numbered_in_a_row_and_dated() -> None:
    files = sorted((DOCS / "decisions").glob("*.md"))
    assert [int(file.name[:4]) for file in files] == list(range(1, len(files) + 1))
    for file in files:
        lines = file.read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith(f"# {int(file.name[:4])}. ")
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", lines[2])


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    """A path of a home or work folder is of no use to anybody else."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = done.stdout.split("\0") if done.returncode == 0 else [str(page.relative_to(ROOT)) for page in PAGES]
    # Put together here, so that this file does not find itself.
    machine = re.compile("|".join(f"(?<![\\w.])/{place}/[a-z]" for place in ("work", "home", "Users", "root")))
    found = []
    for name in filter(None, names):
        file = ROOT / name
        if file.is_file() and file.suffix in (".py", ".md", ".toml", ".in", ".txt", ".html", ".css", ".js", ".vtt", ""):
            found += [f"{name}: {hit[0]}" for hit in machine.finditer(file.read_text(encoding="utf-8"))]
    assert found == []
