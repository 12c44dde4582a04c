"""exp, log and pow of float32: within a few units in the last place, and the same bits however they are scheduled."""

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


BASES = [*SPECIAL, 2.0, -2.0, -0.5, 3.0, -3.0, 1.5, -1.5, 16777215.0, -16777217.0, 1.0000001, 0.99999994, -1e10]


def powers(lanes: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bases, exponents and what is computed: all pairs of special numbers, and pairs over all the range of results."""
    random = np.random.default_rng(2)
    firsts, seconds = (numbers.ravel() for numbers in np.meshgrid(BASES, BASES))
    spread, near, wholes = random.uniform(-80, 80, 5000), random.uniform(0.9, 1.1, 5000), random.integers(1, 20, 500)
    bases = np.concatenate([firsts, np.exp(spread), near, -wholes]).astype(np.float32)
    exponents = [random.uniform(-1, 1, 5000), random.uniform(-800, 800, 5000), random.integers(-20, 20, 500)]
    exponents = np.concatenate([seconds, *exponents]).astype(np.float32)
    f = hl.Func("f")
    f[x] = hl.pow(hl.Buffer(bases)[x], hl.Buffer(exponents)[x])
    if lanes > 1:
        f.vectorize(x, lanes, hl.TailStrategy.GuardWithIf)
    return bases, exponents, np.asarray(f.realize([len(bases)]))


def test_powers_are_within_three_units_and_special_cases_are_those_of_c():
    bases, exponents, found = powers()
    with np.errstate(all="ignore"):
        exact = np.power(bases.astype(np.float64), exponents.astype(np.float64))
        nearest = exact.astype(np.float32)
    special = ~np.isfinite(nearest) | (nearest == 0)
    np.testing.assert_array_equal(found[special], nearest[special])
    np.testing.assert_array_equal(np.signbit(found[nearest == 0]), np.signbit(nearest[nearest == 0]))
    units = np.abs(found[~special] / exact[~special] - 1) / np.finfo(np.float32).eps  # of normal results
    normal = np.abs(nearest[~special]) >= np.finfo(np.float32).tiny
    assert units[normal].max() <= 3.0


@pytest.mark.parametrize("lanes", [3, 16])
def test_vectors_of_powers_have_the_bits_of_scalars(lanes):
    np.testing.assert_array_equal(powers(lanes)[2].view(np.uint32), powers()[2].view(np.uint32))
