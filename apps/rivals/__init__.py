"""The systems the benchmark drives, each in a worker process of its own, and their way of doing each case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from apps.cases import Array, Value


@dataclass(frozen=True)
class Prepared:
    """Everything allocated and touched: `call` does the work once, and leaves it in `result`.

    `compile` does what a first call would do before its work, where a system has such a thing. `fetch` brings the
    result to where it can be looked at, if calls leave it somewhere else.
    """

    call: Callable[[], object]
    result: Array
    compile: Callable[[], object] = lambda: None
    fetch: Callable[[], object] = lambda: None


def arrays(inputs: Sequence[Value]) -> list[Array]:
    """Those inputs that are no numbers."""
    return [value for value in inputs if isinstance(value, np.ndarray)]
