"""Threads of a parallel loop keep away from the processor of the one that called, and leave that one alone."""

import os
import threading

import numpy as np
import pytest

import halopy as hl

needs_linux = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="asks Linux where threads may run")
WIDTH, HEIGHT = 512, 400


def parallel_rows():
    f, x, y = hl.Func("f"), hl.Var("x"), hl.Var("y")
    f[x, y] = x * y
    f.parallel(y)
    return f


def realized(f):
    return np.asarray(f.realize([WIDTH, HEIGHT]))


@needs_linux
def test_the_calling_thread_and_those_started_later_may_run_where_they_might():
    before, of_a_new_thread = os.sched_getaffinity(0), []
    f = parallel_rows()
    for _ in range(20):
        assert realized(f)[399, 511] == 399 * 511
    assert os.sched_getaffinity(0) == before
    started = threading.Thread(target=lambda: of_a_new_thread.append(os.sched_getaffinity(0)))
    started.start()
    started.join()
    assert of_a_new_thread == [before]


@needs_linux
def test_one_processor_is_shared_by_all_threads():
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        np.testing.assert_array_equal(realized(parallel_rows()), np.outer(np.arange(HEIGHT), np.arange(WIDTH)))
    finally:
        os.sched_setaffinity(0, before)
