"""Directives: values that name functions and loops. Each docstring is the rewrite it stands for."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from ..ir.expr import Expr
from ..ir.refs import FunctionRef, ImageRef
from ..ir.stmt import LoopKind, LoopPartition, MemoryKind
from ..source import SourceLocation


class Tail(enum.Enum):
    """What a split does where the factor does not divide the extent (Halide's TailStrategy)."""

    ROUND_UP = "RoundUp"  # compute past the end
    GUARD_WITH_IF = "GuardWithIf"  # test each inner iteration
    PREDICATE = "Predicate"  # vector loads and stores masked
    PREDICATE_LOADS = "PredicateLoads"  # loads masked, stores past the end
    PREDICATE_STORES = "PredicateStores"  # stores masked, loads past the end
    SHIFT_INWARDS = "ShiftInwards"  # move the last tile back: some points are computed twice
    SHIFT_INWARDS_AND_BLEND = "ShiftInwardsAndBlend"  # the same, keeping what was stored for points already done
    ROUND_UP_AND_BLEND = "RoundUpAndBlend"  # compute past the end, store back what was there
    AUTO = "Auto"


@dataclass(frozen=True, slots=True)
class Split:
    """for old in [m, m + n)  ->  for outer in [0, ceil(n / factor))
    for inner in [0, factor):   old = m + outer * factor + inner
    """

    old: str
    outer: str
    inner: str
    factor: Expr
    tail: Tail = Tail.AUTO


@dataclass(frozen=True, slots=True)
class Fuse:
    """for outer: for inner  ->  for fused in [0, n_outer * n_inner):
    inner = m_inner + fused % n_inner;  outer = m_outer + fused / n_inner
    """

    inner: str
    outer: str
    fused: str


@dataclass(frozen=True, slots=True)
class Rename:
    """The loop `old` is called `new`."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Skew:
    """Loop `loop` becomes loop + factor * by, and keeps its name.

    for x in [0, n)          for x in [0, n + factor * (m - 1)):
    for t in [0, m): S(x, t)  ->  for t in [0, m):
                                      if 0 <= x - factor*t < n: S(x - factor*t, t)

    Where S(x, t) needs what S(x - 1, t) and S(x, t - 1) computed, the iterations of the inner loop t are free of each
    other after skew(x, t, 1): a wavefront.
    """

    loop: str
    by: str
    factor: int


@dataclass(frozen=True, slots=True)
class Reorder:
    """The named loops take each other's places, the first innermost."""

    loops: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetKind:
    """The loop runs serially, in parallel, as vector lanes or unrolled. The extent of the last two is constant."""

    loop: str
    kind: LoopKind
    device: str = ""  # of blocks, threads and lanes


@dataclass(frozen=True, slots=True)
class SetPartition:
    """The loop is split into a steady part and its edges as it seems worth it, always, or never."""

    loop: str
    policy: LoopPartition


@dataclass(frozen=True, slots=True)
class OnDevice:
    """All of the stage runs on a device, in one thread of it."""

    device: str


@dataclass(frozen=True, slots=True)
class Bound:
    """The argument is computed over [min, min + extent), whatever is asked for; min None keeps the required min."""

    arg: str
    min: Expr | None
    extent: Expr


@dataclass(frozen=True, slots=True)
class AlignBounds:
    """The computed region of the argument grows until min % modulus == remainder and extent % modulus == 0.

    With no remainder the min stays where it is.
    """

    arg: str
    modulus: Expr
    remainder: Expr | None


@dataclass(frozen=True, slots=True)
class LoopLevel:
    """A place in the nest: inlined, at the root, or just inside a loop of a Func's stage (None: any stage)."""

    func: FunctionRef | None
    loop: str  # "" with func None: inlined; "<root>": root
    stage: int | None = None

    @property
    def is_inlined(self) -> bool:
        return self.func is None and self.loop == ""

    @property
    def is_root(self) -> bool:
        return self.func is None and self.loop == "<root>"


INLINED = LoopLevel(None, "")
ROOT = LoopLevel(None, "<root>")


@dataclass(frozen=True, slots=True)
class ComputeAt:
    """The Func is computed just inside `level`, once per iteration, as much as is used there."""

    level: LoopLevel


@dataclass(frozen=True, slots=True)
class StoreAt:
    """The Func's memory lives inside `level`, which encloses the compute level."""

    level: LoopLevel


@dataclass(frozen=True, slots=True)
class StoreIn:
    """The kind of memory for the Func's storage."""

    memory: MemoryKind


@dataclass(frozen=True, slots=True)
class ReorderStorage:
    """The order of dimensions in memory, the first innermost."""

    args: tuple[str, ...]


class TracedEvents(enum.Enum):
    """What of a Func is reported when it happens."""

    LOADS = "loads"
    STORES = "stores"
    REALIZATIONS = "realizations"
    ALLOCATIONS = "allocations"


@dataclass(frozen=True, slots=True)
class TraceAccesses:
    """The Func's events of this kind are reported; nothing is computed otherwise than without."""

    events: TracedEvents


@dataclass(frozen=True, slots=True)
class TraceTag:
    """A text about the Func that a traced pipeline reports when it begins."""

    text: str


@dataclass(frozen=True, slots=True)
class FoldStorage:
    """g(x, y)  ->  g(x, y % factor): only so many rows are kept, in a ring."""

    arg: str
    factor: Expr


@dataclass(frozen=True, slots=True)
class AlignStorage:
    """The extent of the dimension in memory grows to a multiple of `alignment`."""

    arg: str
    alignment: Expr


@dataclass(frozen=True, slots=True)
class BoundStorage:
    """Memory has room for `extent` values in this dimension, whatever is needed; a check refuses more."""

    arg: str
    extent: Expr


@dataclass(frozen=True, slots=True)
class HoistStorage:
    """Memory is taken just inside `level`, which encloses the store level, once for all iterations between.

    for y: for x: allocate g[n]: S   ->   allocate g[largest n]: for y: for x: S
    """

    level: LoopLevel


@dataclass(frozen=True, slots=True)
class RingBuffer:
    """Hoisted memory has `slots` times the size; iterations between hoist and store level use the slots in turn."""

    slots: Expr


@dataclass(frozen=True, slots=True)
class Async:
    """The Func is computed by a thread of its own, as far ahead of its consumers as its memory has room.

    for y: compute g; use g     ->     for y: compute g      and meanwhile      for y: wait for g; use g
    """


@dataclass(frozen=True, slots=True)
class Memoize:
    """Results are kept from run to run, and used again where all that they depend on is the same.

    produce f   ->   if not recalled(f): produce f; keep f

    `algorithm`, `keys` and `images` (their positions) say what that is, when it is known (`memoized`).
    """

    eviction: Expr | None
    algorithm: str = ""
    keys: tuple[Expr, ...] = ()
    images: tuple[int, ...] = ()


class PrefetchBound(enum.Enum):
    """What becomes of a prefetch that would leave the memory of what is fetched."""

    CLAMP = "Clamp"  # fetch the part inside
    GUARD_WITH_IF = "GuardWithIf"  # fetch nothing
    NON_FAULTING = "NonFaulting"  # fetch all the same: the machine ignores what is not there


@dataclass(frozen=True, slots=True)
class Prefetch:
    """for at: S(at)   ->   for at: fetch what S reads of `source` when `distance` is `offset` larger; S(at)

    The loop `distance` is `at` or stands around it.
    """

    source: FunctionRef | ImageRef
    at: str
    distance: str
    offset: Expr
    bound: PrefetchBound


@dataclass(frozen=True, slots=True)
class AllowRaceConditions:
    """Reduction loops of this stage may run in parallel although the answer may depend on the order."""


@dataclass(frozen=True, slots=True)
class Atomic:
    """Iterations of reduction loops that update one element take turns, so that they may run at once.

    The other fields are what is known of the update: whether its steps may be grouped otherwise, whether they may come
    in any order, and whether it reads other elements of its Func.
    """

    override_associativity_test: bool
    is_associative: bool
    is_commutative: bool
    reads_others: bool


@dataclass(frozen=True, slots=True)
class Rfactor:
    """f(x) += g(x, r)   ->   f_intm(x, v) += g(x, v);  f(x) += f_intm(x, r)     for pairs (r, v) of loops and Vars"""

    preserved: tuple[tuple[str, str], ...]
    intermediate: FunctionRef | None = None  # f_intm


@dataclass(frozen=True, slots=True)
class Specialize:
    """The stage has another version, scheduled apart, for when the condition holds; it starts as the nest so far.

    nest    ->    if condition: nest'
                  else:         nest
    """

    condition: Expr


@dataclass(frozen=True, slots=True)
class SpecializeFail:
    """The pipeline stops with the message where none of the stage's conditions holds."""

    message: str


@dataclass(frozen=True, slots=True)
class CopyTo:
    """The Func, which only reads another, is a copy of it in the memory of a device, or of the host ("Host")."""

    device: str


class Align(enum.Enum):
    """How the iterations of loops that become one are laid side by side (Halide's LoopAlignStrategy)."""

    START = "AlignStart"  # the first iterations meet
    END = "AlignEnd"  # the last iterations meet
    NONE = "NoAlign"  # equal values of the loops meet
    AUTO = "Auto"  # as NONE


@dataclass(frozen=True, slots=True)
class ComputeWith:
    """The loops of this stage down to one are those of another Func's stage; `align` says how, by loop.

    for y in [0, n): f(y)          for y in [min(0, m), max(n, m + k)):
    for y in [m, m + k): g(y)  ->      if 0 <= y < n: f(y)
                                       if m <= y < m + k: g(y)
    """

    level: LoopLevel
    align: tuple[tuple[str, Align], ...] = ()


@dataclass(frozen=True, slots=True)
class DebugToFile:
    """What the Func's memory holds when that ends to live is written to the file.

    realize g {             realize g {
      produce g               produce g
      ... g(x) ...    ->      ... g(x) ...
    }                         dump g
                            }
    """

    filename: str


LoopStep = Split | Fuse | Rename | Skew  # what loops are made of
LoopDirective = LoopStep | Reorder | SetKind | SetPartition
NestDirective = (
    LoopDirective
    | OnDevice
    | AllowRaceConditions
    | Atomic
    | Prefetch
    | Rfactor
    | Specialize
    | SpecializeFail
    | ComputeWith
)  # about one stage's loops
StorageDirective = StoreIn | ReorderStorage | FoldStorage | AlignStorage | BoundStorage | HoistStorage | RingBuffer
FuncDirective = (  # about the whole Func
    Bound
    | AlignBounds
    | ComputeAt
    | StoreAt
    | StorageDirective
    | Async
    | Memoize
    | TraceAccesses
    | TraceTag
    | DebugToFile
    | CopyTo
)


@dataclass(frozen=True, slots=True)
class Directive:
    """One choice: what, for which stage (0 is the pure definition), written where, as which text."""

    action: NestDirective | FuncDirective
    stage: int
    location: SourceLocation | None
    text: str  # as the user would write it: `blur_x.split(x, xo, xi, 8)`
