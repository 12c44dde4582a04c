"""A schedule never changes the answer: random schedules of small pipelines agree with the oracle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import halopy as hl

x, y, xo, xi, yo, yi, t = (hl.Var(n) for n in ("x", "y", "xo", "xi", "yo", "yi", "t"))
PICTURE = np.random.default_rng(1).integers(0, 256, (23, 31)).astype(np.uint8)
TAILS = ("GuardWithIf", "ShiftInwards", "RoundUp", "Predicate", "ShiftInwardsAndBlend", "RoundUpAndBlend")


def stencil() -> list[hl.Func]:
    a, b, c = hl.Func("a"), hl.Func("b"), hl.Func("c")
    a[x, y] = x * 3 + y * y
    b[x, y] = a[x - 1, y] + a[x + 1, y] * 2
    c[x, y] = b[x, y - 1] - b[x, y + 2]
    return [a, b, c]


def picture() -> list[hl.Func]:
    edge = hl.BoundaryConditions.repeat_edge(hl.Buffer(PICTURE))
    a, b = hl.Func("a"), hl.Func("b")
    a[x, y] = hl.cast(hl.UInt(16), edge[x - 1, y]) + edge[x + 2, y]
    b[x, y] = a[x, y - 1] + a[x, y] * 3 + a[x, y + 1]
    return [a, b]


def resampled() -> list[hl.Func]:
    a, b, c = hl.Func("a"), hl.Func("b"), hl.Func("c")
    a[x, y] = x * 5 + y
    b[x, y] = a[2 * x, y] + a[2 * x + 1, 3 * y]
    c[x, y] = b[x / 2, y] + b[(x + 1) / 2, y / 3]
    return [a, b, c]


def updated() -> list[hl.Func]:
    a, b = hl.Func("a"), hl.Func("b")
    r = hl.RDom([(-1, 3)])
    a[x, y] = x + y
    a[x, y] += a[x, y] * 2
    b[x, y] = 0
    b[x, y] += a[x + r.x, y] * (r.x + 2)
    return [a, b]


def transposed() -> list[hl.Func]:
    a, b = hl.Func("a"), hl.Func("b")
    a[x, y] = hl.cast(hl.UInt(8), x * 7 + y * 13)
    b[x, y] = a[y, x] - a[x, y + 1]
    return [a, b]


def gathered() -> list[hl.Func]:
    image = hl.Buffer(PICTURE)
    table, b = hl.Func("table"), hl.Func("b")
    table[x] = hl.cast(hl.Float(32), x) / 3
    b[x, y] = table[hl.cast(hl.Int(32), image[hl.clamp(x, 0, 30), hl.clamp(y, 0, 22)])] + y
    return [table, b]


FAMILY: dict[str, Callable[[], list[hl.Func]]] = {
    f.__name__: f for f in (stencil, picture, resampled, updated, transposed, gathered)
}


def schedule_loops(func: hl.Func, draw: Any) -> list[hl.Var]:
    """A random nest for the pure stage of a Func; gives its loops, innermost first."""
    tail = getattr(hl.TailStrategy, draw(st.sampled_from(TAILS)))
    factor = draw(st.sampled_from([1, 2, 3, 4, 8]))
    loops: list[hl.Var] = [v for v in (x, y) if v.name() in [a.name() for a in func.args()]]
    shape = draw(st.sampled_from(["plain", "split", "tile", "fuse", "reorder"]))
    if shape == "split":
        func.split(x, xo, xi, factor, tail)
        loops = [xi, xo, *loops[1:]]
    elif shape == "tile" and len(loops) == 2:
        func.tile(x, y, xo, yo, xi, yi, factor, draw(st.sampled_from([1, 2, 5])), tail)
        loops = [xi, yi, xo, yo]
    elif shape == "fuse" and len(loops) == 2:
        func.fuse(x, y, t)
        loops = [t]
    elif shape == "reorder" and len(loops) == 2:
        func.reorder(y, x)
        loops = [y, x]
    inner = draw(st.sampled_from(["none", "vectorize", "unroll"]))
    if inner == "vectorize":
        func.vectorize(loops[0], draw(st.sampled_from([2, 3, 4, 8])), tail) if shape == "plain" else (
            func.vectorize(loops[0]) if shape in ("split", "tile") else None
        )
    elif inner == "unroll" and shape in ("split", "tile"):
        func.unroll(loops[0])
    if draw(st.booleans()):
        func.parallel(loops[-1])
    return loops


def schedule(funcs: list[hl.Func], draw: Any) -> None:
    """Loops for every Func, and a place for each producer."""
    output = funcs[-1]
    loops = schedule_loops(output, draw)
    for func in funcs[:-1]:
        place = draw(st.sampled_from(["inline", "root", "at", "sliding"]))
        if place == "inline":
            continue
        schedule_loops(func, draw)
        if place == "root":
            func.compute_root()
            continue
        at = draw(st.integers(0, len(loops) - 1))
        func.compute_at(output, loops[at])
        if place == "sliding":
            outer = draw(st.integers(at, len(loops)))
            func.store_root() if outer == len(loops) else func.store_at(output, loops[outer])


@pytest.mark.parametrize("name", FAMILY)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_random_schedule_computes_what_the_oracle_computes(name: str, data: st.DataObject) -> None:
    funcs = FAMILY[name]()
    try:
        schedule(funcs, data.draw)
    except hl.ScheduleError:
        return  # the directives refused it at once
    width, height = data.draw(st.integers(0, 21)), data.draw(st.integers(1, 13))
    low_x, low_y = data.draw(st.integers(-5, 5)), data.draw(st.integers(-5, 5))
    output = funcs[-1]
    out = hl.Buffer(output.output_types()[0] if hasattr(output, "output_types") else output.type(), [width, height])
    out.set_min([low_x, low_y])
    try:
        output.realize(out)
    except (hl.ScheduleError, hl.errors.BufferError):
        return  # a tail that needs a larger output, or a place that is not legal
    want = output.reference(out)
    np.testing.assert_array_equal(np.asarray(out), want)
