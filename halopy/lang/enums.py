"""The enumerations of the public surface, with Halide's member names."""

from __future__ import annotations

import enum

from ..ir.stmt import LoopPartition, MemoryKind
from ..schedule.directives import Align, PrefetchBound, Tail


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


class LoopAlignStrategy(enum.Enum):
    """How the iterations of loops fused by compute_with are laid side by side."""

    AlignStart = Align.START
    AlignEnd = Align.END
    NoAlign = Align.NONE
    Auto = Align.AUTO


class MemoryType(enum.Enum):
    """Where a Func's values live."""

    Auto = MemoryKind.AUTO
    Heap = MemoryKind.HEAP
    Stack = MemoryKind.STACK
    Register = MemoryKind.REGISTER
    GPUShared = MemoryKind.GPU_SHARED
    GPUTexture = MemoryKind.GPU_TEXTURE
    LockedCache = MemoryKind.LOCKED_CACHE
    VTCM = MemoryKind.VTCM


class PrefetchBoundStrategy(enum.Enum):
    """What becomes of a prefetch that would leave the memory of what is fetched."""

    Clamp = PrefetchBound.CLAMP
    GuardWithIf = PrefetchBound.GUARD_WITH_IF
    NonFaulting = PrefetchBound.NON_FAULTING


class Partition(enum.Enum):
    """Whether a loop is split into a boundary and a steady part."""

    Auto = LoopPartition.AUTO
    Never = LoopPartition.NEVER
    Always = LoopPartition.ALWAYS
