"""What an update makes of an adjoint: from the adjoint after it to that before it.

f[x] += g[x]                 before = after                       the instances have after[x]
f[3] = g[0]                  before = after, but 0 at 3           the instance has after[3]
f[x] = f[x] * g[x]           before = after * g                   the instances have after[x]
f[r+1] = 2*f[r] + g[r]       before, and what each instance has:  a scan against the order of the update
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from ...dtypes import INT32
from ...errors import NotDifferentiable
from ...ir import build
from ...ir import expr as nodes
from ...ir.expr import Expr, FuncAccess, Var, const
from ...ir.function import Definition
from ...ir.groups import groups_in
from ...ir.interval import Interval
from ...ir.rewrite import substitute
from ...source import caller
from ..expressions.expr import Expr as Handle
from ..func import Func
from .adjoint import Adjoint, Instances, adjoint_of, contribution, domain_values, read, written
from .backward import backward
from .forward import History
from .inversion import is_injective
from .kept_steps import STEP, KeptSteps, keep_steps
from .phased_scan import PhasedScan
from .regions import Box, variables
from .rules import Underivable
from .stage_values import plain_stage


@dataclass(frozen=True, slots=True)
class Passed:
    """`handle` is the adjoint of what the stage wrote, `before` that of what was there (None for the first)."""

    handle: Func
    before: Func | None
    instances: Instances
    shares: Mapping[Expr, Expr]  # what each read of other things gives back


class StageAdjoint:
    """One stage on the way back."""

    def __init__(self, history: History, stage: int, box: Box, after: Func, *, is_alone: bool = False) -> None:
        self.is_alone = is_alone  # no user has what is made of it, to say where it is computed
        self.func, self.history, self.stage, self.after = history.func, history, stage, after
        self.box = box
        self.definition: Definition = plain_stage(self.func, stage)
        if groups_in((*self.definition.index, *self.definition.values)):
            raise self._refused("it writes several places at once, by scatter", "one update for each of the places")
        self.dtypes = self.func.defined_function.dtypes
        self.floats = [e for e, dtype in enumerate(self.dtypes) if dtype.is_float]
        self.variables = variables(self.func, stage, box)
        self.shares = self._shares()

    def _shares(self) -> dict[Expr, Expr]:
        symbols = [adjoint_of(e, dtype) if dtype.is_float else None for e, dtype in enumerate(self.dtypes)]
        try:
            return backward(self.definition.values, symbols)
        except Underivable as e:
            raise self._refused(
                f"no derivative of `{e.name}` is known", "operators and functions of the language"
            ) from e

    def _refused(self, reason: str, accepted: str) -> NotDifferentiable:
        where = "its first definition" if self.stage == 0 else f"update {self.stage - 1}"
        return NotDifferentiable(
            f"Func `{self.func.name}` cannot be differentiated through {where}",
            location=self.definition.location or caller(),
            reason=[reason],
            accepted=accepted,
        )

    def passed(self) -> Passed:
        """All of it."""
        own: dict[Expr, Expr] = {
            leaf: s for leaf, s in self.shares.items() if isinstance(leaf, FuncAccess) and leaf.ref is self.func
        }
        if self._loses_steps(any_others=len(own) < len(self.shares)):
            before = self.history.after(self.stage - 1)
            kept_steps = keep_steps(self.func, self.definition, self.variables, before)
            if kept_steps is not None:
                return self._through(kept_steps)
        others = {leaf: self.seen(s) for leaf, s in self.shares.items() if leaf not in own}
        if self.stage == 0:
            return Passed(self.after, None, self._instances(self._after()), others)
        kept = {e for e in self.floats if self.shares.get(self._own(e)) is adjoint_of(e, self.dtypes[e])}
        moved: dict[Expr, Expr] = {leaf: s for leaf, s in own.items() if leaf not in {self._own(e) for e in kept}}
        if moved and self.definition.rdom is not None:
            return self._scanned(own, others)
        masked = self._masked(kept)
        incoming = self._after() if not others else self._last_written(kept)
        instances = self._instances(incoming)
        moved_too = self._with_moved(masked, instances, moved) if moved else masked
        return Passed(self.after, moved_too, instances, others)

    def _loses_steps(self, *, any_others: bool) -> bool:
        """Whether the update overwrites what the way back needs."""
        if self.stage == 0 or self.definition.rdom is None:
            return False
        if any(self.history.as_read(s, self.stage) is None for s in self.shares.values()):
            return True
        plain_sums = all(self.shares.get(self._own(e)) is adjoint_of(e, self.dtypes[e]) for e in self.floats)
        return any_others and not plain_sums and not self._is_injective()

    def _through(self, kept: KeptSteps) -> Passed:
        """Back through a Func of all steps: the adjoint after is that of the last, the one before that of the first."""
        args = self._arguments()
        step = Var(STEP)
        place = tuple(map(Var, self.func.defined_function.args))
        last = Func(f"{self.func.name}_{self.stage}_d_last__")
        is_last = build.eq(step, kept.count)
        last[(*args, Handle(step))] = tuple(
            Handle(build.select(is_last, read(self.after, place, e, t), const(0, t)) if t.is_float else const(0, t))
            for e, t in enumerate(self.dtypes)
        )
        box = (*self.box, Interval(const(0), kept.count))
        passed = StageAdjoint(History(kept.steps), 1, box, last, is_alone=True).passed()
        assert passed.before is not None, "steps are an update"
        before = Func(f"{self.func.name}_{self.stage - 1}_d_def__")
        before[args] = tuple(
            Handle(self._of_the_first(passed.before, place, kept.count, e)) for e in range(len(self.dtypes))
        )
        return Passed(self.after, before, passed.instances, passed.shares)

    def _of_the_first(self, steps: Func, place: Sequence[Expr], count: Expr, element: int) -> Expr:
        """What is owed to the first value: all at step 0, or after the last where the update never goes."""
        dtype = self.dtypes[element]
        first, last = (read(steps, (*place, step), element, dtype) for step in (const(0), count))
        return build.add(first, build.select(build.eq(count, 0), const(0, dtype), last))

    def _own(self, element: int) -> Expr:
        """What an instance overwrites."""
        return FuncAccess(self.func, self.definition.index, element, self.dtypes[element])

    def seen(self, e: Expr) -> Expr:
        """A derivative, with the Func's own values as the update saw them."""
        seen = self.history.as_read(e, self.stage)
        if seen is None:
            raise self._refused(
                f"the derivative depends on values of `{self.func.name}` that the update overwrites",
                f"a scan, which keeps each value: {self.func.name}[..., r + 1] = ... {self.func.name}[..., r] ...",
            )
        return seen

    def _instances(self, incoming: Sequence[Expr | None]) -> Instances:
        rdom = self.definition.rdom
        return Instances(
            name=self.func.name,
            variables=self.variables,
            reduction=frozenset(v.name for v in rdom.vars) if rdom else frozenset(),
            predicate=None if rdom is None or rdom.predicate is None else self.seen(rdom.predicate),
            index=tuple(map(self.seen, self.definition.index)),
            incoming=tuple(incoming),
            closed=self.box,
        )

    def _after(self) -> list[Expr | None]:
        place = [written(d) for d in range(len(self.definition.index))]
        return [read(self.after, place, e, t) if t.is_float else None for e, t in enumerate(self.dtypes)]

    def _is_injective(self) -> bool:
        return is_injective(self.definition.index, self.variables)

    def _last_written(self, kept: set[int]) -> list[Expr | None]:
        """The adjoint after the update, for the instance alone that writes an element last."""
        after = self._after()
        if self.definition.rdom is None or kept.issuperset(self.floats) or self._is_injective():
            return after
        last, number = self._writers()
        place = [written(d) for d in range(len(self.definition.index))]
        is_last = build.eq(FuncAccess(last._contents, tuple(place), 0, INT32), number)
        return [
            d if d is None or e in kept else build.select(is_last, d, const(0, d.dtype)) for e, d in enumerate(after)
        ]

    def _writers(self) -> tuple[Func, Expr]:
        """A Func of the number of the iteration that writes each element last, and the number of an iteration."""
        rdom = self.definition.rdom
        assert rdom is not None, "only a reduction writes twice"
        number: Expr = const(0)
        for v in reversed(rdom.vars):
            number = build.add(build.mul(number, v.extent), build.sub(Var(v.name), v.min))
        last = Func(f"{self.func.name}_{self.stage}_last__")
        last[self._arguments()] = Handle(const(-1))
        self._define(last, self.definition.index, (number,))
        return last, number

    def _arguments(self) -> tuple[Handle, ...]:
        return tuple(Handle(Var(name)) for name in self.func.defined_function.args)

    def _define(self, func: Func, index: Sequence[Expr], values: Sequence[Expr]) -> None:
        """An update of another Func over this stage's domain."""
        rdom = self.definition.rdom
        bound: dict[str, Expr] = {}
        if rdom is not None:
            names = {v.name: Var(f"sum.{n}") for n, v in enumerate(rdom.vars)}
            predicate = None if rdom.predicate is None else substitute(self.seen(rdom.predicate), names)
            domain = domain_values([(v.min, v.extent) for v in rdom.vars], predicate)
            bound = {v.name: domain[f"sum.{n}"] for n, v in enumerate(rdom.vars)}
            values = [_looped(v, domain["sum.0"]) for v in values]
        place = tuple(Handle(substitute(self.seen(e), bound)) for e in index)
        func[place] = tuple(Handle(substitute(v, bound)) for v in values)

    def _masked(self, kept: set[int]) -> Func:
        """The adjoint after, but 0 for what the update overwrites."""
        name = f"{self.func.name}_{self.stage - 1}_d_def__"
        args = self.func.defined_function.args
        place = tuple(map(Var, args))
        before = Func(name)
        erased = [e for e in self.floats if e not in kept]
        everywhere = self.definition.index == place and self.definition.rdom is None
        before[self._arguments()] = tuple(
            Handle(const(0, t) if (everywhere and e in erased) or not t.is_float else read(self.after, place, e, t))
            for e, t in enumerate(self.dtypes)
        )
        if erased and not everywhere:
            index = tuple(map(self.seen, self.definition.index))
            self._define(
                before,
                index,
                [const(0, t) if e not in kept else read(before, index, e, t) for e, t in enumerate(self.dtypes)],
            )
        return before

    def _with_moved(self, masked: Func, instances: Instances, moved: Mapping[Expr, Expr]) -> Func:
        """What was not overwritten, and what the update gave back to its own reads."""
        args = self.func.defined_function.args
        total = Adjoint(masked.name(), args, self.dtypes)
        total.start = [read(masked, tuple(map(Var, args)), e, t) for e, t in enumerate(self.dtypes)]
        for leaf, share in moved.items():
            assert isinstance(leaf, FuncAccess), "a Func's own reads"
            index = tuple(map(self.seen, leaf.index))
            total.contributions.append(contribution(instances, index, leaf.element, self.seen(share), args))
        return total.func()

    def _scanned(self, own: Mapping[Expr, Expr], others: Mapping[Expr, Expr]) -> Passed:
        """Go against the order of the update: what an instance has is complete when it is reached.

        A Tuple of what is owed to each element before the iterations passed so far, and of what each instance had.
        """
        if others and not self._is_injective():
            raise self._refused(
                f"`{self.func.name}` is overwritten by what is computed from it, and its steps are not kept",
                f"a scan, which keeps each value: {self.func.name}[..., r + 1] = ... {self.func.name}[..., r] ...",
            )
        count, args = len(self.dtypes), self.func.defined_function.args
        place = tuple(map(Var, args))
        scan = Func(f"{self.func.name}_{self.stage}_d_scan__")
        start = [read(self.after, place, e, t) for e, t in enumerate(self.dtypes)]
        scan[self._arguments()] = tuple(map(Handle, (*start, *start)))
        self._define_scan(scan, own)
        if self.is_alone:
            scan.compute_root()
        halves = []
        for number, first in ((self.stage - 1, 0), (self.stage, count)):
            half = Func(f"{self.func.name}_{number}_d_def__")
            half[self._arguments()] = tuple(map(Handle, self._where_it_matters(scan, first)))
            halves.append(half)
        before, handle = halves
        there = [written(d) for d in range(len(args))]
        incoming = [read(handle, there, e, t) if t.is_float else None for e, t in enumerate(self.dtypes)]
        return Passed(handle, before, self._instances(incoming), others)

    def _where_it_matters(self, scan: Func, first: int) -> list[Expr]:
        """Values of a scan, not asked for outside of the box: they are 0, and what they depend on may not be there."""
        place: list[Expr] = list(map(Var, self.func.defined_function.args))
        conditions: list[Expr] = []
        for d, (lo, hi) in enumerate(self.box):
            if lo is not None and hi is not None:
                conditions += [build.le(lo, place[d]), build.le(place[d], hi)]
                place[d] = build.clamp(nodes.Call("likely", (place[d],), place[d].dtype), lo, hi)
        inside = reduce(build.logical_and, [nodes.TRUE, *conditions])
        return [build.select(inside, read(scan, place, first + e, t), const(0, t)) for e, t in enumerate(self.dtypes)]

    def _define_scan(self, scan: Func, own: Mapping[Expr, Expr]) -> None:
        """Each iteration in phases: it takes what it has from the place that it wrote, then gives to those it read."""
        index = tuple(map(self.seen, self.definition.index))
        targets: dict[tuple[Expr, ...], dict[int, Expr]] = {}
        for leaf, share in own.items():
            assert isinstance(leaf, FuncAccess), "a Func's own reads"
            targets.setdefault(tuple(map(self.seen, leaf.index)), {})[leaf.element] = self.seen(share)
        first = targets.pop(index, {})
        phases = [(index, first), *targets.items()]
        PhasedScan(self, scan, index, phases).define()


def _looped(value: Expr, variable: Expr) -> Expr:
    """The same value, said to depend on the reduction, so that its predicate and its extents count."""
    return nodes.Select(nodes.GE(variable, variable), value, value)
