"""The directives that a Func and a Stage have in common: how the loops of one stage are shaped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self, TypeAlias

from ..dtypes import INT32
from ..errors import DefinitionError, IllegalSchedule, ScheduleError
from ..ir.expr import Const
from ..ir.stmt import LoopKind, LoopPartition
from ..schedule.directives import (
    AllowRaceConditions,
    Directive,
    Fuse,
    NestDirective,
    Prefetch,
    Rename,
    Reorder,
    SetKind,
    SetPartition,
    Skew,
    Split,
)
from ..schedule.nest import StageNest
from ..schedule.taking_turns import turns
from ..schedule.versions import version_at, with_version
from ..source import caller
from . import revision
from .argument_names import also_called, also_listed
from .enums import LoopAlignStrategy, Partition, PrefetchBoundStrategy, TailStrategy
from .expressions.conversion import show
from .expressions.expr import ToExpr
from .func_contents import FuncContents
from .fused_stages import Alignment, Place, compute_with_action, in_order, shown_arguments
from .legality import applied
from .loop_names import Loop, bare, is_reduction_loop, loop_name, shown
from .prefetching import prefetch_source
from .repairs import with_repair
from .sizes import constant_size, size_expression
from .tile_forms import tile_arguments

Loops: TypeAlias = "Loop | Sequence[Loop]"


class StageScheduling:
    """Directives on the loops of stage `_stage` of a Func. Each checks its arguments at once, and returns self."""

    __slots__ = ()
    _contents: FuncContents
    _stage: int
    _version: tuple[int, ...]  # the places of specializations on the way to the version that is meant

    def split(
        self,
        old: Loop,
        outer: Loop,
        inner: Loop,
        factor: ToExpr,
        tail: TailStrategy = TailStrategy.Auto,
    ) -> Self:
        """Loop `old` becomes two: `outer` over tiles of `factor`, `inner` inside a tile."""
        text = self._text("split", old, outer, inner, factor, tail)
        return self._record(text, self._split(text, old, outer, inner, factor, tail))

    def fuse(self, inner: Loop, outer: Loop, fused: Loop) -> Self:
        """Two loops become one over all pairs, `inner` fastest."""
        text = self._text("fuse", inner, outer, fused)
        is_reduction = self._is_reduction(text, inner) or self._is_reduction(text, outer)
        self._require_kind(text, fused, is_reduction)
        return self._record(text, Fuse(loop_name(inner), loop_name(outer), loop_name(fused)))

    def rename(self, old_name: Loop, new_name: Loop) -> Self:
        """The loop gets another name."""
        text = self._text("rename", old_name, new_name)
        self._require_kind(text, new_name, self._is_reduction(text, old_name))
        return self._record(text, Rename(loop_name(old_name), loop_name(new_name)))

    def skew(self, x: Loop, t: Loop, factor: int) -> Self:
        """Loop `x` counts x + factor * t instead, and keeps its name; the iterations are the same ones.

        for x: for t: S(x, t)   ->   for x: for t: S(x - factor * t, t), where that is in the range of x

        Where each iteration needs its neighbours in both loops, skew(x, t, 1).reorder(t, x).parallel(t) is a wavefront.
        """
        text = self._text("skew", x, t, factor)
        if isinstance(factor, bool) or not isinstance(factor, int):
            reason = [f"the factor is {factor!r}, of type {type(factor).__name__}"]
            raise ScheduleError(text, location=caller(), reason=reason, accepted="an integer")
        return self._record(text, Skew(self._existing(text, x), self._existing(text, t), factor))

    @also_listed("vars")
    def reorder(self, *vars: Loops) -> Self:
        """The named loops change places among themselves, the first innermost."""
        loops = _flat(vars)
        text = self._text("reorder", *loops)
        return self._record(text, Reorder(tuple(self._existing(text, v) for v in loops)))

    def tile(self, *args: object, **named: object) -> Self:
        """Split several loops and put all inner loops inside all outer ones.

        tile(x, y, xo, yo, xi, yi, xfactor, yfactor)     tile([x, y], [xo, yo], [xi, yi], [8, 8])
        tile(x, y, xi, yi, xfactor, yfactor)             tile([x, y], [xi, yi], [8, 8])
        """
        previous, outers, inners, factors, tail = tile_arguments(args, named)
        text = self._text("tile", *args, *named.values())
        if not len(previous) == len(outers) == len(inners) == len(factors):
            raise ScheduleError(text, location=caller(), reason=["the lists differ in length"])
        rows = zip(previous, outers, inners, factors, strict=True)
        splits = [self._split(text, old, outer, inner, factor, tail) for old, outer, inner, factor in rows]
        return self._record(text, *splits, Reorder(tuple(map(loop_name, (*inners, *outers)))))

    def vectorize(self, var: Loop, factor: ToExpr | None = None, tail: TailStrategy = TailStrategy.Auto) -> Self:
        """All iterations run at once as lanes of a vector; with a factor, of the inner loop of a split."""
        return self._marked("vectorize", LoopKind.VECTORIZED, "v", var, factor, tail)

    def unroll(self, var: Loop, factor: ToExpr | None = None, tail: TailStrategy = TailStrategy.Auto) -> Self:
        """The body is repeated for each iteration; with a factor, of the inner loop of a split."""
        return self._marked("unroll", LoopKind.UNROLLED, "u", var, factor, tail)

    def parallel(self, var: Loop, task_size: ToExpr | None = None, tail: TailStrategy = TailStrategy.Auto) -> Self:
        """Iterations are spread over threads; with a size, so many of them make one task."""
        if task_size is None:
            text = self._text("parallel", var)
            return self._record(text, SetKind(self._existing(text, var), LoopKind.PARALLEL))
        text = self._text("parallel", var, task_size, tail)
        name = self._existing(text, var)
        split = Split(
            name, name, self._unused(name, "t"), size_expression(text, task_size), TailStrategy.meant(text, tail)
        )
        return self._record(text, split, SetKind(name, LoopKind.PARALLEL))

    def serial(self, var: Loop) -> Self:
        """Iterations run one after the other, as all loops do unless said otherwise."""
        text = self._text("serial", var)
        return self._record(text, SetKind(self._existing(text, var), LoopKind.SERIAL))

    def compute_with(
        self,
        stage: Place | None = None,
        var: Loop | Alignment | None = None,
        align: Alignment = LoopAlignStrategy.Auto,
        *,
        loop_level: Place | None = None,
    ) -> Self:
        """The loops from the outermost one down to `var` run once, for this stage and for another Func's.

        compute_with(func or stage, var, align)     compute_with(LoopLevel(func, var), align)

        `align` says how iterations meet where the ranges differ: a strategy for `var`, or pairs of loop and strategy.
        """
        arguments = in_order(loop_level if stage is None else stage, var, align)
        text = self._text("compute_with", *shown_arguments(*arguments))
        if self._version:
            reason = ["the loops of a stage are shared in all of its versions, and this is one of them"]
            raise ScheduleError(text, location=caller(), reason=reason, accepted="compute_with() of the stage itself")
        return self._record(text, compute_with_action(text, self._contents, *arguments))

    def allow_race_conditions(self) -> Self:
        """Reduction loops may run in parallel from here on, although the result may depend on the order."""
        return self._record(self._text("allow_race_conditions"), AllowRaceConditions())

    def atomic(self, override_associativity_test: bool = False) -> Self:
        """From here on reduction loops may run in parallel or as vectors: updates of one element take turns.

        The update combines each element with something, in any order, as `f[i] += e` does; with True that is not asked.
        """
        text = self._text("atomic", *((True,) if override_associativity_test else ()))
        nest, function = self._nest(), self._contents.defined_function
        return self._record(text, turns(nest, function, self._contents, override=override_associativity_test))

    @also_called(func="image", from_="from")
    def prefetch(
        self,
        func: object,
        at: Loop,
        from_: Loop,
        offset: ToExpr = 1,
        strategy: PrefetchBoundStrategy = PrefetchBoundStrategy.GuardWithIf,
    ) -> Self:
        """In each iteration of loop `at`, fetch what will be read of a Func or ImageParam `offset` iterations of loop
        `from_` later. `from_` is `at` or stands around it. Where that is not there, the strategy says what is fetched.
        """
        named = () if strategy is PrefetchBoundStrategy.GuardWithIf else (strategy,)
        text = self._text("prefetch", func, at, from_, offset, *named)
        loops = self._existing(text, at), self._existing(text, from_)
        size = size_expression(text, offset)
        return self._record(
            text, Prefetch(prefetch_source(text, func), *loops, size, PrefetchBoundStrategy.meant(text, strategy))
        )

    def partition(self, var: Loop, partition_policy: Partition) -> Self:
        """Whether the loop is split into a steady part and edges: where it seems worth it, never, or always."""
        text = self._text("partition", var, partition_policy)
        policy = Partition.meant(text, partition_policy)
        return self._record(text, SetPartition(self._existing(text, var), policy))

    @also_listed("vars")
    def never_partition(self, *vars: Loops) -> Self:
        """The loops stay whole."""
        return self._partitioned("never_partition", vars, LoopPartition.NEVER)

    @also_listed("vars")
    def always_partition(self, *vars: Loops) -> Self:
        """The loops are split into a steady part and edges wherever something is decided by that."""
        return self._partitioned("always_partition", vars, LoopPartition.ALWAYS)

    def never_partition_all(self) -> Self:
        """All loops that there are now stay whole."""
        return self._all_partitioned("never_partition_all", LoopPartition.NEVER)

    def always_partition_all(self) -> Self:
        """All loops that there are now are split wherever something is decided by that."""
        return self._all_partitioned("always_partition_all", LoopPartition.ALWAYS)

    def _partitioned(self, verb: str, vars: Sequence[Loops], policy: LoopPartition) -> Self:
        loops = _flat(vars)
        text = self._text(verb, *loops)
        return self._record(text, *(SetPartition(self._existing(text, v), policy) for v in loops))

    def _all_partitioned(self, verb: str, policy: LoopPartition) -> Self:
        return self._record(self._text(verb), *(SetPartition(name, policy) for name in self._nest().loop_names))

    def dump_argument_list(self) -> str:
        """The loops of the stage, innermost first."""
        return "Vars: " + " ".join((*self._nest().loop_names, "__outermost")) + "\n"

    def _marked(
        self, verb: str, kind: LoopKind, suffix: str, var: Loop, factor: ToExpr | None, tail: TailStrategy
    ) -> Self:
        if factor is None:
            text = self._text(verb, var)
            return self._record(text, SetKind(self._existing(text, var), kind))
        text = self._text(verb, var, factor, tail)
        name = self._existing(text, var)
        inner = self._unused(name, suffix)
        size = Const(constant_size(text, factor), INT32)
        return self._record(text, Split(name, name, inner, size, TailStrategy.meant(text, tail)), SetKind(inner, kind))

    def _split(self, text: str, old: Loop, outer: Loop, inner: Loop, factor: ToExpr, tail: TailStrategy) -> Split:
        is_reduction = self._is_reduction(text, old)
        self._require_kind(text, outer, is_reduction)
        self._require_kind(text, inner, is_reduction)
        names = loop_name(old), loop_name(outer), loop_name(inner)
        return Split(*names, size_expression(text, factor), TailStrategy.meant(text, tail))

    def _nest(self) -> StageNest:
        if self._contents.function is None:
            raise DefinitionError(
                f"Func `{self._contents.name}` is scheduled before it is defined",
                location=caller(),
                accepted=f"define it first, for example: {self._contents.name}[x] = x",
            )
        return version_at(self._contents.nests[self._stage], self._version)

    def _record(self, text: str, *actions: NestDirective) -> Self:
        """Apply the directives that one line of the user stands for: all of them, or none."""
        location = caller()
        nest = self._nest()
        before = nest
        try:
            for action in actions:
                nest = applied(self._contents, nest, Directive(action, self._stage, location, text))
        except IllegalSchedule as refusal:
            call = text.removeprefix(f"{self._stage_name()}{self._conditions()}.")
            raise with_repair(refusal, self._contents, before, actions, call) from None
        self._replace_nest(nest)
        return self

    def _replace_nest(self, nest: StageNest) -> None:
        nests = self._contents.nests
        nests[self._stage] = with_version(nests[self._stage], self._version, nest)
        revision.changed()

    def _stage_name(self) -> str:
        return self._contents.name if self._stage == 0 else f"{self._contents.name}.update({self._stage - 1})"

    def _text(self, verb: str, *args: object) -> str:
        given = (shown(a) for a in args if a is not TailStrategy.Auto)
        return f"{self._stage_name()}{self._conditions()}.{verb}({', '.join(given)})"

    def _conditions(self) -> str:
        """The specializations on the way to the version, as the user wrote them."""
        nest, texts = self._contents.nests[self._stage] if self._version else None, ""
        for place in self._version:
            assert nest is not None, "a version belongs to a nest"
            texts += f".specialize({bare(show(nest.specializations[place].condition))})"
            nest = nest.specializations[place].nest
        return texts

    def _existing(self, text: str, var: Loop) -> str:
        """The name of a loop that exists and is of the same sort, Var or RVar."""
        self._is_reduction(text, var)
        return loop_name(var)

    def _is_reduction(self, text: str, var: Loop) -> bool:
        """Whether the loop named is a reduction loop. Raises where it is named by the other sort, Var or RVar."""
        dim = self._nest().dim(loop_name(var))
        if dim is not None:
            self._require_kind(text, var, dim.is_reduction)
            return dim.is_reduction
        return is_reduction_loop(var)

    def _require_kind(self, text: str, var: Loop, is_reduction: bool) -> None:
        if is_reduction_loop(var) != is_reduction:
            here, wanted = ("an RVar", "a Var") if is_reduction_loop(var) else ("a Var", "an RVar")
            name = loop_name(var)
            raise ScheduleError(
                text,
                location=caller(),
                reason=[
                    f"`{name}` is {here}; the loop runs over {'a reduction' if is_reduction else 'a pure'} variable"
                ],
                accepted=f'{wanted}, for example hl.{wanted.split()[1]}("{name}")',
            )

    def _unused(self, name: str, suffix: str) -> str:
        """A name for a loop that the user did not name."""
        nest = self._nest()
        candidates = (f"{name}.{suffix}{n or ''}" for n in range(len(nest.dims) + 1))
        return next(c for c in candidates if nest.dim(c) is None)


def _flat(vars: Sequence[Loops]) -> list[Loop]:
    return [v for group in vars for v in (group if isinstance(group, list | tuple) else (group,))]
