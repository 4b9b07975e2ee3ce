"""A short fuzzing of every address; the long one is `make fuzz`. And what earlier ones found, each once more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.asks import Ask, asks
from tests.fuzz.target import Target, complaints


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    made = Target(tmp_path_factory.mktemp("fuzz"))
    yield made
    made.close()


@settings(max_examples=300, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_request_breaks_an_address_or_breaks_out_of_a_page(target: Target, data: st.DataObject) -> None:
    ask: Ask = data.draw(asks(target.ground()))
    assert complaints(ask, target.ask(ask)) == []
