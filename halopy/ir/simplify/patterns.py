"""A small language of rewrite rows.

    ROWS = rules(
        (minimum(maximum(x, y), x),  x),
        (x % c0 % c1,                x % c1,   lambda c0, c1: c1 > 0 and c0 % c1 == 0),
    )

`x y z` match any expression, `c0 c1` literals, `t` and `f` bools. A name that occurs twice must match
the same node twice. A guard names what it looks at: literals as numbers, and `dtype`, the type of the
last operand. The right side is built simplified.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any, Protocol

from ...dtypes import BOOL, DType
from .. import expr as ir
from ..expr import Expr, const, const_value
from ..node import NodeMeta

Bindings = dict[str, Expr]
Matcher = Callable[[Expr, Bindings], bool]


class Builder(Protocol):
    """What a right side needs: constructors that simplify."""

    def __call__(self, e: Expr) -> Expr: ...

    def make(self, operator: NodeMeta, *operands: Expr) -> Expr: ...


@dataclass(frozen=True, eq=False)
class Pattern:
    """An expression with holes: a node class over patterns, a hole, or a number."""

    operator: NodeMeta | None
    parts: tuple[Pattern, ...] = ()
    name: str = ""
    value: int | None = None

    def __add__(self, other: Pattern | int) -> Pattern:
        return _node(ir.Add, self, other)

    def __sub__(self, other: Pattern | int) -> Pattern:
        return _node(ir.Sub, self, other)

    def __rsub__(self, other: int) -> Pattern:
        return _node(ir.Sub, other, self)

    def __mul__(self, other: Pattern | int) -> Pattern:
        return _node(ir.Mul, self, other)

    def __truediv__(self, other: Pattern | int) -> Pattern:
        return _node(ir.Div, self, other)

    def __mod__(self, other: Pattern | int) -> Pattern:
        return _node(ir.Mod, self, other)

    def __lt__(self, other: Pattern | int) -> Pattern:
        return _node(ir.LT, self, other)

    def __le__(self, other: Pattern | int) -> Pattern:
        return _node(ir.LE, self, other)

    def __gt__(self, other: Pattern | int) -> Pattern:
        return _node(ir.GT, self, other)

    def __ge__(self, other: Pattern | int) -> Pattern:
        return _node(ir.GE, self, other)

    def __and__(self, other: Pattern | int) -> Pattern:
        return _node(ir.And, self, other)

    def __or__(self, other: Pattern | int) -> Pattern:
        return _node(ir.Or, self, other)

    def __invert__(self) -> Pattern:
        return _node(ir.Not, self)

    def holes(self) -> set[str]:
        """Names of all holes."""
        return {self.name} - {"", *_TRUTHS} | {name for part in self.parts for name in part.holes()}

    def fill(self, holes: Mapping[str, Expr], dtype: DType) -> Expr:
        """The expression as written, with its holes filled; `dtype` is what numbers get."""
        if self.name in _TRUTHS:
            return const(_TRUTHS[self.name], BOOL.with_lanes(dtype.lanes))
        if self.operator is None:
            return holes[self.name] if self.value is None else const(self.value, dtype)
        found = (p.fill(holes, dtype) for p in self.parts)
        return self.operator(*found)  # type: ignore[no-any-return]


def _node(operator: NodeMeta, *parts: Pattern | int) -> Pattern:
    return Pattern(operator, tuple(p if isinstance(p, Pattern) else Pattern(None, value=p) for p in parts))


def minimum(a: Pattern | int, b: Pattern | int) -> Pattern:
    return _node(ir.Min, a, b)


def maximum(a: Pattern | int, b: Pattern | int) -> Pattern:
    return _node(ir.Max, a, b)


def select(condition: Pattern, a: Pattern | int, b: Pattern | int) -> Pattern:
    return _node(ir.Select, condition, a, b)


def equal(a: Pattern | int, b: Pattern | int) -> Pattern:
    return _node(ir.EQ, a, b)


def unequal(a: Pattern | int, b: Pattern | int) -> Pattern:
    return _node(ir.NE, a, b)


x, y, z, w, c0, c1, t, f = (Pattern(None, name=name) for name in ("x", "y", "z", "w", "c0", "c1", "t", "f"))
true, false = Pattern(None, name="true"), Pattern(None, name="false")
_LITERALS = ("c0", "c1")
_TRUTHS = {"true": 1, "false": 0}

Guard = Callable[..., bool]
Row = tuple[Pattern, Pattern] | tuple[Pattern, Pattern, Guard]


Parts = tuple[Expr, ...]


@dataclass(frozen=True)
class Rule:
    """One row: where `pattern` matches and `guard` holds, `result` is the same value."""

    pattern: Pattern
    result: Pattern
    guard: Guard | None
    matchers: tuple[Matcher, ...]
    wanted: tuple[str, ...]

    def apply(self, parts: Parts, builder: Builder) -> Expr | None:
        """What the row makes of the node over these parts."""
        found: Bindings = {}
        for match, part in zip(self.matchers, parts, strict=True):
            if not match(part, found):
                return None
        dtype = parts[-1].dtype
        if self.guard is not None and not self.guard(*(_look(name, found, dtype) for name in self.wanted)):
            return None
        return _instance(self.result, found, builder, dtype)


def _look(name: str, found: Bindings, dtype: DType) -> Any:
    if name == "dtype":
        return dtype.element
    return const_value(found[name]) if name in _LITERALS else found[name]


_NESTS = (ir.Min, ir.Max, ir.And, ir.Or)


def _instance(p: Pattern, found: Bindings, builder: Builder, dtype: DType) -> Expr:
    if p.operator is None:
        if p.value is not None:
            return const(p.value, dtype)
        if p.name in _TRUTHS:
            return const(_TRUTHS[p.name], BOOL.with_lanes(dtype.lanes))
        hole = found[p.name]
        # A part of a nest is in canonical form only once it has been taken by itself.
        return builder(hole) if type(hole) in _NESTS else hole
    return builder.make(p.operator, *(_instance(part, found, builder, dtype) for part in p.parts))


class Rules:
    """Rows, tried in order; only those whose outer shape fits are tried at all."""

    def __init__(self, rows: tuple[Rule, ...]) -> None:
        self.rows = rows
        self._fitting: dict[tuple[type, ...], tuple[Rule, ...]] = {}

    def apply(self, parts: Parts, builder: Builder) -> Expr | None:
        """What the first matching row makes of the node over these parts."""
        shape = tuple(map(type, parts))
        rows = self._fitting.get(shape)
        if rows is None:
            rows = self._fitting[shape] = tuple(r for r in self.rows if _fits(r.pattern, shape))
        for rule in rows:
            result = rule.apply(parts, builder)
            if result is not None:
                return result
        return None


def _fits(pattern: Pattern, shape: tuple[type, ...]) -> bool:
    for part, found in zip(pattern.parts, shape, strict=True):
        if part.operator is not None and part.operator is not found:
            return False
        if (part.name in _LITERALS or part.value is not None) and found not in (ir.Const, ir.Broadcast):
            return False
    return True


def rules(*rows: Row) -> Rules:
    """The table of these rows. A row without guard holds for every type."""
    return Rules(tuple(_rule(*row) for row in rows))


def _rule(pattern: Pattern, result: Pattern, guard: Guard | None = None) -> Rule:
    wanted = tuple(signature(guard).parameters) if guard else ()
    return Rule(pattern, result, guard, tuple(map(_matcher, pattern.parts)), wanted)


def _matcher(p: Pattern) -> Matcher:
    if p.name in _TRUTHS:
        truth = _TRUTHS[p.name]
        return lambda e, _found: e.dtype.is_bool and const_value(e) == truth
    if p.value is not None:
        value = p.value
        return lambda e, _found: const_value(e) == value
    if p.operator is None:
        return _literal_matcher(p.name) if p.name in _LITERALS else _hole_matcher(p.name)
    return _node_matcher(p.operator, tuple(_matcher(part) for part in p.parts))


def _hole_matcher(name: str) -> Matcher:
    return lambda e, found: found.setdefault(name, e) is e


def _literal_matcher(name: str) -> Matcher:
    return lambda e, found: const_value(e) is not None and found.setdefault(name, e) is e


def _node_matcher(operator: NodeMeta, parts: tuple[Matcher, ...]) -> Matcher:
    if len(parts) == 1:
        (only,) = parts
        return lambda e, found: type(e) is operator and only(e.a, found)
    if len(parts) == 2:
        first, second = parts
        return lambda e, found: type(e) is operator and first(e.a, found) and second(e.b, found)
    return lambda e, found: (
        type(e) is operator
        and all(match(child, found) for match, child in zip(parts, (e.condition, e.a, e.b), strict=True))
    )
