"""Random stencils under random schedules, realized in the memory of their input: equal to a run apart, or refused."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np

import halopy as hl

x, y, xi, yi, xo = hl.vars("x y xi yi xo")
GUARD, SHIFT, AUTO = hl.TailStrategy.GuardWithIf, hl.TailStrategy.ShiftInwards, hl.TailStrategy.Auto
APRON = 7


def stencil(source: hl.ImageParam | hl.Func, numbers: random.Random) -> hl.Expr:
    total = hl.i32(0)
    for _ in range(numbers.randint(1, 3)):
        dx, dy = (0, 0) if numbers.random() < 0.5 else (numbers.randint(-2, 2), numbers.randint(-2, 2))
        total += source[x + dx, y + dy] * numbers.randint(1, 5)
    return total


def schedule(f: hl.Func, numbers: random.Random) -> None:
    tail = numbers.choice([GUARD, GUARD, SHIFT, AUTO])
    choice = numbers.randint(0, 5)
    if choice == 1:
        f.vectorize(x, numbers.choice([2, 4, 8]), tail)
    elif choice == 2:
        f.split(x, xo, xi, 3, tail).reorder(xi, y, xo)
    elif choice == 3:
        f.tile(x, y, xi, yi, 4, numbers.choice([2, 3]), tail).vectorize(xi)
    elif choice == 4:
        f.reorder(y, x)
    elif choice == 5:
        f.tile(x, y, xi, yi, 2, 2, tail).unroll(yi)
    if choice != 4 and numbers.random() < 0.3:
        f.parallel(y)


def pipeline(photo: hl.ImageParam, numbers: random.Random) -> hl.Func:
    f, g = hl.Func("f"), hl.Func("g")
    if numbers.random() < 0.5:
        f[x, y] = stencil(photo, numbers)
    else:
        g[x, y] = stencil(photo, numbers)
        f[x, y] = stencil(g, numbers) + photo[x, y]
    schedule(f, numbers)
    if g.defined() and numbers.random() < 0.7:
        g.compute_root() if numbers.random() < 0.4 else g.compute_at(f, y)
    return f


def outcome(seed: int) -> str:
    numbers = random.Random(seed)
    width, height = numbers.randint(8, 21), numbers.randint(6, 12)
    array = np.random.default_rng(seed).integers(0, 1000, (height + 2 * APRON, width + 2 * APRON)).astype(np.int32)
    right, below = numbers.choice([0, 0, 0, 1, -1]), numbers.choice([0, 0, 1, -1, 2])
    photo = hl.ImageParam(hl.Int(32), 2, "photo")
    f = pipeline(photo, numbers)
    given, apart = hl.Buffer(array), np.zeros((height, width), np.int32)
    given.set_min([-APRON, -APRON])
    photo.set(given)
    f.realize(hl.Buffer(apart))
    inside = array[APRON + below : APRON + below + height, APRON + right : APRON + right + width]
    before = array.copy()
    try:
        f.realize(hl.Buffer(inside))
    except hl.IllegalSchedule as refusal:
        assert np.array_equal(array, before)
        witness = refusal.witness
        assert witness is not None
        written = witness.sink.variables
        assert witness.cell.coordinates == (written["x"] + right, written["y"] + below)
        return "refused"
    assert np.array_equal(inside, apart), f"seed {seed}"
    return "accepted"


def test_what_is_accepted_gives_what_a_run_apart_gives() -> None:
    outcomes = Counter(map(outcome, range(80)))
    assert outcomes["accepted"] > 15
    assert outcomes["refused"] > 15
