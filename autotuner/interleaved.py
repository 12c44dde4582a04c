"""Two calls timed in turn, A B A B ..., until it is clear which is faster, or that there is little between them.

The logarithm of the ratio of each round is a sample. Its median lies, with a confidence of at least 95 %, between two
of the sorted samples whatever their distribution is: a few rounds during which something else ran do not matter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter
from typing import Any

LEAST, MOST, SECONDS = 6, 41, 3.0
_SLOW_ROUNDS = 3
_SAME = 0.005  # an interval this narrow tells enough


def interval(samples: Sequence[float]) -> tuple[float, float, float]:
    """Low end, median and high end: the k-th smallest and largest, where both leave out at most 2.5 %."""
    ordered, n = sorted(samples), len(samples)
    out, tail = 0, 0.0
    while out < (n - 1) // 2:
        tail += math.comb(n, out) / 2.0**n
        if tail > 0.025:
            break
        out += 1
    k = max(0, out - 1)
    return ordered[k], median(ordered), ordered[n - 1 - k]


def is_decided(samples: Sequence[float]) -> bool:
    """Whether more rounds would tell nothing new."""
    if len(samples) < LEAST:
        return False
    low, _, high = interval(samples)
    return low > 0 or high < -_SAME or high - low < 2 * _SAME


def compare(
    call: Callable[[], object],
    rival: Callable[[], object] | None,
    slow: float,
    clock: Callable[[], float] = perf_counter,
) -> dict[str, Any]:
    """Both were called once. `log` is (low, median, high) of log(time of call / time of rival); below 0 is faster.

    Where one call takes `slow` times as long as the rival's, that is all that is found out.
    """

    def timed(what: Callable[[], object]) -> float:
        start = clock()
        what()
        return clock() - start

    mine, theirs = [timed(call)], [timed(rival)] if rival is not None else []
    if rival is not None:
        while len(mine) < _SLOW_ROUNDS and min(mine) > slow * max(theirs):
            mine.append(timed(call))
            theirs.append(timed(rival))
        if len(mine) == _SLOW_ROUNDS and min(mine) > slow * max(theirs):
            log = math.log(min(mine) / max(theirs))
            return _found(mine, theirs, (log, log, log), slow=True)
    logs: list[float] = []
    began = clock()
    while len(mine) < MOST and not is_decided(logs) and (len(mine) < LEAST or clock() - began < SECONDS):
        mine.append(timed(call))
        if rival is not None:
            theirs.append(timed(rival))
            logs.append(math.log(max(mine[-1], 1e-9) / max(theirs[-1], 1e-9)))
        elif len(mine) >= 2 * LEAST:
            break
    return _found(mine, theirs, interval(logs) if logs else (0.0, 0.0, 0.0), slow=False)


def _found(mine: list[float], theirs: list[float], log: tuple[float, float, float], *, slow: bool) -> dict[str, Any]:
    return {
        "seconds": median(mine),
        "rival": median(theirs) if theirs else None,
        "log": log,
        "rounds": len(mine),
        "slow": slow,
    }
