"""sequence load, export, calendar: loading again changes only what changed, and a round trip changes nothing."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from leadmagnet import content, store
from leadmagnet.editing.shipped import SLUG
from leadmagnet.store.email_texts import EmailText
from leadmagnet.store.sequences import StepRevision

CHANGES = ("created", "updated", "removed", "kept")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped sequence, to be edited."""
    copy = tmp_path / "edited"
    shutil.copytree(content.SEQUENCES / SLUG, copy)
    return copy


def revisions(shell: Any) -> dict[str, int]:
    """How many revisions each step has, and which each email text is at."""
    with store.reading(shell.services.engine) as session:
        sequence = store.sequences.by_slug(session, SLUG)
        assert sequence is not None
        steps = {step.id: step.slug for step in store.sequences.steps_of(session, sequence.id)}
        found: dict[str, int] = dict.fromkeys(steps.values(), 0)
        for revision in session.query(StepRevision):
            found[steps[revision.step_id]] += 1
        return found | {text.slug: text.revision for text in session.query(EmailText)}


def source(shell: Any, slug: str) -> str:
    with store.reading(shell.services.engine) as session:
        sequence = store.sequences.by_slug(session, SLUG)
        assert sequence is not None
        step = next(step for step in store.sequences.steps_of(session, sequence.id) if step.slug == slug)
        return store.sequences.revisions_of(session, sequence.id)[step.id].source


def edit(file: Path, before: str, after: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")


def test_loading_twice_changes_nothing(shell: Any) -> None:
    before = revisions(shell)
    done = shell.json("sequence", "load")
    assert not any(done[key] for key in CHANGES)
    assert {"dead-bug", "finished", "confirmation"} <= set(done["unchanged"])
    assert revisions(shell) == before
    assert shell.run("sequence", "load").stdout == f"{SLUG}: nothing changed.\n"


def test_one_edited_file_makes_exactly_one_revision(shell: Any, folder: Path) -> None:
    before = revisions(shell)
    edit(folder / "02-dead-bug.md", "odd name, calm exercise", "a calm exercise")
    done = shell.json("sequence", "load", str(folder))
    assert done["updated"] == ["dead-bug"]
    assert done["created"] == done["removed"] == done["kept"] == []
    assert revisions(shell) == before | {"dead-bug": 2}
    assert "a calm exercise" in source(shell, "dead-bug")


def test_what_was_loaded_from_a_file_survives_the_next_start(shell: Any, folder: Path) -> None:
    """`make run` loads the shipped files again, and keeps what the marketer has made of them."""
    edit(folder / "02-dead-bug.md", "odd name, calm exercise", "a calm exercise")
    shell.run("sequence", "load", str(folder))
    shell.run("sequence", "load")
    assert "a calm exercise" in source(shell, "dead-bug")
    shell.run("prepare")
    assert "a calm exercise" in source(shell, "dead-bug")


def test_a_step_added_by_a_file_stays_at_the_next_start(shell: Any, folder: Path) -> None:
    text = (folder / "06-front-plank.md").read_text(encoding="utf-8")
    added = text.replace("slug: front-plank", "slug: side-lying-rest").replace("number: 6", "number: 7")
    (folder / "08-rest.md").write_text(added, encoding="utf-8")
    done = shell.json("sequence", "load", str(folder))
    assert done["created"] == ["side-lying-rest"]
    shell.run("prepare")
    assert shell.run("sequence", "export", SLUG).stdout.count("slug: side-lying-rest") == 1


def test_a_file_that_is_gone_removes_its_step_and_coming_back_restores_it(shell: Any, folder: Path) -> None:
    file = folder / "04-bird-dog.md"
    kept, before = file.read_text(encoding="utf-8"), revisions(shell)
    file.unlink()
    assert shell.json("sequence", "load", str(folder))["removed"] == ["bird-dog"]
    assert "slug: bird-dog" not in shell.run("sequence", "export", SLUG).stdout
    file.write_text(kept, encoding="utf-8")
    # The steps behind it move back to their places, too; nobody's words change.
    assert shell.json("sequence", "load", str(folder))["updated"][0] == "bird-dog"
    assert "slug: bird-dog" in shell.run("sequence", "export", SLUG).stdout
    assert revisions(shell) == before


def test_round_trip_as_a_folder_changes_nothing(shell: Any, tmp_path: Path) -> None:
    before = revisions(shell)
    said = shell.run("sequence", "export", SLUG, "--to", str(tmp_path / "out")).stdout
    assert said.startswith(f"{len(list((tmp_path / 'out').rglob('*.md')))} files written")
    done = shell.json("sequence", "load", str(tmp_path / "out"))
    assert not any(done[key] for key in CHANGES)
    assert revisions(shell) == before


def test_round_trip_as_one_file_changes_nothing(shell: Any, tmp_path: Path) -> None:
    before = revisions(shell)
    file = tmp_path / "all.md"
    file.write_text(shell.run("sequence", "export", SLUG).stdout, encoding="utf-8")
    done = shell.json("sequence", "load", str(file))
    assert not any(done[key] for key in CHANGES)
    assert revisions(shell) == before


def test_export_of_an_export_is_the_same(shell: Any, tmp_path: Path) -> None:
    first = shell.run("sequence", "export", SLUG).stdout
    (tmp_path / "all.md").write_text(first, encoding="utf-8")
    shell.run("sequence", "load", str(tmp_path / "all.md"))
    assert shell.run("sequence", "export", SLUG).stdout == first


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("delay: 3 days", "delay: soon", "02-dead-bug.md, line"),
        ("{{comma_name}}", "{{coma_name}}", "Did you mean {{comma_name}}?"),
        ("# Email as text", "# Letter", "Email as text"),
        ("kind: video", "kind: vidoe", "kind:"),
        ("slug: dead-bug", "slug: bird-dog", "used twice"),
    ],
)
def test_a_bad_text_is_refused_as_a_whole(shell: Any, folder: Path, before: str, after: str, words: str) -> None:
    kept = revisions(shell)
    edit(folder / "02-dead-bug.md", before, after)
    edit(folder / "01-breathing-and-bracing.md", "subject: ", "subject:  ")
    assert words in shell.refused("sequence", "load", str(folder), status=1)
    assert revisions(shell) == kept


def calendar(shell: Any, start: str, zone: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = shell.json("sequence", "calendar", SLUG, "--start", start, "--timezone", zone)
    return rows


def test_the_rehearsal_has_its_shape(shell: Any) -> None:
    rows = calendar(shell, "2026-11-23T17:30:00Z", "America/Toronto")
    assert {tuple(row) for row in rows} == {("kind", "step", "at", "local", "reason")}
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    assert all(row["at"].endswith("Z") and row["reason"].endswith(".") for row in rows)
    assert {row["kind"] for row in rows} == {"video", "reminder", "finished"}
    videos = [row for row in rows if row["kind"] == "video"]
    assert videos[0]["at"] == "2026-11-23T17:30:00Z"
    assert [row["local"][:10] for row in videos] == [
        f"2026-{day}" for day in ("11-23", "11-26", "11-29", "12-02", "12-05", "12-08")
    ]
    assert all(row["local"][11:] == "09:00:00-05:00" for row in videos[1:])
    assert [row["step"] for row in rows if row["kind"] == "finished"] == ["finished"]
    assert all(datetime.fromisoformat(row["at"]) == datetime.fromisoformat(row["local"]) for row in rows)


@pytest.mark.parametrize(
    ("start", "zone", "offsets"),
    [
        ("2026-10-20T15:00:00Z", "Europe/Zurich", {"+02:00", "+01:00"}),
        ("2026-03-25T15:00:00+01:00", "Europe/London", {"+00:00", "+01:00"}),
        ("2026-04-01T00:00:00Z", "Australia/Lord_Howe", {"+11:00", "+10:30"}),
    ],
)
def test_the_local_hour_stays_when_clocks_change(shell: Any, start: str, zone: str, offsets: set[str]) -> None:
    rows = calendar(shell, start, zone)
    assert {row["local"][-6:] for row in rows} == offsets
    assert {row["local"][11:19] for row in rows[1:]} == {"09:00:00"}
    for row in rows:
        assert datetime.fromisoformat(row["at"]).astimezone(ZoneInfo(zone)).isoformat() == row["local"]


def test_the_rehearsal_refuses_what_it_cannot_mean(shell: Any) -> None:
    ask = ("sequence", "calendar", SLUG, "--start")
    assert "no offset" in shell.refused(*ask, "2026-11-23T09:00:00", "--timezone", "Europe/Zurich", status=2)
    assert "not an instant" in shell.refused(*ask, "Monday", "--timezone", "Europe/Zurich", status=2)
    assert "time zone" in shell.refused(*ask, "2026-11-23T09:00:00Z", "--timezone", "Zurich", status=2)
    assert "--timezone" in shell.refused(*ask, "2026-11-23T09:00:00Z", status=2)
    unknown = ("sequence", "calendar", "other", "--start", "2026-11-23T09:00:00Z", "--timezone", "Europe/Zurich")
    assert "no sequence other" in shell.refused(*unknown, status=1)
    assert "no sequence other" in shell.refused("sequence", "export", "other", status=1)


def test_pause_and_resume_say_what_they_did(shell: Any) -> None:
    calendar = ("sequence", "calendar", SLUG, "--start", "2026-03-02T15:00:00Z", "--timezone", "Europe/Zurich")
    before = shell.json(*calendar)
    told = {"sequence": SLUG, "paused": True, "changed": True, "held": 0}
    assert shell.json("sequence", "pause", SLUG) == told
    assert shell.json("sequence", "pause", SLUG) == told | {"changed": False}
    assert "It was paused already. Nothing of" in shell.run("sequence", "pause", SLUG).stdout
    (standing,) = shell.json("sending", "status")["paused_sequences"]
    assert (standing["sequence"], standing["by"], standing["held"]) == (SLUG, "command", 0)
    assert f"{SLUG} is paused since " in shell.run("sending", "status").stdout
    assert shell.json(*calendar) == before
    assert shell.json("sequence", "resume", SLUG) == told | {"paused": False}
    assert shell.run("sequence", "resume", SLUG).stdout == f"{SLUG} was not paused.\n"
    assert shell.json("sending", "status")["paused_sequences"] == []


@pytest.mark.parametrize("act", ["pause", "resume"])
def test_an_unknown_sequence_is_neither_paused_nor_resumed(shell: Any, act: str) -> None:
    assert "there is no sequence nothing" in shell.refused("sequence", act, "nothing", status=1)
    shell.refused("sequence", act, status=2)
