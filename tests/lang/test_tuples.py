"""Several values at a point, and implicit Vars: wherever an expression may stand, with Halide's meaning."""

import numpy as np
import pytest

import halopy as hl

X, Y, C = hl.vars("x y c")
_ = hl._


def pair(name="pair", a=None, b=None):
    f = hl.Func(name)
    f[X] = (X if a is None else a, X + 1 if b is None else b)
    return f


def values(define, sizes):
    f = hl.Func("f")
    define(f)
    made = f.realize(sizes)
    for f_made, f_reference in zip(_several(made), _several(f.reference(sizes)), strict=True):
        assert (np.asarray(f_made) == np.asarray(f_reference)).all()
    return tuple(np.asarray(buffer).tolist() for buffer in _several(made))


def _several(made):
    return made if isinstance(made, tuple) else (made,)


def assigned(index, value):
    return lambda f: f.__setitem__(index, value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (lambda: hl.select(X > 1, (X, X + 1), (X * 2, X * 3)), ([0, 2, 2, 3], [0, 3, 3, 4])),
        (lambda: hl.select(X > 2, (7, 8), X > 1, (5, 6), (X, 0)), ([0, 1, 5, 7], [0, 0, 6, 8])),
        (lambda: hl.select((X > 1, X > 2), (X, X + 1), (9, 8)), ([9, 9, 2, 3], [8, 8, 8, 4])),
        (lambda: hl.select((X > 2, X > 2), (1, 1), (X > 1, X > 0), (2, 2), (3, 3)), ([3, 3, 2, 1], [3, 2, 2, 1])),
        (lambda: hl.select(X > 1, pair()[X], pair("other", X * 5, X * 7)[X]), ([0, 5, 2, 3], [0, 7, 3, 4])),
        (lambda: hl.select(X > 1, hl.Tuple(X, 1), [0, X]), ([0, 0, 2, 3], [0, 1, 1, 1])),
        (lambda: hl.mux(X % 3, [pair()[X], (7, 8), (9, 10)]), ([0, 7, 9, 3], [1, 8, 10, 4])),
        (lambda: pair()[X], ([0, 1, 2, 3], [1, 2, 3, 4])),
        (lambda: pair()[X] + (1, 2), ([1, 2, 3, 4], [3, 4, 5, 6])),
        (lambda: hl.mux(X % 2, pair()[X]), ([0, 2, 2, 4],)),
        (lambda: hl.mux(X, (3, 2, 1)), ([3, 2, 1, 1],)),
    ],
)
def test_a_tuple_stands_for_values(value, expected):
    assert values(assigned(X, value()), [4]) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X > 1, (X, X), (X,)), "identical sizes"),
        ((X > 1, (X, X), X), "may not mix Expr and Tuple"),
    ],
)
def test_tuples_of_other_sizes_are_refused(arguments, message):
    with pytest.raises(hl.HalideError, match=message):
        hl.select(*arguments)


def test_reductions_give_places_and_value():
    r = hl.RDom([(0, 3), (0, 2)])
    largest, least = hl.argmax(r.x * X - r.y), hl.argmin(r, r.x * X - r.y)
    assert type(largest) is tuple and len(largest) == len(least) == 3
    assert values(assigned(X, largest), [3]) == ([0, 2, 2], [0, 0, 0], [0, 2, 4])
    assert values(assigned(X, least), [3]) == ([0, 0, 0], [1, 1, 1], [-1, -1, -1])


def test_updates_of_tuples_are_simultaneous():
    def swapped(f):
        f[()] = (3, 5)
        f[()] = (f[()][1], f[()][0])

    def grown(f):
        f[X] = (X, 2)
        f[X] *= (3, 2)
        f[X] += pair()[X]

    assert values(swapped, []) == (5, 3)
    assert values(grown, [3]) == ([0, 4, 8], [5, 6, 7])


def grid(value=None):
    g = hl.Func("grid")
    g[X, Y] = X + 10 * Y if value is None else value
    return g


def then(index, value, update_index, update):
    def define(f):
        f[index] = value
        f[update_index] = update(f)

    return define


@pytest.mark.parametrize(
    ("define", "sizes", "expected"),
    [
        (assigned(_, 5), [], (5,)),
        (assigned(_, grid()[_] * 2), [2, 2], ([[0, 2], [20, 22]],)),
        (assigned((C, _), grid()[_] * 2 + C), [2, 2, 1], ([[[0, 1], [2, 3]]],)),
        (assigned((_, C), grid()[_] * 2 + C), [2, 2, 1], ([[[0, 2], [20, 22]]],)),
        (assigned(_, grid((X, Y))[_][0] + 3 * grid((X, Y))[_][1]), [2, 2], ([[0, 1], [3, 4]],)),
        (assigned(_, (grid()[_], hl._0)), [2, 2], ([[0, 1], [10, 11]], [[0, 1], [0, 1]])),
        (assigned(_, hl._0 + hl._1 * 10), [2, 2], ([[0, 1], [10, 11]],)),
        (assigned((hl._0, hl._1), hl._0 + hl._1 * 10), [2, 2], ([[0, 1], [10, 11]],)),
        (then(_, grid()[_], _, lambda f: f[_] + 1), [2, 2], ([[1, 2], [11, 12]],)),
        (assigned((X, _), hl.sum(grid()[hl.RDom([(0, 2)], "r"), _]) + X), [2, 2], ([[1, 2], [21, 22]],)),
    ],
)
def test_implicit_vars_stand_for_the_dimensions_that_are_not_named(define, sizes, expected):
    assert values(define, sizes) == tuple(e for e in expected)


def test_implicit_vars_that_are_no_dimension_are_refused():
    f = hl.Func("f")
    with pytest.raises(hl.DefinitionError, match="`_0` is used on the right-hand side but is no dimension of it"):
        f[X] = hl._0
    f[_] = grid()[_]
    with pytest.raises(hl.DefinitionError, match="more implicit Vars than the left-hand side"):
        f[X, Y] = grid()[_]


def test_an_rdom_is_its_variables():
    r = hl.RDom([(0, 3), (1, 2)], "r")
    assert len(r) == 2 and [v.name() for v in r] == ["r$x", "r$y"] == [r[0].name(), r[1].name()]
    f = hl.Func("f")
    f[X, Y] = 0
    f[tuple(r)] += 1
    assert (np.asarray(f.realize([3, 4])) == [[0] * 3, [1] * 3, [1] * 3, [0] * 3]).all()
    with pytest.raises(KeyError, match="2 dimensions, not one numbered 2"):
        r[2]


@pytest.mark.parametrize(
    ("made", "rank", "types"),
    [
        (lambda: hl.Func(hl.Int(32), 2, "f"), 2, [hl.Int(32)]),
        (lambda: hl.Func(required_type=hl.UInt(8), required_dimensions=1, name="f"), 1, [hl.UInt(8)]),
        (lambda: hl.Func([hl.Int(32), hl.UInt(8)], 3, "f"), 3, [hl.Int(32), hl.UInt(8)]),
        (lambda: hl.Func(required_types=[hl.Float(32)], required_dimensions=0, name="f"), 0, [hl.Float(32)]),
        (lambda: hl.Func(hl.Buffer(hl.UInt(8), [3, 2])), 2, [hl.UInt(8)]),
        (lambda: hl.Func(hl.ImageParam(hl.Int(16), 3)), 3, [hl.Int(16)]),
        (lambda: hl.Func(hl._0 + hl._1), 2, [hl.Int(32)]),
        (lambda: hl.lambda_func(X, Y, X + Y), 2, [hl.Int(32)]),
        (lambda: hl.lambda_func(X, (X, hl.u8(X))), 1, [hl.Int(32), hl.UInt(8)]),
    ],
)
def test_a_func_is_made_in_all_of_halides_forms(made, rank, types):
    assert made().dimensions() == rank and made().types() == types
