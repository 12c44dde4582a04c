"""The loop nest of one stage, as directives shape it: which loops there are, in which order, of which kind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from ..errors import IllegalSchedule, ScheduleError
from ..ir.expr import TRUE, Const, Expr, const_value
from ..ir.stmt import LoopKind, LoopPartition, MemoryKind
from .directives import (
    INLINED,
    AlignBounds,
    AllowRaceConditions,
    Atomic,
    Bound,
    ComputeAt,
    ComputeWith,
    Directive,
    FuncDirective,
    Fuse,
    HoistStorage,
    LoopLevel,
    LoopStep,
    OnDevice,
    Prefetch,
    Rename,
    Reorder,
    ReorderStorage,
    RingBuffer,
    SetKind,
    SetPartition,
    Skew,
    Specialize,
    SpecializeFail,
    Split,
    StoreAt,
    StoreIn,
)
from .tails import BLENDING, families, resolve_tail
from .taking_turns import why_not_at_once, why_not_by_turns

GREATEST_SKEW = 1 << 12


@dataclass(frozen=True, slots=True)
class Dim:
    """A loop. `is_reduction`: it runs over (a part of) a reduction variable.

    `is_ordered`: two iterations may touch one element, so their order matters unless the whole
    stage's order is free (`StageNest.is_order_free`).
    """

    name: str
    kind: LoopKind = LoopKind.SERIAL
    is_reduction: bool = False
    made_by: tuple[Directive, ...] = ()  # directives that made or marked this loop, for comments and errors
    is_ordered: bool = False
    partition: LoopPartition = LoopPartition.AUTO
    device: str = ""  # where blocks, threads and lanes run


@dataclass(frozen=True, slots=True)
class Specialization:
    """The version of a stage for when `condition` holds; one with `failure` stops the pipeline instead."""

    condition: Expr
    nest: StageNest
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class StageNest:
    """Loops of one stage, innermost first, and the steps that express the stage's own variables by them.

    `steps` in the order applied: each replaces loops by others (`Split`, with tail resolved from AUTO;
    `Fuse`; `Rename`; `Skew`). A stage's own variables are its pure args and its RVars. A new loop may carry the
    name of one that an earlier step consumed (`split(x, x, xi, 8)`), so steps are read in order.
    """

    func: str  # the user's name, for messages
    stage: int
    dims: tuple[Dim, ...]
    steps: tuple[LoopStep, ...] = ()
    races_allowed: bool = False
    directives: tuple[Directive, ...] = ()
    is_order_free: bool = False  # reduction loops may change places: the answer does not depend on their order
    atomic: Atomic | None = None
    is_left_alone: bool = False  # the user said that having no directives is on purpose
    prefetches: tuple[Directive, ...] = ()
    specializations: tuple[Specialization, ...] = ()  # tried in order, before the loops of this nest
    definition: int | None = None  # of the stage's `Definition.versions` the one that the loops are of

    @property
    def is_update(self) -> bool:
        return self.stage > 0

    @property
    def loop_names(self) -> tuple[str, ...]:
        """Names of the loops, innermost first."""
        return tuple(d.name for d in self.dims if d.kind is not LoopKind.EXTERN)

    @property
    def compute_with(self) -> Directive | None:
        """The directive that fuses these loops with another stage's; the last one counts."""
        return next((d for d in reversed(self.directives) if isinstance(d.action, ComputeWith)), None)

    def dim(self, name: str) -> Dim | None:
        return next((d for d in self.dims if d.name == name), None)


@dataclass(frozen=True, slots=True)
class FuncSchedule:
    """All that was said about one Func: a nest per stage, and where it is computed and stored."""

    nests: tuple[StageNest, ...]
    directives: tuple[Directive, ...] = ()  # the Func-wide ones, in order; later ones win

    @property
    def compute_level(self) -> LoopLevel:
        """Where the Func is computed; inlined unless said."""
        levels = [d.action.level for d in self.directives if isinstance(d.action, ComputeAt)]
        return levels[-1] if levels else INLINED

    @property
    def store_level(self) -> LoopLevel:
        """Where the Func's memory lives; where it is computed unless said."""
        levels = [d.action.level for d in self.directives if isinstance(d.action, StoreAt)]
        return levels[-1] if levels and not levels[-1].is_inlined else self.compute_level

    @property
    def bounds(self) -> tuple[Bound, ...]:
        return tuple(d.action for d in self.directives if isinstance(d.action, Bound))

    @property
    def alignments(self) -> tuple[AlignBounds, ...]:
        return tuple(d.action for d in self.directives if isinstance(d.action, AlignBounds))

    @property
    def hoist_level(self) -> LoopLevel:
        """Where the Func's memory is taken; where it lives unless said."""
        levels = [d.action.level for d in self.directives if isinstance(d.action, HoistStorage)]
        return levels[-1] if levels and not levels[-1].is_inlined else self.store_level

    @property
    def ring_slots(self) -> Expr | None:
        """How often the Func's memory is there, to be used in turn; None where nothing was said."""
        slots = [d.action.slots for d in self.directives if isinstance(d.action, RingBuffer)]
        return slots[-1] if slots else None

    @property
    def memory(self) -> MemoryKind:
        kinds = [d.action.memory for d in self.directives if isinstance(d.action, StoreIn)]
        return kinds[-1] if kinds else MemoryKind.AUTO

    def storage_order(self, args: Sequence[str]) -> tuple[str, ...]:
        """The arguments in memory order, the densest first."""
        order = list(args)
        for directive in self.directives:
            if isinstance(directive.action, ReorderStorage):
                named = directive.action.args
                places = sorted(order.index(name) for name in named)
                for place, name in zip(places, named, strict=True):
                    order[place] = name
        return tuple(order)

    def last(self, kind: type[FuncDirective]) -> Directive | None:
        """The last directive of a kind: the one that counts, for messages."""
        return next((d for d in reversed(self.directives) if isinstance(d.action, kind)), None)


def initial_nest(
    func: str,
    stage: int,
    pure: Sequence[str],
    reduction: Sequence[str],
    *,
    ordered: Collection[str] | None = None,
    is_order_free: bool = False,
    pure_kind: LoopKind = LoopKind.SERIAL,
) -> StageNest:
    """Pure loops, of a kind, outside, reduction loops inside; in both the first variable is innermost.

    `ordered` names the reduction variables in whose order iterations matter (all, unless said).
    """
    loops = [Dim(name, is_reduction=True, is_ordered=ordered is None or name in ordered) for name in reduction]
    loops += [Dim(name, pure_kind) for name in pure]
    return StageNest(func, stage, tuple(loops), is_order_free=is_order_free)


class DoubtfulSchedule(IllegalSchedule):
    """The quick rules about order and races do not see that a directive keeps the answer. Dependences may show it."""

    def __init__(self, directive: Directive, reason: Sequence[str], accepted: str | None) -> None:
        told = [line.replace("$", ".") for line in reason]  # loops as users write them
        instead = accepted and accepted.replace("$", ".")
        super().__init__(directive.text, location=directive.location, reason=told, accepted=instead)
        self._doubted = directive

    def with_reason(self, why: str) -> DoubtfulSchedule:
        """What dependences say too."""
        return DoubtfulSchedule(self._doubted, [*self.reason, why], self.accepted)


Judge = Callable[[StageNest, DoubtfulSchedule], None]


def apply(nest: StageNest, directive: Directive, judge: Judge | None = None) -> StageNest:
    """The nest after one directive. Raises ScheduleError where it does not fit.

    Where the quick rules doubt that the answer stays the same, `judge` is asked about the nest that would be made, and
    raises IllegalSchedule unless it does; without a judge the doubt is raised. As each directive keeps the answer, a
    rule need not look further than at what one changes.
    """
    try:
        return _changed(nest, directive)
    except DoubtfulSchedule as doubt:
        if judge is None:
            raise
        made = replace(_changed(replace(nest, races_allowed=True), directive), races_allowed=False)
        _check_blending_races(made, directive)
        judge(made, doubt)
        return made


def _changed(nest: StageNest, directive: Directive) -> StageNest:
    action = directive.action
    if isinstance(action, Split):
        changed = _split(nest, action, directive)
    elif isinstance(action, Fuse):
        changed = _fuse(nest, action, directive)
    elif isinstance(action, Skew):
        changed = _skew(nest, action, directive)
    elif isinstance(action, Rename):
        changed = _rename(nest, action, directive)
    elif isinstance(action, Reorder):
        changed = _reorder(nest, action, directive)
    elif isinstance(action, SetKind):
        changed = _set_kind(nest, action, directive)
    elif isinstance(action, Prefetch):
        changed = _prefetch(nest, action, directive)
    elif isinstance(action, SetPartition):
        changed = _set_partition(nest, action, directive)
    elif isinstance(action, OnDevice):
        changed = nest
    elif isinstance(action, AllowRaceConditions):
        changed = replace(nest, races_allowed=True)
    elif isinstance(action, Atomic):
        changed = replace(nest, atomic=action)
    elif isinstance(action, Specialize):
        changed = _specialize(nest, action.condition, None, directive)
    elif isinstance(action, SpecializeFail):
        changed = _specialize(nest, TRUE, action.message, directive)
    elif isinstance(action, ComputeWith):
        changed = nest  # about two nests: looked at when both are complete
    else:
        raise AssertionError(f"expected a directive about one stage's loops, found {action}")
    return replace(changed, directives=(*nest.directives, directive))


def _split(nest: StageNest, split: Split, directive: Directive) -> StageNest:
    at = _position(nest, split.old, directive)
    old = nest.dims[at]
    if split.inner == split.outer:
        raise _refused(directive, f"the outer and the inner loop are both called `{split.inner}`")
    for name in (split.inner, split.outer):
        if name != split.old:
            _require_unused(nest, name, directive)
    _check_factor(split, directive)
    tail = resolve_tail(nest, split, is_reduction=old.is_reduction, directive=directive)
    inner = replace(old, name=split.inner, made_by=(*old.made_by, directive))
    kind = LoopKind.SERIAL if old.kind is LoopKind.EXTERN else old.kind  # tiles are what a function is called for
    outer = replace(old, name=split.outer, kind=kind, made_by=(*old.made_by, directive))
    steps = (*nest.steps, replace(split, tail=tail))
    changed = replace(nest, dims=(*nest.dims[:at], inner, outer, *nest.dims[at + 1 :]), steps=steps)
    _check_blending_races(changed, directive)
    return changed


def _check_factor(split: Split, directive: Directive) -> None:
    factor = const_value(split.factor)
    if factor is not None and factor < 1:
        raise _refused(directive, f"the factor is {factor}", accepted="a factor of 1 or more")


def _fuse(nest: StageNest, fuse: Fuse, directive: Directive) -> StageNest:
    if fuse.inner == fuse.outer:
        raise _refused(directive, f"loop `{fuse.inner}` cannot be fused with itself")
    inner = nest.dims[_position(nest, fuse.inner, directive)]
    outer = nest.dims[_position(nest, fuse.outer, directive)]
    if fuse.fused not in (fuse.inner, fuse.outer):
        _require_unused(nest, fuse.fused, directive)
    fused = Dim(
        fuse.fused,
        inner.kind,
        inner.is_reduction or outer.is_reduction,
        (*inner.made_by, *outer.made_by, directive),
        inner.is_ordered or outer.is_ordered,
    )
    # Fusing moves `outer` to stand just outside `inner`, which may pass it over loops between them.
    moved = [d for d in nest.dims if d is not outer]
    moved.insert(moved.index(inner) + 1, outer)
    _check_order(nest, moved, directive)
    dims = tuple(fused if d is inner else d for d in moved if d is not outer)
    changed = replace(nest, dims=dims, steps=(*nest.steps, fuse))
    _check_race(changed, fused, directive)
    return changed


def _skew(nest: StageNest, skew: Skew, directive: Directive) -> StageNest:
    at, by_at = _position(nest, skew.loop, directive), _position(nest, skew.by, directive)
    if at == by_at:
        raise _refused(directive, f"loop `{skew.loop}` cannot be skewed by itself", accepted="another loop")
    if not 1 <= abs(skew.factor) <= GREATEST_SKEW:
        accepted = f"a factor from 1 to {GREATEST_SKEW}, or the negative of one"
        raise _refused(directive, f"the factor is {skew.factor}", accepted=accepted)
    old, by = nest.dims[at], nest.dims[by_at]
    if old.kind not in (LoopKind.SERIAL, LoopKind.PARALLEL):
        reason = f"loop `{old.name}` is {old.kind.value}, and would have another number of iterations"
        raise _refused(directive, reason, accepted="skew() first")
    skewed = replace(old, made_by=(*old.made_by, directive), is_ordered=old.is_ordered or by.is_ordered)
    dims = (*nest.dims[:at], skewed, *nest.dims[at + 1 :])
    changed = replace(nest, dims=dims, steps=(*nest.steps, skew))
    is_outside = at > by_at  # inside, each iteration of the other loop only counts it differently
    if is_outside and skewed.is_ordered and not _may_come_in_any_order(changed):
        reason = f"loop `{old.name}` stands outside loop `{by.name}`, so iterations of both would come in another order"
        raise DoubtfulSchedule(directive, [reason], f"`{old.name}` inside `{by.name}`, and reorder() after it")
    return changed


def _rename(nest: StageNest, rename: Rename, directive: Directive) -> StageNest:
    at = _position(nest, rename.old, directive)
    _require_unused(nest, rename.new, directive)
    dim = nest.dims[at]
    renamed = replace(dim, name=rename.new, made_by=(*dim.made_by, directive))
    return replace(nest, dims=(*nest.dims[:at], renamed, *nest.dims[at + 1 :]), steps=(*nest.steps, rename))


def _reorder(nest: StageNest, reorder: Reorder, directive: Directive) -> StageNest:
    places = [_position(nest, name, directive) for name in reorder.loops]
    for i, name in enumerate(reorder.loops):
        if name in reorder.loops[:i]:
            raise _refused(directive, f"loop `{name}` is named twice")
    dims = list(nest.dims)
    for target, source in zip(sorted(places), places, strict=True):
        dims[target] = nest.dims[source]
    _check_order(nest, dims, directive)
    return replace(nest, dims=tuple(dims))


def _set_kind(nest: StageNest, mark: SetKind, directive: Directive) -> StageNest:
    at = _position(nest, mark.loop, directive)
    if mark.kind in (LoopKind.VECTORIZED, LoopKind.UNROLLED):
        _check_constant_extent(nest, mark, directive)
    dim = nest.dims[at]
    marked = replace(dim, kind=mark.kind, device=mark.device, made_by=(*dim.made_by, directive))
    _check_race(nest, marked, directive)
    changed = replace(nest, dims=(*nest.dims[:at], marked, *nest.dims[at + 1 :]))
    _check_blending_races(changed, directive)
    return changed


def _set_partition(nest: StageNest, mark: SetPartition, directive: Directive) -> StageNest:
    at = _position(nest, mark.loop, directive)
    marked = replace(nest.dims[at], partition=mark.policy)
    return replace(nest, dims=(*nest.dims[:at], marked, *nest.dims[at + 1 :]))


def _prefetch(nest: StageNest, prefetch: Prefetch, directive: Directive) -> StageNest:
    for loop in (prefetch.at, prefetch.distance):
        _position(nest, loop, directive)
    return replace(nest, prefetches=(*nest.prefetches, directive))


def _specialize(nest: StageNest, condition: Expr, failure: str | None, directive: Directive) -> StageNest:
    last = nest.specializations[-1] if nest.specializations else None
    if last is not None and last.failure is not None:
        raise _refused(
            directive,
            f"specialize_fail({last.failure!r}) decides what happens where no condition before it holds",
            accepted="further conditions before specialize_fail()",
        )
    version = Specialization(condition, replace(nest, specializations=()), failure)
    return replace(nest, specializations=(*nest.specializations, version))


def _check_constant_extent(nest: StageNest, mark: SetKind, directive: Directive) -> None:
    """Refuse a loop whose extent is the factor of a split and not constant. Other extents are known when lowering."""
    for step in reversed(nest.steps):
        if isinstance(step, Skew) and mark.loop == step.loop:
            return
        if isinstance(step, Split) and mark.loop in (step.inner, step.outer):
            if mark.loop == step.inner and not isinstance(step.factor, Const):
                raise _refused(
                    directive,
                    f"loop `{mark.loop}` has the extent {step.factor}, which is not constant",
                    f"a loop that is {mark.kind.value} needs a constant number of iterations",
                    accepted="an integer as factor",
                )
            return


def _check_order(nest: StageNest, dims: Sequence[Dim], directive: Directive) -> None:
    """Refuse to change the order of reduction loops in whose order iterations matter."""
    if _may_come_in_any_order(nest):
        return
    before = [d for d in nest.dims if d.is_ordered]
    after = [d for d in dims if d.is_ordered]
    for a, b in zip(before, after, strict=True):
        if a is not b:
            reason = [
                f"reduction loops `{a.name}` and `{b.name}` would change places, and the stage's result may depend on "
                "their order",
                "it is free only where each iteration adds, multiplies, or takes a minimum or maximum, or stores what "
                "does not depend on the reduction",
            ]
            accepted = "an order that keeps " + ", ".join(d.name for d in before) + " (innermost first)"
            raise DoubtfulSchedule(directive, reason, accepted)


def _may_come_in_any_order(nest: StageNest) -> bool:
    """Whether no order of iterations changes the answer. Where some run at once, loops around them keep them apart."""
    if nest.races_allowed or (nest.atomic is not None and why_not_at_once(nest.atomic) is None):
        return True
    return nest.is_order_free and not any(d.is_ordered and is_at_once(d) for d in nest.dims)


def is_at_once(dim: Dim) -> bool:
    """Whether iterations of the loop are in no order."""
    return dim.kind in (LoopKind.PARALLEL, LoopKind.VECTORIZED) or dim.kind.is_on_device


def _check_race(nest: StageNest, dim: Dim, directive: Directive) -> None:
    """Refuse a parallel or vectorized loop over a reduction variable whose iterations may meet in one element."""
    at_once = is_at_once(dim)
    if at_once and dim.is_ordered and nest.atomic is not None and not nest.races_allowed:
        doubt = why_not_by_turns(nest, dim, nest.atomic)
        if doubt is not None:
            raise DoubtfulSchedule(directive, *doubt)
    elif at_once and dim.is_ordered and not nest.races_allowed:
        reason = [
            f"iterations of the reduction loop `{dim.name}` may read and write one element of {nest.func}",
            f"run as {dim.kind.value}, they would race",
        ]
        accepted = (
            "a serial or unrolled loop; atomic() first, if the update combines values in any order; or "
            "allow_race_conditions() first, if the race is harmless"
        )
        raise DoubtfulSchedule(directive, reason, accepted)


def _check_blending_races(nest: StageNest, directive: Directive) -> None:
    """Refuse parallel loops beside a blending tail of the same variable: it stores back what others compute."""
    dim = None if nest.races_allowed else blending_race(nest)
    if dim is not None:
        raise IllegalSchedule(
            directive.text,
            location=directive.location,
            reason=[
                f"loop `{dim.name}` is parallel, and a split of the same variable has a blending tail",
                "a blending tail reads and stores back elements that another thread computes",
            ],
            accepted="a serial loop, or a tail that does not blend, such as GuardWithIf",
        )


def blending_race(nest: StageNest) -> Dim | None:
    """A parallel loop beside a blending tail of the same variable; None where there is none."""
    if not any(isinstance(s, Split) and s.tail in BLENDING for s in nest.steps):
        return None
    loops, blended = families(nest)
    return next((d for d in nest.dims if d.kind is LoopKind.PARALLEL and loops[d.name] & blended), None)


def _position(nest: StageNest, name: str, directive: Directive) -> int:
    for at, dim in enumerate(nest.dims):
        if dim.name == name:
            return at
    where = nest.func if not nest.is_update else f"{nest.func}.update({nest.stage - 1})"
    raise _refused(
        directive,
        f"{where} has no loop `{name}`",
        accepted=", ".join(d.name for d in nest.dims) + " (innermost first)"
        if nest.dims
        else "nothing: there are no loops",
    )


def _require_unused(nest: StageNest, name: str, directive: Directive) -> None:
    if nest.dim(name) is not None:
        raise _refused(directive, f"{nest.func} already has a loop `{name}`", accepted="a name that is not in use")


def _refused(directive: Directive, *reason: str, accepted: str | None = None) -> ScheduleError:
    return ScheduleError(directive.text, location=directive.location, reason=reason, accepted=accepted)
