"""The adjoint of one Func, input or parameter: the sum of what each read of it gives back.

f[x] = g[x] + g[x-1] + h[x, g[i[x]]]      d_g[x] = d_f[x] + d_f[x+1]        gathers: one definition
                                          d_g[i[r]] += ... d_f[r]           the rest: updates that scatter
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

from ...dtypes import BOOL, DType
from ...errors import NotDifferentiable
from ...ir import build
from ...ir import expr as nodes
from ...ir.expr import Expr, FuncAccess, ImageAccess, Var, const
from ...ir.interval import Interval
from ...ir.rewrite import free_vars, substitute
from ...ir.simplify import simplify
from ...source import caller
from ..expressions.expr import Expr as Handle
from ..func import Func
from ..rdom import RDom
from .inversion import Inversion, Variables, invert


@dataclass(frozen=True, slots=True)
class Instances:
    """The instances of one stage, and the adjoint that each has.

    `incoming` are by element, in terms of `written(d)`, the coordinates that an instance writes: `index`. None for
    what is no float. `closed` are the ranges outside of which the adjoint is 0.
    """

    name: str  # of the Func
    variables: Variables
    reduction: frozenset[str]  # those of the variables that are the RDom's
    predicate: Expr | None
    index: tuple[Expr, ...]
    incoming: tuple[Expr | None, ...]
    closed: tuple[Interval, ...]


def written(d: int) -> Var:
    """Coordinate `d` of what an instance writes."""
    return Var(f"written.{d}")


def adjoint_of(element: int, dtype: DType) -> Var:
    """The symbol for the adjoint that an instance has for one of its values."""
    return Var(f"adjoint.{element}", dtype)


def read(func: Func, index: Sequence[Expr], element: int, dtype: DType) -> Expr:
    """One element of an adjoint."""
    return FuncAccess(func._contents, tuple(index), element, dtype)


@dataclass(frozen=True, slots=True)
class Contribution:
    """`value` is added to `element` at `place`, for all `sum.n` in `ranges` that satisfy `predicate`."""

    element: int
    place: tuple[Expr, ...]
    ranges: tuple[tuple[Expr, Expr], ...]
    predicate: Expr | None
    value: Expr


def contribution(
    instances: Instances, index: Sequence[Expr], element: int, share: Expr, coordinates: Sequence[str]
) -> Contribution:
    """What all instances give to an element that each reads at `index`; `share` speaks of `adjoint_of` the values."""
    renamed = _Renamed(instances)
    read = [renamed(e) for e in index]
    inversion = invert(read, coordinates, renamed.variables)
    at = _Places(instances, renamed, inversion)
    place: list[Expr] = [Var(name) for name in coordinates]
    conditions = [at(g) for g in inversion.guards]
    for d in inversion.unsolved:
        there = at(read[d])
        if at.sums.isdisjoint(free_vars(there)):
            conditions.append(build.eq(place[d], there))
        else:
            place[d] = there
    share = renamed(share)
    conditions += at.range_conditions(share.has(FuncAccess, ImageAccess))
    value = at.with_incoming(at(share), conditions)
    predicate = None if instances.predicate is None else at(renamed(instances.predicate))
    if predicate is not None and at.sums.isdisjoint(free_vars(predicate)):
        conditions.append(predicate)
        predicate = None
    # Not part of the predicate: places are clamped to where the conditions hold, and regions are found from that.
    condition = reduce(build.logical_and, [nodes.TRUE, *conditions])
    value = build.select(condition, value, const(0, value.dtype))
    return _summed(Contribution(element, tuple(place), at.ranges(), predicate, value))


class _Renamed:
    """Variables of a stage by names that no coordinate has."""

    def __init__(self, instances: Instances) -> None:
        self.names = {name: Var(f"of.{name}") for name in instances.variables}
        self.variables = {f"of.{name}": i for name, i in instances.variables.items()}
        self.reduction = {f"of.{name}" for name in instances.reduction}

    def __call__(self, e: Expr) -> Expr:
        result: Expr = substitute(e, self.names)
        return result


class _Places:
    """Expressions of a stage's variables as expressions of an element's coordinates and of what is summed over.

    Whatever reads is kept inside the stage's domain, since a gather also looks beyond it.
    """

    def __init__(self, instances: Instances, renamed: _Renamed, inversion: Inversion) -> None:
        self.instances, self.renamed, self.inversion = instances, renamed, inversion
        self._summed = {name: Var(f"sum.{n}") for n, name in enumerate(inversion.free)}
        self.sums = {v.name for v in self._summed.values()}
        solved = renamed.variables.keys() & inversion.known.keys()
        self._exact = {name: substitute(inversion.known[name], self._summed) for name in sorted(solved)}

    def __call__(self, e: Expr) -> Expr:
        names = free_vars(e)
        values: dict[str, Expr] = {**self._summed}
        for name, value in self._exact.items():
            if name in names:
                values[name] = self._held(name, value) if e.has(FuncAccess, ImageAccess) else value
        result: Expr = substitute(e, values)
        return result

    def _held(self, name: str, value: Expr) -> Expr:
        lo, hi = self._range(name)
        return build.clamp(nodes.Call("likely", (value,), value.dtype), lo, hi)

    def _range(self, name: str) -> tuple[Expr, Expr]:
        lo, hi = self.renamed.variables.get(name) or self.inversion.free[name]
        if lo is None or hi is None:
            raise unbounded(self.instances.name, name.removeprefix("of."))
        return lo, hi

    def range_conditions(self, also_pure: bool) -> list[Expr]:
        """That solved variables lie in their ranges; of pure ones only where asked, as adjoints are 0 elsewhere."""
        found = []
        for name, value in self._exact.items():
            if also_pure or name in self.renamed.reduction:
                lo, hi = self._range(name)
                found += [build.le(lo, value), build.le(value, hi)]
        return [c for c in map(simplify, found) if nodes.const_value(c) != 1]

    def ranges(self) -> tuple[tuple[Expr, Expr], ...]:
        """(least, extent) of each free variable."""
        found = []
        for name in self.inversion.free:
            lo, hi = self._range(name)
            found.append((lo, simplify(build.add(build.sub(hi, lo), 1))))
        return tuple(found)

    def with_incoming(self, value: Expr, conditions: list[Expr]) -> Expr:
        """The value with the instances' adjoints in it."""
        places: dict[str, Expr] = {}
        for d, e in enumerate(self.instances.index):
            there = self(self.renamed(e))
            if e.has(FuncAccess, ImageAccess):
                lo, hi = self.instances.closed[d]
                if lo is None or hi is None:
                    raise unbounded(self.instances.name, str(d))
                conditions += [build.le(lo, there), build.le(there, hi)]
                there = build.clamp(there, lo, hi)
            places[written(d).name] = there
        incoming = {}
        for element, adjoint in enumerate(self.instances.incoming):
            if adjoint is not None:
                incoming[adjoint_of(element, adjoint.dtype).name] = substitute(self(self.renamed(adjoint)), places)
        result: Expr = substitute(value, incoming)
        return result


def unbounded(func: str, dimension: str) -> NotDifferentiable:
    """What to say where a sum would have no end."""
    return NotDifferentiable(
        f"the derivative through Func `{func}` needs the range of `{dimension}`, which is not bounded",
        location=caller(),
        reason=["it is read at places that depend on data, so it is not known what part of it matters"],
        accepted="an index that is bounded, for example by hl.clamp",
    )


def _summed(c: Contribution) -> Contribution:
    """What does not depend on a variable is multiplied by the number of its values, not added so often."""
    used = free_vars(c.value) | {n for e in c.place for n in free_vars(e)}
    used |= free_vars(c.predicate) if c.predicate is not None else frozenset()
    kept: list[tuple[Expr, Expr]] = []
    names: dict[str, Expr] = {}
    value = c.value
    for n, (lo, extent) in enumerate(c.ranges):
        if f"sum.{n}" in used:
            names[f"sum.{n}"] = Var(f"sum.{len(kept)}")
            kept.append((lo, extent))
        else:
            value = build.mul(value, build.cast(value.dtype, build.maximum(extent, 0)))
    predicate = None if c.predicate is None else substitute(c.predicate, names)
    place = tuple(substitute(e, names) for e in c.place)
    return replace(c, place=place, ranges=tuple(kept), predicate=predicate, value=substitute(value, names))


class Adjoint:
    """The adjoint of one thing, in the making."""

    def __init__(self, name: str, coordinates: Sequence[str], dtypes: Sequence[DType]) -> None:
        self.name, self.coordinates, self.dtypes = name, tuple(coordinates), tuple(dtypes)
        self.start: list[Expr] = [const(0, dtype) for dtype in dtypes]
        self.contributions: list[Contribution] = []

    def func(self) -> Func:
        """All that came in, as a Func."""
        place = tuple(map(Var, self.coordinates))
        values = list(self.start)
        updates: dict[tuple[object, ...], list[Contribution]] = {}
        for c in self.contributions:
            if c.place == place and not c.ranges:
                is_first = nodes.is_const(values[c.element], 0)
                values[c.element] = c.value if is_first else build.add(values[c.element], c.value)
            else:
                updates.setdefault((c.place, c.ranges, c.predicate), []).append(c)
        func = Func(self.name)
        func[tuple(map(Handle, place))] = tuple(map(Handle, values))
        for same in updates.values():
            _update(func, same)
        return func


def _update(func: Func, contributions: Sequence[Contribution]) -> None:
    """One update for contributions to the same place over the same sum."""
    first = contributions[0]
    bound = domain_values([(lo, extent) for lo, extent in first.ranges], first.predicate)
    place = tuple(Handle(substitute(e, bound)) for e in first.place)
    count = len(func.types())
    values = [func[place]._as_expr()] if count == 1 else [func[place][e]._as_expr() for e in range(count)]
    for c in contributions:
        values[c.element] = values[c.element] + Handle(substitute(c.value, bound))
    func[place] = tuple(values)


def domain_values(ranges: Sequence[tuple[Expr, Expr]], predicate: Expr | None) -> dict[str, Expr]:
    """A new domain over which `sum.0`, `sum.1`, ... run, as what they stand for."""
    if not ranges:
        return {}
    domain = RDom([(Handle(lo), Handle(extent)) for lo, extent in ranges])
    bound: dict[str, Expr] = {f"sum.{n}": domain[n]._as_expr().node for n in range(len(ranges))}
    if predicate is not None:
        condition = substitute(predicate, bound)
        assert condition.dtype is BOOL, "a predicate is a condition"
        domain.where(Handle(condition))
    return bound
