"""Each operator's derivative, against differences."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl
from tests.lang.autodiff.gradients import STEP, numbers, source, values

x, c = hl.Var("x"), hl.Var("c")

UNARY = {
    "sin": hl.sin, "cos": hl.cos, "tan": hl.tan, "exp": hl.exp, "log": hl.log, "sqrt": hl.sqrt,
    "asin": hl.asin, "acos": hl.acos, "atan": hl.atan, "sinh": hl.sinh, "cosh": hl.cosh, "tanh": hl.tanh,
    "asinh": hl.asinh, "acosh": lambda e: hl.acosh(e + 1), "atanh": hl.atanh, "abs": lambda e: hl.abs(e - hl.f64(0.5)),
    "square": lambda e: e * e, "inverse": lambda e: 1 / e, "negative": lambda e: -e, "cube": lambda e: e**3,
    "power": lambda e: hl.pow(e, hl.f64(2.5)), "exponential": lambda e: hl.pow(hl.f64(1.5), e),
    "floor": lambda e: hl.floor(3 * e) * e, "round": lambda e: hl.round(3 * e) * e,
    "ceil": lambda e: hl.ceil(3 * e) * e, "trunc": lambda e: hl.trunc(3 * e) * e, "fract": lambda e: hl.fract(3 * e),
    "clamp": lambda e: hl.clamp(e, hl.f64(0.3), hl.f64(0.6)), "likely": lambda e: hl.likely(e) * e,
    "strict": lambda e: hl.strict_float(e * e), "remainder": lambda e: e % hl.f64(0.3),
    "select": lambda e: hl.select(e > hl.f64(0.5), e * e, 3 * e),
    "mux": lambda e: hl.mux(hl.i32(e * 3), [e, e * e, e * e * e]),
    "through float32": lambda e: hl.f64(hl.f32(1) * 2) * e,
    "integer of it": lambda e: hl.cast(hl.Float(64), hl.i32(4 * e)) * e,
    "shared": lambda e: (e * e + 1) * (e * e + 1),
}  # fmt: skip


def wrong_functions(functions, sources):
    """The names of those of the functions, each of one column, whose derivative by some source is not right."""
    f, weights = hl.Func("f"), numbers(len(functions), 9, seed=7)
    f[x, c] = hl.mux(c, [function(*(buffer[x, c] for buffer, _ in sources)) for function in functions.values()])
    d = hl.propagate_adjoints(f, hl.Buffer(weights))
    wrong = set()
    for buffer, array in sources:
        found = values(d[buffer], (9, len(functions)))
        array += STEP
        above = values(f, (9, len(functions)))
        array -= 2 * STEP
        expected = (above - values(f, (9, len(functions)))) / (2 * STEP) * weights
        array += STEP
        rows = np.isclose(found, expected, rtol=1e-5, atol=1e-5).all(axis=1)
        wrong |= {name for name, is_right in zip(functions, rows, strict=True) if not is_right}
    return wrong


def tenths(functions):
    names = list(functions)
    return [names[at : at + 10] for at in range(0, len(names), 10)]


@pytest.mark.parametrize("names", tenths(UNARY), ids=lambda names: names[0])
def test_functions_of_one_value_have_their_derivatives(names):
    functions = {name: UNARY[name] for name in names}
    assert not wrong_functions(functions, [source(len(names), 9, low=0.15, high=0.9)])


BINARY = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": lambda a, b: a / b,
    "min": hl.min, "max": hl.max, "pow": hl.pow, "atan2": hl.atan2, "hypot": hl.hypot, "mod": lambda a, b: a % b,
    "fma": lambda a, b: hl.fma(a, b, a * a), "lerp": lambda a, b: hl.lerp(a, b, a * b),
    "select": lambda a, b: hl.select(a > b, a * b, a + b), "absd": hl.absd,
    "nested": lambda a, b: hl.max(hl.min(a, b), a * b) * hl.min(a, hl.max(b, a / b)),
    "repeated select": lambda a, b: hl.select(a > b, hl.select(b > hl.f64(0.5), a, b), hl.select(a > b, 2 * a, 3 * b)),
}  # fmt: skip


@pytest.mark.parametrize("names", tenths(BINARY), ids=lambda names: names[0])
def test_functions_of_two_values_have_both_derivatives(names):
    functions = {name: BINARY[name] for name in names}
    sources = [source(len(names), 9, low=0.15, high=0.9, seed=seed) for seed in (0, 1)]
    assert not wrong_functions(functions, sources)


FAST = {
    "fast_exp": (hl.fast_exp, np.exp), "fast_log": (hl.fast_log, lambda v: 1 / v),
    "fast_sin": (hl.fast_sin, np.cos), "fast_cos": (hl.fast_cos, lambda v: -np.sin(v)),
    "fast_inverse": (hl.fast_inverse, lambda v: -1 / v**2),
    "fast_inverse_sqrt": (hl.fast_inverse_sqrt, lambda v: -0.5 * v**-1.5),
    "fast_pow": (lambda e: hl.fast_pow(e, hl.f32(2.5)), lambda v: 2.5 * v**1.5),
    "erf": (hl.erf, lambda v: 2 / np.sqrt(np.pi) * np.exp(-v * v)),
}  # fmt: skip


@pytest.mark.parametrize("name", FAST)
def test_a_fast_function_has_the_derivative_of_the_exact_one(name):
    function, derivative = FAST[name]
    array = np.linspace(0.2, 1.5, 7, dtype=np.float32)
    buffer = hl.Buffer(array)
    f = hl.Func("f")
    f[x] = function(buffer[x])
    found = hl.propagate_adjoints(f, hl.Buffer(np.ones(7, np.float32)))[buffer].realize([7])
    np.testing.assert_allclose(np.array(found), derivative(array.astype(np.float64)), rtol=2e-3)


@pytest.mark.parametrize("name", ["float16", "float32"])
def test_adjoints_have_the_types_of_what_they_belong_to(name):
    array = np.array([0.5, 1.5, 2.5], name)
    buffer = hl.Buffer(array)
    f = hl.Func("f")
    f[x] = hl.f64(buffer[x] * buffer[x]) * hl.f64(0.5)
    found = hl.propagate_adjoints(f, hl.Buffer(np.ones(3)))[buffer].realize([3])
    assert np.array(found).dtype == array.dtype
    np.testing.assert_array_equal(np.array(found), array)


def test_what_is_not_chosen_gives_no_nan():
    array = np.array([0.0, 1.0])
    buffer = hl.Buffer(array)
    f = hl.Func("f")
    e, one = buffer[x], hl.f64(1.0)
    f[x] = (
        hl.select(e > 0, (x + 1) / e, e)
        + hl.select(e > 0, hl.sqrt(e), one)
        + hl.select(e > 0, hl.atan2(one, e), 2 * e)
        + hl.select(e > 0, hl.log(e), 3 * e)
    )
    found = hl.propagate_adjoints(f, hl.Buffer(np.ones(2)))[buffer].realize([2])
    np.testing.assert_allclose(np.array(found), [1 + 2 + 3, -2 + 0.5 - 0.5 + 1])


def test_of_equal_operands_one_gets_the_adjoint():
    buffer = hl.Buffer(np.ones(1))
    f, g = hl.Func("f"), hl.Func("g")
    f[x] = hl.max(buffer[x], buffer[x] * 1) + hl.min(buffer[x], 2 * buffer[x] - 1)
    g[x] = hl.max(buffer[x], 1) + hl.max(1, buffer[x])
    ones = hl.Buffer(np.ones(1))
    assert np.array(hl.propagate_adjoints(f, ones)[buffer].realize([1]))[0] == 2
    assert np.array(hl.propagate_adjoints(g, ones)[buffer].realize([1]))[0] == 2


def test_an_effect_is_not_repeated_by_the_derivative(capfd):
    buffer = hl.Buffer(np.array([3.0]))
    f = hl.Func("f")
    f[x] = hl.print(buffer[x] * buffer[x])
    found = hl.propagate_adjoints(f, hl.Buffer(np.ones(1)))[buffer].realize([1])
    assert np.array(found)[0] == 6
    assert capfd.readouterr().out == ""


def test_a_random_factor_is_the_same_on_the_way_back():
    buffer = hl.Buffer(np.ones(5, np.float32))
    f = hl.Func("f")
    f[x] = hl.random_float() * buffer[x]
    forward = np.array(f.realize([5]))
    found = hl.propagate_adjoints(f, hl.Buffer(np.ones(5, np.float32)))[buffer].realize([5])
    np.testing.assert_array_equal(np.array(found), forward)
