"""Where memory lies never changes the answer: random storage directives on top of random schedules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import halopy as hl

from .test_random_schedules import FAMILY, schedule_loops

SMALL = st.integers(1, 8)


def place(func: hl.Func, output: hl.Func, loops: list[hl.Var], draw: Any) -> None:
    """A place to compute, and maybe one further out to store, and one to take memory, in a ring; maybe ahead."""
    at = draw(st.integers(0, len(loops) - 1))
    store = draw(st.sampled_from([at, len(loops), min(at + 1, len(loops))]))
    hoist = draw(st.sampled_from([store, len(loops), min(store + 1, len(loops))]))
    func.compute_at(output, loops[at])
    if store > at:
        func.store_root() if store == len(loops) else func.store_at(output, loops[store])
    if hoist > store:
        func.hoist_storage_root() if hoist == len(loops) else func.hoist_storage(output, loops[hoist])
        if draw(st.booleans()):
            func.ring_buffer(draw(SMALL))
    if draw(st.booleans()):
        func.async_()


def shape(func: hl.Func, draw: Any) -> None:
    """Folds, padding and order of the dimensions in memory."""
    for arg in func.args():
        if draw(st.booleans()):
            func.fold_storage(arg, draw(SMALL), draw(st.booleans()))
        if draw(st.booleans()):
            func.align_storage(arg, draw(SMALL))
        if draw(st.integers(0, 5)) == 0:
            func.bound_storage(arg, draw(st.integers(1, 40)))
    if len(func.args()) == 2 and draw(st.booleans()):
        func.reorder_storage(*reversed(func.args()))
    func.store_in(draw(st.sampled_from([hl.MemoryType.Auto, hl.MemoryType.Heap, hl.MemoryType.Stack])))


def fetch(func: hl.Func, source: hl.Func, loops: list[hl.Var], draw: Any) -> None:
    at = draw(st.integers(0, len(loops) - 1))
    distance = draw(st.integers(at, len(loops) - 1))
    strategy = draw(st.sampled_from(list(hl.PrefetchBoundStrategy)))
    func.prefetch(source, loops[at], loops[distance], draw(st.integers(-3, 3)), strategy)


@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_random_memory_holds_what_the_oracle_computes(name: str, data: st.DataObject) -> None:
    draw = data.draw
    funcs = FAMILY[name]()
    output = funcs[-1]
    try:
        loops = schedule_loops(output, draw)
        for func in funcs[:-1]:
            if draw(st.integers(0, 4)):
                own = schedule_loops(func, draw)
                place(func, output, loops, draw)
                shape(func, draw)
                if draw(st.booleans()):
                    fetch(func, funcs[0], own, draw)
        if draw(st.booleans()):
            fetch(output, funcs[-2], loops, draw)
    except hl.ScheduleError:
        return  # the directives refused it at once
    out = hl.Buffer(output.type(), [draw(st.integers(0, 21)), draw(st.integers(1, 13))])
    out.set_min([draw(st.integers(-5, 5)), draw(st.integers(-5, 5))])
    try:
        output.realize(out)
    except (hl.ScheduleError, hl.BufferError):
        return  # a tail that needs a larger output, a fold or bound that is too small, a place that is not legal
    np.testing.assert_array_equal(np.asarray(out), output.reference(out))
