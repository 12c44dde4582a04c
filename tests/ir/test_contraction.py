"""Which products of floats are rounded together with sums."""

import pytest

from halopy.dtypes import FLOAT16, FLOAT32, FLOAT64, INT32, UInt
from halopy.ir.contraction import contracted
from halopy.ir.expr import Add, Call, Cast, Mul, Read, Sub, Var, const
from halopy.ir.ranges import Ranges

a, b, c, d = (Var(name, FLOAT32) for name in "abcd")


def together(x, y, z):
    return Call("multiply_add", (x, y, z), FLOAT32)


def negated(e):
    return Mul(e, const(-1.0, FLOAT32))


@pytest.mark.parametrize(
    ("written", "computed"),
    [
        (Add(Mul(a, b), c), together(a, b, c)),
        (Add(c, Mul(a, b)), together(a, b, c)),
        (Add(Mul(a, b), Mul(c, d)), together(c, d, Mul(a, b))),
        (Sub(Mul(a, b), c), together(a, b, negated(c))),
        (Sub(c, Mul(a, b)), together(negated(a), b, c)),
        (Sub(c, Mul(const(2.0, FLOAT32), b)), together(const(-2.0, FLOAT32), b, c)),
        (Add(Add(c, Mul(a, b)), Mul(d, d)), together(d, d, together(a, b, c))),
        (Mul(Add(Mul(a, b), c), d), Mul(together(a, b, c), d)),
    ],
)
def test_a_product_and_a_sum_are_one_operation(written, computed):
    assert contracted(written) is computed


@pytest.mark.parametrize("kept", [
    Mul(a, b),
    Add(a, b),
    Call("strict_float", (Add(Mul(a, b), c),), FLOAT32),
    Add(Mul(Var("i"), Var("j")), Var("k")),
    Add(Mul(Var("h", FLOAT16), Var("h", FLOAT16)), Var("h", FLOAT16)),
    Read("f", (Cast(INT32, Add(Mul(a, b), c)),), 0, FLOAT32),
])  # fmt: skip
def test_integers_halves_indices_and_what_is_strict_are_computed_as_written(kept):
    assert contracted(kept) is kept


def test_the_range_of_both_roundings_is_known():
    pixel = Cast(FLOAT32, Var("p", UInt(8)))
    low, high = Ranges({}).of(together(pixel, const(0.1, FLOAT32), const(0.5, FLOAT32)))
    assert low == 0.5
    assert 26 <= high < 26.00001
    double = Call("multiply_add", (Cast(FLOAT64, Var("p", UInt(8))), Var("q", FLOAT64), const(0.5, FLOAT64)), FLOAT64)
    assert Ranges({}).of(double) == (None, None)
