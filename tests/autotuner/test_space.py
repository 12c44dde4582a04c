"""The space of plans: halopy refuses nothing of it, and all of it computes the same."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

import halopy as hl
from autotuner.plan import INLINE, ROOT, apply_plan, as_data, from_data
from autotuner.search import Search
from autotuner.seeds import seeds
from autotuner.space import Space
from autotuner.subject import subject_named

CHAIN, COUNTED = "tests.autotuner.pipelines:chain", "tests.autotuner.pipelines:counted"
SIZE = (40, 23)


@pytest.fixture(scope="module")
def spaces():
    return {name: Space(subject_named(name).build, SIZE, widens=name == CHAIN) for name in (CHAIN, COUNTED)}


def run(name, plan):
    subject = subject_named(name)
    built = subject.build(SIZE)
    built.bind(subject.inputs(SIZE))
    apply_plan(plan, built.funcs)
    (output,) = subject.outputs(SIZE)
    built.pipeline.realize([hl.Buffer(output)])
    return output, np.array(built.pipeline.reference(list(SIZE)), copy=False)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", [CHAIN, COUNTED])
def test_a_random_plan_is_taken_and_computes_what_the_oracle_does(spaces, name, seed):
    plan = spaces[name].accepted(spaces[name].random(Random(seed)))
    found, expected = run(name, plan)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", [CHAIN, COUNTED])
def test_plans_made_by_rule_and_changed_ones_lower(spaces, name):
    search, random = Search(spaces[name], [], 0), Random(1)
    for plan in [*seeds(spaces[name]).values()][::5]:
        for each in (plan, search.changed(spaces[name].repaired(plan), random)):
            built = subject_named(name).build(SIZE)
            apply_plan(spaces[name].accepted(spaces[name].repaired(each)), built.funcs)
            assert built.pipeline.lowered_stmt() is not None


@pytest.mark.parametrize("name", [CHAIN, COUNTED])
def test_what_is_possible_needs_no_repair_and_survives_as_data(spaces, name):
    for seed in range(20):
        plan = spaces[name].accepted(spaces[name].random(Random(seed)))
        assert spaces[name].accepted(spaces[name].repaired(plan)) == plan
        assert from_data(as_data(plan)) == plan


def test_a_func_is_computed_where_all_who_read_it_are(spaces):
    space = spaces[CHAIN]
    plan = space.repaired(seeds(space)["tiles of 128x32"])
    (wide,) = (name for name in space.names if name == "wide")
    inside_sharp = {func for func, _ in space.levels(plan, wide)}
    assert inside_sharp <= {"sharp"}  # `sharp` and `across` both read it
    assert plan["sharp"].place == ROOT and set(space.uses(plan, "down")) == {("sharp", 0)}


def test_what_an_update_forbids_is_not_chosen(spaces):
    """Rows of counts may run at once, columns of one row may not: they meet in its bins."""
    space = spaces[COUNTED]
    chosen = [space.accepted(space.random(Random(seed)))["counts"] for seed in range(60)]
    updates = [each.stages[1] for each in chosen if each.place != INLINE]
    assert any(update.parallel for update in updates)
    assert not any(loop.startswith(("$", "r")) for update in updates for loop in update.parallel)
