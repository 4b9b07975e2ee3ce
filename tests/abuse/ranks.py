"""The Mann-Whitney U test: do two samples come from the same distribution?

The normal approximation, with a correction for ties and for continuity (Hollander and Wolfe, Nonparametric Statistical
Methods, 4.1): good from some twenty values on each side. Two-sided.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby


def mann_whitney(one: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """Return U of the first sample, and the probability of one at least as far from the middle by chance alone."""
    n, m = len(one), len(other)
    values = sorted([(value, True) for value in one] + [(value, False) for value in other])
    rank_sum, ties, before = 0.0, 0.0, 0
    for _, group in groupby(values, key=lambda pair: pair[0]):
        same = list(group)
        rank_sum += sum(mine for _, mine in same) * (before + (len(same) + 1) / 2)
        ties += len(same) ** 3 - len(same)
        before += len(same)
    u = rank_sum - n * (n + 1) / 2
    spread = math.sqrt(n * m / 12 * ((n + m + 1) - ties / ((n + m) * (n + m - 1))))
    if not spread:
        return u, 1.0
    away = max(0.0, abs(u - n * m / 2) - 0.5) / spread
    return u, math.erfc(away / math.sqrt(2))
