"""`partition` and its kin: which loops are split into a steady part and edges, and the same answer whatever is said."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl

x, y, xo, xi = hl.vars("x y xo xi")
SIZES = [(1, 1), (3, 2), (7, 5), (16, 9), (33, 3)]
PICTURE = np.random.default_rng(3).integers(0, 1000, (9, 33)).astype(np.int32)


def blurred() -> hl.Func:
    image, f = hl.BoundaryConditions.repeat_edge(hl.Buffer(PICTURE)), hl.Func("f")
    f[x, y] = image[x - 1, y] + image[x + 1, y - 1]
    return f


def loops(f: hl.Func, name: str) -> int:
    """How often the loop stands in the kernel."""
    return f.pipeline().compiled().kernel().text.count(f"for (int64_t f_s0_{name}")


def agrees(f: hl.Func) -> None:
    for size in SIZES:
        np.testing.assert_array_equal(np.asarray(f.realize(list(size))), np.asarray(f.reference(list(size))))


def test_a_loop_is_split_into_three_unless_it_may_not() -> None:
    f = blurred()
    assert loops(f, "x") == 3 and loops(f, "y") == 1
    agrees(f)
    f.never_partition(x)
    assert loops(f, "x") == 1
    agrees(f)
    f.partition(x, hl.Partition.Auto)
    assert loops(f, "x") == 3


def test_a_loop_that_is_not_worth_it_is_split_when_asked() -> None:
    f = blurred().always_partition(y)
    assert loops(f, "y") > 1
    agrees(f)
    small = blurred().bound(x, 0, 3)
    whole = small.pipeline().compiled().kernel().text
    assert "f_s0_x = 0; f_s0_x < 3" in whole
    small.always_partition(x)
    assert "f_s0_x = 0; f_s0_x < 3" not in small.pipeline().compiled().kernel().text, "the first iteration stands apart"
    np.testing.assert_array_equal(np.asarray(small.realize([3, 5])), np.asarray(small.reference([3, 5])))


@pytest.mark.parametrize("policy", list(hl.Partition), ids=lambda p: p.name)
@pytest.mark.parametrize("tail", [hl.TailStrategy.GuardWithIf, hl.TailStrategy.ShiftInwards, hl.TailStrategy.Predicate])
def test_tails_keep_the_answer_with_and_without_a_steady_part(policy: hl.Partition, tail: hl.TailStrategy) -> None:
    f, g = hl.Func("f"), blurred()
    f[x, y] = g[x, y] + g[x, y + 1]
    g.compute_at(f, y).split(x, xo, xi, 4, tail).vectorize(xi).partition(xo, policy)
    f.split(x, xo, xi, 4, hl.TailStrategy.GuardWithIf).parallel(y).unroll(xi).partition(xo, policy).partition(y, policy)
    agrees(f)


def test_all_loops_at_once() -> None:
    f = blurred().split(x, xo, xi, 8, hl.TailStrategy.GuardWithIf)
    assert loops(f.never_partition_all(), "xo") == 1
    agrees(f)
    nest = f.always_partition_all()._contents.nests[0]
    assert {d.partition.name for d in nest.dims} == {"ALWAYS"}
    agrees(f)


def test_halves_of_a_split_loop_keep_what_was_said() -> None:
    f = blurred().never_partition(x).split(x, xo, xi, 4, hl.TailStrategy.GuardWithIf)
    partitions = {d.name: d.partition.name for d in f._contents.nests[0].dims}
    assert partitions == {"xi": "NEVER", "xo": "NEVER", "y": "AUTO"}
    agrees(f)


def test_updates_and_reduction_loops_have_policies() -> None:
    f, r = hl.Func("f"), hl.RDom([(0, 7)], "r")
    f[x, y] = 0
    f[x, y] += hl.select(r < 2, x, y) * r
    f.update(0).never_partition(r, x)
    agrees(f)
    f.update(0).always_partition([r, x])
    agrees(f)


def test_a_loop_that_is_not_there_has_no_policy() -> None:
    f = blurred()
    for directive in (f.never_partition, f.always_partition):
        with pytest.raises(hl.ScheduleError, match="f has no loop `xo`"):
            directive(x, xo)
    assert {d.partition.name for d in f._contents.nests[0].dims} == {"AUTO"}, "all of a directive, or nothing"
