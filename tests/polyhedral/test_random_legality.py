"""Over random updates and directives, the verdict is that of running all iterations, and what is accepted is right."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

import halopy as hl
from halopy.dtypes import INT32
from halopy.errors import IllegalSchedule, ScheduleError
from halopy.ir.expr import Const
from halopy.lang.expressions.expr import to_expr
from halopy.lang.legality import applied
from halopy.schedule.directives import Directive, LoopStep, Split
from halopy.schedule.nest import apply

from .enumeration import Stage, check_witness, is_legal
from .random_updates import Update, random_directive, random_update

SEEDS = 8
EACH = 30
MOST_NEEDLESS = 0.01  # of the legal directives


def follow(seed: int, update: Update, counts: dict[str, int]) -> None:
    """Give random directives; compare each verdict, and stop with those that were accepted."""
    rng, contents = random.Random(seed + 1), update.func._contents
    stage = Stage(update.func, 1)
    for number in range(rng.randint(2, 6)):
        nest = contents.nests[1]
        directive = random_directive(rng, nest, number)
        try:
            made = replace(apply(replace(nest, races_allowed=True), directive), races_allowed=False)
        except ScheduleError:
            continue  # refused whatever dependences are
        legal = is_legal(stage, made, not nest.is_order_free)
        try:
            contents.nests[1] = applied(contents, nest, directive)
        except IllegalSchedule as refusal:
            counts["needless" if legal and refusal.witness is None else "refused"] += 1
            if refusal.witness is not None:
                sizes = refusal.witness.parameters
                assert not legal or sizes
                check_witness(refusal.witness, Stage(update.func, 1, sizes), made)
        else:
            assert legal, f"seed {seed}: {directive} on {nest} of {update.func!r}"
            counts["accepted"] += 1


@pytest.mark.parametrize("group", range(SEEDS))
def test_the_verdict_is_that_of_running_all_iterations(group: int) -> None:
    counts = {"accepted": 0, "refused": 0, "needless": 0}
    for seed in range(group * EACH, (group + 1) * EACH):
        follow(seed, random_update(seed), counts)
    assert counts["refused"] > 0
    assert counts["needless"] <= MOST_NEEDLESS * (counts["accepted"] + counts["needless"])


def test_refusals_for_some_size_show_one(count: int = 150) -> None:
    found = 0
    for seed in range(count):
        update = random_update(seed, is_symbolic=True)
        contents, rng = update.func._contents, random.Random(seed + 1)
        nest = contents.nests[1]
        directive = random_directive(rng, nest, 0)
        try:
            made = replace(apply(replace(nest, races_allowed=True), directive), races_allowed=False)
            applied(contents, nest, directive)
        except IllegalSchedule as refusal:
            if refusal.witness is not None:
                names = [f"n{d}" for d in range(4)]
                stage = Stage(update.func, 1, dict.fromkeys(names, 1) | dict(refusal.witness.parameters))
                check_witness(refusal.witness, stage, made)
                found += 1
        except ScheduleError:
            pass
    assert found > count // 10


@pytest.mark.parametrize("seed", range(10))
def test_what_is_accepted_computes_what_the_algorithm_says(seed: int) -> None:
    update = random_update(seed)
    follow(seed, update, {"accepted": 0, "refused": 0, "needless": 0})
    computed, expected = update.func.realize(update.sizes), update.func.reference(update.sizes)
    np.testing.assert_array_equal(np.asarray(computed), np.asarray(expected))


def _with(step: LoopStep, n: int) -> LoopStep:
    """The step with a number instead of the factor that is known late."""
    is_late = isinstance(step, Split) and not isinstance(step.factor, Const)
    return replace(step, factor=Const(n, INT32)) if is_late else step


def test_what_is_accepted_with_a_late_factor_is_legal_for_all(count: int = 40) -> None:
    accepted = 0
    for seed in range(count):
        update = random_update(seed)
        contents, rng, factor = update.func._contents, random.Random(seed + 1), hl.Param(hl.Int(32), "late")
        loop = rng.choice(contents.nests[1].loop_names)
        split = Directive(Split(loop, "lo", "li", to_expr(factor).node), 1, None, "split")
        contents.nests[1] = applied(contents, contents.nests[1], split)
        for number in range(3):
            nest = contents.nests[1]
            directive = random_directive(rng, nest, number)
            try:
                contents.nests[1] = applied(contents, nest, directive)
            except ScheduleError:
                continue
            accepted += 1
            for n in (1, 2, 3, 4):
                made = replace(contents.nests[1], steps=tuple(_with(s, n) for s in contents.nests[1].steps))
                assert is_legal(Stage(update.func, 1), made, not nest.is_order_free), f"seed {seed}, factor {n}: {made}"
    assert accepted > count // 4
