"""Random small loop nests over `in`, `out` and scratch memory, for properties of passes.

All values are int32. Reads are clamped into their buffer, so that a program is valid by itself and
any access outside is a pass's doing. `out` is wide enough for every index that programs store to.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from halopy.dtypes import INT32
from halopy.ir import build
from halopy.ir.expr import Expr, Load, Var, const
from halopy.ir.stmt import Allocate, For, If, LetStmt, LoopKind, MemoryKind, Stmt, Store, block

from .interpreter import execute

IN_SIZE = 37
OUT_SIZE = 400
ROW = 40
SCALARS = {"n": 11, "k": 3}

Choice = st.DrawFn


def load(index: Expr) -> Expr:
    """`in` at an index, clamped."""
    return Load("in", build.clamp(index, 0, IN_SIZE - 1), INT32)


@st.composite
def affine(draw: Choice, names: tuple[str, ...]) -> Expr:
    """A small linear expression of some names."""
    total = const(draw(st.integers(-4, 12)))
    for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)):
        total = build.add(build.mul(Var(name), draw(st.sampled_from([-2, -1, 1, 1, 1, 2, 3]))), total)
    return total


@st.composite
def values(draw: Choice, names: tuple[str, ...], depth: int = 2) -> Expr:
    """A value of int32."""
    kind = draw(st.integers(0, 6)) if depth else draw(st.integers(0, 2))
    if kind <= 1:
        return draw(affine(names))
    if kind == 2:
        return load(draw(affine(names)))
    a, b = draw(values(names, depth - 1)), draw(values(names, depth - 1))
    if kind == 3:
        return build.select(draw(conditions(names)), a, b)
    operators = [build.add, build.sub, build.mul, build.minimum, build.maximum]
    if kind == 6:
        return draw(st.sampled_from([build.div, build.mod]))(a, draw(st.integers(1, 5)))
    return draw(st.sampled_from(operators))(a, b)


@st.composite
def conditions(draw: Choice, names: tuple[str, ...]) -> Expr:
    """A comparison of index expressions, or two of them."""
    compare = st.sampled_from([build.lt, build.le, build.gt, build.ge, build.eq, build.ne])
    bound = st.one_of(st.integers(-2, 14).map(const), st.just(Var("n")))
    first = draw(compare)(draw(affine(names)), draw(bound))
    if draw(st.integers(0, 3)):
        return first
    second = draw(compare)(draw(affine(names)), draw(bound))
    return draw(st.sampled_from([build.logical_and, build.logical_or]))(first, second)


@st.composite
def places(draw: Choice, names: tuple[str, ...]) -> Expr:
    """An index into `out`: one row per step of the outer loop, a place within it that the innermost decides.

    So iterations of the inner loop meet within a row or not at all, as in every legal schedule.
    """
    inner = build.clamp(draw(affine(names[-1:])), 0, ROW - 1) if draw(st.booleans()) else _forward(draw, names[-1])
    return _in_row(names[0], inner)


def _in_row(row: str, place: Expr) -> Expr:
    return build.add(build.mul(Var(row), ROW), place)


def _forward(draw: Choice, name: str) -> Expr:
    return build.add(build.mul(Var(name), draw(st.integers(1, 2))), draw(st.integers(0, 4)))


@st.composite
def bodies(draw: Choice, names: tuple[str, ...], depth: int = 2) -> Stmt:
    """Statements inside the loops `names`; the last name is the loop that tests transform."""
    kind = draw(st.integers(0, 8)) if depth else 0
    if kind == 3:
        return block(draw(bodies(names, depth - 1)), draw(bodies(names, depth - 1)))
    if kind == 4:
        name = f"t{depth}"
        return LetStmt(name, draw(values(names)), draw(bodies((*names[:-1], name, names[-1]), depth - 1)))
    if kind == 5:
        otherwise = draw(bodies(names, depth - 1)) if draw(st.booleans()) else None
        return If(draw(conditions(names)), draw(bodies(names, depth - 1)), otherwise)
    if kind == 6:
        return draw(_scratch(names, depth))
    if kind == 7:
        return draw(_accumulation(names, depth))
    return draw(_stores(names))


@st.composite
def _stores(draw: Choice, names: tuple[str, ...]) -> Stmt:
    place, value = draw(places(names)), draw(values(names))
    if draw(st.booleans()):
        return Store("out", place, value)
    before = place if draw(st.integers(0, 2)) else _in_row(names[0], _forward(draw, names[-1]))
    operator = draw(st.sampled_from([build.add, build.mul, build.minimum, build.maximum, build.sub]))
    return Store("out", place, operator(Load("out", before, INT32), value))


@st.composite
def _scratch(draw: Choice, names: tuple[str, ...], depth: int) -> Stmt:
    """Scratch memory, filled by an inner loop and read back."""
    buffer, inner = f"scratch{depth}", f"i{depth}"
    size = draw(st.integers(1, 4))
    low = draw(st.sampled_from([const(0), Var(names[-1])]))
    index = build.sub(Var(inner), low)
    fill = For(inner, low, const(size), LoopKind.SERIAL, Store(buffer, index, draw(values((*names, inner)))))
    read = Load(buffer, build.clamp(draw(affine(names)), 0, size - 1), INT32)
    use = Store("out", draw(places(names)), build.add(read, draw(values(names, 1))))
    return Allocate(buffer, INT32, const(size), MemoryKind.AUTO, block(fill, use))


@st.composite
def _accumulation(draw: Choice, names: tuple[str, ...], depth: int) -> Stmt:
    """A sum over an inner loop, whose extent may depend on the loops outside."""
    inner = f"r{depth}"
    extent = draw(st.sampled_from([const(2), Var("k"), build.minimum(Var(names[-1]), 3)]))
    place = _in_row(names[0], _forward(draw, names[-1]))
    term = draw(values((*names, inner)))
    step = Store("out", place, build.add(Load("out", place, INT32), term))
    return For(inner, draw(affine(names)), extent, LoopKind.SERIAL, step)


def result(stmt: Stmt) -> npt.NDArray[Any]:
    """What the program leaves in `out`."""
    rng = np.random.default_rng(7)
    source = rng.integers(-50, 50, IN_SIZE, dtype=np.int32)
    out = np.arange(OUT_SIZE, dtype=np.int32)
    execute(stmt, {"in": source, "out": out}, SCALARS)
    return out
