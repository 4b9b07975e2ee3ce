"""simulate: its output, its own database, its exit status."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from leadmagnet import store
from leadmagnet.simulation.checks import CHECKS
from leadmagnet.store.subscribers import Subscriber

SMALL = ("simulate", "--subscribers", "4", "--days", "8")


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")


def test_it_prints_what_happened_and_leaves_the_clinics_data_alone(shell: Any) -> None:
    found = shell.json(*SMALL)
    assert (found["subscribers"], found["days"], found["seed"], found["begin"]) == (4, 8, 1, "2026-03-01T00:00:00Z")
    assert found["emails"] == sum(found["kinds"].values()) > 8
    assert found["broken"] == dict.fromkeys(CHECKS, 0)
    with store.reading(shell.services.engine) as session:
        assert session.query(Subscriber).count() == 0


def test_the_output_is_the_same_each_time_and_speed_goes_to_standard_error(shell: Any) -> None:
    one, two = shell.run(*SMALL, "--trouble", "heavy"), shell.run(*SMALL, "--trouble", "heavy")
    assert one.stdout == two.stdout
    assert "Broken promises: 0" in one.stdout
    assert "a second" in one.stderr
    assert "a second" not in one.stdout


def test_a_named_database_keeps_the_outcome_and_must_be_empty(shell: Any, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'kept.db'}"
    shell.run(*SMALL, "--database", url)
    engine = store.connect(url)
    with store.reading(engine) as session:
        assert session.query(Subscriber).count() > 0
    engine.dispose()
    assert "not empty" in shell.refused(*SMALL, "--database", url, status=2)


def test_the_clinics_own_database_is_refused_even_while_it_is_empty(bare: Any) -> None:
    url = bare.services.config.database_url
    assert "own" in bare.refused(*SMALL, "--database", url, status=2)
    assert "postgresql" in bare.refused(*SMALL, "--database", "nonsense", status=2)


def test_a_broken_promise_is_printed_and_fails_the_command(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CHECKS, "every unknown settles", lambda look: iter([(0.0, "made by hand")]))
    result = shell.run(*SMALL, status=1)
    assert "every unknown settles: made by hand" in result.stdout
    assert "promises were broken" in result.stderr


def test_a_large_run_goes_in_groups_each_in_a_process(shell: Any) -> None:
    many = ("simulate", "--subscribers", "5", "--days", "4", "--group-size", "3")
    found = shell.json(*many)
    assert (found["subscribers"], sum(found["people"].values())) == (5, 5)
    assert found["emails"] == sum(found["kinds"].values()) == sum(day["emails"] for day in found["per_day"]) > 5
    assert found["broken"] == dict.fromkeys(CHECKS, 0)
    assert shell.json(*many) == found
    assert "one group" in shell.refused(*many, "--database", "sqlite:///kept.db", status=2)


def test_runs_as_a_process(flask: Callable[..., Any]) -> None:
    done = flask(*SMALL, "--json")
    assert done.returncode == 0, done.stderr
    assert orjson.loads(done.stdout)["broken"] == dict.fromkeys(CHECKS, 0)
    assert len(done.stderr.splitlines()) == 1
