"""Running a pipeline: what `Func` and `Pipeline` have in common."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from ..codegen.c.names import identifier
from ..dtypes import DType
from ..errors import BufferError, DefinitionError, MistypedBuffer, ScheduleError, TypeMismatch
from ..instrument import same_setting
from ..ir.expr import Expr
from ..ir.program import Program
from ..proof import Proof
from ..reference import ExternFunctions, evaluate
from ..runtime import Handlers
from ..runtime.extern_functions import ask_function, call_function
from ..source import caller
from ..target import Target as TargetValue
from . import revision
from .advise import advise_about
from .ahead_of_time import AheadOfTime
from .bounds_query import scalars_now
from .buffers.buffer import Buffer
from .buffers.contents import BufferContents, ShapeOnly, allocate
from .callable import Callable
from .compiled import CompiledPipeline, bound_contents, output_places
from .display import loop_nest
from .func_contents import FuncContents
from .handlers import Handling
from .image_ref import ImageParamRef
from .in_place_proof import Places
from .larger_outputs import run_larger
from .module import Module
from .output_files import LinkageType
from .param_ref import ParamRef
from .sized_call import SizedCall
from .snapshot import Snapshot, snapshot
from .targets.choice import jit_target
from .targets.target import Target
from .verification import verification

Sizes: TypeAlias = "Sequence[int]"
Realization: TypeAlias = "Buffer | tuple[Buffer, ...]"
_FUNCTIONS = ExternFunctions(ask_function, call_function)
_MEMORY = 4  # targets whose compiled form is kept
_jit_setting = same_setting(b"HL_JIT_TARGET")
_MEMORY_OF_SIZES = 8  # sizes for which a call is kept ready


class PipelineRun(Handling, AheadOfTime):
    """A pipeline of Funcs given as their contents. The Funcs can get no further definitions."""

    __slots__ = ("_compiled", "_current", "_lock", "_outputs", "_requirements", "_told", "_values")

    def __init__(self, outputs: Sequence[FuncContents], told: Handlers | None = None) -> None:
        self._outputs = tuple(outputs)
        self._requirements: tuple[Expr, ...] = ()
        self._told = told or Handlers()
        self._lock = threading.Lock()
        self._compiled: dict[TargetValue, CompiledPipeline] = {}
        self._current: tuple[object, CompiledPipeline] | None = None
        for number, func in enumerate(self._outputs):
            if func in self._outputs[:number]:
                raise DefinitionError(
                    f"Func `{func.name}` is given twice as an output of a pipeline",
                    location=caller(),
                    accepted="each output once",
                )
            if func.function is None:
                raise DefinitionError(
                    f"Func `{func.name}` is an output of a pipeline, but it is not defined",
                    location=caller(),
                    accepted=f"define it first, for example: {func.name}[x] = x",
                )
            func.frozen = True
        self._values = sum(len(func.defined_function.dtypes) for func in self._outputs)

    def realize(
        self,
        sizes: Sizes | Buffer | Sequence[Buffer] | int | None = None,
        target: Target | None = None,
        *,
        dst: Buffer | Sequence[Buffer] | None = None,
    ) -> Realization | None:
        """Run: over a region of these sizes that starts at 0, giving new Buffers; or into given ones.

        `sizes` counts from dimension 0. Several outputs, or several values of one, make a tuple.
        """
        wanted = dst if dst is not None else sizes
        if isinstance(wanted, Buffer):
            self.compiled(target).run(self._given([wanted]))
            return None
        if isinstance(wanted, Sequence) and wanted and isinstance(wanted[0], Buffer):
            self.compiled(target).run(self._given(wanted))
            return None
        made = self._run_new(self.compiled(target), wanted)
        return Buffer._of(made[0]) if len(made) == 1 else tuple(map(Buffer._of, made))

    def _run_new(self, compiled: CompiledPipeline, wanted: object) -> list[BufferContents]:
        """Run over these sizes. What was prepared for them is used again, by one thread at a time."""
        plain = type(wanted) in (list, tuple) and {*map(type, wanted)} == {int}  # type: ignore[call-overload]
        key: tuple[int, ...] = tuple(wanted) if plain else whole_sizes(wanted)  # type: ignore[arg-type]
        ready = compiled.sized.get(key)
        try:
            call = ready.pop() if ready else self._sized_call(compiled, whole_sizes(wanted))
        except IndexError:  # another thread was faster
            call = self._sized_call(compiled, whole_sizes(wanted))
        try:
            made = call.run()
        except (BufferError, ScheduleError):
            larger = run_larger(compiled, whole_sizes(wanted), self._outputs_over(whole_sizes(wanted)))
            if larger is None:
                raise
            return larger
        if ready is None:
            if len(compiled.sized) >= _MEMORY_OF_SIZES:
                compiled.sized.clear()
            ready = compiled.sized.setdefault(key, [])
        ready.append(call)
        return made

    def _sized_call(self, compiled: CompiledPipeline, sizes: tuple[int, ...]) -> SizedCall:
        return SizedCall(compiled, sizes, self._outputs_over(sizes))

    def compiled(self, target: Target | None = None) -> CompiledPipeline:
        """The pipeline, compiled as it is defined and scheduled now."""
        current = self._current
        asked = _jit_setting() if target is None else _value(target)
        if current is not None and current[0] == asked and current[1].revision == revision.current.number:
            return current[1]
        with self._lock:
            made = self._compile(jit_target(target))
            self._current = (asked, made)
            return made

    def _handlers(self) -> Handlers:
        return self._told

    def _compile(self, target: TargetValue) -> CompiledPipeline:
        number = revision.current.number
        known = self._compiled.get(target)
        if known is not None and known.revision == number:
            return known
        now = self.snapshot(target)
        if known is not None and known.snapshot == now:
            known.revision = number
            return known
        advise_about(now, target)
        made = CompiledPipeline(now, target, number, self._told)
        while len(self._compiled) >= _MEMORY:
            del self._compiled[next(iter(self._compiled))]
        self._compiled[target] = made
        return made

    def snapshot(self, target: TargetValue | None = None) -> Snapshot:
        """The program and the schedules at this moment, as values; for the target of runs, unless another is given."""
        return snapshot(self._outputs, jit_target(None) if target is None else target, self._requirements)

    def verify(
        self, sizes: Sizes | None = None, *, in_place: Places | None = None, target: Target | None = None
    ) -> Proof:
        """Whether the schedule keeps the algorithm's answer, with reasons: for all sizes, or for those given.

        Its status is "proved", "refuted" or "not proved". `in_place` names inputs in whose memory outputs are to lie:
        `{f: photo}`, or with distances `{f: (photo, [0, 1])}`, where f(x, y) lies where photo(x, y + 1) does.
        """
        known = () if sizes is None else whole_sizes(sizes)
        value = jit_target(target)
        return verification(self.snapshot(value), value, known, {} if in_place is None else in_place)

    def reference(self, sizes: Sizes | Buffer | Sequence[Buffer] | int | None = None) -> Realization:
        """What `realize` must give, evaluated slowly and without any schedule. Given Buffers tell the regions."""
        program = self.snapshot().program
        wanted = [sizes] if isinstance(sizes, Buffer) else sizes
        if isinstance(wanted, Sequence) and wanted and isinstance(wanted[0], Buffer):
            shapes = self._given(wanted)
        else:
            shapes = self._allocated(whole_sizes(wanted))
        places = output_places(program)
        regions = {}
        for output in program.outputs:
            like = shapes[places.get(output, places.get(f"{output}.0", 0))]
            regions[output] = list(zip(like.mins, like.array.shape[::-1], strict=True))
        images = {name: _image(bound_contents(image.ref)) for name, image in program.images.items()}
        arrays = evaluate(program, images, _scalars(program), regions, _FUNCTIONS)
        flat = [array for output in program.outputs for array in arrays[output]]
        made = [BufferContents(a, s.dtype, s.mins) for a, s in zip(flat, shapes, strict=True)]
        buffers = tuple(map(Buffer._of, made))
        return buffers[0] if len(buffers) == 1 else buffers

    def _allocated(self, sizes: tuple[int, ...]) -> list[BufferContents]:
        return [BufferContents(allocate(dtype, sizes), dtype, name=name) for dtype, name in self._outputs_over(sizes)]

    def _outputs_over(self, sizes: tuple[int, ...]) -> list[tuple[DType, str]]:
        """Type and name of each output buffer. Raises BufferError for a wrong number of sizes."""
        made = []
        for func in self._outputs:
            function = func.defined_function
            if function.rank != len(sizes):
                raise BufferError(
                    f"Func `{func.name}` has {function.rank} dimensions, but is realized over {len(sizes)} sizes",
                    location=caller(),
                    accepted=f"{function.rank} sizes, for ({', '.join(function.args)})",
                )
            for element, dtype in enumerate(function.dtypes):
                name = func.name if len(function.dtypes) == 1 else f"{func.name}.{element}"
                made.append((dtype, name))
        return made

    def _given(self, buffers: Sequence[object]) -> list[BufferContents]:
        needed = self._values
        found = [b._contents for b in buffers if isinstance(b, Buffer)]
        if len(found) != needed or len(buffers) != needed:
            raise BufferError(
                f"the pipeline has {needed} output buffers, but {len(buffers)} were given",
                location=caller(),
                accepted="one Buffer for each value of each output Func",
            )
        return found

    def infer_input_bounds(
        self, dst: Sizes | Buffer | Sequence[Buffer] | int | None = None, target: Target | None = None
    ) -> None:
        """Bind each ImageParam that has no buffer to a new one, of the shape that a run over these sizes would need.

        Given Buffers without memory (`Buffer.make_bounds_query`) get the shape of the output that fits.
        """
        compiled = self.compiled(target)
        program = compiled.snapshot.program
        if isinstance(dst, Buffer) or (isinstance(dst, Sequence) and dst and isinstance(dst[0], Buffer)):
            outputs = self._given([dst] if isinstance(dst, Buffer) else dst)
        else:
            outputs = [ShapeOnly(made.dtype, made.array.shape[::-1]) for made in self._allocated(whole_sizes(dst))]
        unbound: dict[str, ShapeOnly] = {}
        for name, image in program.images.items():
            if isinstance(image.ref, ImageParamRef) and image.ref.buffer is None:
                unbound[name] = ShapeOnly(image.dtype, [0] * image.rank, image.ref.name)
        bound = {n: bound_contents(i.ref) for n, i in program.images.items() if n not in unbound}
        given = {name: outputs[at] for name, at in output_places(program).items()}
        compiled.find_shapes({**bound, **unbound, **given}, scalars_now(program))
        for name, shape in unbound.items():
            ref = program.images[name].ref
            assert isinstance(ref, ImageParamRef), "constant images are bound"
            ref.buffer = Buffer._of(shape.allocated())

    def compile_to_callable(self, arguments: Sequence[object], target: Target | None = None) -> Callable:
        """A function of these Params and ImageParams, and then of the outputs, compiled now."""
        value = jit_target(target)
        made = CompiledPipeline(self.snapshot(value), value, revision.current.number, self._told)
        made.kernel()
        return Callable(made, arguments)

    def compile_jit(self, target: Target | None = None) -> None:
        """Compile now, so that the first run need not."""
        self.compiled(target).kernel()

    def invalidate_cache(self) -> None:
        """Forget compiled code."""
        with self._lock:
            self._compiled.clear()
            self._current = None

    def compile_to_module(
        self,
        arguments: Sequence[object],
        fn_name: str,
        target: Target | None = None,
        linkage: LinkageType = LinkageType.ExternalPlusMetadata,
    ) -> Module:
        """The pipeline as a function in a module, which writes files."""
        return self._module(arguments, fn_name, target, linkage)

    def _taken(self, target: TargetValue) -> Snapshot:
        return self.snapshot(target)

    def _default_name(self) -> str:
        if not self._outputs:
            raise DefinitionError("a pipeline without outputs is compiled", location=caller())
        return identifier(self._outputs[0].name)

    def print_loop_nest(self) -> None:
        """Print the loops as pseudo-code, on the standard error stream."""
        sys.stderr.write(loop_nest(self.snapshot()))


def _value(target: object) -> TargetValue:
    if isinstance(target, Target):
        return target.value
    is_size = isinstance(target, int | np.integer)
    raise TypeMismatch(
        f"{target!r} is no target",
        location=caller(),
        reason=["sizes stand in one list"] if is_size else (),
        accepted="realize([640, 480])" if is_size else 'hl.Target("host") and the like',
    )


def whole_sizes(sizes: object) -> tuple[int, ...]:
    """The sizes to realize over. Raises BufferError for what is none."""
    if sizes is None:
        return ()
    given = [sizes] if isinstance(sizes, int | np.integer) else sizes
    is_whole = isinstance(given, Sequence) and all(isinstance(s, int | np.integer) for s in given)
    if is_whole and all(0 <= s < 1 << 31 for s in given):  # type: ignore[attr-defined]
        return tuple(map(int, given))  # type: ignore[call-overload]
    if is_whole and all(s >= 0 for s in given):  # type: ignore[attr-defined]
        raise BufferError(f"{given} is too large to realize over", location=caller(), accepted="sizes below 2**31")
    is_array = isinstance(sizes, np.ndarray)
    raise (BufferError if is_whole else MistypedBuffer)(
        f"{'an array' if is_array else repr(sizes)} is nothing to realize over",
        location=caller(),
        reason=["an array could be sizes, or be what is filled"] if is_array else (),
        accepted="hl.Buffer(array) to fill it, list(array) for sizes"
        if is_array
        else "a list of sizes such as [640, 480], a Buffer, or a list of Buffers",
    )


def _image(contents: BufferContents) -> tuple[np.ndarray, tuple[int, ...]]:
    return contents.read(), contents.mins


def _scalars(program: Program) -> dict[str, int | float]:
    return {name: s.ref.value for name, s in program.scalars.items() if isinstance(s.ref, ParamRef)}
