"""What inputs must hold, and what memory is taken, is what is read: hulls of all cells, counted one by one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pytest

import halopy as hl

x, y = hl.vars("x y")
WIDTH, HEIGHT = 13, 9
Source = hl.ImageParam | hl.Func
Cell = tuple[int, ...]


@dataclass(frozen=True)
class Reads:
    """A Func that reads a source, and which cells that are."""

    define: Callable[[Source], hl.Func]
    cells: Callable[[], Iterable[Cell]]

    def hull(self) -> list[tuple[int, int]]:
        return [(min(c), max(c)) for c in zip(*self.cells(), strict=True)]


def pure(index: Callable[[hl.Var, hl.Var], tuple[hl.Expr, ...]], cell: Callable[[int, int], Cell]) -> Reads:
    def define(source: Source) -> hl.Func:
        g = hl.Func("g")
        g[x, y] = source[index(x, y)]
        return g

    return Reads(define, lambda: (cell(i, j) for i, j in itertools.product(range(WIDTH), range(HEIGHT))))


def where(
    ranges: list[tuple[int, int]],
    predicate: Callable[..., object],
    index: Callable[..., tuple[object, ...]],
) -> Reads:
    """`predicate` and `index` take x and the reduction variables, as expressions or as numbers."""

    def define(source: Source) -> hl.Func:
        g, r = hl.Func("g"), hl.RDom(ranges, "r")
        r.where(predicate(x, *r))
        g[x, y] = 0
        g[x, y] += source[index(x, *r)]
        return g

    def cells() -> Iterable[Cell]:
        points = itertools.product(range(WIDTH), *(range(low, low + n) for low, n in ranges))
        return (index(*p) for p in points if predicate(*p))  # type: ignore[misc]

    return Reads(define, cells)


SQUARE = [(0, 10), (0, 7)]
PROGRAMS = {
    "strided": pure(lambda x, y: (3 * x + 1, y / 3), lambda x, y: (3 * x + 1, y // 3)),
    "by parity": pure(lambda x, y: (x / 2 * 2 + 1, y), lambda x, y: (x // 2 * 2 + 1, y)),
    "of a mosaic": pure(lambda x, y: (x / 2 * 2 + y % 2, y), lambda x, y: (x // 2 * 2 + y % 2, y)),
    "turned": pure(lambda x, y: (x + y, x - y), lambda x, y: (x + y, x - y)),
    "correlated": pure(lambda x, y: (x - x / 4 * 4 + x / 4, y), lambda x, y: (x % 4 + x // 4, y)),
    "clamped": pure(lambda x, y: (hl.clamp(x - 3, 0, 5), y), lambda x, y: (min(max(x - 3, 0), 5), y)),
    "to the even one": pure(lambda x, y: (hl.select(x % 2 == 0, x, x - 1), y), lambda x, y: (x // 2 * 2, y)),
    "corner": where(SQUARE, lambda x, i, j: i + j < 6, lambda x, i, j: (i, j)),
    "triangle": where(SQUARE, lambda x, i, j: i <= j, lambda x, i, j: (i, j)),
    "strip": where(SQUARE, lambda x, i, j: abs_(i - j) < 2, lambda x, i, j: (i - j, x)),
    "third": where(SQUARE, lambda x, i, j: i % 3 == 1, lambda x, i, j: (i, j)),
    "along x": where(SQUARE, lambda x, i, j: i <= x, lambda x, i, j: (x - i, j)),
    "disk": where([(-4, 9), (-4, 9)], lambda x, i, j: i * i + j * j <= 4, lambda x, i, j: (x + i, j)),
}


def abs_(e: object) -> object:
    return abs(e) if isinstance(e, int) else hl.abs(e)


@pytest.mark.parametrize("name", PROGRAMS)
def test_inputs_need_hold_what_is_read(name: str) -> None:
    image = hl.ImageParam(hl.Int(32), 2, "image")
    PROGRAMS[name].define(image).infer_input_bounds([WIDTH, HEIGHT])
    found = image.get()
    assert [(found.dim(d).min(), found.dim(d).max()) for d in range(2)] == PROGRAMS[name].hull()


@pytest.mark.parametrize("name", ["of a mosaic", "triangle", "disk"])
def test_memory_is_taken_for_what_is_read(name: str) -> None:
    f = hl.Func("f")
    f[x, y] = x * 3 + y
    g = PROGRAMS[name].define(f)
    f.compute_root().trace_realizations()
    with hl.trace() as events:
        out = np.asarray(g.realize([WIDTH, HEIGHT]))
    (began,) = (e.coordinates for e in events if e.func == "f" and e.event is hl.TraceKind.BEGIN_REALIZATION)
    numbers = [int(n) for n in (began[0] if isinstance(began[0], tuple) else began)]
    box = [(low, low + extent - 1) for low, extent in zip(numbers[::2], numbers[1::2], strict=True)]
    assert box == PROGRAMS[name].hull()
    np.testing.assert_array_equal(out, np.asarray(g.reference([WIDTH, HEIGHT])))


def test_too_small_an_input_is_told_with_the_line_and_an_index_that_needs_it() -> None:
    image = hl.ImageParam(hl.Int(32), 2, "image")
    g = PROGRAMS["disk"].define(image)
    small = hl.Buffer(np.zeros((5, WIDTH + 3), np.int32))
    small.set_min([-2, -2])
    image.set(small)
    with pytest.raises(hl.BufferError) as refused:
        g.realize([WIDTH, HEIGHT])
    told = str(refused.value)
    assert "the pipeline reads [-2, 14]" in told and "the buffer holds [-2, 13]" in told
    assert "`g.update(0)` reads image(x + r.x, r.y), " in told and "test_exact_regions.py:" in told
    assert "for example g.update(0) at r.x = 2, r.y = 0, x = 12, y = 0 reads image(14, 0)" in told
