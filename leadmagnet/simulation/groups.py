"""A large run in groups, each in a database and a process of its own: nobody's course touches anybody else's.

How many groups there are never hangs on the machine, so that the same seed gives the same run everywhere. Each group
meets the troubles of the whole run; its queues are added up as if their peaks had come together.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import pairwise
from multiprocessing import get_context
from typing import Any

import structlog

from config import Config
from leadmagnet import services as parts
from leadmagnet import store
from leadmagnet.simulation.course import Plan
from leadmagnet.simulation.run import Outcome, in_a_hurry, live, report

#: People of one group, at most, unless the caller says otherwise.
GROUP = 50_000


def groups_of(plan: Plan, most: int = GROUP) -> list[Plan]:
    """Split a plan into groups of nearly the same size, with `most` people or fewer."""
    count = -(-plan.subscribers // most)
    bounds = [plan.subscribers * number // count for number in range(count + 1)]
    return [replace(plan, subscribers=end - first, first=first) for first, end in pairwise(bounds)]


def simulate_groups(
    plan: Plan, groups: Sequence[Plan], configs: Sequence[Config], said: Callable[[int], None] = lambda _: None
) -> dict[str, Any]:
    """Simulate each group on a migrated, empty database of its own and return the report of all together.

    `configs` name the databases. `said` is told how many groups are through.
    """
    whole = Outcome()
    crew = min(len(groups), os.cpu_count() or 1)
    # A fresh interpreter for each: a fork would share open files and locks with this one.
    with ProcessPoolExecutor(crew, mp_context=get_context("spawn")) as pool:
        for number, outcome in enumerate(pool.map(_group, groups, configs), start=1):
            whole.include(outcome)
            said(number)
    return report(plan, whole)


def _group(plan: Plan, config: Config) -> Outcome:
    # What goes wrong is simulated, and in the figures.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    engine = store.connect(config.database_url)
    in_a_hurry(engine)
    try:
        return live(plan, replace(parts.build(config), engine=engine))
    finally:
        engine.dispose()
