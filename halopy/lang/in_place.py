"""Outputs that lie in the memory of inputs: proved to be right, or refused before anything runs.

f[x, y] = photo[x, y] + 1        photo.set(buffer), f.realize(buffer)      each element is read before it is written
f[x, y] = photo[x + 1, y]        with x parallel: refused, and two iterations show why
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..compile import in_place_obligation
from ..dtypes import DType
from ..errors import BufferError, IllegalSchedule, UserError
from ..ir.expr import Expr, const
from ..ir.kernel import BufferArg
from ..ir.shared_memory import SharedMemory, Tie
from ..proof import NOT_PROVED, PROVED, Obligation
from ..runtime.buffer import RawBuffer
from ..runtime.shared_cells import Irregular, shared_cells
from ..source import caller
from ..target import Target
from .bounds_query import shape_symbols
from .image_ref import ImageParamRef
from .param_ref import Scalar
from .shown_names import shown_names
from .snapshot import Snapshot

_MOST_KNOWN = 64  # answers that are kept


class InPlace:
    """What was found out about one pipeline."""

    __slots__ = ("_functions", "_known", "_shown", "_snapshot", "_target")

    def __init__(self, snapshot: Snapshot, target: Target) -> None:
        self._snapshot, self._target = snapshot, target
        self._shown = shown_names(snapshot.program)
        self._known: dict[object, Obligation] = {}

    def check(
        self, arguments: Sequence[BufferArg], buffers: Sequence[RawBuffer], scalars: Mapping[str, Scalar]
    ) -> None:
        """Raises IllegalSchedule where an output would overwrite what is still read, BufferError for memory shared
        in other ways.
        """
        given = list(zip(arguments, buffers, strict=True))
        if any(buffer.dtype is not a.dtype or len(buffer.extents) != a.rank for a, buffer in given):
            return  # refused for that
        outputs = [pair for pair in given if pair[0].is_output]
        for n, (argument, buffer) in enumerate(outputs):
            for other, memory in given:
                if not other.is_output:
                    ties = self._ties((other, memory), (argument, buffer))
                    if ties is not None:
                        self._prove(SharedMemory(other.name, self._func(argument.name), ties), given, scalars)
            for other, memory in outputs[:n]:
                if self._ties((other, memory), (argument, buffer)) is not None:
                    raise self._both_outputs(other.name, argument.name)

    def _ties(self, one: tuple[BufferArg, RawBuffer], other: tuple[BufferArg, RawBuffer]) -> tuple[Tie, ...] | None:
        try:
            ties = shared_cells(one[1], other[1])
        except Irregular:
            raise self._irregular(one[0], other[0], "but not cell by cell at one distance") from None
        if ties is not None and not _alike(one[0].dtype, other[0].dtype):
            raise self._irregular(one[0], other[0], f"as {one[0].dtype} and as {other[0].dtype}")
        return ties

    def _prove(
        self, shared: SharedMemory, given: Sequence[tuple[BufferArg, RawBuffer]], scalars: Mapping[str, Scalar]
    ) -> None:
        if self._obligation(shared, {}).status == PROVED:
            return
        known = {name: const(n, self._snapshot.program.scalars[name].dtype) for name, n in scalars.items()}
        for argument, buffer in given:
            known |= shape_symbols(argument.name, buffer.mins, buffer.extents, buffer.strides)
        found = self._obligation(shared, known)
        if found.status != PROVED:
            raise self._refusal(shared, found)

    def _obligation(self, shared: SharedMemory, known: Mapping[str, Expr]) -> Obligation:
        key = (shared, tuple(known.items()))
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            taken = self._snapshot
            found = in_place_obligation(taken.program, taken.schedules, self._target, shared, known, self._shown)
            self._known[key] = found
        return found

    def _func(self, buffer: str) -> str:
        """The Func whose values the buffer holds."""
        return buffer if buffer in self._snapshot.program.functions else buffer.rpartition(".")[0]

    def _name(self, name: str) -> str:
        return self._shown.get(name, name)

    def _refusal(self, shared: SharedMemory, found: Obligation) -> IllegalSchedule:
        image = self._name(shared.image)
        is_param = isinstance(self._snapshot.program.images[shared.image].ref, ImageParamRef)
        again = found.witness is not None and found.witness.source == found.witness.sink
        return IllegalSchedule(
            f"{self._name(shared.output)} realized in the memory of its input {image}",
            location=caller(),
            reason=[found.reason if found.status != NOT_PROVED else f"not proved to be right: {found.reason}"],
            accepted="another Buffer as output" + (", or TailStrategy.GuardWithIf" if again else ""),
            witness=found.witness,
            repair=f"{image}.in_().compute_root()" if is_param else None,
        )

    def _irregular(self, one: BufferArg, other: BufferArg, how: str) -> UserError:
        return BufferError(
            f"{self._role(one)} and {self._role(other)} share memory, {how}",
            location=caller(),
            reason=["so it cannot be told which elements are read before others are written"],
            accepted="separate memory, or views of one array with equal strides and element types",
        )

    def _both_outputs(self, one: str, other: str) -> UserError:
        return BufferError(
            f"outputs `{self._name(one)}` and `{self._name(other)}` share memory",
            location=caller(),
            reason=["values of one would be lost"],
            accepted="separate memory for each output",
        )

    def _role(self, argument: BufferArg) -> str:
        return f"{'output' if argument.is_output else 'input'} `{self._name(argument.name)}`"


def _alike(one: DType, other: DType) -> bool:
    """Whether C may take the same memory for elements of both types."""
    return one is other or (one.bytes == other.bytes and one.is_integer and other.is_integer)
