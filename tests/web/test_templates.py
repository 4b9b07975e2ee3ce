"""Templates: nothing that the policy forbids, one voice, and pages that assistive technology can read."""

import re
from pathlib import Path

import pytest

from leadmagnet import web

FOLDER = Path(web.__file__).parent
TEMPLATES = sorted(FOLDER.glob("templates/**/*.*"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_inline_styles_scripts_or_handlers(path):
    source = path.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle\s*=", source)
    assert "<style" not in source
    assert not re.search(r"<script(?![^>]*\ssrc=)", source)
    assert not re.search(r"\son[a-z]+\s*=", source)
    assert "|safe" not in source.replace(" ", "")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_exclamation_marks(path):
    text = re.sub(r"<[^>]*>|\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert "!" not in text


def test_files_and_functions_stay_short():
    import ast

    for path in FOLDER.rglob("*.py"):
        if "marketing" in path.parts:
            continue
        source = path.read_text(encoding="utf-8")
        assert source.count("\n") <= 250, path.name
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno < 25, (path.name, node.name)


def test_pages_have_landmarks_labels_and_one_title(site):
    person = site.person(sent=2, asked_first_at=site.clock.course)
    paths = ["/", "/articles/core", "/privacy", "/signup/check-inbox", "/outbox/", "/nothing"]
    paths += [site.video(person), site.done(person), site.own_page(person), site.leave(person), site.confirm(person)]
    for path in paths:
        page = site.get(path).text
        assert '<html lang="en">' in page, path
        assert page.count("<main") == page.count("<h1") == page.count('<header class="top"') == 1, path
        assert '<a class="skip" href="#main">' in page, path
        assert "{{" not in page, path
        assert " style=" not in page, path
        ids = re.findall(r'\sid="([^"]+)"', page)
        assert len(ids) == len(set(ids)), path
        for target in re.findall(r'(?:for|aria-labelledby|aria-describedby)="([^"]+)"', page):
            assert target in ids, (path, target)
        for picture in re.findall(r"<img [^>]*>", page):
            assert 'alt="' in picture, path
