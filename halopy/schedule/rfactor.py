"""Factor an associative update: an intermediate Func reduces for each value of some loops, the update over those loops.

    f(x) += g(x, r)                            f_intm(x, u) = 0
    split(r, ro, ri, 8), rfactor(ro, u)   ->   f_intm(x, u) += g(x, u*8 + ri), where u*8 + ri is in the domain
                                               f(x) += f_intm(x, ro)

What the schedule said about loops that stay is kept in both. Raises ScheduleError where the update is of no such kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..errors import IllegalSchedule, ScheduleError
from ..ir.build import add, le, logical_and, sub
from ..ir.conjuncts import conjuncts
from ..ir.expr import Const, Expr, FuncAccess, Var, const_value
from ..ir.function import Definition, Function, ReductionDomain, ReductionVar
from ..ir.interval import Interval, bounds_of
from ..ir.refs import FunctionRef
from ..ir.rewrite import Rewriter, free_vars, substitute
from .associativity import AssociativeOp, associative_op, x, y
from .directives import ComputeWith, Directive, Skew
from .initial import initial_stage, pure_variables
from .nest import Dim, StageNest
from .order import own_read
from .reduction_loops import ReductionLoops, Step, reduction_loops, steps_apart


@dataclass(frozen=True, slots=True)
class Factored:
    """The intermediate Func with the loops of its two stages, and what becomes of the update."""

    intermediate: Function
    nests: tuple[StageNest, StageNest]
    update: Definition
    nest: StageNest


def rfactor(
    function: Function,
    nest: StageNest,
    ref: FunctionRef,
    preserved: Sequence[tuple[str, str]],
    intermediate: FunctionRef,
    directive: Directive,
) -> Factored:
    """Factor a version of stage `nest.stage`, which `function` is defined by, over pairs of a reduction loop and a Var.

    `ref` and `intermediate` are the Funcs that user-level expressions name.
    """
    definition = function.definitions[nest.stage]
    op = associative_op(definition, function, ref)
    if op is None:
        raise IllegalSchedule(
            directive.text,
            location=directive.location,
            reason=[f"no associative operator is seen in the update of {nest.func}, so its steps cannot be regrouped"],
            accepted="f[i] = f[i] + e, or with *, min, max, and, or, &, |, ^; choices of the greatest or least, with "
            "what stands beside it; products of complex numbers",
        )
    skew = next((step for step in nest.steps if isinstance(step, Skew)), None)
    if skew is not None:
        raise _refused(directive, f"loop `{skew.loop}` is skewed", "rfactor() before skew()")
    about_reduction, about_pure, fused = steps_apart(nest, definition.rdom)
    if fused is not None:
        raise _refused(directive, f"loops `{fused[0]}` and `{fused[1]}` were fused, one of them over a pure variable")
    _check_names(function, nest, preserved, directive)
    if not op.is_commutative and not nest.races_allowed:
        _check_order(nest, [loop for loop, _ in preserved], directive)
    assert definition.rdom is not None, "a reduction loop belongs to a domain"
    factoring = _Factoring(
        function,
        nest,
        definition,
        op,
        reduction_loops(nest, definition.rdom, about_reduction),
        {loop: dict(preserved)[loop] for loop in nest.loop_names if loop in dict(preserved)},
        (ref, intermediate),
        tuple(about_pure),
        directive,
    )
    inner = factoring.intermediate()
    update = factoring.update()
    whole = replace(function, definitions=_with(function.definitions, nest.stage, update))
    return Factored(
        inner,
        (initial_stage(inner, 0, intermediate), factoring.intermediate_nest(inner)),
        update,
        factoring.update_nest(whole),
    )


@dataclass(frozen=True, slots=True)
class _Factoring:
    function: Function
    nest: StageNest
    definition: Definition
    op: AssociativeOp
    loops: ReductionLoops
    kept: dict[str, str]  # the Var of each loop that the update keeps
    refs: tuple[FunctionRef, FunctionRef]  # of the Func and of the intermediate one
    pure_steps: tuple[Step, ...]
    directive: Directive

    def intermediate(self) -> Function:
        """The Func that reduces over the loops that are not kept."""
        args = (*self.function.args, *self.kept.values())
        location = self.directive.location
        pure = Definition(tuple(map(Var, args)), self.op.identities, None, location)
        to_vars: dict[str, Expr] = {loop: Var(name) for loop, name in self.kept.items()}
        values = {name: substitute(e, to_vars) for name, e in self.loops.values.items()}
        index = (*(substitute(e, values) for e in self.definition.index), *to_vars.values())
        redirect = _Redirect(self.function, self.refs[0], self.refs[1], tuple(to_vars.values()))
        results = tuple(substitute(redirect(e), values) for e in self.definition.values)
        conditions = (*self._conditions(), *self.loops.guards)
        predicate = _all([*self._ranges(), *(substitute(c, to_vars) for c in conditions)])
        remaining = tuple(v for v in self.loops.loops if v.name not in self.kept)
        domain = ReductionDomain(remaining, predicate) if remaining or predicate is not None else None
        update = Definition(index, results, domain, location)
        return Function(f"{self.function.name}_intm", args, self.function.dtypes, (pure, update), location)

    def _ranges(self) -> list[Expr]:
        """Where the new Vars stand for iterations: vectors and tiles of the intermediate Func may pass the end."""
        ranges = [(Var(self.kept[v.name]), v) for v in self.loops.loops if v.name in self.kept]
        return [c for var, v in ranges for c in (le(v.min, var), le(var, sub(add(v.min, v.extent), 1)))]

    def update(self) -> Definition:
        """What is left of the update: it combines what the intermediate Func found."""
        args: tuple[Expr, ...] = tuple(map(Var, self.function.args))
        kept: tuple[Expr, ...] = tuple(map(Var, self.kept))
        symbols: dict[str, Expr] = {}
        for k, dtype in enumerate(self.function.dtypes):
            symbols[x(k, dtype).name] = FuncAccess(self.refs[0], args, k, dtype)
            symbols[y(k, dtype).name] = FuncAccess(self.refs[1], (*args, *kept), k, dtype)
        values = tuple(substitute(value, symbols) for value in self.op.values)
        variables = tuple(v for v in self.loops.loops if v.name in self.kept)
        return Definition(args, values, ReductionDomain(variables, self._reached()), self.definition.location)

    def _conditions(self) -> list[Expr]:
        """The domain's predicate in terms of the loops, split at each `and`."""
        assert self.definition.rdom is not None, "a reduction loop belongs to a domain"
        predicate = self.definition.rdom.predicate
        return [] if predicate is None else [substitute(c, self.loops.values) for c in conjuncts(predicate)]

    def _reached(self) -> Expr | None:
        """Where the intermediate Func may have combined something.

        Elsewhere it has the identity. Where that may change an element, the condition is exact.
        """
        remaining = {v.name: v for v in self.loops.loops if v.name not in self.kept}
        conditions = [c for c in self._conditions() if not remaining.keys() & free_vars(c)]
        if self.op.keeps_identity:
            return _all(conditions)
        self._require_all_reached(remaining)
        scope = {v.name: Interval(v.min, None) for v in remaining.values()}
        for value, last in self.loops.reach:
            low = bounds_of(value, scope).lo
            assert low is not None, "loops start somewhere"
            conditions.append(le(low, last))
        conditions += [le(1, v.extent) for v in remaining.values() if not isinstance(v.extent, Const)]
        return _all(conditions)

    def _require_all_reached(self, remaining: dict[str, ReductionVar]) -> None:
        is_scatter = len(pure_variables(self.function, self.nest.stage)) < len(self.function.args)
        if is_scatter or any(remaining.keys() & free_vars(c) for c in self._conditions()):
            why = "some of its elements may" if is_scatter else "where() may let some loops"
            raise IllegalSchedule(
                self.directive.text,
                location=self.directive.location,
                reason=[
                    "of equally good values the last one counts, so a value that none was compared with may win",
                    f"{why} not be reached by any iteration",
                ],
                accepted="a choice of the first of equally good values: select(e > f[x][0], e, f[x][0])",
            )

    def intermediate_nest(self, inner: Function) -> StageNest:
        """The loops as they are, those that are kept over the new Vars."""
        own = initial_stage(inner, 1, self.refs[1])
        loops = [self._as_var(d) if d.name in self.kept else _ordered_as(d, own) for d in self.nest.dims]
        directives = tuple(d for d in self.nest.directives if not isinstance(d.action, ComputeWith))
        return self._nest(own, loops, directives)

    def update_nest(self, whole: Function) -> StageNest:
        """The pure loops, those that are kept, and outermost the arguments over which there were no loops."""
        own = initial_stage(whole, self.nest.stage, self.refs[0])
        loops = [_ordered_as(d, own) for d in self.nest.dims if not d.is_reduction or d.name in self.kept]
        pure = pure_variables(self.function, self.nest.stage)
        loops += [d for d in own.dims if not d.is_reduction and d.name not in pure]
        return self._nest(own, loops, self.nest.directives)

    def _nest(self, own: StageNest, loops: Sequence[Dim], directives: tuple[Directive, ...]) -> StageNest:
        names = {d.name for d in loops}
        prefetches = tuple(p for p in self.nest.prefetches if {p.action.at, p.action.distance} <= names)  # type: ignore[union-attr]
        return replace(
            own,
            dims=tuple(loops),
            steps=self.pure_steps,
            races_allowed=self.nest.races_allowed,
            atomic=self.nest.atomic,
            directives=(*directives, self.directive),
            prefetches=prefetches,
        )

    def _as_var(self, dim: Dim) -> Dim:
        return Dim(self.kept[dim.name], made_by=(*dim.made_by, self.directive))


def _ordered_as(dim: Dim, own: StageNest) -> Dim:
    """The loop with what the new definition says about the order of its iterations."""
    same = own.dim(dim.name)
    return dim if same is None or not dim.is_reduction else replace(dim, is_ordered=same.is_ordered)


class _Redirect(Rewriter):
    """Reads of the Func's own element become reads of the intermediate Func's."""

    only = (FuncAccess,)

    def __init__(
        self, function: Function, ref: FunctionRef, intermediate: FunctionRef, further: tuple[Expr, ...]
    ) -> None:
        super().__init__()
        self.function, self.ref, self.intermediate, self.further = function, ref, intermediate, further

    def rewrite_FuncAccess(self, a: FuncAccess) -> Expr:
        index = tuple(map(self, a.index))
        if own_read(a, self.function, self.ref) is None:
            return a.with_(index=index)  # type: ignore[no-any-return]
        return FuncAccess(self.intermediate, (*index, *self.further), a.element, a.dtype)


def _check_names(
    function: Function, nest: StageNest, preserved: Sequence[tuple[str, str]], directive: Directive
) -> None:
    """The loops are there, of reduction variables, and named once; the Vars are new."""
    reduction = [d.name for d in nest.dims if d.is_reduction]
    taken = {*function.args, *nest.loop_names}
    for at, (loop, var) in enumerate(preserved):
        if loop not in reduction:
            raise _refused(
                directive,
                f"`{loop}` is no reduction loop of {nest.func}, or has been consumed by another directive",
                ", ".join(reduction) or "nothing: there are no reduction loops",
            )
        if loop in [other for other, _ in preserved[:at]]:
            raise _refused(directive, f"loop `{loop}` is named twice")
        if var in taken:
            raise _refused(directive, f"the name `{var}` is already used in {nest.func}", "a Var that is not in use")
        taken.add(var)
    clash = next((name for name in reduction if name in function.args), None)
    if clash is not None:
        raise _refused(
            directive, f"`{clash}` is a reduction loop and an argument of {nest.func}", "rename() of the loop"
        )


def _check_order(nest: StageNest, loops: Sequence[str], directive: Directive) -> None:
    """Refuse to keep a loop without those around it, where the order of iterations matters."""
    around: Dim | None = None
    for dim in reversed(nest.dims):
        if dim.is_reduction and dim.name not in loops:
            around = dim
        elif dim.is_reduction and around is not None:
            raise IllegalSchedule(
                directive.text,
                location=directive.location,
                reason=[
                    f"loop `{dim.name}` stands inside `{around.name}`, which the intermediate Func would run first",
                    "the operator is associative, but not commutative: of equally good values the order decides",
                ],
                accepted=f"rfactor() of `{around.name}` as well; or allow_race_conditions() first, if it does not "
                "matter which of equally good values is found",
            )


def _all(conditions: Sequence[Expr]) -> Expr | None:
    """The conjunction; None where nothing is left to ask."""
    whole: Expr | None = None
    for condition in conditions:
        if const_value(condition) != 1:
            whole = condition if whole is None else logical_and(whole, condition)
    return whole


def _with(definitions: tuple[Definition, ...], stage: int, changed: Definition) -> tuple[Definition, ...]:
    return (*definitions[:stage], changed, *definitions[stage + 1 :])


def _refused(directive: Directive, reason: str, accepted: str | None = None) -> ScheduleError:
    return ScheduleError(directive.text, location=directive.location, reason=[reason], accepted=accepted)
