"""Integers keep their values in lanes of other widths, where an instruction resizes them and where several do."""

import numpy as np
import pytest

import halopy as hl

TYPES = [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.uint64, np.int64]


@pytest.mark.parametrize("source", [np.uint8, np.int16, np.uint32], ids=lambda t: t.__name__)
def test_resized_lanes_have_the_values_that_casts_of_one_have(source: type[np.generic]) -> None:
    x, random = hl.Var("x"), np.random.default_rng(0)
    numbers = random.integers(0, 2**63, 67).astype(np.uint64).astype(source)
    stored, funcs, expected = hl.Buffer(numbers), [], []
    for target in TYPES:
        for lanes in (8, 16):
            f = hl.Func(f"to_{target.__name__}_{lanes}")
            f[x] = hl.cast(hl.Buffer(np.zeros(1, target)).type(), stored[x] + 1)
            f.vectorize(x, lanes, hl.TailStrategy.GuardWithIf)
            funcs.append(f)
            expected.append((numbers + source(1)).astype(target))
    for found, wanted in zip(hl.Pipeline(funcs).realize([67]), expected, strict=True):
        np.testing.assert_array_equal(np.asarray(found), wanted)
