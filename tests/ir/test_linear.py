"""Linear forms: what they gather, how they are written back."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from halopy.dtypes import INT8, INT32, UINT8
from halopy.ir import expr as ir
from halopy.ir.expr import Var, const
from halopy.ir.linear import LinearForm, difference, expr_of, linear, sum_of

from .evaluation import Overflow, evaluate
from .random_expressions import INTEGERS, random_expr, random_values

x, y = Var("x"), Var("y")


def test_terms_and_constant_are_gathered():
    e = ir.Add(ir.Sub(ir.Mul(ir.Add(x, const(3)), const(8)), ir.Mul(ir.Add(y, x), const(4))), const(1))
    assert linear(e) == LinearForm({x: 4, y: -4}, 25)
    assert str(expr_of(linear(e), INT32)) == "(((x - y)*4) + 25)"


def test_products_of_variables_are_terms():
    product = ir.Mul(x, y)
    assert linear(ir.Sub(const(1), product)) == LinearForm({product: -1}, 1)
    assert expr_of(LinearForm({product: -1}), INT32) is ir.Sub(const(0), product)


def test_coefficients_wrap_as_the_type_does():
    u = Var("u", UINT8)
    assert linear(ir.Mul(ir.Mul(u, const(16, UINT8)), const(16, UINT8))) == LinearForm({}, 0)
    assert str(expr_of(linear(ir.Sub(u, const(1, UINT8))), UINT8)) == "(u - (uint8)1)"
    s = Var("s", INT8)
    assert linear(ir.Add(ir.Add(s, const(100, INT8)), const(100, INT8))) == LinearForm({s: 1}, -56)


def test_difference_is_known_where_terms_cancel():
    assert difference(ir.Add(x, const(3)), ir.Sub(x, const(2))) == 5
    assert difference(ir.Mul(x, const(2)), ir.Add(x, x)) == 0
    assert difference(x, y) is None


def test_sum_of_adds_multiples():
    assert sum_of([(ir.Add(x, y), 2), (x, -2)], 7, INT32) is expr_of(LinearForm({y: 2}, 7), INT32)


@given(st.data())
def test_writing_back_keeps_the_value_and_form(data):
    def pick(limit: int) -> int:
        return data.draw(st.integers(0, limit - 1))

    dtype = INTEGERS[pick(len(INTEGERS))]
    e = random_expr(pick, dtype, 3)
    again = expr_of(linear(e), dtype)
    assert linear(again) == linear(e)
    assert expr_of(linear(again), dtype) is again
    values = random_values(pick)
    with suppress(Overflow):
        assert evaluate(e, values) == evaluate(again, values)


def test_neighbours_are_added_in_the_order_of_their_places():
    places = [-2, -1, 0, 1, 10]
    loads = {d: ir.Load("a", sum_of([(x, 1), (y, 1)], d, INT32), UINT8) for d in places}
    total = sum_of([(loads[d], 1) for d in (1, -2, 10, 0, -1)], 0, UINT8)
    found = []
    while isinstance(total, ir.Add):
        found.append(total.b)
        total = total.a
    assert [total, *reversed(found)] == [loads[d] for d in places]


def test_rows_are_added_from_the_first_and_in_a_row_from_the_left():
    reads = {
        (dx, dy): ir.Read("f", (ir.Add(x, const(dx)), ir.Add(y, const(dy))), 0, INT32) for dx in (1, 2) for dy in (3, 4)
    }
    total = sum_of([(reads[p], 1) for p in ((2, 4), (1, 3), (1, 4), (2, 3))], 0, INT32)
    assert str(total) == str(ir.Add(ir.Add(ir.Add(reads[1, 3], reads[2, 3]), reads[1, 4]), reads[2, 4]))
