"""Texts that cannot be loaded: each is refused with its file and line, and nothing of the load stays."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from leadmagnet import content, store
from leadmagnet.editing.shipped import SLUG
from leadmagnet.store.sequences import Step

FILE = "02-dead-bug.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped sequence, to be spoilt."""
    copy = tmp_path / "edited"
    shutil.copytree(content.SEQUENCES / SLUG, copy)
    shutil.copytree(content.MESSAGES, copy / "messages")
    return copy


def change(folder: Path, name: str, before: str, after: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert before in text
    (folder / name).write_text(text.replace(before, after, 1), encoding="utf-8")


def line_of(folder: Path, name: str, start: str) -> int:
    lines = (folder / name).read_text(encoding="utf-8").split("\n")
    return next(number for number, line in enumerate(lines, 1) if start in line)


def test_the_shipped_texts_are_sound(shell: Any, folder: Path) -> None:
    assert shell.run("sequence", "load", str(folder)).stdout == f"{SLUG}: nothing changed.\n"


@pytest.mark.parametrize(
    ("name", "before", "after", "words"),
    [
        (FILE, "film: media/dead-bug.mp4", "film: nonsense", "film is a file of ours"),
        (FILE, "film: media/dead-bug.mp4", "film: media/gone.mp4", "media/gone.mp4 is not there"),
        (FILE, "film: media/dead-bug.mp4", "film: media/posters/2.svg", "(.mp4)"),
        (FILE, "film: media/dead-bug.mp4", "film: media/../media/dead-bug.mp4", "film is a file of ours"),
        (FILE, "film: media/dead-bug.mp4", "film: http://films.example/a.mp4", "film is a file of ours"),
        (FILE, "film: media/dead-bug.mp4", "film: https://", "film is no address"),
        (FILE, "film: media/dead-bug.mp4", "film: https://a.example;script-src/x.mp4", "film is no address"),
        (FILE, "film: media/dead-bug.mp4", "film: [a, b]", "film is a file of ours"),
        (FILE, "poster: media/posters/2.svg", "poster: media/posters/99.svg", "99.svg is not there"),
        (FILE, "poster: media/posters/2.svg", "poster: https://elsewhere.example/2.svg", "poster is a file of ours"),
        (FILE, "captions: media/dead-bug.en.vtt", "captions: media/dead-bug.fr.vtt", "fr.vtt is not there"),
        (FILE, "email_poster: media/email/2.png", "email_poster: media/email/99.png", "99.png is not there"),
        (FILE, "image: media/figures/2", "image: media/figures/99", "is not there"),
        (FILE, "slug: dead-bug", "slug: ../../dead-bug", "a slug is made of"),
        (FILE, "slug: dead-bug", "slug: Dead Bug", "a slug is made of"),
        (FILE, "slug: dead-bug", f"slug: {'a' * 65}", "a slug is made of"),
        (FILE, "title: Dead bug", "title: Dead bug\nsubtitle: calm", "subtitle has no meaning here"),
        (FILE, "poster: media", "postr: media", "Did you mean poster?"),
        (FILE, "title: Dead bug", "title: Dead bug\nseconds: long", "seconds is the film’s length"),
        (FILE, "title: Dead bug", "title: Dead bug\nseconds: -3", "seconds is the film’s length"),
        (FILE, "  - {amount:", "  - {amuont:", "dose is a list"),
        (FILE, "Hello{{comma_name}},", "{% if name %}Hello{% endif %}", "{% if name %}"),
        ("sequence.md", "slug: six-core-videos", "slug: ../six", "a slug is made of"),
        ("sequence.md", "spread_minutes: 0", "spread_minuts: 0", "Did you mean spread_minutes?"),
        ("sequence.md", "Six short films", "{% block %}Six short films", "{% block %}"),
        ("messages/reminder-active-1.md", "state: active", "state: activ", "state is one of"),
        ("messages/reminder-active-1.md", "state: active", "state: active\ndelay: 3 days", "delay has no meaning"),
        ("messages/confirmation.md", "slug: confirmation", "slug: ../confirmation", "a slug is made of"),
    ],
)
def test_it_is_refused_with_file_and_line(
    shell: Any, folder: Path, name: str, before: str, after: str, words: str
) -> None:
    change(folder, name, before, after)
    line = line_of(folder, name, after.split("\n")[-1])
    said = shell.refused("sequence", "load", str(folder), status=1)
    assert f"{name}, line {line}: " in said
    assert words in said


def test_what_is_unusual_is_taken(shell: Any, folder: Path) -> None:
    change(folder, FILE, "film: media/dead-bug.mp4", "film: https://films.example:8443/a,b;c.mp4?x=1\nseconds: 50")
    assert shell.json("sequence", "load", str(folder))["updated"] == ["dead-bug"]


def test_a_file_that_is_no_utf_8_is_named_with_the_line(shell: Any, folder: Path) -> None:
    (folder / FILE).write_bytes(b"---\nslug: dead-bug\ntitle: caf\xe9\n---\n")
    said = shell.refused("sequence", "load", str(folder), status=1)
    assert f"{FILE}, line 3: this is not UTF-8" in said
    (folder / "all.md").write_bytes(b"=== sequence.md ===\ncaf\xe9\n")
    assert "all.md, line 2: this is not UTF-8" in shell.refused("sequence", "load", str(folder / "all.md"), status=1)


def test_a_folder_with_the_name_of_a_file_is_named(shell: Any, folder: Path) -> None:
    (folder / "08-more.md").mkdir()
    assert "08-more.md: this is a folder" in shell.refused("sequence", "load", str(folder), status=1)


def test_a_part_that_stands_twice_is_named(shell: Any, tmp_path: Path) -> None:
    text = shell.run("sequence", "export", SLUG).stdout
    (tmp_path / "all.md").write_text(text + text, encoding="utf-8")
    said = shell.refused("sequence", "load", str(tmp_path / "all.md"), status=1)
    assert "=== sequence.md === stands here twice" in said


def test_an_export_never_leaves_its_folder(shell: Any, tmp_path: Path) -> None:
    """A slug that an earlier version let in."""
    with store.writing(shell.services.engine) as session:
        session.query(Step).filter_by(slug="dead-bug").one().slug = "x/../../../dead-bug"
    target = tmp_path / "deep" / "out"
    assert "outside" in shell.refused("sequence", "export", SLUG, "--to", str(target), status=1)
    assert not list(tmp_path.rglob("*dead-bug*"))


@pytest.mark.parametrize("target", ["/etc/passwd", "/etc/passwd/below", "/proc/nowhere"])
def test_an_export_to_a_place_that_takes_no_files_is_one_line(shell: Any, target: str) -> None:
    assert target in shell.refused("sequence", "export", SLUG, "--to", target, status=1)
