"""Statements: loops, stores and allocations."""

from __future__ import annotations

import enum

from ..dtypes import DType
from .expr import Expr
from .node import Node


class Stmt(Node):
    """Base of statements."""

    def __str__(self) -> str:
        from .printer import stmt_text  # the printer stands above the nodes it prints

        return stmt_text(self)


class LoopKind(enum.Enum):
    """How the iterations of a loop run."""

    SERIAL = "for"
    PARALLEL = "parallel"
    VECTORIZED = "vectorized"
    UNROLLED = "unrolled"
    GPU_BLOCK = "gpu_block"
    GPU_THREAD = "gpu_thread"
    GPU_LANE = "gpu_lane"
    EXTERN = "extern"  # no loop: a dimension that the function of an extern stage runs over

    @property
    def is_on_device(self) -> bool:
        return self in (LoopKind.GPU_BLOCK, LoopKind.GPU_THREAD, LoopKind.GPU_LANE)


class LoopPartition(enum.Enum):
    """Whether a loop is split into the iterations at its ends and a steady part without their tests."""

    AUTO = "Auto"  # where that is thought to be worth it
    NEVER = "Never"
    ALWAYS = "Always"  # wherever something is decided by it


class MemoryKind(enum.Enum):
    """Where an allocation lives; AUTO leaves the choice to code generation."""

    AUTO = "Auto"
    HEAP = "Heap"
    STACK = "Stack"
    REGISTER = "Register"
    GPU_SHARED = "GPUShared"
    GPU_TEXTURE = "GPUTexture"
    LOCKED_CACHE = "LockedCache"
    VTCM = "VTCM"


class ErrorSite(enum.Enum):
    """What a failing Assert means; `runtime.checks` turns site and arguments into the user's error."""

    WRONG_DTYPE = "wrong dtype"
    WRONG_RANK = "wrong rank"
    NULL_HOST = "no memory"
    REGION_TOO_SMALL = "region too small"
    WRONG_CONSTRAINT = "constraint"
    SPLIT_TOO_SMALL = "split too small"
    PARAM_OUT_OF_RANGE = "param out of range"
    BOUND_TOO_SMALL = "bound too small"
    OUT_OF_MEMORY = "out of memory"
    FOLD_TOO_SMALL = "fold too small"
    STORAGE_TOO_SMALL = "storage too small"
    BAD_EXTENT = "bad extent"
    SPECIALIZATION_FAILED = "specialization failed"
    REQUIREMENT = "requirement"
    NO_THREAD = "no thread"
    DEVICE_FAILED = "device failed"


class For(Stmt):
    """`name` runs over [min, min + extent). Loop names are unique in a kernel."""

    name: str
    min: Expr
    extent: Expr
    kind: LoopKind
    body: Stmt
    partition: LoopPartition = LoopPartition.AUTO


class Block(Stmt):
    """Statements one after the other; made by `block`, which flattens."""

    stmts: tuple[Stmt, ...]


class If(Stmt):
    condition: Expr
    then: Stmt
    otherwise: Stmt | None = None


class LetStmt(Stmt):
    """`body` with `name` standing for `value`."""

    name: str
    value: Expr
    body: Stmt


class Produce(Stmt):
    """`body` computes the Func `name`; a mark without effect."""

    name: str
    body: Stmt


class Realize(Stmt):
    """Storage for the Func `name` over the box `bounds` of (min, extent) per dimension, alive in `body`."""

    name: str
    dtypes: tuple[DType, ...]
    bounds: tuple[tuple[Expr, Expr], ...]
    memory: MemoryKind
    body: Stmt


class Reserve(Stmt):
    """Memory for the Func `name`, alive in `body`: each Realize of it inside uses one of `slots` equal parts.

    No Realize inside is larger than `extents` in any dimension; `slots` is 1 or more.
    """

    name: str
    dtypes: tuple[DType, ...]
    extents: tuple[Expr, ...]
    slots: Expr
    memory: MemoryKind
    body: Stmt


class Provide(Stmt):
    """Write all elements of the Func `name` at `index`; values are all evaluated before any is written.

    It is instance `at` of stage `stage`: the values of the pure variables, by argument, then those of its RDom.
    """

    name: str
    index: tuple[Expr, ...]
    values: tuple[Expr, ...]
    stage: int = 0
    at: tuple[Expr, ...] = ()


class Allocate(Stmt):
    """`size` elements of scratch memory called `buffer`, alive in `body`."""

    buffer: str
    dtype: DType
    size: Expr
    memory: MemoryKind
    body: Stmt


class Store(Stmt):
    """`buffer[index] = value`; where `predicate` (lanes of bool) is false, memory is not touched."""

    buffer: str
    index: Expr
    value: Expr
    predicate: Expr | None = None


class Atomic(Stmt):
    """`body` updates one element of the Func `name`, as one step for other iterations that may update it too.

    With `shared`, other threads may; else lanes of one vector. Steps may be grouped otherwise, also of floating point.
    """

    name: str
    shared: bool
    body: Stmt


class Assert(Stmt):
    """Leave the kernel with an error unless `condition`. `names` and `args` say what to report."""

    condition: Expr
    site: ErrorSite
    names: tuple[str, ...]
    args: tuple[Expr, ...]


class Fork(Stmt):
    """`producer`, which computes the Func `name`, in a thread of its own while `consumer` runs; ends when both have.

    `counters` are what the two tell each other by: the first counts from 0, the others begin below all values.
    """

    name: str
    counters: tuple[str, ...]
    producer: Stmt
    consumer: Stmt


class Publish(Stmt):
    """The counter becomes `value`, which is never less than it was; None: one more. One task publishes to a counter."""

    counter: str
    value: Expr | None = None


class Await(Stmt):
    """Go on once the counter has reached `value`; None: one more than this task has awaited of it before.

    A task that stops at a failing check leaves its counters so that those who wait for them stop as well.
    """

    counter: str
    value: Expr | None = None


class Evaluate(Stmt):
    """Evaluate and drop."""

    value: Expr


class Prefetch(Stmt):
    """Bring the memory that `place`, a Read or Load, names closer. Without effect on values; `place` is not read."""

    place: Expr


class Barrier(Stmt):
    """All threads of a block have done what stands before, and see it, when the first goes on."""


class Launch(Stmt):
    """Run the kernel of this name on the device: `groups` blocks of `threads` threads, dimension 0 innermost.

    It touches `buffers`, writes those that `written` names, and is given the values `scalars`, in the order of its
    arguments. It may still run when this statement ends.
    """

    kernel: str
    groups: tuple[Expr, ...]
    threads: tuple[Expr, ...]
    buffers: tuple[str, ...]
    written: tuple[str, ...]
    scalars: tuple[Expr, ...]


class Mirror(Stmt):
    """`size` elements called `buffer` in the memory of the device, alive in `body`; `on_host` also in an allocation
    of that name."""

    buffer: str
    dtype: DType
    size: Expr
    on_host: bool
    body: Stmt


class ToHost(Stmt):
    """What the device wrote to these buffers is in the memory of the host, which then writes to `written`."""

    buffers: tuple[str, ...]
    written: tuple[str, ...]


NOTHING = Block(())


def block(*stmts: Stmt) -> Stmt:
    """Statements in sequence; nested blocks are flattened, one alone stands for itself."""
    flat: list[Stmt] = []
    for s in stmts:
        if isinstance(s, Block):
            flat.extend(s.stmts)
        else:
            flat.append(s)
    return flat[0] if len(flat) == 1 else Block(tuple(flat))


def let_all(bindings: list[tuple[str, Expr]], body: Stmt) -> Stmt:
    """`body` inside lets, the first binding outermost."""
    for name, value in reversed(bindings):
        body = LetStmt(name, value, body)
    return body
