"""The systems the benchmark drives, each in a worker process of its own, and their way of doing each case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from apps.cases import Array


@dataclass(frozen=True)
class Prepared:
    """Everything allocated and touched: `call` does the work once, and leaves it in `result`."""

    call: Callable[[], object]
    result: Array
