"""What users make is freed when they drop it."""

from __future__ import annotations

import gc
import weakref

import numpy as np

import halopy as hl

v = hl.Var("v")


def test_a_func_that_reads_itself_is_freed() -> None:
    r = hl.RDom([(1, 5)])
    f = hl.Func("f")
    f[v] = v
    f[r.x] = f[r.x - 1] + 1
    f.realize([6])
    gone = weakref.ref(f._contents)
    del f
    gc.collect()
    assert gone() is None


def test_an_array_inside_an_expression_lives_as_long_as_the_func_that_reads_it() -> None:
    array = np.arange(6, dtype=np.int32)
    gone = weakref.ref(array)
    f = hl.Func("f")
    f[v] = hl.Buffer(array)[v] * 2
    del array
    gc.collect()
    assert list(f.realize([6])) == [0, 2, 4, 6, 8, 10]
    del f
    gc.collect()
    assert gone() is None
