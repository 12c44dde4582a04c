"""Two producers in shared loops, under random loops, shifts and alignments: equal to the oracle, or refused."""

from __future__ import annotations

import random

import numpy as np

import halopy as hl

x, y, xo, xi, yo, yi = hl.vars("x y xo xi yo yi")
T, A = hl.TailStrategy, hl.LoopAlignStrategy
SIZES = [9, 7]


def outcome(seed: int) -> str:
    """What becomes of one; "needless" where neither Func needs the other, and it is refused all the same."""
    numbers = random.Random(seed)
    f, g, h = hl.funcs("f g h")
    depends = numbers.random() < 0.2
    f[x, y] = x * 3 + y * y
    g[x, y] = f[x + numbers.randint(-1, 1), y + numbers.randint(-1, 1)] * 2 if depends else x * y + 1
    if numbers.random() < 0.3:
        g[x, y] += g[x, y] * 2
        g.update().unscheduled()
    h[x, y] = f[x + numbers.randint(-1, 1), y + numbers.randint(-2, 2)] - g[x, y + numbers.randint(-2, 2)]
    try:
        loops = _loops(f, g, numbers)
        at = numbers.choice(loops)
        align = numbers.choice([A.NoAlign, A.NoAlign, A.AlignStart, A.AlignEnd])
        _place(f, g, h, numbers)
        g.compute_with(f, at, align)
        if numbers.random() < 0.3:
            f.parallel(loops[-1])
            g.parallel(loops[-1])
        got = np.asarray(h.realize(SIZES))
    except hl.IllegalSchedule:
        return "refused" if depends else "needless"
    np.testing.assert_array_equal(got, np.asarray(h.reference(SIZES)), err_msg=f"seed {seed}")
    assert not depends, f"seed {seed}: one needs the other"
    return "accepted"


def _loops(f: hl.Func, g: hl.Func, numbers: random.Random) -> list[hl.Var]:
    choice, tail = numbers.randint(0, 3), numbers.choice([T.GuardWithIf, T.RoundUp, T.ShiftInwards])
    for func in (f, g):
        if choice == 1:
            func.reorder(y, x)
        elif choice == 2:
            func.split(x, xo, xi, 4, tail)
        elif choice == 3:
            func.tile(x, y, xo, yo, xi, yi, 4, 2, tail)
    return [[x, y], [y, x], [xi, xo, y], [xi, yi, xo, yo]][choice]


def _place(f: hl.Func, g: hl.Func, h: hl.Func, numbers: random.Random) -> None:
    inside = numbers.random() < 0.4
    h.split(y, yo, yi, 4)
    for func in (f, g):
        func.compute_at(h, yo) if inside else func.compute_root()
