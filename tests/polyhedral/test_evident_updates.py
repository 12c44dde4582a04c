"""Reads of Funcs with updates are proved without isl where every instance was surely run once; and not where not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import halopy as hl
from halopy.ir import build
from halopy.ir.program import Program
from halopy.ir.rewrite import Rewriter
from halopy.ir.stmt import Block, For, LoopKind, Provide, Stmt
from halopy.lang.snapshot import snapshot
from halopy.lower.build_loop_nests import build_loop_nests
from halopy.lower.place_functions import place_functions
from halopy.lower.regions import Regions
from halopy.polyhedral.validation import validate
from halopy.proof import NOT_PROVED, PROVED

x, y, xi, yi = hl.vars("x y xi yi")
outer, strip = hl.RVar("outer"), hl.Var("strip")


def product(schedule: Callable[[hl.Func, hl.RDom], Any]) -> hl.Func:
    image, r = hl.ImageParam(hl.Int(32), 2, "image"), hl.RDom([(0, 20)], "r")
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y] = 0
    f[x, y] += image[x, r.x] * image[r.x, y]
    g[x, y] = f[x, y]
    g.tile(x, y, xi, yi, 16, 4)
    f.compute_at(g, x)
    schedule(f, r)
    return g


def split(f: hl.Func, r: hl.RDom) -> None:
    f.vectorize(x, 8).update(0).split(r.x, outer, r.x, 8).reorder(x, r.x, y, outer).vectorize(x, 8).unroll(r.x)


def histogram() -> hl.Func:
    """Of which nobody knows where an iteration adds."""
    image, r = hl.ImageParam(hl.UInt(8), 2, "image"), hl.RDom([(0, 30), (0, 20)], "r")
    f, g = hl.Func("f"), hl.Func("g")
    f[x] = 0
    f[hl.i32(image[r.x, r.y])] += 1
    g[x] = f[x]
    f.compute_root().vectorize(x, 8)
    f.update(0).reorder(r.y, r.x)
    return g


def masked() -> hl.Func:
    r = hl.RDom([(0, 9), (0, 9)], "r")
    r.where(r.x < r.y)
    f, g = hl.Func("f"), hl.Func("g")
    f[x] = 0
    f[x] += r.x * r.y + x
    f[x] += x
    g[x] = f[x] + f[x + 1]
    f.compute_root().update(0).reorder(x, r.x, r.y)
    return g


def nest_of(g: hl.Func) -> tuple[Stmt, Program]:
    taken = snapshot([g._contents])
    placement = place_functions(taken.program, taken.schedules)
    return build_loop_nests(Regions(placement)), placement.program


def statuses(nest: Stmt, program: Program, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Of the reads of f, without isl."""
    monkeypatch.setattr(validate._Question, "_exact", lambda *_arguments: (NOT_PROVED, "isl is not asked"))
    found = validate.validate(nest, nest, program)
    return {o.status for o in found if o.kind == "dataflow" and "f" in o.stages}


PIPELINES: dict[str, Callable[[], hl.Func]] = {
    "split": lambda: product(split),
    "whole": lambda: product(lambda f, r: f.update(0).reorder(r.x, x, y)),
    "histogram": histogram,
    "masked": masked,
}


@pytest.mark.parametrize("name", PIPELINES)
def test_sums_are_proved_without_isl(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert statuses(*nest_of(PIPELINES[name]()), monkeypatch) == {PROVED}


class _Changed(Rewriter):
    """Loops over the reduction of an update, changed."""

    def __init__(self, change: Callable[[For], Stmt]) -> None:
        super().__init__()
        self.change = change

    def rewrite_For(self, loop: For) -> Stmt:
        inner = self.rebuild(loop)
        assert isinstance(inner, For)
        return self.change(inner) if ".s1.r" in loop.name or ".s1.outer" in loop.name else inner


class _Swapped(Rewriter):
    """The first two nests of each block, one of which writes first values, in the other order."""

    def rewrite_Block(self, block: Block) -> Stmt:
        first, second, *rest = (self(s) for s in block.stmts)
        return Block((second, first, *rest)) if first.has(Provide) and second.has(Provide) else self.rebuild(block)


CHANGES: dict[str, Callable[[For], Stmt]] = {
    "too short": lambda loop: loop.with_(extent=build.sub(loop.extent, 1)),
    "too long": lambda loop: loop.with_(extent=build.add(loop.extent, 1)),
    "begins late": lambda loop: loop.with_(min=build.add(loop.min, 1)),
    "twice": lambda loop: For("again", build.as_expr(0), build.as_expr(2), LoopKind.SERIAL, loop),
}


@pytest.mark.parametrize("name", PIPELINES)
@pytest.mark.parametrize("change", CHANGES)
def test_sums_of_other_iterations_are_not(name: str, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    nest, program = nest_of(PIPELINES[name]())
    changed = _Changed(CHANGES[change])(nest)
    assert changed is not nest
    assert NOT_PROVED in statuses(changed, program, monkeypatch)


@pytest.mark.parametrize("name", PIPELINES)
def test_stages_in_another_order_are_not(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    nest, program = nest_of(PIPELINES[name]())
    changed = _Swapped()(nest)
    assert changed is not nest
    assert NOT_PROVED in statuses(changed, program, monkeypatch)


def test_iterations_that_run_again_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop whose variable is not all of an instance: 4*o + i with i in [0, 8)."""
    nest, program = nest_of(product(split))
    wider = _Changed(lambda loop: loop.with_(extent=build.as_expr(12)) if "outer" not in loop.name else loop)(nest)
    assert NOT_PROVED in statuses(wider, program, monkeypatch)


def test_what_depends_on_the_order_is_left_to_isl(monkeypatch: pytest.MonkeyPatch) -> None:
    r = hl.RDom([(1, 9)], "r")
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y] = x
    f[r.x, y] = f[r.x - 1, y] * 2
    g[x, y] = f[x, y]
    f.compute_root()
    assert NOT_PROVED in statuses(*nest_of(g), monkeypatch)
