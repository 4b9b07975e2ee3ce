"""A database that is restarted in the middle of a drain: nothing lost, nothing twice. The long one is `make crash`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.cluster import Cluster, programs
from tests.crash.restart import endure

REQUIRE_ALL = os.environ.get("CI", "").lower() in ("1", "true") or os.environ.get("REQUIRE_ALL") == "1"


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    bin_folder = programs()
    if bin_folder is None:
        if REQUIRE_ALL:
            pytest.fail("PostgreSQL's initdb is required here and was not found")
        pytest.skip("PostgreSQL's initdb was not found")
    made = Cluster(bin_folder)
    yield made
    made.remove()


@pytest.mark.postgres
@pytest.mark.timeout(180)
def test_a_database_that_is_restarted_twice(cluster: Cluster, tmp_path: Path) -> None:
    cluster.start()
    out, seen = endure(cluster, tmp_path, 240, 2, batch=20)
    assert len(seen) == 2
    assert all(0 < number < 240 for number in seen), "in the middle"
    assert (out.lost, out.twice, out.unplanned, out.renamed) == (0, 0, 0, 0), out.words()
