"""Running and compiling a Func as a pipeline of its own."""

from __future__ import annotations

from collections.abc import Sequence

from ..proof import Proof
from ..runtime import Handlers
from ..target import Target as TargetValue
from .ahead_of_time import AheadOfTime
from .buffers.buffer import Buffer
from .callable import Callable
from .func_contents import FuncContents
from .handlers import Handling
from .in_place_proof import Places
from .module import Module
from .pipeline_run import PipelineRun, Realization, Sizes
from .snapshot import Snapshot
from .targets.target import Target


class FuncRunning(Handling, AheadOfTime):
    """The part of Func that compiles and runs it. The first run fixes its definition."""

    __slots__ = ()
    _contents: FuncContents

    def realize(
        self,
        sizes: Sizes | Buffer | Sequence[Buffer] | int | None = None,
        target: Target | None = None,
        *,
        dst: Buffer | Sequence[Buffer] | None = None,
    ) -> Realization | None:
        """Run: over a region of these sizes that starts at 0, giving a new Buffer; or into a given one.

        `sizes` counts from dimension 0. A Func of several values gives, and fills, a tuple of Buffers.
        """
        return self.pipeline().realize(sizes if dst is None else dst, target)

    def reference(self, sizes: Sizes | Buffer | Sequence[Buffer] | int | None = None) -> Realization:
        """What `realize` must give, evaluated slowly and without any schedule."""
        return self.pipeline().reference(sizes)

    def verify(
        self, sizes: Sizes | None = None, *, in_place: Places | None = None, target: Target | None = None
    ) -> Proof:
        """Whether the schedule keeps the algorithm's answer, with reasons: for all sizes, or for those given.

        Its status is "proved", "refuted" or "not proved". `in_place` names inputs in whose memory outputs are to lie:
        `{f: photo}`, or with distances `{f: (photo, [0, 1])}`, where f(x, y) lies where photo(x, y + 1) does.
        """
        return self.pipeline().verify(sizes, in_place=in_place, target=target)

    def pipeline(self) -> PipelineRun:
        """The pipeline of which this Func is the only output."""
        contents = self._contents
        if not isinstance(contents.pipeline, PipelineRun):
            contents.pipeline = PipelineRun([contents], contents.handlers)
        return contents.pipeline

    def infer_input_bounds(
        self, dst: Sizes | Buffer | Sequence[Buffer] | int | None = None, target: Target | None = None
    ) -> None:
        """Bind each ImageParam that has no buffer to a new one, of the shape that a run over these sizes would need.

        Given Buffers without memory (`Buffer.make_bounds_query`) get the shape of the output that fits.
        """
        self.pipeline().infer_input_bounds(dst, target)

    def _handlers(self) -> Handlers:
        return self._contents.handlers

    def compile_to_callable(self, arguments: Sequence[object], target: Target | None = None) -> Callable:
        """A function of these Params and ImageParams, and then of the output, compiled now."""
        return self.pipeline().compile_to_callable(arguments, target)

    def compile_jit(self, target: Target | None = None) -> None:
        """Compile now, so that the first run need not."""
        self.pipeline().compile_jit(target)

    def compile_to_module(self, arguments: Sequence[object], fn_name: str = "", target: Target | None = None) -> Module:
        """The Func as a function in a module, which writes files."""
        return self._module(arguments, fn_name, target)

    def _taken(self, target: TargetValue) -> Snapshot:
        return self.pipeline().snapshot(target)

    def _default_name(self) -> str:
        return self.pipeline()._default_name()

    def print_loop_nest(self) -> None:
        """Print the loops as pseudo-code, on the standard error stream."""
        self.pipeline().print_loop_nest()
