"""A measurement that no longer runs is found out only when somebody needs it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.postgres
def test_claims_are_measured(postgres_server: str) -> None:
    """At the smallest size: this asks whether it runs, not how fast."""
    environ = os.environ | {"TEST_POSTGRES_URL": postgres_server, "PYTHONPATH": "."}
    command = [sys.executable, "-m", "benchmarks.claims", "20000"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("| 20,000 | ")
