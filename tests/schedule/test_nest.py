"""Each directive gives the loops that its docstring shows, or says why it cannot."""

from __future__ import annotations

import pytest

from halopy.errors import IllegalSchedule, ScheduleError
from halopy.schedule.directives import AllowRaceConditions, Fuse, Rename, Reorder
from halopy.schedule.nest import StageNest

from .nests import LoopKind, Tail, after, mark, pure_nest, split, update_nest


def kinds(nest: StageNest) -> dict[str, str]:
    return {d.name: d.kind.value for d in nest.dims}


def test_split_puts_the_inner_loop_just_inside_the_outer_one():
    assert after(pure_nest("x", "y"), split("x", "xo", "xi", 8)).loop_names == ("xi", "xo", "y")


def test_split_may_keep_the_old_name_for_one_of_the_new_loops():
    assert after(pure_nest("x"), split("x", "x", "xi", 8)).loop_names == ("xi", "x")
    assert after(pure_nest("x"), split("x", "xo", "x", 8)).loop_names == ("x", "xo")


def test_split_gives_both_loops_the_kind_of_the_old_one():
    nest = after(pure_nest("x", "y"), mark("y", LoopKind.PARALLEL), split("y", "y", "yi", 4))
    assert kinds(nest) == {"x": "for", "yi": "parallel", "y": "parallel"}


def test_fuse_stands_where_the_inner_loop_stood():
    assert after(pure_nest("x", "y", "c"), Fuse("x", "y", "xy")).loop_names == ("xy", "c")
    assert after(pure_nest("x", "y", "c"), Fuse("x", "c", "xc")).loop_names == ("xc", "y")


def test_fuse_may_reuse_the_name_of_one_of_its_loops():
    assert after(pure_nest("x", "y"), Fuse("x", "y", "y")).loop_names == ("y",)


def test_rename_keeps_place_and_kind():
    nest = after(pure_nest("x", "y"), mark("x", LoopKind.UNROLLED), Rename("x", "z"))
    assert kinds(nest) == {"z": "unrolled", "y": "for"}


def test_reorder_changes_places_only_among_the_named_loops():
    assert after(pure_nest("x", "y", "c"), Reorder(("c", "x"))).loop_names == ("c", "y", "x")
    assert after(pure_nest("x", "y", "c"), Reorder(("c", "x", "y"))).loop_names == ("c", "x", "y")


def test_reduction_loops_start_inside_pure_ones():
    assert update_nest(("x", "y"), ("r$x", "r$y")).loop_names == ("r$x", "r$y", "x", "y")


def test_pure_loops_of_an_update_move_freely_through_reduction_loops():
    assert after(update_nest(("x",), ("r$x", "r$y")), Reorder(("x", "r$x", "r$y"))).loop_names == ("x", "r$x", "r$y")


def test_reduction_loops_keep_their_order_unless_it_is_free():
    swap = Reorder(("r$y", "r$x"))
    with pytest.raises(IllegalSchedule, match="may depend on their order"):
        after(update_nest(("x",), ("r$x", "r$y")), swap)
    free = update_nest(("x",), ("r$x", "r$y"), is_order_free=True)
    assert after(free, swap).loop_names == ("r$y", "r$x", "x")


def test_fuse_does_not_move_a_reduction_loop_past_another():
    with pytest.raises(IllegalSchedule, match=r"`r\.y` and `r\.z` would change places"):
        after(update_nest((), ("r$x", "r$y", "r$z")), Fuse("r$x", "r$z", "q"))
    assert after(update_nest((), ("r$x", "r$y", "r$z")), Fuse("r$x", "r$y", "q")).loop_names == ("q", "r$z")


def test_fuse_inside_out_changes_the_order():
    with pytest.raises(IllegalSchedule):
        after(update_nest((), ("r$x", "r$y")), Fuse("r$y", "r$x", "q"))


@pytest.mark.parametrize("kind", [LoopKind.PARALLEL, LoopKind.VECTORIZED])
def test_reduction_loops_run_at_once_only_where_races_are_allowed(kind):
    with pytest.raises(IllegalSchedule, match="they would race"):
        after(update_nest(("x",), ("r$x",)), mark("r$x", kind))
    allowed = after(update_nest(("x",), ("r$x",)), AllowRaceConditions(), mark("r$x", kind))
    assert kinds(allowed)["r$x"] == kind.value
    assert kinds(after(update_nest(("x",), ("r$x",)), mark("x", kind)))["x"] == kind.value


def test_a_fused_loop_with_a_reduction_in_it_is_checked_as_one():
    nest = after(update_nest(("x",), ("r$x",)), mark("x", LoopKind.PARALLEL))
    fused = after(nest, Fuse("r$x", "x", "q"))
    assert kinds(fused) == {"q": "for"}
    with pytest.raises(IllegalSchedule):
        after(nest, Fuse("x", "r$x", "q"))


def test_unrolled_reductions_are_in_order_and_allowed():
    assert kinds(after(update_nest((), ("r$x",)), mark("r$x", LoopKind.UNROLLED))) == {"r$x": "unrolled"}


def test_blending_tails_and_parallel_loops_of_one_variable_exclude_each_other():
    blend = split("x", "xo", "xi", 8, Tail.ROUND_UP_AND_BLEND)
    with pytest.raises(IllegalSchedule, match="blending tail"):
        after(pure_nest("x", "y"), blend, mark("xo", LoopKind.PARALLEL))
    with pytest.raises(IllegalSchedule, match="blending tail"):
        after(pure_nest("x", "y"), mark("x", LoopKind.PARALLEL), blend)
    beside = after(pure_nest("x", "y"), blend, mark("y", LoopKind.PARALLEL))
    assert kinds(beside)["y"] == "parallel"


@pytest.mark.parametrize(
    "action",
    [
        split("z", "zo", "zi", 8),
        split("x", "y", "xi", 8),
        split("x", "xi", "xi", 8),
        split("x", "xo", "xi", 0),
        Fuse("x", "x", "y"),
        Fuse("x", "y", "c"),
        Rename("x", "y"),
        Reorder(("x", "z")),
        Reorder(("x", "y", "x")),
        mark("z", LoopKind.PARALLEL),
    ],
    ids=[
        "unknown-loop", "outer-name-taken", "one-name-for-both", "factor-zero", "fused-with-itself", "fused-name-taken",
        "new-name-taken", "reorder-unknown", "reorder-twice", "mark-unknown",
    ],
)  # fmt: skip
def test_refusal_says_what_would_be_accepted(action, golden):
    with pytest.raises(ScheduleError) as refused:
        after(pure_nest("x", "y", "c"), action)
    assert str(refused.value) == golden


def test_directives_that_made_a_loop_stay_with_it():
    nest = after(pure_nest("x"), split("x", "x", "xi", 8), mark("xi", LoopKind.VECTORIZED))
    assert [d.text for d in nest.dims[0].made_by] == ["f.split(...)", "f.setkind(...)"]
    assert [d.text for d in nest.dims[1].made_by] == ["f.split(...)"]
