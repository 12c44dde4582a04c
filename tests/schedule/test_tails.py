"""The tail that a split gets is Halide's choice, and tails that would change the answer are refused."""

from __future__ import annotations

import pytest

from halopy.errors import IllegalSchedule
from halopy.schedule.directives import Rename, Split
from halopy.schedule.nest import StageNest

from .nests import Tail, after, pure_nest, split, update_nest


def tails(nest: StageNest) -> list[Tail]:
    return [step.tail for step in nest.steps if isinstance(step, Split)]


def test_a_pure_definition_shifts_its_last_tile_inwards():
    assert tails(after(pure_nest("x"), split("x", "x", "xi", 8))) == [Tail.SHIFT_INWARDS]


def test_splitting_the_tiles_of_a_shifted_split_rounds_up():
    nest = after(pure_nest("x"), split("x", "x", "xi", 8), split("x", "x", "xm", 4))
    assert tails(nest) == [Tail.SHIFT_INWARDS, Tail.ROUND_UP]


def test_larger_splits_of_tiles_still_shift():
    nest = after(pure_nest("x"), split("x", "x", "xi", 4), split("x", "x", "xm", 8))
    assert tails(nest) == [Tail.SHIFT_INWARDS, Tail.SHIFT_INWARDS]


def test_splitting_inside_a_tile_shifts():
    nest = after(pure_nest("x"), split("x", "x", "xi", 8), split("xi", "xi", "xii", 4))
    assert tails(nest) == [Tail.SHIFT_INWARDS, Tail.SHIFT_INWARDS]


def test_a_renamed_loop_is_still_covered_by_its_shifted_tile():
    nest = after(pure_nest("x"), split("x", "x", "xi", 8), Rename("x", "t"), split("t", "t", "tm", 2))
    assert tails(nest) == [Tail.SHIFT_INWARDS, Tail.ROUND_UP]


def test_a_name_used_again_does_not_inherit_from_the_loop_that_had_it():
    nest = after(pure_nest("x", "y"), split("x", "a", "b", 8), Rename("a", "c"), Rename("y", "a"))
    assert tails(after(nest, split("a", "a", "ai", 4))) == [Tail.SHIFT_INWARDS, Tail.SHIFT_INWARDS]


def test_an_update_rounds_up_the_outermost_split_and_guards_inner_ones():
    nest = after(update_nest(("x",), ()), split("x", "x", "xi", 8), split("xi", "xi", "xii", 3))
    assert tails(nest) == [Tail.ROUND_UP, Tail.GUARD_WITH_IF]
    outer = after(update_nest(("x",), ()), split("x", "x", "xi", 8), split("x", "x", "xm", 3))
    assert tails(outer) == [Tail.ROUND_UP, Tail.ROUND_UP]


def test_reduction_loops_are_guarded():
    assert tails(after(update_nest((), ("r$x",)), split("r$x", "ro", "ri", 8))) == [Tail.GUARD_WITH_IF]


@pytest.mark.parametrize("tail", [Tail.GUARD_WITH_IF, Tail.PREDICATE])
def test_reduction_loops_may_be_guarded_or_masked(tail):
    assert tails(after(update_nest((), ("r$x",)), split("r$x", "ro", "ri", 8, tail))) == [tail]


@pytest.mark.parametrize(
    "tail", [t for t in Tail if t not in (Tail.AUTO, Tail.GUARD_WITH_IF, Tail.PREDICATE)], ids=lambda t: t.value
)
def test_reduction_loops_refuse_all_other_tails(tail):
    with pytest.raises(IllegalSchedule, match="accepted here: GuardWithIf, Predicate, Auto"):
        after(update_nest((), ("r$x",)), split("r$x", "ro", "ri", 8, tail))


def test_an_update_is_never_shifted_inwards():
    with pytest.raises(IllegalSchedule, match="would apply it twice"):
        after(update_nest(("x",), ()), split("x", "x", "xi", 8, Tail.SHIFT_INWARDS))
    assert after(pure_nest("x"), split("x", "x", "xi", 8, Tail.SHIFT_INWARDS))


def test_an_update_rounds_up_only_its_outermost_split():
    with pytest.raises(IllegalSchedule, match="the inner loop of another split"):
        after(update_nest(("x",), ()), split("x", "x", "xi", 8), split("xi", "xi", "xii", 3, Tail.ROUND_UP))


def test_predicated_loads_are_for_outermost_splits():
    with pytest.raises(IllegalSchedule, match="may spoil other tiles"):
        after(pure_nest("x"), split("x", "x", "xi", 8), split("xi", "xi", "xii", 3, Tail.PREDICATE_LOADS))
    assert after(pure_nest("x"), split("x", "x", "xi", 8, Tail.PREDICATE_LOADS))
