"""Associative updates: what is found combines in any grouping, and in any order where it says so."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

import halopy as hl
from halopy.dtypes import DType
from halopy.ir.expr import Const, Expr, const
from halopy.ir.rewrite import substitute
from halopy.ir.simplify import simplify
from halopy.schedule.associativity import AssociativeOp, associative_op, x, y

Values = tuple[Expr, ...]
x_, r = hl.Var("x"), hl.RDom([(0, 9)], "r")


def found(update: Callable[[Any, Any, Any], Any], start: Any) -> AssociativeOp | None:
    """The operation of `f[x] = update(f[x], e, e2)`."""
    f, g = hl.Func("f"), hl.Func("g")
    values = start if isinstance(start, tuple) else (start,)
    g[x_] = values
    f[x_] = start
    e = [g[r] if len(values) == 1 else g[r][k] for k in range(len(values))]
    f[x_] = update(f[x_] if len(values) == 1 else list(f[x_]), e[0], e[-1])
    function = f._contents.function
    assert function is not None
    return associative_op(function.definitions[1], function, f._contents)


def combine(op: AssociativeOp, a: Values, b: Values) -> Values:
    symbols = {x(k, e.dtype).name: e for k, e in enumerate(a)} | {y(k, e.dtype).name: e for k, e in enumerate(b)}
    values = tuple(simplify(substitute(value, symbols)) for value in op.values)
    assert all(isinstance(v, Const) for v in values)
    return values


def samples(dtypes: Sequence[DType]) -> list[Values]:
    rng = random.Random(4)
    small = [tuple(const(rng.randrange(0, 3), d) for d in dtypes) for _ in range(3)]
    edges = [tuple(const(rng.choice([d.min, d.max, 1]), d) for d in dtypes) for _ in range(3)]
    return small + edges


OPERATIONS: dict[str, tuple[Callable[[Any, Any, Any], Any], Any]] = {}
for name in ("u8", "i16", "i32", "u64"):
    of = getattr(hl, name)
    OPERATIONS |= {
        f"sum {name}": (lambda f, e, _: f + e, of(0)),
        f"long sum {name}": (lambda f, e, _: e * e + f + e, of(0)),
        f"difference {name}": (lambda f, e, _: f + e - e * e, of(0)),
        f"product {name}": (lambda f, e, _: f * e, of(0)),
        f"max {name}": (lambda f, e, _: hl.max(f, e), of(0)),
        f"min {name}": (lambda f, e, _: hl.min(e, hl.min(f, e * e)), of(0)),
        f"and {name}": (lambda f, e, _: f & e, of(0)),
        f"or {name}": (lambda f, e, _: e | f, of(0)),
        f"xor {name}": (lambda f, e, _: f ^ e, of(0)),
        f"select {name}": (lambda f, e, _: hl.select(e > f, e, f), of(0)),
        f"select old {name}": (lambda f, e, _: hl.select(e >= f, f, e), of(0)),
    }
OPERATIONS |= {
    "saturating": (lambda f, e, _: hl.saturating_add(f, e), hl.u8(0)),
    "bools and": (lambda f, e, _: f & e, hl.Expr(True)),
    "first greatest": (
        lambda f, e, p: (hl.select(e > f[0], e, f[0]), hl.select(e > f[0], p, f[1])),
        (hl.u8(0), hl.i32(0)),
    ),
    "last least": (lambda f, e, p: (hl.min(f[0], e), hl.select(f[0] < e, f[1], p)), (hl.i8(0), hl.i32(0))),
    "complex": (lambda f, e, p: (f[0] * e - f[1] * p, f[1] * e + f[0] * p), (hl.i32(0), hl.i32(0))),
    "complex turned": (lambda f, e, p: (e * f[0] - p * f[1], p * f[0] + f[1] * e), (hl.i16(0), hl.i16(0))),
    "apart": (lambda f, e, p: (f[0] + e, hl.max(f[1], p)), (hl.u8(0), hl.i32(0))),
    "one stays": (lambda f, e, _: (f[0] + e, f[1]), (hl.u8(0), hl.i32(0))),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_values_combine_in_any_grouping(name: str) -> None:
    op = found(*OPERATIONS[name])
    assert op is not None
    for a, b, c in itertools.product(samples([v.dtype for v in op.values]), repeat=3):
        assert combine(op, combine(op, a, b), c) == combine(op, a, combine(op, b, c))


@pytest.mark.parametrize("name", OPERATIONS)
def test_values_commute_and_keep_the_identity_where_it_says_so(name: str) -> None:
    op = found(*OPERATIONS[name])
    assert op is not None
    changed = [k for k, operand in enumerate(op.operands) if operand is not None]
    for a, b in itertools.product(samples([v.dtype for v in op.values]), repeat=2):
        one, other = combine(op, a, b), combine(op, b, a)
        if op.is_commutative:
            assert [one[k] for k in changed] == [other[k] for k in changed]
        if op.keeps_identity:
            assert combine(op, a, op.identities) == a
    assert op.is_commutative == (name not in ("first greatest", "last least"))
    assert op.keeps_identity == (name != "last least")


NONE: dict[str, tuple[Callable[[Any, Any, Any], Any], Any]] = {
    "assignment": (lambda f, e, _: e, hl.i32(0)),
    "difference alone": (lambda f, e, _: f - e, hl.i32(0)),
    "turned difference": (lambda f, e, _: e - f, hl.i32(0)),
    "twice": (lambda f, e, _: f + f + e, hl.i32(0)),
    "mixed": (lambda f, e, _: f * 2 + e, hl.i32(0)),
    "quotient": (lambda f, e, _: f / (e + 1), hl.i32(0)),
    "signed saturating": (lambda f, e, _: hl.saturating_add(f, e), hl.i8(0)),
    "sum in a narrow maximum": (lambda f, e, _: hl.max(f + e, f), hl.u8(0)),
    "other condition": (lambda f, e, p: (hl.max(f[0], e), hl.select(p > f[0], p, f[1])), (hl.i32(0), hl.i32(0))),
    "worse kept": (lambda f, e, p: (hl.max(f[0], e), hl.select(e < f[0], p, f[1])), (hl.i32(0), hl.i32(0))),
    "swapped": (lambda f, e, p: (f[1] + e, f[0] + p), (hl.i32(0), hl.i32(0))),
    "no complex product": (lambda f, e, p: (f[0] * e - f[1] * p, f[1] * p + f[0] * e), (hl.i32(0), hl.i32(0))),
}


@pytest.mark.parametrize("name", NONE)
def test_other_updates_are_none(name: str) -> None:
    assert found(*NONE[name]) is None


def test_reads_of_other_elements_are_none() -> None:
    f = hl.Func("f")
    f[x_] = 0
    f[r] = f[r] + f[r + 1]
    f[f[r]] = f[f[r]] + 1
    function = f._contents.function
    assert function is not None
    assert [associative_op(d, function, f._contents) for d in function.updates] == [None, None]
