"""A pipeline compiled and loaded, and which handles its arguments come from."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..codegen.c.extern_text import symbol_of
from ..codegen.kernel import Kernel
from ..compile import compile_pipeline, compile_query
from ..errors import BufferError, HalideError, ParamError
from ..ir.expr import Expr, const
from ..ir.extern import extern_call, extern_service
from ..ir.program import Program
from ..ir.refs import ImageRef
from ..ir.stmt import ErrorSite
from ..lower.query_bounds import Query
from ..runtime import Handlers, load
from ..runtime.buffer import RawBuffer
from ..runtime.extern_functions import missing_function
from ..runtime.kernel import Shape
from ..runtime.symbols import has_symbol
from ..target import Target
from .bounds_query import find_shapes, scalars_now, shape_symbols
from .buffers.contents import BufferContents, ShapeOnly
from .image_ref import ImageParamRef
from .in_place import InPlace
from .lost_in_folds import lost_in_folds
from .param_ref import ParamRef, Scalar
from .reads_past_the_end import reads_past_the_end
from .shown_names import shown_names
from .snapshot import Snapshot

if TYPE_CHECKING:
    from .sized_call import SizedCall


class CompiledPipeline:
    """A pipeline at one moment, for one target. Compiles when it first runs, and runs on what is bound then.

    Buffers are dense in dimension 0, mostly; for those that are not there is another kernel.
    """

    __slots__ = ("_in_place", "_lock", "_query", "_target", "_variants", "handlers", "revision", "sized", "snapshot")

    def __init__(self, snapshot: Snapshot, target: Target, revision: int, handlers: Handlers) -> None:
        self.snapshot = snapshot
        self.handlers = handlers
        self.revision = revision  # at which this was found to be current
        self._target = target
        self._lock = threading.Lock()
        self._query: Query | None = None
        self._in_place = InPlace(snapshot, target)
        self.sized: dict[tuple[int, ...], list[SizedCall]] = {}  # calls over sizes, ready to be made again
        self._variants: dict[frozenset[str], Variant] = {}

    def kernel(self) -> Kernel:
        """The kernel for dense buffers."""
        return self._variant(frozenset()).kernel

    def run(self, outputs: Sequence[BufferContents]) -> None:
        """Fill the outputs, one buffer per value of each output Func."""
        # What was prepared for an output is kept with it, so that its life is that of the buffer.
        prepared = outputs[0].prepared
        if isinstance(prepared, PreparedCall) and prepared.fits(self, outputs):
            prepared.run()
            return
        program = self.snapshot.program
        buffers = {name: bound_contents(image.ref) for name, image in program.images.items()}
        buffers |= {name: outputs[at] for name, at in output_places(program).items()}
        if any(type(contents) is ShapeOnly for contents in buffers.values()):
            self.find_shapes(buffers, scalars_now(program))
            return
        raw = {name: contents.raw for name, contents in buffers.items()}
        outputs[0].prepared = prepared = PreparedCall(self, self.variant(raw), outputs)
        prepared.run()

    def find_shapes(self, buffers: Mapping[str, BufferContents], scalars: Mapping[str, Scalar]) -> None:
        """Give each buffer without memory, by its name in the program, the shape that it needs."""
        with self._lock:
            if self._query is None:
                self._query = compile_query(self.snapshot.program, self.snapshot.schedules, self._target)
        find_shapes(self._query, self.snapshot.program, buffers, scalars)

    def check_memory(self, variant: Variant, buffers: Sequence[RawBuffer], scalars: Sequence[Scalar]) -> None:
        """Raises where an output lies in an input's memory, and the answer would not be that of memory of its own.

        Buffers of other types and ranks than the kernel takes are refused when they are prepared.
        """
        values = {s.name: value for s, value in zip(variant.kernel.scalars, scalars, strict=True)}
        self._in_place.check(variant.kernel.buffers, buffers, values)

    def variant(self, raw: Mapping[str, RawBuffer]) -> Variant:
        """The kernel for buffers of these strides, by their names in the program."""
        return self._variant(frozenset(n for n, buffer in raw.items() if buffer.strides and buffer.strides[0] != 1))

    def _variant(self, strided: frozenset[str]) -> Variant:
        with self._lock:
            if strided not in self._variants:
                self._variants[strided] = Variant(self.snapshot, self._target, strided)
            return self._variants[strided]


class Variant:
    """A loaded kernel and where its arguments come from."""

    __slots__ = ("_snapshot", "_target", "images", "kernel", "loaded", "names", "outputs", "scalars")

    def __init__(self, snapshot: Snapshot, target: Target, strided: frozenset[str]) -> None:
        self._snapshot, self._target = snapshot, target
        program = snapshot.program
        checks: list[Callable[[], None]] = []
        self.kernel = compile_pipeline(program, snapshot.schedules, target, strided, checks.append)
        _check_extern(program)
        self.loaded = load(_as_the_user_names(self.kernel, program), checks)  # it is validated while C is compiled
        self.names = shown_names(program)
        places = output_places(program)
        self.outputs = [places[b.name] for b in self.kernel.buffers if b.is_output]
        self.images = [program.images[b.name].ref for b in self.kernel.buffers if not b.is_output]
        self.scalars = [_param(program, s.name) for s in self.kernel.scalars]

    def explain(
        self, error: HalideError, code: int, numbers: Sequence[int], shapes: Sequence[Shape], scalars: Sequence[Scalar]
    ) -> HalideError:
        """The error of a check that failed, with the read that needs more, or that finds another element."""
        check = self.kernel.asserts[code - 1] if 0 < code <= len(self.kernel.asserts) else None
        values = {s.name: const(value, s.dtype) for s, value in zip(self.kernel.scalars, scalars, strict=True)}
        regions: dict[str, Expr] = {}
        for buffer, shape in zip(self.kernel.buffers, shapes, strict=True):
            regions |= shape_symbols(buffer.name, *shape)
        if check is not None and check.site is ErrorSite.FOLD_TOO_SMALL:
            return lost_in_folds(error, self._snapshot, self._target, check, numbers, regions, values)
        more = reads_past_the_end(self._snapshot, self.kernel, code, numbers, values | regions)
        return type(error)(error.summary, reason=(*error.reason, *more), accepted=error.accepted) if more else error


def _check_extern(program: Program) -> None:
    """Raises DefinitionError where an extern stage's function is not in this process."""
    for function in program.functions.values():
        if extern_call(function) is not None:
            call = extern_service(program, function.name, function.name)
            if not has_symbol(symbol_of(call)):
                raise missing_function(call, function.location)


class PreparedCall:
    """A kernel with its arguments in place."""

    __slots__ = ("_inputs", "_outputs", "_pipeline", "_versions", "run")

    def __init__(self, pipeline: CompiledPipeline, variant: Variant, outputs: Sequence[BufferContents]) -> None:
        self._pipeline = pipeline
        self._inputs = [(ref, bound_contents(ref).raw) for ref in variant.images]
        self._outputs = [(at, outputs[at].raw) for at in variant.outputs]
        self._versions = [(p, p.version) for p in variant.scalars]
        for p in variant.scalars:
            p.check()
        values = [p.value for p in variant.scalars]
        buffers = [raw for _, raw in (*self._inputs, *self._outputs)]
        pipeline.check_memory(variant, buffers, values)
        self.run = variant.loaded.prepare(buffers, values, pipeline.handlers, variant.names, explain=variant.explain)

    def fits(self, pipeline: CompiledPipeline, outputs: Sequence[BufferContents]) -> bool:
        """Whether a call now is the call prepared: the same buffers in the same shape, the same scalars."""
        if self._pipeline is not pipeline:
            return False
        # RawBuffers compare by identity; a changed shape makes another one. (Loops are quicker than lists for so few.)
        for ref, raw in self._inputs:
            if bound_contents(ref).raw is not raw:
                return False
        for at, raw in self._outputs:
            if outputs[at].raw is not raw:
                return False
        return not self._versions or all(param.version == version for param, version in self._versions)


def output_places(program: Program) -> dict[str, int]:
    """Kernel buffer names of the outputs, with their places among the caller's buffers: `f`, or `f.0`, `f.1`, ..."""
    names: list[str] = []
    for output in program.outputs:
        count = len(program.functions[output].dtypes)
        names += [output] if count == 1 else [f"{output}.{element}" for element in range(count)]
    return {name: place for place, name in enumerate(names)}


def _as_the_user_names(kernel: Kernel, program: Program) -> Kernel:
    """The kernel with the user's names for what its checks and arguments are about, so that messages have them."""
    shown = shown_names(program)

    def renamed(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(shown.get(name, name) for name in names[:1]) + names[1:]

    return replace(
        kernel,
        buffers=tuple(replace(b, name=shown.get(b.name, b.name)) for b in kernel.buffers),
        scalars=tuple(replace(s, name=shown.get(s.name, s.name)) for s in kernel.scalars),
        asserts=tuple(replace(a, names=renamed(a.names)) for a in kernel.asserts),
    )


def bound_contents(ref: ImageRef) -> BufferContents:
    """The buffer that an input reads now. Raises BufferError where none is bound."""
    if isinstance(ref, ImageParamRef):
        if ref.buffer is None:
            raise BufferError(
                f"ImageParam `{ref.name}` has no buffer",
                accepted=f"{ref.name}.set(buffer) with {ref.dtype} elements and {ref.rank} dimensions, before the run",
            )
        return ref.buffer._contents
    assert isinstance(ref.constant, BufferContents), "an image is an ImageParam or a Buffer"
    return ref.constant


def _param(program: Program, name: str) -> ParamRef:
    ref = program.scalars[name].ref
    if not isinstance(ref, ParamRef):
        raise ParamError(f"the scalar `{name}` has no value")
    return ref
