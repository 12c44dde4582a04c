"""Average each element with its neighbours, again and again: a time loop, written as an update or run step by step.

python -m apps.bench jacobi
"""

from __future__ import annotations

import halopy as hl
from apps.algorithm import Algorithm

STEPS = 100


def all_steps(steps: int = STEPS, dtype: hl.Type | None = None) -> Algorithm:
    """Every step in one pipeline. u has a plane for each of them; how many are kept is for the schedule to say."""
    start = hl.ImageParam(dtype or hl.Float(32), 2, "start")
    x, y, t = hl.Var("x"), hl.Var("y"), hl.Var("t")
    u, last = hl.Func("u"), hl.Func("last")
    width, height = start.width(), start.height()
    r = hl.RDom([(0, width), (0, height), (1, steps)], "r")
    left, right = hl.max(r.x - 1, 0), hl.min(r.x + 1, width - 1)
    above, below = hl.max(r.y - 1, 0), hl.min(r.y + 1, height - 1)
    before = r.z - 1

    u[x, y, t] = hl.undef(start.type())
    u[x, y, 0] = start[x, y]
    beside = u[left, r.y, before] + u[right, r.y, before]
    u[r.x, r.y, r.z] = _quarter(beside + (u[r.x, above, before] + u[r.x, below, before]))
    last[x, y] = u[x, y, steps]
    return Algorithm((start,), {"u": u, "last": last})


def one_step(dtype: hl.Type | None = None) -> Algorithm:
    """One step, to be called once for each, from one array to another and back."""
    start = hl.ImageParam(dtype or hl.Float(32), 2, "start")
    x, y = hl.Var("x"), hl.Var("y")
    u, following = hl.BoundaryConditions.repeat_edge(start), hl.Func("following")

    following[x, y] = _quarter((u[x - 1, y] + u[x + 1, y]) + (u[x, y - 1] + u[x, y + 1]))
    return Algorithm((start,), {"following": following})


def _quarter(total: hl.Expr) -> hl.Expr:
    return total * hl.f32(0.25) if total.type() == hl.Float(32) else total / 4
