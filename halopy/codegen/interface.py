"""What the caller of a compiled function sees: its name and its arguments, as in Halide's own compiled functions."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from ..dtypes import DType

Number = int | float | None


class Role(enum.IntEnum):
    """What an argument is; the numbers are those of `halide_argument_kind_t`."""

    INPUT_SCALAR = 0
    INPUT_BUFFER = 1
    OUTPUT_BUFFER = 2


class Exports(enum.Enum):
    """Which functions others can call: the function itself, one that takes `void **`, one that describes it."""

    FUNCTION = 1
    ARGV = 2
    METADATA = 3
    NONE = 4


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument. `least` and `greatest` are promised of a scalar; estimates are for callers that ask."""

    name: str
    role: Role
    dtype: DType
    rank: int = 0
    least: Number = None
    greatest: Number = None
    default: Number = None
    estimate: Number = None
    region_estimate: tuple[tuple[int | None, int | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Interface:
    """A function `namespaces::name`. A `mangled` one has a C++ symbol; one with `user_context` takes that first."""

    name: str
    parameters: tuple[Parameter, ...]
    namespaces: tuple[str, ...] = ()
    mangled: bool = False
    user_context: bool = False
    exports: Exports = Exports.METADATA

    @property
    def has_argv(self) -> bool:
        return self.exports in (Exports.ARGV, Exports.METADATA)

    @property
    def has_metadata(self) -> bool:
        return self.exports is Exports.METADATA
