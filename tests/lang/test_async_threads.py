"""Async Funcs really run beside their consumers, only as far ahead as there is room, and failures end everything."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

import halopy as hl
from tests.runtime.test_threads import in_new_process

from .extern_functions import load_functions

x, y, xo, yo, xi, yi = map(hl.Var, ("x", "y", "xo", "yo", "xi", "yi"))
PATIENCE = 60.0  # seconds until a thread that should come counts as missing


class Watch:
    """Follows rows as they are stored; can keep a Func from going on."""

    def __init__(self, *funcs: hl.Func, row: int = 1) -> None:
        self.rows: dict[str, int] = {}
        self.threads: dict[str, set[int]] = {}
        self.row = row
        self.changed = threading.Condition()
        self.on_store: Callable[[str], None] = lambda func: None
        for func in funcs:
            func.trace_stores()

    def __call__(self, event: hl.TraceEvent) -> None:
        if event.event is not hl.TraceKind.STORE:
            return
        with self.changed:
            at = event.coordinates[0][self.row]
            self.rows[event.func] = max(at, self.rows.get(event.func, at))
            self.threads.setdefault(event.func, set()).add(threading.get_ident())
            self.changed.notify_all()
        self.on_store(event.func)

    def reaches(self, func: str, row: int) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: self.rows.get(func, -1000) >= row, PATIENCE)


def pair() -> tuple[hl.Func, hl.Func]:
    g, f = hl.Func("g"), hl.Func("f")
    g[x, y] = x * 3 + y
    f[x, y] = g[x, y - 1] + g[x, y + 1]
    return g, f


@pytest.mark.parametrize("fold", [None, 8, 6, 4])
def test_producer_runs_ahead_as_far_as_its_rows_reach(fold: int | None) -> None:
    g, f = pair()
    g.store_root().compute_at(f, y).async_()
    if fold is not None:
        g.fold_storage(y, fold)
    watch = Watch(g, f)
    room = fold or 8  # a window of three rows would keep four, and has twice that to run ahead
    seen: list[int] = []

    def wait(func: str) -> None:
        if func == "f" and not seen:  # at row 0, which reads rows -1 and 1
            assert watch.reaches("g", room - 2)
            seen.append(watch.rows["g"])

    watch.on_store = wait
    f.set_custom_trace(watch)
    f.realize([3, 40])
    assert seen == [room - 2]
    assert watch.threads["g"].isdisjoint(watch.threads["f"])


def test_producer_whose_memory_is_not_folded_never_waits() -> None:
    below = hl.Param(hl.Int(32), "below", 2)
    g, f = hl.Func("g"), hl.Func("f")
    g[x, y] = x * 3 + y
    f[x, y] = g[x, y] + g[x, y + below]  # rows in use at once: no number
    g.store_root().compute_at(f, y).async_()
    watch = Watch(g, f)
    came: list[bool] = []
    watch.on_store = lambda func: came.append(watch.reaches("g", 41)) if func == "f" else None
    f.set_custom_trace(watch)
    f.realize([3, 40])
    assert all(came)


@pytest.mark.parametrize("slots", [2, 3])
def test_ring_lets_as_many_iterations_be_under_way(slots: int) -> None:
    g, f = pair()
    f.split(y, yo, yi, 2)
    g.compute_at(f, yo).hoist_storage_root().ring_buffer(slots).async_()
    watch = Watch(g, f)
    seen: list[int] = []
    last = 2 * slots  # the last row that iteration slots - 1 needs

    def wait(func: str) -> None:
        if func == "f" and not seen:
            assert watch.reaches("g", last)
            seen.append(watch.rows["g"])

    watch.on_store = wait
    f.set_custom_trace(watch)
    f.realize([1, 20])
    assert seen == [last]


def test_async_producers_side_by_side_run_at_the_same_time() -> None:
    for parallel in (False, True):
        a, b, f = (hl.Func(name) for name in "abf")
        a[x, y] = x
        b[x, y] = y
        f[x, y] = a[x, y] + b[x, y]
        if parallel:
            f.parallel(y)
            a.compute_at(f, y).async_()
            b.compute_at(f, y).async_()
        else:
            a.compute_root().async_()
            b.compute_root().async_()
        watch = Watch(a, b)
        met: list[bool] = []
        watch.on_store = lambda func: met.append(watch.reaches("b" if func == "a" else "a", 0))  # noqa: B023
        f.set_custom_trace(watch)
        np.testing.assert_array_equal(np.asarray(f.realize([2, 3])), [[0, 1], [1, 2], [2, 3]])
        assert all(met)
        assert watch.threads["a"] != watch.threads["b"]


def test_one_thread_is_enough() -> None:
    program = """
import halopy as hl
import numpy as np
x, y = hl.Var("x"), hl.Var("y")
a, b, c, f = (hl.Func(name) for name in "abcf")
a[x, y] = x + y
b[x, y] = a[x, y - 1] + a[x, y + 1]
c[x, y] = b[x, y - 1] + b[x, y + 1]
f[x, y] = c[x, y - 1] + c[x, y + 1]
f.parallel(x, 4)
a.store_root().compute_at(f, y).parallel(x, 4, hl.TailStrategy.GuardWithIf).async_()
b.store_root().compute_at(f, y).parallel(x, 4, hl.TailStrategy.GuardWithIf).async_()
c.compute_root().async_()
f.reorder(x, y)
print((np.asarray(f.realize([37, 50])) == np.asarray(f.reference([37, 50]))).all())
"""
    program = program.replace("c.compute_root()", "c.store_root().compute_at(f, y)")
    program = program.replace("f.parallel(x, 4)\n", "f.parallel(x, 4, hl.TailStrategy.GuardWithIf)\n")
    assert in_new_process(program, HL_NUM_THREADS="1") == "True\n"


def test_callers_at_once_do_not_meet() -> None:
    g, f = pair()
    g.store_root().compute_at(f, y).async_()
    expected = np.asarray(f.reference([16, 64]))
    wrong: list[int] = []

    def call() -> None:
        wrong.extend(k for k in range(20) if not np.array_equal(np.asarray(f.realize([16, 64])), expected))

    f.compile_jit()
    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# -- failures ----------------------------------------------------------------------------------------------------------


def failing(who: str, at: int) -> tuple[hl.Func, hl.Param]:
    """A chain of which one Func fails in one row while `limit` is large."""
    limit = hl.Param(hl.Int(32), "limit", 1)
    funcs = [hl.Func(name) for name in ("a", "b", "c", "f")]
    for before, func in zip([None, *funcs], funcs, strict=False):
        value = x + y if before is None else before[x, y - 1] + before[x, y + 1]
        func[x, y] = hl.require((limit == 0) | (y != at), value, "row", y) if func.name() == who else value
    *producers, f = funcs
    for producer in producers:
        producer.store_root().compute_at(f, y).async_()
    return f, limit


@pytest.mark.parametrize("who", ["a", "b", "c", "f"])
@pytest.mark.parametrize("at", [0, 7, 39])
def test_failure_of_any_of_a_chain_ends_the_run_with_its_message(who: str, at: int) -> None:
    f, limit = failing(who, at)
    for _ in range(5):
        limit.set(1)
        with pytest.raises(hl.RequirementFailed, match=f"row {at}"):
            f.realize([5, 40])
        limit.set(0)
        np.testing.assert_array_equal(np.asarray(f.realize([5, 40])), np.asarray(f.reference([5, 40])))


def test_failure_in_a_parallel_loop_of_forks_ends_the_run() -> None:
    a, b, f = (hl.Func(name) for name in "abf")
    a[x, y] = hl.require(x + y != 20, x, "both", x, y)
    b[x, y] = y
    f[x, y] = a[x, y] + b[x, y]
    f.parallel(y)
    a.compute_at(f, y).async_()
    b.compute_at(f, y).async_()
    with pytest.raises(hl.RequirementFailed, match="both"):
        f.realize([16, 16])
    np.testing.assert_array_equal(np.asarray(f.realize([4, 4])), np.asarray(f.reference([4, 4])))


def test_failure_of_an_async_extern_stage_ends_the_run(tmp_path_factory: pytest.TempPathFactory) -> None:
    load_functions(tmp_path_factory.mktemp("extern"))
    start = hl.Param(hl.Int(32), "start", 1)
    ramp, other, f = hl.Func("ramp"), hl.Func("other"), hl.Func("f")
    ramp.define_extern("halopy_test_ramp", [start], hl.Int(32), [x])
    other[x] = x * 2
    f[x] = ramp[x] + other[x]
    ramp.compute_root().async_()
    other.compute_root()
    np.testing.assert_array_equal(np.asarray(f.realize([9])), np.arange(9) * 3 + 1)
    start.set(101)
    with pytest.raises(hl.HalideError, match="returned 5"):
        f.realize([9])


def test_fold_that_is_too_small_at_run_time_ends_the_run() -> None:
    rows = hl.Param(hl.Int(32), "rows", 8)
    g, f = pair()
    g.store_root().compute_at(f, y).fold_storage(y, rows).async_()
    for count in (8, 3):
        rows.set(count)
        np.testing.assert_array_equal(np.asarray(f.realize([5, 40])), np.asarray(f.reference([5, 40])))
    rows.set(2)
    with pytest.raises(hl.ScheduleError, match="3 are in use at once"):
        f.realize([5, 40])


def test_what_a_handler_raises_comes_out_of_an_async_pipeline() -> None:
    g, f = pair()
    g.store_root().compute_at(f, y).async_()
    g.trace_stores()

    def handler(event: hl.TraceEvent) -> None:
        raise ValueError("enough")

    f.set_custom_trace(handler)
    with pytest.raises(ValueError, match="enough"):
        f.realize([5, 40])
