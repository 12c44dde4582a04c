"""The enumerations of the public surface, with Halide's member names."""

from __future__ import annotations

from ..ir.stmt import LoopPartition, MemoryKind
from ..schedule.directives import Align, PrefetchBound, Tail
from .expressions.numbered import Translated


class TailStrategy(Translated):
    """What a split does where the factor does not divide the extent."""

    meaning: Tail

    RoundUp = 0, Tail.ROUND_UP
    GuardWithIf = 1, Tail.GUARD_WITH_IF
    Predicate = 2, Tail.PREDICATE
    PredicateLoads = 3, Tail.PREDICATE_LOADS
    PredicateStores = 4, Tail.PREDICATE_STORES
    ShiftInwards = 5, Tail.SHIFT_INWARDS
    ShiftInwardsAndBlend = 6, Tail.SHIFT_INWARDS_AND_BLEND
    RoundUpAndBlend = 7, Tail.ROUND_UP_AND_BLEND
    Auto = 8, Tail.AUTO


class LoopAlignStrategy(Translated):
    """How the iterations of loops fused by compute_with are laid side by side."""

    meaning: Align

    AlignStart = 0, Align.START
    AlignEnd = 1, Align.END
    NoAlign = 2, Align.NONE
    Auto = 3, Align.AUTO


class MemoryType(Translated):
    """Where a Func's values live."""

    meaning: MemoryKind

    Auto = 0, MemoryKind.AUTO
    Heap = 1, MemoryKind.HEAP
    Stack = 2, MemoryKind.STACK
    Register = 3, MemoryKind.REGISTER
    GPUShared = 4, MemoryKind.GPU_SHARED
    GPUTexture = 5, MemoryKind.GPU_TEXTURE
    LockedCache = 6, MemoryKind.LOCKED_CACHE
    VTCM = 7, MemoryKind.VTCM


class PrefetchBoundStrategy(Translated):
    """What becomes of a prefetch that would leave the memory of what is fetched."""

    meaning: PrefetchBound

    Clamp = 0, PrefetchBound.CLAMP
    GuardWithIf = 1, PrefetchBound.GUARD_WITH_IF
    NonFaulting = 2, PrefetchBound.NON_FAULTING


class Partition(Translated):
    """Whether a loop is split into a boundary and a steady part."""

    meaning: LoopPartition

    Auto = 0, LoopPartition.AUTO
    Never = 1, LoopPartition.NEVER
    Always = 2, LoopPartition.ALWAYS
