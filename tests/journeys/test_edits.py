"""Editing a sequence while people are inside: people only move forward, and nobody gets a step twice."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from leadmagnet import content, store
from leadmagnet.editing.files import read_files
from leadmagnet.editing.load import load


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A copy of the shipped sequence to edit."""
    folder = tmp_path / "sequence"
    shutil.copytree(content.SEQUENCES / "six-core-videos", folder)
    return folder


def publish(world: Any, folder: Path) -> Any:
    with store.writing(world.services.engine) as session:
        return load(session, read_files(folder), world.clock.now().course, author="marketer", shipped=False)


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def slugs(world: Any) -> list[str]:
    with store.reading(world.services.engine) as session:
        names = {step.id: step.slug for step in session.query(store.sequences.Step)}
    rows = [row for row in world.deliveries() if row.status == "sent" and row.step_id]
    return [names[row.step_id] for row in sorted(rows, key=lambda row: row.sent_at)]


ALL = ["breathing-and-bracing", "dead-bug", "glute-bridge", "bird-dog", "side-plank", "front-plank", "finished"]


def test_a_new_text_reaches_only_who_has_not_had_the_old_one(fast_world: Any, files: Path, memory_mailer: Any) -> None:
    fast_world.join()
    change(files / "02-dead-bug.md", 'subject: "', 'subject: "NEW ')
    assert publish(fast_world, files).updated == ["dead-bug"]
    fast_world.live(24 * 4)
    subjects = [call.content.subject for call in memory_mailer.calls]
    assert sum(subject.startswith("NEW ") for subject in subjects) == 1
    assert slugs(fast_world) == ALL[:2]


def test_a_step_inserted_behind_somebody_is_not_sent_to_them(fast_world: Any, files: Path) -> None:
    fast_world.join()
    fast_world.live(24 * 7)
    extra = (files / "01-breathing-and-bracing.md").read_text(encoding="utf-8")
    extra = extra.replace("slug: breathing-and-bracing", "slug: extra").replace(
        "delay: at confirmation", "delay: 2 days"
    )
    (files / "01b-extra.md").write_text(extra, encoding="utf-8")
    publish(fast_world, files)
    fast_world.live(24 * 20, step=2)
    assert slugs(fast_world) == ALL


def test_a_step_inserted_ahead_is_sent_in_its_place(fast_world: Any, files: Path) -> None:
    fast_world.join()
    extra = (files / "02-dead-bug.md").read_text(encoding="utf-8").replace("slug: dead-bug", "slug: extra")
    (files / "02b-extra.md").write_text(extra, encoding="utf-8")
    publish(fast_world, files)
    fast_world.live(24 * 25, step=2)
    assert slugs(fast_world) == [*ALL[:2], "extra", *ALL[2:]]


def test_an_appended_step_does_not_reach_who_has_finished(fast_world: Any, files: Path) -> None:
    fast_world.join()
    fast_world.live(24 * 20, step=2)
    assert slugs(fast_world) == ALL
    extra = (files / "06-front-plank.md").read_text(encoding="utf-8").replace("slug: front-plank", "slug: extra")
    (files / "08-extra.md").write_text(extra, encoding="utf-8")
    publish(fast_world, files)
    fast_world.live(24 * 10, step=2)
    assert slugs(fast_world) == ALL


def test_a_removed_step_is_passed_over(fast_world: Any, files: Path) -> None:
    fast_world.join()
    fast_world.live(24)
    (files / "02-dead-bug.md").unlink()
    assert publish(fast_world, files).removed == ["dead-bug"]
    fast_world.live(24 * 20, step=2)
    assert slugs(fast_world) == [ALL[0], *ALL[2:]]


def test_reordering_never_sends_a_step_twice(fast_world: Any, files: Path) -> None:
    fast_world.join()
    fast_world.live(24 * 7)
    (files / "01-breathing-and-bracing.md").rename(files / "05a-breathing-and-bracing.md")
    (files / "06-front-plank.md").rename(files / "00-front-plank.md")
    publish(fast_world, files)
    fast_world.live(24 * 25, step=2)
    got = slugs(fast_world)
    assert len(got) == len(set(got))
    assert got[-1] == "finished"


def test_a_shorter_delay_moves_the_email_that_is_due(fast_world: Any, files: Path) -> None:
    fast_world.join()
    change(files / "02-dead-bug.md", "delay: 3 days", "delay: 1 day")
    publish(fast_world, files)
    fast_world.live(26)
    assert slugs(fast_world) == ALL[:2]


def test_loading_the_same_files_again_changes_nothing(fast_world: Any, files: Path) -> None:
    publish(fast_world, files)
    again = publish(fast_world, files)
    assert (again.created, again.updated, again.removed) == ([], [], [])
    assert len(again.unchanged) == 7
