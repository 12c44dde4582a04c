"""What a running kernel can call: printing, failing with a message, reporting what it does.

A `Service` says which call an `Effect` makes. Its texts are known when the kernel is made; the numbers in between are
the Effect's `args`.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from ..dtypes import DType


@dataclass(frozen=True, slots=True)
class Print:
    """Hand a line to the user: texts[0] args[0] texts[1] args[1] ... texts[-1]."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fail:
    """Leave the kernel with a message, made as a printed line is. `condition` is what was required, as text."""

    texts: tuple[str, ...]
    condition: str


class TraceKind(enum.IntEnum):
    """What happened. The numbers up to TAG are those of Halide's `halide_trace_event_code_t`."""

    LOAD = 0
    STORE = 1
    BEGIN_REALIZATION = 2
    END_REALIZATION = 3
    PRODUCE = 4
    END_PRODUCE = 5
    CONSUME = 6
    END_CONSUME = 7
    BEGIN_PIPELINE = 8
    END_PIPELINE = 9
    TAG = 10
    ALLOCATE = 11
    FREE = 12


@dataclass(frozen=True, slots=True)
class Trace:
    """Report an event: args[0] is the number of the event that this one belongs to, the rest are coordinates.

    Of loads, stores and allocations the Effect's value is reported and passed on; any other event's Effect gives the
    number of the event itself. Allocations have the buffer's name as their tag.
    """

    kind: TraceKind
    func: str
    element: int = 0
    tag: str = ""

    @property
    def has_value(self) -> bool:
        return self.kind in (TraceKind.LOAD, TraceKind.STORE, TraceKind.ALLOCATE)


@dataclass(frozen=True, slots=True)
class Recall:
    """Fill the memory of a Func with a result that was kept; gives 1 where there is one, else 0.

    args: for each of `buffers` its size in bytes, then numbers that together with `algorithm` and the contents of
    the images at positions `images` decide the result.
    """

    func: str
    algorithm: str
    buffers: tuple[str, ...]
    images: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep what the Recall just before did not find. args: as of it, after a number that names it for eviction."""

    recall: Recall
    evictable: bool


@dataclass(frozen=True, slots=True)
class ExternArgument:
    """A Func, by name; an image, by its position among the buffers too; or a number, with no name."""

    name: str
    position: int
    rank: int
    dtypes: tuple[DType, ...]


@dataclass(frozen=True, slots=True)
class CallExtern:
    """Have `function` compute the Func `func`; gives 0, or leaves the kernel where the function fails.

    args: the numbers among `arguments`, then the region (min and extent of each dimension) of each Func among them, and
    of `func`. Once storage is flat: of each value of each such Func the offset where the region begins, then (min,
    extent, stride) of each dimension. `shown` is the name of the Func in messages. A function of C++ has a name with
    namespaces.
    """

    function: str
    is_cpp: bool
    func: str
    shown: str
    arguments: tuple[ExternArgument, ...]
    dtypes: tuple[DType, ...]


@dataclass(frozen=True, slots=True)
class AskExtern:
    """Ask the function of `call` which regions it needs, and whether it would compute more than is needed.

    args: the numbers among the arguments, then the region needed of the Func. With `outer`: also the region that a
    larger part of the pipeline computes; the answer is moved into it, and with `stays` has to fit. Without `grows` the
    function computes this region and nothing else. `name` is that of the question.
    """

    name: str
    call: CallExtern
    rank: int
    grows: bool
    outer: bool
    stays: bool


@dataclass(frozen=True, slots=True)
class AskedEnd:
    """What the AskExtern of this name just before was told: `end` 0 is min, 1 is extent.

    After the arguments comes the Func itself.
    """

    question: str
    argument: int
    dim: int
    end: int


@dataclass(frozen=True, slots=True)
class Dump:
    """Write what the memory of a Func holds to a file. args: its start; min, extent, stride of each dimension."""

    func: str
    filename: str
    dtype: DType


def touched_buffers(service: Service) -> tuple[str, ...]:
    """The buffers whose memory a call reads or writes."""
    if isinstance(service, Recall):
        return service.buffers
    if isinstance(service, Dump):
        return (service.func,)
    if not isinstance(service, CallExtern):
        return ()
    named = [*((a.name, a.dtypes) for a in service.arguments if a.name), (service.func, service.dtypes)]
    return tuple(
        name if len(dtypes) == 1 else f"{name}.{element}" for name, dtypes in named for element in range(len(dtypes))
    )


Service = Print | Fail | Trace | Recall | Keep | Dump | CallExtern | AskExtern | AskedEnd
