"""Validation finds out what a wrong pass would have done, and nothing where the passes are right."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import halopy as hl
from halopy.ir.build import add, sub
from halopy.ir.expr import Expr, Mod, Read, const
from halopy.ir.rewrite import Rewriter
from halopy.ir.stmt import Block, For, If, LoopKind, Stmt
from halopy.lang.snapshot import snapshot
from halopy.lower.build_loop_nests import build_loop_nests
from halopy.lower.check_dataflow import dataflow
from halopy.lower.fold_storage import fold_storage
from halopy.lower.place_functions import place_functions
from halopy.lower.regions import Regions
from halopy.proof import NOT_PROVED, PROVED, REFUTED

x, y, xi, yi = hl.Var("x"), hl.Var("y"), hl.Var("xi"), hl.Var("yi")


class Nest:
    """The loops of a pipeline, to be tampered with."""

    def __init__(self, output: hl.Func) -> None:
        taken = snapshot([output._contents])
        placement = place_functions(taken.program, taken.schedules)
        regions = Regions(placement)
        self.program, self.stmt, self.folds = placement.program, build_loop_nests(regions), dict(regions.folds)

    def status(self, stmt: Stmt | None = None, folds: dict[str, dict[int, Expr]] | None = None) -> str:
        stmt = self.stmt if stmt is None else stmt
        folded = fold_storage(stmt, self.folds if folds is None else folds)
        statuses = {o.status for o in dataflow(stmt, folded, self.program)}
        return REFUTED if REFUTED in statuses else NOT_PROVED if NOT_PROVED in statuses else PROVED


class Changed(Rewriter):
    """One loop is another."""

    only = (For,)

    def __init__(self, name: str, change: Callable[[For], Stmt]) -> None:
        super().__init__()
        self.name, self.change = name, change

    def rewrite_For(self, loop: For) -> Stmt:
        return self.change(loop) if loop.name == self.name else self.rebuild(loop)


def changed(nest: Nest, name: str, change: Callable[[For], Stmt]) -> Stmt:
    result: Stmt = Changed(name, change)(nest.stmt)
    assert result is not nest.stmt
    return result


def sliding_blur() -> Nest:
    source, down, out = hl.ImageParam(hl.UInt(16), 2, "source"), hl.Func("down"), hl.Func("out")
    down[x, y] = source[x - 1, y] + source[x + 1, y]
    out[x, y] = down[x, y - 1] + down[x, y] + down[x, y + 1]
    out.split(y, y, yi, 32).parallel(y).vectorize(x, 16)
    down.store_at(out, y).compute_at(out, yi).vectorize(x, 8)
    return Nest(out)


def test_a_sliding_window_in_folded_storage_is_proved() -> None:
    nest = sliding_blur()
    assert nest.folds["down"]
    assert nest.status() == PROVED


@pytest.mark.parametrize(("rows", "status"), [(8, PROVED), (4, PROVED), (3, PROVED), (2, REFUTED), (1, REFUTED)])
def test_a_window_of_three_rows_needs_a_fold_of_three(rows: int, status: str) -> None:
    nest = sliding_blur()
    assert nest.status(folds={"down": {1: const(rows)}}) == status


@pytest.mark.parametrize("loop", ["down.s0.y", "down.s0.x", "down.s0.x.v"])
def test_a_producer_that_computes_too_little_is_refuted(loop: str) -> None:
    nest = sliding_blur()
    shorter = changed(nest, loop, lambda f: f.with_(extent=sub(f.extent, 1)))
    assert nest.status(shorter) == REFUTED


def test_rows_written_ahead_take_the_place_of_rows_in_use() -> None:
    nest = sliding_blur()
    longer = changed(nest, "down.s0.y", lambda f: f.with_(extent=add(f.extent, 2)))
    assert nest.status(longer) == REFUTED


def test_a_loop_that_starts_late_is_refuted() -> None:
    nest = sliding_blur()
    late = changed(nest, "down.s0.y", lambda f: f.with_(min=add(f.min, 1)))
    assert nest.status(late) == REFUTED


def test_what_slides_cannot_run_at_once() -> None:
    nest = sliding_blur()
    at_once = changed(nest, "out.s0.yi", lambda f: f.with_(kind=LoopKind.PARALLEL))
    assert nest.status(at_once) == REFUTED


def test_a_tile_that_is_shifted_inwards_may_run_again_but_not_reach_further() -> None:
    nest = sliding_blur()
    assert nest.status(changed(nest, "out.s0.x", lambda f: f.with_(extent=add(f.extent, 1)))) == PROVED
    assert nest.status(changed(nest, "out.s0.x.v", lambda f: f.with_(extent=add(f.extent, 1)))) == REFUTED


def test_fused_tiles_are_proved() -> None:
    f, g, t = hl.Func("f"), hl.Func("g"), hl.Var("t")
    f[x, y] = x * y
    g[x, y] = f[x, y] + f[x + 3, y - 2]
    f.compute_root().fuse(x, y, t).parallel(t)
    nest = Nest(g)
    assert nest.status() == PROVED
    assert nest.status(changed(nest, "f.s0.t", lambda loop: loop.with_(extent=sub(loop.extent, 1)))) != PROVED


def recurrence() -> hl.Func:
    f, r = hl.Func("f"), hl.RDom([(1, 20)], name="r")
    f[x, y] = hl.select(x == 0, y, 0)
    f[r.x, y] = f[r.x - 1, y] * 3 + 1
    return f


def test_an_update_reads_what_the_iteration_before_it_wrote() -> None:
    f, g = recurrence(), hl.Func("g")
    g[x, y] = f[x, y] + f[x + 1, y]
    f.compute_at(g, y)
    g.bound(x, 0, 20)
    nest = Nest(g)
    assert nest.status() == PROVED
    late = changed(nest, "f.s1.r$x", lambda loop: loop.with_(min=add(loop.min, 1), extent=sub(loop.extent, 1)))
    assert nest.status(late) == REFUTED
    back = changed(nest, "f.s1.r$x", lambda loop: For("again", const(0), const(2), LoopKind.PARALLEL, loop))
    assert nest.status(back) == PROVED


def test_an_update_that_runs_twice_over_an_element_is_not_proved() -> None:
    f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(0, 20)], name="r")
    f[x] = 0
    f[x] += r * x
    g[x] = f[x]
    f.compute_root()
    nest = Nest(g)
    assert nest.status() == PROVED
    twice = changed(nest, "f.s1.r$x", lambda loop: For("again", const(0), const(2), LoopKind.SERIAL, loop))
    assert nest.status(twice) != PROVED


def test_indices_that_depend_on_data_are_found_within_their_bounds() -> None:
    table, source, out = hl.Func("table"), hl.ImageParam(hl.UInt(8), 2, "source"), hl.Func("out")
    table[x] = x * x
    out[x, y] = table[source[x, y]]
    table.compute_root()
    nest = Nest(out)
    assert nest.status() == PROVED
    assert nest.status(changed(nest, "table.s0.x", lambda f: f.with_(extent=sub(f.extent, 1)))) != PROVED


def test_indices_that_depend_on_data_are_found_within_the_bounds_of_all_of_them() -> None:
    table, source, out = hl.Func("table"), hl.ImageParam(hl.UInt(8), 2, "source"), hl.Func("out")
    table[x] = x * x
    out[x, y] = table[hl.cast(hl.Int(32), source[x, y])] + table[hl.cast(hl.Int(32), source[x, y]) + 1]
    table.compute_root()
    nest = Nest(out)
    assert nest.status() == PROVED
    assert nest.status(changed(nest, "table.s0.x", lambda f: f.with_(extent=sub(f.extent, 1)))) != PROVED


def test_an_iteration_that_the_algorithm_does_not_have_is_refuted() -> None:
    f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(0, 20)], name="r")
    f[x] = 0
    f[x] += r * x
    g[x] = f[x]
    f.compute_root()
    nest = Nest(g)
    assert nest.status(changed(nest, "f.s1.r$x", lambda loop: loop.with_(extent=add(loop.extent, 1)))) == REFUTED


class Unconditional(Rewriter):
    """Nothing is asked before an update runs."""

    only = (If,)

    def rewrite_If(self, stmt: If) -> Stmt:
        return stmt.then


def test_a_predicate_that_is_dropped_is_not_proved() -> None:
    f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(0, 20)], name="r")
    source = hl.ImageParam(hl.UInt(8), 1, "source")
    r.where(source[r] > 7)
    f[x] = 0
    f[x] += r * x
    g[x] = f[x]
    f.compute_root()
    nest = Nest(g)
    dropped = Unconditional()(nest.stmt)
    assert dropped is not nest.stmt
    assert nest.status(dropped) != PROVED


def test_stages_in_another_order_are_not_proved() -> None:
    f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(0, 20)], name="r")
    f[x] = 0
    f[r % 7] += 2
    f[r % 5] = 1
    g[x] = f[x]
    f.compute_root()
    nest = Nest(g)

    class Swapped(Rewriter):
        only = (Block,)

        def rewrite_Block(self, stmt: Block) -> Stmt:
            first = [s for s in stmt.stmts if isinstance(s, For)]
            return Block((first[0], first[2], first[1])) if len(first) == 3 else self.rebuild(stmt)

    swapped = Swapped()(nest.stmt)
    assert swapped is not nest.stmt
    assert nest.status(swapped) != PROVED


def test_rows_that_are_written_at_once_to_one_place_are_refuted() -> None:
    nest = sliding_blur()
    at_once = changed(nest, "down.s0.y", lambda f: f.with_(kind=LoopKind.PARALLEL))
    assert nest.status(at_once) == PROVED
    assert nest.status(at_once, folds={"down": {1: const(2)}}) == REFUTED


def test_what_is_found_in_another_place_than_it_was_written_to_is_refuted() -> None:
    nest = sliding_blur()

    class Elsewhere(Rewriter):
        """Reads are folded to one row more than writes."""

        only = (Read,)

        def rewrite_Read(self, read: Read) -> Read:
            index = tuple(Mod(e.a, const(5)) if isinstance(e, Mod) and read.name == "down" else e for e in read.index)
            return Read(read.name, index, read.element, read.dtype)

    folded = Elsewhere()(fold_storage(nest.stmt, {"down": {1: const(4)}}))
    assert REFUTED in {o.status for o in dataflow(nest.stmt, folded, nest.program)}


def test_every_element_of_an_output_is_written() -> None:
    nest = sliding_blur()
    assert nest.status(changed(nest, "out.s0.x", lambda f: f.with_(extent=sub(f.extent, 1)))) == REFUTED
    assert (
        nest.status(changed(nest, "out.s0.yi", lambda f: f.with_(min=add(f.min, 1), extent=sub(f.extent, 1))))
        == REFUTED
    )


def test_promised_shapes_are_counted_on() -> None:
    f, g = hl.Func("f"), hl.Func("g")
    g[x] = x
    f[x] = g[x] + 1
    g.compute_root().bound(x, 0, 8)
    f.unroll(x)
    f.output_buffer().dim(0).set_bounds(0, 8)
    nest = Nest(f)
    assert nest.status() == PROVED
    assert nest.status(changed(nest, "g.s0.x", lambda loop: loop.with_(extent=sub(loop.extent, 1)))) == REFUTED


def test_what_is_only_fetched_ahead_may_lie_anywhere() -> None:
    source, f = hl.ImageParam(hl.Int(32), 2, "source"), hl.Func("f")
    f[x, y] = source[x, y] + 1
    f.prefetch(source, y, y, 2, hl.PrefetchBoundStrategy.NonFaulting)
    assert Nest(f).status() == PROVED


def test_reads_that_folding_makes_one_are_asked_about_each() -> None:
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y] = x + y
    g[x, y] = f[x, 3] + f[x, 7]
    f.compute_root()
    nest = Nest(g)
    assert nest.status(folds={"f": {1: const(8)}}) == PROVED
    assert nest.status(folds={"f": {1: const(4)}}) == REFUTED
