"""Random small programs, as hypothesis strategies: stencils, data-dependent reads, reductions, scans, scatters."""

from __future__ import annotations

from hypothesis import strategies as st

from halopy.ir.expr import LT, Add, Div, Expr, Max, Min, Mod, Mul, Select, Sub, Var
from halopy.ir.function import Definition, Function
from halopy.ir.program import Program

from .programs import domain, func, i32, program, read, update, x, y

r, s = Var("r"), Var("s")
numbers = st.integers(-3, 4)


def coordinates(v: Expr) -> st.SearchStrategy[Expr]:
    """Shifted, scaled, divided, reflected and clamped coordinates."""
    return st.one_of(
        st.just(v),
        numbers.map(lambda n: Add(v, i32(n))),
        numbers.map(lambda n: Sub(i32(n), v)),
        numbers.map(lambda n: Add(Mul(v, i32(2)), i32(n))),
        st.sampled_from([2, 3, -2]).map(lambda n: Div(v, i32(n))),
        st.sampled_from([3, 5]).map(lambda n: Mod(v, i32(n))),
        numbers.map(lambda n: Max(Min(v, i32(n + 4)), i32(n))),
    )


@st.composite
def values(draw: st.DrawFn, producers: list[Function], a: Expr, b: Expr) -> Expr:
    """A value at (a, b) of reads of producers."""
    result: Expr = Add(Mul(a, i32(draw(numbers))), b)
    for producer in producers:
        index = draw(coordinates(draw(st.sampled_from([a, b])))), draw(coordinates(b))
        other = read(producer, *index)
        if draw(st.booleans()):  # a data-dependent index, kept in bounds
            other = read(producer, Mod(other, i32(7)), index[1])
        combined = (Add(result, other), Sub(other, result), Max(result, other), Select(LT(a, b), result, other))
        result = draw(st.sampled_from(combined))
    return result


@st.composite
def updates(draw: st.DrawFn, name: str, producers: list[Function]) -> Definition:
    """A reduction, a scan, a scatter or a plain rewrite."""
    where = draw(st.sampled_from([None, LT(r, s), LT(Mod(Add(r, s), i32(3)), i32(2))]))
    rdom = domain(
        ("r", draw(numbers), draw(st.integers(1, 5))), ("s", draw(numbers), draw(st.integers(1, 3))), where=where
    )
    kind = draw(st.sampled_from(["reduce", "scan", "scatter", "rewrite"]))
    if kind == "rewrite":
        return update([x, y], Add(Mul(read(name, x, y), i32(3)), draw(values(producers, x, y))))
    extra = Add(draw(values(producers, r, s)), s)
    if kind == "reduce":
        return update([x, y], Add(Mul(read(name, x, y), i32(draw(st.sampled_from([1, 2])))), extra), rdom)
    if kind == "scan":
        return update([x, r], Add(read(name, x, Sub(r, i32(1))), extra), rdom)
    cell = Mod(extra, i32(4)), y
    return update(cell, Add(Mul(read(name, *cell), i32(draw(st.sampled_from([0, 1])))), r), rdom)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    functions: list[Function] = []
    for k in range(draw(st.integers(1, 4))):
        producers = draw(st.lists(st.sampled_from(functions), max_size=2, unique=True)) if functions else []
        name = f"f{k}"
        stages = [draw(updates(name, producers)) for _ in range(draw(st.integers(0, 2)))]
        functions.append(func(name, [x, y], draw(values(producers, x, y)), *stages))
    return program(*functions, func("out", [x, y], read(functions[-1], x, y)))  # no update leaves a pure output


regions = st.tuples(*[st.tuples(st.integers(-4, 4), st.integers(1, 6))] * 2)
