"""exp and log of float32: within a unit in the last place, and the same bits however they are scheduled."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl

x = hl.Var("x")
SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, -1.0, 1e-45, -1e-45, 1e-40, 1.17549435e-38, 1.0, 0.70710677, 0.7071068,
           1.4142135, 88.72283, 88.72284, 89.5, -87.33654, -103.27893, -103.97208, -104.5, 3.4028235e38]  # fmt: skip
NUMBERS = {
    "exp": np.random.default_rng(0).uniform(-104, 89, 20_000),
    "log": np.exp(np.random.default_rng(1).uniform(-103, 88, 20_000)),
}
EXACT = {"exp": np.exp, "log": np.log}


def values(name: str) -> np.ndarray:
    return np.concatenate([SPECIAL, NUMBERS[name]]).astype(np.float32)


def computed(name: str, numbers: np.ndarray, lanes: int = 1) -> np.ndarray:
    f, buffer = hl.Func("f"), hl.Buffer(numbers)
    f[x] = getattr(hl, name)(buffer[x])
    if lanes > 1:
        f.vectorize(x, lanes, hl.TailStrategy.GuardWithIf)
    return np.asarray(f.realize([len(numbers)]))


@pytest.mark.parametrize("name", EXACT)
def test_the_result_is_within_a_unit_in_the_last_place(name):
    numbers = values(name)
    found = computed(name, numbers)
    with np.errstate(all="ignore"):
        exact = EXACT[name](numbers.astype(np.float64))
        nearest = exact.astype(np.float32)
    special = ~np.isfinite(nearest) | (nearest == 0)
    np.testing.assert_array_equal(found[special], nearest[special])
    units = np.abs(found[~special] - exact[~special]) / np.spacing(np.abs(nearest[~special])).astype(np.float64)
    assert units.max() <= 1.0


@pytest.mark.parametrize("lanes", [3, 8, 16, 32])
@pytest.mark.parametrize("name", EXACT)
def test_vectors_have_the_bits_of_scalars(name, lanes):
    numbers = values(name)
    np.testing.assert_array_equal(
        computed(name, numbers, lanes).view(np.uint32), computed(name, numbers).view(np.uint32)
    )


@pytest.mark.parametrize("name", EXACT)
def test_a_constant_has_the_bits_of_a_number_from_memory(name):
    f = hl.Func("f")
    f[x] = getattr(hl, name)(hl.f32(2.7))
    assert np.asarray(f.realize([1]))[0] == computed(name, np.float32([2.7]))[0]
