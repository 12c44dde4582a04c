"""The enumerations of the public surface, with Halide's member names."""

from __future__ import annotations

import enum

from ..ir.stmt import MemoryKind
from ..schedule.directives import Tail


class TailStrategy(enum.Enum):
    """What a split does where the factor does not divide the extent."""

    RoundUp = Tail.ROUND_UP
    GuardWithIf = Tail.GUARD_WITH_IF
    Predicate = Tail.PREDICATE
    PredicateLoads = Tail.PREDICATE_LOADS
    PredicateStores = Tail.PREDICATE_STORES
    ShiftInwards = Tail.SHIFT_INWARDS
    ShiftInwardsAndBlend = Tail.SHIFT_INWARDS_AND_BLEND
    RoundUpAndBlend = Tail.ROUND_UP_AND_BLEND
    Auto = Tail.AUTO


class MemoryType(enum.Enum):
    """Where a Func's values live."""

    Auto = MemoryKind.AUTO
    Heap = MemoryKind.HEAP
    Stack = MemoryKind.STACK
    Register = MemoryKind.REGISTER


class Partition(enum.Enum):
    """Whether a loop is split into a boundary and a steady part."""

    Auto = "Auto"
    Never = "Never"
    Always = "Always"
