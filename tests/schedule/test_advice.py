"""Schedules that probably mean something else are warned about, at the user's line."""

from __future__ import annotations

import warnings

import pytest

import halopy as hl

x = hl.Var("x")


def with_update() -> hl.Func:
    f = hl.Func("f")
    f[x] = 0
    f[x] += 5
    return f


def test_an_update_forgotten_beside_a_scheduled_definition_warns():
    f = with_update()
    f.vectorize(x, 8)
    with pytest.warns(UserWarning, match=r"f\.update\(0\) has no schedule"):
        f.realize([16])


def test_an_update_left_alone_on_purpose_is_silent():
    for schedule in (
        lambda f: None,
        lambda f: f.compute_root(),
        lambda f: (f.vectorize(x, 8), f.update(0).unscheduled()),
        lambda f: (f.vectorize(x, 8), f.update(0).vectorize(x, 8)),
    ):
        f = with_update()
        schedule(f)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            f.realize([16])


def test_bounds_of_an_inlined_func_warn_where_they_were_written():
    f, g = hl.funcs("f g")
    f[x] = x
    f.bound(x, 0, 127)
    g[x] = f[x]
    with pytest.warns(UserWarning, match=r"f\.bound\(x, 0, 127\) has no effect") as warned:
        g.realize([16])
    assert warned[0].filename.endswith("test_advice.py")
    f.compute_root()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        g.realize([16])
