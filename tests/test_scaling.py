"""Compiling a pipeline of n stages takes work in proportion to n, counted, not timed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import halopy as hl
from halopy.compile import compile_pipeline
from halopy.ir.node import NodeMeta
from halopy.lang.snapshot import snapshot
from halopy.lower.regions import Regions
from halopy.lower.solve import Solver
from halopy.target import host_target

pytestmark = pytest.mark.usefixtures("unvalidated")
x, y, xo, yo, xi, yi = (hl.Var(n) for n in ("x", "y", "xo", "yo", "xi", "yi"))


def chain(stages: int) -> list[hl.Func]:
    """Three-tap stencils, each of the one before."""
    source = hl.ImageParam(hl.UInt(16), 2, "source")
    funcs = [hl.Func("f0")]
    funcs[0][x, y] = source[x, y]
    for n in range(1, stages + 1):
        f = hl.Func(f"f{n}")
        f[x, y] = (funcs[-1][x - 1, y] + funcs[-1][x, y] + funcs[-1][x + 1, y + 1]) / 3
        funcs.append(f)
    return funcs


def at_root(funcs: list[hl.Func]) -> None:
    for f in funcs:
        f.compute_root()


def tiled(funcs: list[hl.Func]) -> None:
    for f in funcs:
        f.compute_root().tile(x, y, xo, yo, xi, yi, 32, 32).vectorize(xi, 16)


def sliding(funcs: list[hl.Func]) -> None:
    for f in funcs[:-1]:
        f.store_root().compute_at(funcs[-1], y)


def nodes_made(stages: int, schedule: Callable[[list[hl.Func]], None], monkeypatch: pytest.MonkeyPatch) -> int:
    """How many nodes are asked for while a chain is compiled to C."""
    funcs = chain(stages)
    schedule(funcs)
    taken = snapshot([funcs[-1]._contents])
    made = 0
    construct = NodeMeta.__call__

    def counted(cls: NodeMeta, *args: Any, **kwargs: Any) -> Any:
        nonlocal made
        made += 1
        return construct(cls, *args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(NodeMeta, "__call__", counted)
        compile_pipeline(taken.program, taken.schedules, host_target())
    return made


@pytest.mark.parametrize("schedule", [at_root, tiled, sliding], ids=lambda s: s.__name__)
def test_four_times_the_stages_take_about_four_times_the_nodes(
    schedule: Callable[[list[hl.Func]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    few, many = (nodes_made(n, schedule, monkeypatch) for n in (15, 60))
    assert many <= 5 * few


def clamps_solved(levels: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many expressions are solved for a loop's edges while nested clamps are compiled."""
    e: Any = x
    for _ in range(levels):
        e = hl.clamp(e + x, 0, y + 5)
    f = hl.Func("nested")
    f[x, y] = e
    taken = snapshot([f._contents])
    solved = 0
    least = Solver.not_negative

    def counted(self: Solver, gap: Any) -> Any:
        nonlocal solved
        solved += 1
        return least(self, gap)

    with monkeypatch.context() as patched:
        patched.setattr(Solver, "not_negative", counted)
        compile_pipeline(taken.program, taken.schedules, host_target())
    return solved


def test_clamps_within_clamps_are_solved_down_to_a_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (clamps_solved(levels, monkeypatch) for levels in (60, 240))
    assert 0 < few == many


@pytest.mark.parametrize(("steps", "has_a_copy"), [(100, True), (1500, False)])
def test_a_huge_body_is_not_copied_for_one_clamp(steps: int, has_a_copy: bool) -> None:
    f, source = hl.Func("f"), hl.ImageParam(hl.Int(32), 1, "source")
    e: Any = source[x]
    for k in range(steps):
        e = hl.i32(hl.abs(e - source[x + k % 30] * k))
    f[x] = e
    f.vectorize(x, 8)
    taken = snapshot([f._contents])
    text = compile_pipeline(taken.program, taken.schedules, host_target()).text
    assert ("f_s0_x_epilogue" in text) == has_a_copy


def adjoint_text(stages: int) -> str:
    """The C text of the derivative of a chain whose Funcs are at the root and whose adjoints nobody scheduled."""
    b, f, total, r = hl.Buffer(hl.Float(32), [99], "b"), hl.Func("f0"), hl.Func("total"), hl.RDom([(0, 9)])
    f[x] = b[hl.clamp(x, 0, 98)]
    for n in range(1, stages + 1):
        g = hl.Func(f"f{n}")
        g[x] = f[x] * f[x] + hl.sin(f[x + 1])
        f = g.compute_root()
    total[()] = hl.f32(0)
    total[()] += f[r]
    taken = snapshot([hl.propagate_adjoints(total)[b]._contents])
    return compile_pipeline(taken.program, taken.schedules, host_target()).text


def test_derivatives_of_four_times_the_stages_are_about_four_times_as_long() -> None:
    short, long = len(adjoint_text(8)), len(adjoint_text(32))
    assert long <= 4.5 * short, f"{short} characters became {long}"


def regions_grown(updates: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many regions are asked for while a Func with updates that read their neighbours is compiled."""
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y] = x + y
    for _ in range(updates):
        f[x, x + 1] = f[x, x] + f[x, x - 1]
    g[x, y] = f[x, y]
    f.compute_root()
    taken = snapshot([g._contents])
    asked = 0
    grown = Regions._grown

    def counted(self: Regions, *args: Any) -> Any:
        nonlocal asked
        asked += 1
        return grown(self, *args)

    with monkeypatch.context() as patched:
        patched.setattr(Regions, "_grown", counted)
        compile_pipeline(taken.program, taken.schedules, host_target())
    return asked


def test_four_times_the_updates_ask_for_four_times_the_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (regions_grown(n, monkeypatch) for n in (5, 20))
    assert 0 < many <= 4 * few
