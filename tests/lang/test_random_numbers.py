"""Random values: Halide's numbers, the same for any schedule, uniform, and independent of each other."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import halopy as hl
from halopy.lang.expressions import random_numbers

from .conftest import by_reference
from .messages import without_place

x, y, xo, xi, yo, yi = (hl.Var(n) for n in ("x", "y", "xo", "xi", "yo", "yi"))

PROGRAM = """
import sys
import numpy as np
hl = __import__(sys.argv[1])
x, y = hl.Var("x"), hl.Var("y")

def show(value, *sizes):
    f = hl.Func("shown")
    f[(x, y)[:len(sizes)]] = value
    print(np.array(f.realize(list(sizes))).tolist())

show(hl.random_float(), 5, 3)
seed = hl.Param(hl.Int(32), "seed", 7)
show(hl.random_int(seed) + hl.random_int(seed + 1), 5, 3)
show(hl.random_uint(-3), 6)
updated, r = hl.Func("updated"), hl.RDom([(0, 3), (-1, 2)])
updated[x, y] = hl.random_uint()
updated[x, y] += hl.random_uint(hl.u32(3)) % hl.u32(100) * hl.u32(r.x + r.y)
updated[3, y] = hl.random_uint()
updated[hl.clamp(hl.random_int() % 5, 0, 4), 1] = hl.u32(17)
print(np.array(updated.realize([5, 3])).tolist())
show(hl.sum(hl.random_int(r.x)), 6)
where = hl.RDom([(0, 30)])
where.where(hl.random_float() < 0.5)
counted = hl.Func("counted")
counted[x] = 0
counted[x] += hl.select(where.x >= 0, 1, 0)
print(np.array(counted.realize([7])).tolist())
"""


def numbers_of(module: str) -> str:
    done = subprocess.run([sys.executable, "-c", PROGRAM, module], capture_output=True, text=True, check=True)
    return done.stdout


def test_the_numbers_are_halides():
    pytest.importorskip("halide")
    assert numbers_of("halopy") == numbers_of("halide")


def test_the_numbers_do_not_change(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(random_numbers, "_uses", itertools.count())
    monkeypatch.setattr(random_numbers, "_definitions", itertools.count())
    f = hl.Func("f")
    f[x, y] = hl.random_float()
    first = [0.7811659574508667, 0.7098022699356079, 0.12307953834533691, 0.02102494239807129, 0.4036327600479126]
    assert list(np.array(f.realize([5, 1]))[0]) == first


def noise() -> tuple[hl.Func, hl.Func]:
    """A producer with updates and its reader, all random."""
    f, g, r = hl.Func("f"), hl.Func("g"), hl.RDom([(0, 3)])
    g[x, y] = hl.random_uint(3) % 1000
    g[x, y] += hl.random_uint() % 10 * hl.u32(r)
    f[x, y] = hl.f32(g[x, y] + 3 * g[x + 1, y - 1]) + hl.random_float()
    return f, g


SCHEDULES: dict[str, Callable[[hl.Func, hl.Func], Any]] = {
    "plain": lambda f, g: g.compute_root(),
    "vectors": lambda f, g: (f.vectorize(x, 8), g.compute_root().vectorize(x, 4).update().vectorize(x, 4)),
    "tiles": lambda f, g: (f.tile(x, y, xo, yo, xi, yi, 4, 2).vectorize(xi).unroll(yi), g.compute_at(f, xo)),
    "sliding": lambda f, g: (f.parallel(y), g.store_at(f, y).compute_at(f, x)),
    "guarded": lambda f, g: (f.split(x, xo, xi, 3, hl.TailStrategy.GuardWithIf).reorder(y, xo), g.compute_at(f, xo)),
    "parallel": lambda f, g: (f.parallel(y), g.compute_at(f, y).vectorize(x, 8)),
}


def drawn(schedule: Callable[[hl.Func, hl.Func], Any], size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The values of `noise` as scheduled, and those of the oracle."""
    monkeypatch.setattr(random_numbers, "_uses", itertools.count(5))
    monkeypatch.setattr(random_numbers, "_definitions", itertools.count(11))
    f, g = noise()
    schedule(f, g)
    return np.array(f.realize(list(size))), by_reference(f, *size)[0]


@pytest.mark.parametrize("size", [(16, 8), (17, 9)])
@pytest.mark.parametrize("name", SCHEDULES)
def test_any_schedule_draws_the_same_numbers(name: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch):
    scheduled, expected = drawn(SCHEDULES[name], size, monkeypatch)
    np.testing.assert_array_equal(scheduled, expected)


def realized(*values: Any) -> list[Any]:
    f = hl.Func()
    f[x, y] = tuple(values)
    f.vectorize(x, 8)
    result = f.realize([512, 512])
    return [np.array(b).astype(np.float64) for b in (result if isinstance(result, tuple | list) else [result])]


def test_floats_are_uniform_and_neighbours_independent():
    (u,) = realized(hl.random_float(1))
    assert u.min() >= 0
    assert u.max() < 1
    counts, _ = np.histogram(u, bins=64, range=(0, 1))
    assert np.abs(counts / u.size * 64 - 1).max() < 0.1  # 6 standard deviations
    assert abs(np.corrcoef(u[:, 1:].ravel(), u[:, :-1].ravel())[0, 1]) < 0.012
    assert abs(np.corrcoef(u[1:, :].ravel(), u[:-1, :].ravel())[0, 1]) < 0.012
    assert abs(u.var() - 1 / 12) < 0.001


def test_every_bit_of_an_int_is_fair():
    f = hl.Func()
    f[x, y] = hl.random_int()
    bits = np.unpackbits(np.ascontiguousarray(f.realize([256, 256])).view(np.uint8)).reshape(-1, 32)
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 0.012


def test_uses_seeds_and_definitions_are_independent_and_one_use_is_one_variable():
    once, other = hl.random_float(), hl.random_float()
    seeded, reseeded = hl.random_float(1), hl.random_float(2)
    a, b, c, d, twice = realized(once, other, seeded, reseeded, once)
    np.testing.assert_array_equal(a, twice)
    (elsewhere,) = realized(once)
    for p, q in itertools.combinations((a, b, c, d, elsewhere), 2):
        assert abs(np.corrcoef(p.ravel(), q.ravel())[0, 1]) < 0.012


def test_a_param_as_seed_repeats_and_changes_the_numbers():
    seed = hl.Param(hl.Int(32), "seed", 1)
    f = hl.Func()
    f[x] = hl.random_int(seed)
    first = np.array(f.realize([99]))
    seed.set(2)
    second = np.array(f.realize([99]))
    seed.set(1)
    np.testing.assert_array_equal(first, np.array(f.realize([99])))
    assert (first != second).any()


def test_every_iteration_of_a_reduction_draws_anew():
    f, r = hl.Func(), hl.RDom([(0, 2048)])
    f[()] = hl.f32(0)
    f[()] += hl.random_float() + 0 * r
    assert abs(float(np.array(f.realize([]))) / 2048 - 0.5) < 0.04


def test_a_random_index_stays_in_the_region_it_promises():
    table, f = hl.Func("table"), hl.Func("f")
    table[x] = x * x
    f[x] = table[hl.i32(hl.random_float() * 9)]
    table.compute_root()
    assert set(np.array(f.realize([300]))) == {k * k for k in range(9)}


def test_a_seed_is_an_int():
    with pytest.raises(hl.TypeMismatch) as refused:
        hl.random_float(hl.u32(1))
    assert without_place(refused.value).startswith("the seed of hl.random_float is")
    assert hl.random_uint(hl.u32(1)).type() == hl.UInt(32)
    assert hl.random_float(hl.i32(1)).type() == hl.Float(32)
    with pytest.raises(hl.TypeMismatch):
        hl.random_int(1.5)


def test_random_values_have_no_place_outside_definitions():
    with pytest.raises(hl.DefinitionError, match="which depends on"):
        hl.RDom([(0, hl.random_int())])
    f = hl.Func("f")
    f[x] = x
    f.specialize(hl.random_float() < 0.5)
    with pytest.raises(hl.DefinitionError, match="a random value stands in a schedule"):
        f.realize([3])


def test_a_random_value_can_be_the_seed_of_another():
    f = hl.Func("f")
    f[x] = hl.random_uint(hl.random_uint(1))
    assert len(set(np.array(f.realize([99])))) == 99
