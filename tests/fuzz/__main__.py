"""The long fuzzing: python -m tests.fuzz SECONDS [SEED]. Each kind of complaint is printed once; status 1 for any."""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import structlog
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.asks import Ask, asks
from tests.fuzz.target import Target, complaints

#: Requests of one round. Between rounds the clock is looked at, and the people are made anew.
ROUND = 2000


def main() -> None:
    seconds, first = float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    began, rounds, statuses, known = time.monotonic(), 0, Counter[int](), set[str]()
    while time.monotonic() - began < seconds:
        with tempfile.TemporaryDirectory() as folder:
            _round(Target(Path(folder)), first + rounds, statuses, known)
        rounds += 1
    print(f"{statuses.total():,} requests in {rounds} rounds from seed {first}: {dict(sorted(statuses.items()))}")
    print(f"kinds of complaints: {len(known)}")
    sys.exit(bool(known))


def _round(target: Target, number: int, statuses: Counter[int], known: set[str]) -> None:
    shown: list[tuple[Ask, list[str]]] = []

    @seed(number)
    @settings(
        max_examples=ROUND,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(asks(target.ground()))
    def fire(ask: Ask) -> None:
        answer = target.ask(ask)
        statuses[answer.status] += 1
        found = [one for one in complaints(ask, answer) if f"{ask.path[:6]!r} {one[:40]}" not in known]
        if found:
            shown.append((ask, found))
            raise AssertionError(found)

    try:
        fire()
    except AssertionError:
        ask, found = shown[-1]
        known.update(f"{ask.path[:6]!r} {one[:40]}" for one in found)
        print(f"round {number}: {found}\n    {str(ask)[:1500]}", flush=True)
    finally:
        target.close()


if __name__ == "__main__":
    main()
