"""What may be assigned to a Func, what a Func says about itself, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl
from halopy.errors import DefinitionError, HalideError, TypeMismatch

from .messages import without_place

x, y, c = hl.vars("x y c")
r = hl.RDom([(0, 5), (0, 3)], "r")


def refusal(build) -> str:
    """The message of the error that `build` raises, without file and line."""
    with pytest.raises(HalideError) as refused:
        build()
    return without_place(refused.value)


def test_a_func_tells_its_definition():
    f = hl.Func("f")
    assert not f.defined() and f.name() == "f" and f.args() == [] and not f.has_update_definition()
    f[x, y] = hl.u8(x) + hl.u8(y)
    f[r.x, y] += hl.u8(1)
    assert f.defined() and f.dimensions() == 2 and f.outputs() == 1
    assert [v.name() for v in f.args()] == ["x", "y"]
    assert f.type() == hl.UInt(8) and f.types() == [hl.UInt(8)]
    assert f.num_update_definitions() == 1 and [v.name() for v in f.rvars(0)] == ["r$x", "r$y"]
    assert str(f.update_args(0)[0].node) == "r$x" and str(f) == "<halopy.Func 'f'>"


def test_the_ways_of_making_a_func():
    assert hl.Func().name() != hl.Func().name()
    declared = hl.Func(hl.UInt(8), 2, "declared")
    assert declared.type() == hl.UInt(8) and declared.dimensions() == 2 and not declared.defined()
    pair = hl.Func([hl.UInt(8), hl.Float(32)], 1, "pair")
    assert pair.outputs() == 2 and pair.types() == [hl.UInt(8), hl.Float(32)]
    buffer = hl.Buffer(np.arange(6, dtype=np.int32).reshape(2, 3))
    assert np.array_equal(hl.Func(buffer).realize([3, 2]), np.arange(6).reshape(2, 3))
    assert hl.Func(hl.Expr(3)).realize([])[()] == 3
    f, g = hl.funcs("f g")
    assert (f.name(), g.name()) == ("f", "g")
    assert np.array_equal(hl.lambda_func(x, y, x * y).realize([2, 2]), [[0, 0], [0, 1]])


def test_values_of_several_kinds_can_be_assigned():
    f, g, h = hl.funcs("f g h")
    f[x] = 3
    g[x] = f[x]
    h[x] = x
    assert f.type() == hl.Int(32) and g.type() == hl.Int(32)
    assert list(h.realize([3])) == [0, 1, 2]


def test_a_scalar_func_has_no_arguments():
    f = hl.Func("f")
    f[()] = 42
    assert f.dimensions() == 0 and f.realize()[()] == 42


def test_tuples_make_several_values():
    f, g = hl.funcs("f g")
    f[x] = (x, hl.f32(x) / 2, hl.u8(x))
    assert f.outputs() == 3 and len(f[x]) == 3
    a, b, _ = f[x]
    g[x] = hl.f32(a) + b + f[x][1]
    assert list(g.realize([3])) == [0.0, 2.0, 4.0]
    h = hl.Func("h")
    h[x] = f[x]
    assert h.outputs() == 3
    assert [np.asarray(buffer)[1].item() for buffer in f.realize([2])] == [1, 0.5, 1]
    t = hl.Func("t")
    t[x] = hl.Tuple(x, x + 1)
    t[x] = (t[x][1], t[x][0])
    assert [list(buffer) for buffer in t.realize([2])] == [[1, 2], [0, 1]]


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        (lambda f: f.__setitem__(x, f[x] + 3), [3, 3]),
        (lambda f: f.__setitem__(x, f[x] - 3), [-3, -3]),
        (lambda f: f.__setitem__(x, f[x] * 3), [3, 3]),
        (lambda f: f.__setitem__(x, f[x] / 3.0), [1 / np.float32(3)] * 2),
    ],
    ids=["add", "sub", "mul", "div"],
)
def test_an_update_of_an_undefined_func_starts_it(update, expected):
    f = hl.Func("f")
    update(f)
    assert f.num_update_definitions() == 1 and list(f.realize([2])) == expected


def test_update_operators_start_or_continue():
    f, g = hl.funcs("f g")
    f[r.x] += r.y
    assert f.args()[0].name() != "r$x" and list(f.realize([5])) == [3] * 5
    g[x] = 10
    g[x] -= 1
    g[x] *= 3
    assert list(g.realize([2])) == [27, 27]
    pair = hl.Func("pair")
    pair[x] = (x, x)
    pair[x] += (1, 2)
    assert [list(b) for b in pair.realize([2])] == [[1, 2], [2, 3]]


def test_scatter_gather_and_histogram():
    f, hist = hl.funcs("f hist")
    data = hl.Buffer(np.array([3, 1, 3, 0, 3], np.uint8))
    hist[x] = 0
    hist[hl.clamp(data[r.x], 0, 3)] += 1
    assert list(hist.realize([4])) == [3, 3, 0, 9]
    f[x] = hist[hl.clamp(data[hl.clamp(x, 0, 4)], 0, 3)]
    hist.compute_root()
    assert list(f.realize([5])) == [9, 3, 9, 3, 9]


def test_self_reference_runs_in_order():
    fibonacci = hl.Func("fibonacci")
    over = hl.RDom([(2, 8)])
    fibonacci[x] = 1
    fibonacci[over] = fibonacci[over - 1] + fibonacci[over - 2]
    assert list(fibonacci.realize([10])) == [1, 1, 2, 3, 5, 8, 13, 21, 34, 55]


def test_underscore_stands_for_all_other_dimensions():
    f, g, h = hl.funcs("f g h")
    f[x, y, c] = x + 10 * y + 100 * c
    g[x, hl._] = f[x, hl._] * 2
    assert g.dimensions() == 3 and g.realize([2, 2, 2])[1, 1, 1] == 222
    h[hl._] = f[hl._] + 1
    assert [v.name() for v in h.args()] == ["_0", "_1", "_2"]
    h[hl._] += f[hl._]
    assert h.realize([2, 2, 2])[1, 0, 1] == 203


def test_a_python_sum_of_calls_keeps_the_type():
    f, g = hl.funcs("f g")
    f[x] = hl.u16(x)
    g[x] = sum(f[x + k] for k in range(3))
    assert g.type() == hl.UInt(16) and list(g.realize([2])) == [3, 6]


def test_anonymous_and_odd_names_work():
    quoted = hl.Func('a "quoted"\nname')
    int_ = hl.Func("int")
    odd = hl.Var("while é")
    quoted[odd] = odd * 2
    int_[odd] = quoted[odd] + 1
    quoted.compute_root().split(odd, odd, hl.Var("double"), 4)
    assert list(int_.realize([3])) == [1, 3, 5]


def test_two_funcs_of_one_name_stay_apart():
    first, second = hl.Func("f"), hl.Func("f")
    first[x] = x
    second[x] = first[x] + 1
    first.compute_root()
    assert list(second.realize([2])) == [1, 2]


def test_a_deep_expression_can_be_defined_and_run():
    f = hl.Func("f")
    e = hl.Expr(x)
    for k in range(10_000):
        e = e + k % 3
    f[x] = e
    assert f.realize([2])[1] == 10_000


def undefined_used():
    f, g = hl.funcs("f g")
    g[x] = f[x] + 1


def undefined_realized():
    hl.Func("f").realize([3])


def pure_left_not_var():
    hl.Func("f")[x + 1] = 2


def pure_left_twice():
    hl.Func("f")[x, x] = 2


def pure_left_reduction():
    hl.Func("f")[r.x] = 2


def pure_uses_reduction():
    hl.Func("f")[x] = r.x + x


def unknown_variable():
    hl.Func("f")[x] = y


def unknown_variable_in_update():
    f = hl.Func("f")
    f[x, y] = 0
    f[x, 0] = y


def update_of_other_type():
    f = hl.Func("f")
    f[x] = hl.u8(x)
    f[x] += hl.i32(3) * x


def update_of_other_count():
    f = hl.Func("f")
    f[x] = (x, x)
    f[x] = x


def wrong_arity():
    f, g = hl.funcs("f g")
    f[x, y] = 0
    g[x] = f[x]


def wrong_arity_of_update():
    f = hl.Func("f")
    f[x, y] = 0
    f[x] = 1


def redefined_after_use():
    f, g = hl.funcs("f g")
    f[x] = 0
    g[x] = f[x]
    f[x] += 1


def redefined_after_run():
    f = hl.Func("f")
    f[x] = 0
    f.realize([1])
    f[x] += 1


def two_domains():
    f, other = hl.Func("f"), hl.RDom([(0, 3)], "other")
    f[x] = 0
    f[r.x] = other + 0


def reads_beside_itself():
    f = hl.Func("f")
    f[x, y] = 0
    f[x, r.x] = f[x - 1, r.x]


def tuple_where_one_is_needed():
    f, g = hl.funcs("f g")
    f[x] = (x, x)
    g[x] = f[x] * 2 + hl.sqrt(f[x])


def element_of_single():
    f, g = hl.funcs("f g")
    f[x] = x
    g[x] = f[x][0]


def element_out_of_range():
    f, g = hl.funcs("f g")
    f[x] = (x, x)
    g[x] = f[x][2]


def float_index():
    f, g = hl.funcs("f g")
    f[x] = x
    g[x] = f[hl.f32(x)]


def other_type_than_declared():
    hl.Func(hl.UInt(8), 1, "f")[x] = x


def other_rank_than_declared():
    hl.Func(hl.Int(32), 2, "f")[x] = x


def unknown_update():
    f = hl.Func("f")
    f[x] = 0
    f.update(0)


def text_assigned():
    hl.Func("f")[x] = "three"


def pending_update_elsewhere():
    f = hl.Func("f")
    f[0] = f[x] + 1


REFUSED = [
    undefined_used, undefined_realized, pure_left_not_var, pure_left_twice, pure_left_reduction, pure_uses_reduction,
    unknown_variable, unknown_variable_in_update, update_of_other_type, update_of_other_count, wrong_arity,
    wrong_arity_of_update, redefined_after_use, redefined_after_run, two_domains, reads_beside_itself,
    tuple_where_one_is_needed, element_of_single, element_out_of_range, float_index, other_type_than_declared,
    other_rank_than_declared, unknown_update, text_assigned, pending_update_elsewhere,
]  # fmt: skip


@pytest.mark.parametrize("build", REFUSED)
def test_refusal_says_what_would_be_accepted(build, golden):
    assert refusal(build) == golden


def test_a_refused_definition_leaves_the_func_as_it_was():
    f = hl.Func("f")
    f[x] = hl.u8(x)
    with pytest.raises(TypeMismatch):
        f[x] = x
    with pytest.raises(DefinitionError):
        f[x, y] = hl.u8(1)
    assert f.num_update_definitions() == 0 and list(f.realize([2])) == [0, 1]


def test_messages_name_file_and_line():
    with pytest.raises(DefinitionError, match=r"test_func\.py:\d+: Func `f`"):
        hl.Func("f")[x, x] = 1


def test_hiding_all_earlier_definitions_warns():
    f = hl.Func("f")
    f[x] = 0
    with pytest.warns(UserWarning, match="hides all earlier definitions"):
        f[x] = 1


def test_a_users_own_pair_is_a_tuple():
    class Complex:
        """Has a length and places, and no __iter__."""

        def __init__(self, real, imag):
            self.parts = (real, imag)

        def __getitem__(self, place):
            return self.parts[place]

        def __len__(self):
            return 2

    x, f = hl.Var("x"), hl.Func("f")
    f[x] = Complex(x, x * 2.5)
    f[x] = Complex(f[x][0] + 1, f[x][1])
    whole, half = f.realize([3])
    assert [whole[i] for i in range(3)] == [1, 2, 3]
    assert [half[i] for i in range(3)] == [0.0, 2.5, 5.0]
