"""For which instances of a stage is one element read? The access solved for the stage's variables.

    reads g[2*x + r]     element y:  x = (y - r) / 2 for each r, where (y - r) % 2 = 0
    reads g[x / 2]       element y:  x = 2*y + k for each k in [0, 2)
    reads g[x, i[x]]     element y, z:  x = y, where z = i[y]
    reads g[i[x]]        not solved: element i[x] is what each x reads

Each dimension of the read is an equation. It is solved for the variable that takes the most values, so that what
remains to be summed over is small. Quotients and remainders are made linear by splitting a variable: x = 2*q + k.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ...dtypes import INT32
from ...ir import build
from ...ir import expr as nodes
from ...ir.expr import Expr, Var, const_value
from ...ir.interval import Interval, bounds_of
from ...ir.linear import LinearForm, expr_of, linear
from ...ir.node import walk
from ...ir.rewrite import free_vars, substitute
from ...ir.simplify import simplify

Variables = Mapping[str, Interval]
_ANY_NUMBER = 1 << 40  # values of a variable whose range is not a number


@dataclass(frozen=True, slots=True)
class Inversion:
    """`known` gives each solved variable by the element's coordinates and the `free` variables.

    Only where all of `guards` hold is there such an instance; the ranges of the variables given are not among them.
    `unsolved` are the dimensions that say nothing about the variables in this way: there, what is read must equal the
    coordinate.
    """

    known: Mapping[str, Expr]
    free: Variables
    guards: tuple[Expr, ...]
    unsolved: tuple[int, ...]


def invert(index: Sequence[Expr], coordinates: Sequence[str], variables: Variables) -> Inversion:
    """Solve `index` = `coordinates` for the variables, whose names differ from those of the coordinates."""
    system = _System(dict(variables))
    unsolved = tuple(at for at, e in enumerate(index) if not system.solve(Var(coordinates[at]), e))
    return Inversion(system.known, system.free, tuple(map(system.reduced, system.guards)), unsolved)


def is_injective(index: Sequence[Expr], variables: Variables) -> bool:
    """Whether no two instances have the same index."""
    return not invert(index, [f"at.{n}" for n in range(len(index))], variables).free


@dataclass
class _System:
    """Variables yet free, and what is known of the others."""

    free: dict[str, Interval]
    known: dict[str, Expr] = field(default_factory=dict)
    guards: list[Expr] = field(default_factory=list)
    parts: int = 0

    def reduced(self, e: Expr) -> Expr:
        """The expression without solved variables."""
        return simplify(substitute(e, self.known), self.free) if free_vars(e) & self.known.keys() else e

    def solve(self, coordinate: Expr, index: Expr) -> bool:
        """Make the equation hold by solving for one variable; False, changing nothing, where there is none."""
        if index.has(nodes.FuncAccess, nodes.ImageAccess):
            return False
        e = simplify(self.reduced(index), self.free)
        if self._solve_sum(coordinate, linear(e)):
            return True
        saved = (dict(self.free), dict(self.known), list(self.guards))
        for variable, numerator, divisor in _quotients(e, self.free):
            self._split(variable, numerator, divisor)
            if self._solve_sum(coordinate, linear(simplify(self.reduced(e), self.free))) and self._are_bounded():
                return True
            self.free, self.known, self.guards = (dict(saved[0]), dict(saved[1]), list(saved[2]))
        return False

    def _are_bounded(self) -> bool:
        """Whether the parts of split variables that are still free have a range."""
        return all(i.lo is not None and i.hi is not None for name, i in self.free.items() if name.startswith("part."))

    def _solve_sum(self, coordinate: Expr, form: LinearForm) -> bool:
        """coordinate = factor * variable + rest."""
        opaque = {n for term in form.terms if not isinstance(term, Var) for n in free_vars(term)}
        linear_in = [t for t in form.terms if isinstance(t, Var) and t.name in self.free and t.name not in opaque]
        if not linear_in:
            return False
        variable = min(linear_in, key=lambda v: (-_count(self.free[v.name]), abs(form.terms[v])))
        factor = form.terms[variable]
        rest = LinearForm({t: c for t, c in form.terms.items() if t is not variable}, form.constant)
        if abs(factor) > 1:
            rest = self._solve_residue(coordinate, rest, abs(factor), [v for v in linear_in if v is not variable])
        sign = 1 if factor > 0 else -1
        multiple = expr_of(linear(coordinate).plus(rest, -1).times(sign), INT32)
        if abs(factor) > 1:
            self.guards.append(build.eq(build.mod(multiple, abs(factor)), 0))
        self._set(variable.name, build.div(multiple, abs(factor)))
        return True

    def _solve_residue(self, coordinate: Expr, rest: LinearForm, modulus: int, others: Sequence[Var]) -> LinearForm:
        """The rest, with a variable that takes at most `modulus` values solved: it is the remainder."""
        for other in others:
            lo, count, factor = (
                const_value(self.free[other.name].lo or other),
                _count(self.free[other.name]),
                rest.terms[other],
            )
            if lo is None or abs(factor) != 1 or count > modulus:
                continue
            without = LinearForm({t: c for t, c in rest.terms.items() if t is not other}, rest.constant)
            steps = linear(coordinate).plus(without, -1).times(factor).plus(LinearForm({}, -int(lo)))
            steps_mod = build.mod(expr_of(steps, INT32), modulus)
            if count < modulus:
                self.guards.append(build.lt(steps_mod, count))
            solved = build.add(steps_mod, int(lo))
            self._set(other.name, solved)
            return without.plus(linear(solved), factor)
        return rest

    def _set(self, name: str, value: Expr) -> None:
        lo, hi = self.free.pop(name)
        if name.startswith("part.") and lo is not None and hi is not None:
            self.guards += [build.le(lo, value), build.le(value, hi)]
        self.known = {k: simplify(substitute(e, {name: value}), self.free) for k, e in self.known.items()}
        self.known[name] = value

    def _split(self, variable: Var, numerator: LinearForm, divisor: int) -> None:
        """Write the variable so that numerator = divisor * quotient + remainder."""
        quotient, remainder = f"part.{self.parts}", f"part.{self.parts + 1}"
        self.parts += 2
        range_ = bounds_of(expr_of(numerator, INT32), self.free)
        ends = [None if e is None else simplify(build.div(e, divisor)) for e in range_]
        self.free[quotient] = Interval(*(None if e is None or free_vars(e) else e for e in ends))
        self.free[remainder] = Interval(nodes.const(0), nodes.const(divisor - 1))
        factor = numerator.terms[variable]
        whole = LinearForm({Var(quotient): divisor, Var(remainder): 1})
        rest = LinearForm({t: c for t, c in numerator.terms.items() if t is not variable}, numerator.constant)
        self._set(variable.name, expr_of(whole.plus(rest, -1).times(factor), INT32))


def _count(values: Interval) -> int:
    """How many values a variable takes, where that is a number."""
    lo, hi = (None if e is None else const_value(e) for e in values)
    return _ANY_NUMBER if lo is None or hi is None else max(0, int(hi) - int(lo) + 1)


def _quotients(e: Expr, free: Variables) -> Iterator[tuple[Var, LinearForm, int]]:
    """Variables to split for the quotients and remainders by literals in an expression, greatest divisor first."""
    found = []
    for node in walk(e):
        divisor = const_value(node.b) if isinstance(node, nodes.Div | nodes.Mod) else None
        if isinstance(node, nodes.Div | nodes.Mod) and node.dtype is INT32 and divisor is not None and divisor > 1:
            form = linear(node.a)
            opaque = {n for term in form.terms if not isinstance(term, Var) for n in free_vars(term)}
            for term, factor in form.terms.items():
                if isinstance(term, Var) and term.name in free and abs(factor) == 1 and term.name not in opaque:
                    found.append((term, form, int(divisor)))
    return iter(sorted(found, key=lambda f: (-f[2], -_count(free[f[0].name]))))
