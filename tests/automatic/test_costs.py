"""Counts of a cost are what a run does, iteration by iteration; predictions are made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

import halopy as hl
from halopy.automatic.columns import Columns
from halopy.compile import finished_loops
from halopy.ir.expr import Expr, Var
from halopy.ir.rewrite import free_vars
from halopy.ir.stmt import Block, For, If, LetStmt, Provide, Stmt
from halopy.lang.estimated_sizes import estimated_sizes
from halopy.target import host_target

from .pipelines import X, Y, image, matrix_product, pyramid, rgb_blur, scan, stencil_chain, unsharp

HOST = hl.get_host_target()


class Counted:
    """Runs loops one iteration after the other, with numbers for all symbols."""

    def __init__(self, stmt: Stmt, known: dict[str, int]) -> None:
        self.values: dict[str, int] = dict(known)
        self.iterations: Counter[str] = Counter()
        self.entered: Counter[str] = Counter()
        self.executions: Counter[tuple[str, int]] = Counter()
        self.run(stmt)

    def number(self, e: Expr) -> int:
        rows = Columns(1, {Var(name): np.array([self.values[name]]) for name in free_vars(e)})
        return int(rows.value(e)[0])

    def run(self, stmt: Stmt) -> None:
        if isinstance(stmt, For):
            low, extent = self.number(stmt.min), self.number(stmt.extent)
            self.entered[stmt.name] += 1
            for value in range(low, low + extent):
                self.iterations[stmt.name] += 1
                self.values[stmt.name] = value
                self.run(stmt.body)
        elif isinstance(stmt, LetStmt):
            self.values[stmt.name] = self.number(stmt.value)
            self.run(stmt.body)
        elif isinstance(stmt, If):
            branch = stmt.then if self.number(stmt.condition) else stmt.otherwise
            if branch is not None:
                self.run(branch)
        elif isinstance(stmt, Provide):
            self.executions[stmt.name, stmt.stage] += 1
        else:
            for part in stmt.stmts if isinstance(stmt, Block) else stmt.children():
                if isinstance(part, Stmt):
                    self.run(part)


def tiled_blur() -> tuple[hl.Pipeline, tuple[int, ...]]:
    source, blur_x, blur_y = image(hl.UInt(16), 2), hl.Func("blur_x"), hl.Func("blur_y")
    near = hl.BoundaryConditions.repeat_edge(source)
    blur_x[X, Y] = near[X - 1, Y] + near[X, Y] + near[X + 1, Y]
    blur_y[X, Y] = blur_x[X, Y - 1] + blur_x[X, Y] + blur_x[X, Y + 1]
    xo, yo, xi, yi = (hl.Var(n) for n in ("xo", "yo", "xi", "yi"))
    blur_y.tile(X, Y, xo, yo, xi, yi, 8, 4, hl.TailStrategy.GuardWithIf).vectorize(xi).parallel(yo)
    blur_x.store_at(blur_y, xo).compute_at(blur_y, yi).vectorize(X, 4)
    source.set_estimates([(0, 21), (0, 11)])
    blur_y.set_estimates([(0, 21), (0, 11)])
    return hl.Pipeline(blur_y), (21, 11)


def small(make: Callable) -> tuple[hl.Pipeline, tuple[int, ...]]:
    case = make()
    case.pipeline.apply_autoscheduler(HOST, hl.AutoschedulerParams("halopy", {"parallelism": 4}))
    sizes = min(case.sizes)
    case.fill(sizes)
    return case.pipeline, sizes


CASES = [
    tiled_blur,
    *(lambda make=make: small(make) for make in (rgb_blur, matrix_product, scan, lambda: stencil_chain(3))),
]


@pytest.mark.parametrize("make", CASES)
def test_counts_are_those_of_a_run_iteration_by_iteration(make):
    pipeline, sizes = make()
    found = pipeline.explain(sizes)
    seen = pipeline.snapshot()
    known = {k: int(v) for k, v in estimated_sizes(seen).items()}
    for name in seen.program.outputs:
        for d, size in enumerate(sizes):
            known |= {f"{name}.min.{d}": 0, f"{name}.extent.{d}": size}
    for name, picture in seen.program.images.items():
        buffer = picture.ref.buffer
        if buffer is not None:
            for d in range(picture.rank):
                known |= {f"{name}.min.{d}": buffer.dim(d).min(), f"{name}.extent.{d}": buffer.dim(d).extent()}
    run = Counted(finished_loops(seen.program, seen.schedules, host_target()).folded, known)
    assert found.exact
    assert {loop.name: loop.iterations for loop in found.loops if loop.entered} == {
        n: run.iterations[n] for n in run.entered
    }
    assert {loop.name: loop.entered for loop in found.loops if loop.entered} == dict(run.entered)
    executions: Counter[tuple[str, int]] = Counter()
    for stage in (s for s in found.stages if s.executions):
        executions[stage.func, stage.stage] += stage.executions
    assert executions == run.executions


def test_large_sizes_are_counted_without_running():
    pipeline, _ = tiled_blur()
    pipeline.outputs()[0].set_estimates([(0, 100_003), (0, 70_001)])
    (of_blur_y,) = (s for s in pipeline.explain((100_003, 70_001)).stages if s.func == "blur_y")
    assert of_blur_y.executions == of_blur_y.needed == 100_003 * 70_001
    assert of_blur_y.lanes == 8
    assert of_blur_y.efficiency == pytest.approx(100_003 / 100_008)


def test_what_neighbouring_tiles_both_compute_shows():
    pipeline, _ = tiled_blur()
    (of_blur_x,) = (s for s in pipeline.explain((8_000, 4_000)).stages if s.func == "blur_x")
    assert of_blur_x.recomputed == pytest.approx(6 / 4, rel=0.01)


def test_an_input_of_no_known_shape_is_as_large_as_needed():
    source, f = hl.ImageParam(hl.UInt(8), 2, "source"), hl.Func("f")
    f[X, Y] = source[X, Y] + source[X + 1, Y]
    (loop,) = (loop for loop in hl.Pipeline(f).explain((100, 50)).loops if loop.depth == 0)
    assert loop.run_bytes == 100 * 50 + 101 * 50


def test_a_size_that_nothing_tells_is_asked_for():
    with pytest.raises(hl.ScheduleError, match=r"an estimate of the min of output `blur_y`"):
        source, f = hl.ImageParam(hl.UInt(8), 2, "source"), hl.Func("blur_y")
        f[X, Y] = source[X, Y]
        hl.Pipeline(f).explain()


def test_conditions_on_data_are_not_exact():
    source, f = image(hl.Int(32), 1), hl.Func("f")
    r = hl.RDom([(0, 4)])
    r.where(source[r] > 2)
    f[X] = 0
    f[X] += source[r]
    source.set_estimates([(0, 10)])
    assert not hl.Pipeline(f).explain((10,)).exact


def test_the_table_shows_each_loop_and_stage():
    pipeline, sizes = tiled_blur()
    told = str(pipeline.explain(sizes))
    for part in ("blur_y.s0.yo", "parallel", "blur_x", "computed", "from memory", "expected"):
        assert part in told


def test_the_cost_of_every_kind_of_pipeline_is_a_number():
    for make in (unsharp, pyramid):
        case = make()
        case.pipeline.apply_autoscheduler(HOST, hl.AutoschedulerParams("halopy"))
        found = case.pipeline.explain()
        assert 0 < found.seconds < 60
        assert found.as_dict()["seconds"] == found.seconds
