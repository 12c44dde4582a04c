"""The oracle on extern stages: it calls their functions."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl
from halopy.reference import evaluate
from tests.lang.extern_functions import load_functions

x, y = hl.Var("x"), hl.Var("y")
INT = hl.Int(32)


@pytest.fixture(scope="module", autouse=True)
def _functions(tmp_path_factory: pytest.TempPathFactory) -> None:
    load_functions(tmp_path_factory.mktemp("extern"))


def test_what_a_function_needs_is_evaluated_and_what_it_makes_is_read():
    f, g, h = hl.Func("f"), hl.Func("g"), hl.Func("h")
    f[x] = x * x
    f[x] += 1
    g.define_extern("halopy_test_in_steps", [f, hl.Param(INT, "step", 17)], INT, [x])
    h[x] = g[x + 2] - g[x]
    at = np.arange(20)
    cube = ((at + 2) ** 2 + 1) * (at + 2) - (at**2 + 1) * at
    np.testing.assert_array_equal(np.array(h.reference([20])), cube)


def test_images_types_and_several_results():
    data = (np.arange(100)[::-1] ** 2).astype(np.uint8)
    image = hl.Buffer(data.copy())
    image.set_min([-99])
    f, g = hl.Func("f"), hl.Func("g")
    f[x] = x * x
    g.define_extern("halopy_test_flip", [image, f], hl.UInt(8), [x])
    np.testing.assert_array_equal(np.array(g.reference([100])), (2 * np.arange(100) ** 2).astype(np.uint8))
    with pytest.raises(hl.BufferError):
        g.reference([101])
    pair, both = hl.Func("pair"), hl.Func("both")
    pair[x, y] = (x + y, x * y)
    both.define_extern("halopy_test_combine", [pair, hl.f64(2.5)], [INT, INT], [x, y])
    for found, expected in zip(both.reference([7, 5]), both.realize([7, 5]), strict=True):
        np.testing.assert_array_equal(np.array(found), np.array(expected))


def test_what_fails_in_a_run_fails_here():
    g = hl.Func("g")
    how = hl.Param(INT, "how")
    g.define_extern("halopy_test_fail", [how], INT, [x])
    for wrong, message in ((1, "asked .* returned 7"), (2, "fail returned 8"), (3, "less than is needed")):
        how.set(wrong)
        for run in (g.realize, g.reference):
            with pytest.raises(hl.HalideError, match=message):
                run([4])


def test_a_function_that_is_not_there_is_named():
    g = hl.Func("g")
    g.define_extern("halopy_test_is_not_there", [], INT, [x])
    with pytest.raises(hl.DefinitionError, match="halopy_test_is_not_there"):
        g.reference([4])


def test_without_a_way_to_call_functions_nothing_is_evaluated():
    g = hl.Func("g")
    g.define_extern("halopy_test_fail", [0], INT, [x])
    program = hl.Pipeline(g).snapshot().program
    with pytest.raises(hl.DefinitionError, match="`g` cannot be evaluated"):
        evaluate(program, {}, {}, {"g": [(0, 4)]})
