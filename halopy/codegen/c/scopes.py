"""Values computed so far, by expression, each known to the end of the C block in which it was computed.

One table for all open blocks, with a trail of what each block added, so that a look-up does not grow with depth.
"""

from __future__ import annotations

from enum import IntEnum

from ...ir.expr import Effect, Expr, Load
from ...ir.node import mask
from .types import Value

_LOADS = mask(Load, Effect)  # what another statement must do again


class Mode(IntEnum):
    """How a scalar int32 is computed: exactly, in an int32_t, or as an index, in an int64_t; LET: a let's constant."""

    VALUE = 0
    INDEX = 1
    LET = 2


Key = tuple[Expr, Mode]


class Scopes:
    """A table with nested blocks. `with_loads` values are forgotten when memory may have changed."""

    def __init__(self) -> None:
        self._values: dict[Key, Value] = {}
        self._trail: list[list[tuple[Key, Value | None]]] = [[]]
        self._with_loads: set[Key] = set()

    def open(self) -> None:
        self._trail.append([])

    def close(self) -> None:
        for key, before in reversed(self._trail.pop()):
            if before is None:
                self._values.pop(key, None)
            else:
                self._values[key] = before

    def get(self, key: Key) -> Value | None:
        return self._values.get(key)

    def set(self, key: Key, value: Value) -> None:
        reads_memory = key[0].kinds & _LOADS
        # What was read from memory is never brought back when a block closes: it may have been stored to since.
        self._trail[-1].append((key, None if reads_memory else self._values.get(key)))
        self._values[key] = value
        if reads_memory:
            self._with_loads.add(key)

    def forget_loads(self) -> None:
        """Memory may have changed."""
        for key in self._with_loads:
            self._values.pop(key, None)
        self._with_loads.clear()
