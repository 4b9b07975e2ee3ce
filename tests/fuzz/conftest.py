"""The application under fire, once for all tests here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fuzz.target import Target


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    made = Target(tmp_path_factory.mktemp("fuzz"))
    yield made
    made.close()
