"""Whole programs: updates, scans, scatters and gathers, against loops written out and against Halide."""

from __future__ import annotations

import numpy as np
import pytest

from halopy.dtypes import BOOL, FLOAT16, FLOAT32, INT8, INT32, UINT8
from halopy.errors import BufferError
from halopy.ir.expr import LT, NE, Add, Call, Cast, Const, Max, Min, Mod, Mul, Select, Sub, Var
from halopy.ir.fold import fold_binary
from halopy.reference import evaluate

from .programs import domain, func, i32, image, program, read, update, x, y

r, s = Var("r"), Var("s")
PIXELS = {"in": (UINT8, 2)}
rng = np.random.default_rng(7)
picture = rng.integers(0, 256, (6, 9), dtype=np.uint8)


def pixel(a, b):
    return Cast(INT32, read("in", a, b, dtype=UINT8))


def run(p, regions, images=None, scalars=None):
    """The first element of the only output named."""
    results = evaluate(p, images or {}, scalars or {}, regions)
    ((only),) = results.values()
    return only[0] if len(only) == 1 else only


def test_a_pure_func_is_computed_over_the_asked_region_with_its_min():
    f = func("f", [x, y], Add(x, Mul(y, i32(10))))
    got = run(program(f), {"f": [(-2, 3), (5, 2)]})
    assert got.tolist() == [[48, 49, 50], [58, 59, 60]]


def test_a_producer_is_computed_where_its_consumers_read_it():
    f = func("f", [x], Mul(x, x))
    g = func("g", [x], Sub(read(f, Add(x, i32(3))), read(f, Mul(x, i32(-2)))))
    assert run(program(f, g), {"g": [(1, 3)]}).tolist() == [(v + 3) ** 2 - 4 * v * v for v in (1, 2, 3)]


def test_a_data_dependent_index_evaluates_the_data_first():
    lut = func("lut", [x], Mul(x, i32(3)))
    g = func("g", [x, y], read(lut, pixel(x, y)))
    got = run(program(lut, g, images=PIXELS), {"g": [(0, 9), (0, 6)]}, {"in": image(picture)})
    assert (got == picture.astype(np.int32) * 3).all()


def test_a_read_outside_an_image_is_refused_by_name():
    p = program(func("f", [x, y], pixel(Sub(x, i32(1)), y)), images=PIXELS)
    with pytest.raises(BufferError) as refused:
        run(p, {"f": [(0, 9), (0, 6)]}, {"in": image(picture)})
    assert str(refused.value) == (
        "input image `in` is too small in dimension 0\n  needed are -1 to 7, given are 0 to 8"
    )
    assert (run(p, {"f": [(1, 9), (0, 6)]}, {"in": image(picture)}) == picture).all()


def test_an_image_with_shifted_mins_is_addressed_by_its_own_coordinates():
    p = program(func("f", [x, y], pixel(x, y)), images=PIXELS)
    got = run(p, {"f": [(-4, 9), (100, 6)]}, {"in": image(picture, -4, 100)})
    assert (got == picture).all()


def test_histogram_counts_every_point():
    count = read("h", pixel(r, s))
    h = func("h", [x], i32(0), update([pixel(r, s)], Add(count, i32(1)), domain(("r", 0, 9), ("s", 0, 6))))
    got = run(program(h, images=PIXELS), {"h": [(0, 256)]}, {"in": image(picture)})
    assert (got == np.bincount(picture.ravel(), minlength=256)).all()


def test_a_scan_sees_its_own_earlier_values():
    before = read("f", Sub(r, i32(1)), y)
    f = func("f", [x, y], Add(x, y), update([r, y], Add(before, read("f", r, y)), domain(("r", 1, 7))))
    got = run(program(f), {"f": [(0, 8), (0, 2)]})
    assert got.tolist() == np.cumsum(np.add.outer([0, 1], np.arange(8)), axis=1).tolist()


def test_a_scan_starts_outside_the_asked_region_when_it_must():
    f = func("f", [x], i32(1), update([r], Add(read("f", Sub(r, i32(1))), i32(1)), domain(("r", -3, 10))))
    assert run(program(f), {"f": [(2, 3)]}).tolist() == [7, 8, 9]


def test_the_last_write_to_a_cell_wins_first_variable_fastest():
    value = Add(r, Mul(s, i32(10)))
    f = func("f", [x], i32(-1), update([Mod(Add(r, s), i32(3))], value, domain(("r", 0, 4), ("s", 0, 3))))
    expected = [-1] * 3
    for b in range(3):
        for a in range(4):
            expected[(a + b) % 3] = a + 10 * b
    assert run(program(f), {"f": [(0, 3)]}).tolist() == expected


def test_where_restricts_a_reduction_also_by_a_pure_variable():
    f = func("f", [x], i32(0), update([x], Add(read("f", x), r), domain(("r", 0, 10), where=LT(r, x))))
    assert run(program(f), {"f": [(0, 6)]}).tolist() == [sum(range(v)) for v in range(6)]


def test_where_keeps_reads_inside_the_image():
    total = Add(read("f"), pixel(r, s))
    rdom = domain(("r", -5, 30), ("s", 0, 6), where=LT(Call("absd", (r, i32(4)), INT32), i32(4)))
    f = func("f", [], i32(0), update([], total, rdom))
    got = run(program(f, images=PIXELS), {"f": []}, {"in": image(picture)})
    assert got.shape == () and int(got) == picture[:, 1:8].astype(int).sum()


@pytest.mark.parametrize("operator", [Add, Mul, Min, Max])
@pytest.mark.parametrize("dtype", [INT8, FLOAT16], ids=str)
def test_a_plain_accumulation_wraps_and_rounds_at_each_step(operator, dtype):
    values = rng.normal(0, 2, 300).astype(dtype.to_numpy())
    values[values == 0] = 1
    start = Const(1, dtype)
    f = func(
        "f",
        [x],
        start,
        update([x], operator(read("f", x, dtype=dtype), read("in", r, dtype=dtype)), domain(("r", 0, 300))),
    )
    got = run(program(f, images={"in": (dtype, 1)}), {"f": [(3, 2)]}, {"in": image(values)})
    expected = 1
    for v in values.tolist():
        expected = fold_binary(operator, expected, v, dtype)
    assert got.tolist() == [expected, expected]


def test_an_accumulation_reads_another_func_where_its_predicate_holds():
    g = func("g", [x, y], Sub(x, Mul(y, i32(2))))
    rdom = domain(("r", -4, 9), ("s", 0, 5), where=LT(s, r))
    f = func("f", [x], x, update([x], Max(read("f", x), read(g, Add(x, r), s)), rdom))
    expected = [max([v, *(v + a - 2 * b for a in range(-4, 5) for b in range(5) if b < a)]) for v in range(6)]
    assert run(program(g, f), {"f": [(0, 6)]}).tolist() == expected


def test_an_empty_reduction_changes_nothing():
    f = func("f", [x], i32(5), update([x], pixel(r, x), domain(("r", 0, 0))))
    assert run(program(f, images=PIXELS), {"f": [(0, 2)]}, {"in": image(picture)}).tolist() == [5, 5]


def test_tuple_elements_are_updated_simultaneously():
    a, b = read("f", element=0), read("f", element=1)
    f = func("f", [], (i32(0), i32(1)), update([], (b, Add(a, b)), domain(("r", 0, 10))))
    assert [int(v) for v in run(program(f), {"f": []})] == [55, 89]


def test_argmax_keeps_the_first_of_equals():
    values = np.array([3, 9, 2, 9, 9, 1], np.uint8)
    element = Cast(INT32, read("in", r, dtype=UINT8))
    better = LT(read("f", element=1), element)
    new = (Select(better, r, read("f", element=0)), Select(better, element, read("f", element=1)))
    f = func("f", [], (i32(0), i32(-1)), update([], new, domain(("r", 0, 6))))
    got = run(program(f, images={"in": (UINT8, 1)}), {"f": []}, {"in": image(values)})
    assert [int(v) for v in got] == [1, 9]


def test_a_scatter_may_leave_the_asked_region():
    f = func("f", [x], x, update([Mul(r, i32(4))], i32(-1), domain(("r", -2, 6))))
    assert run(program(f), {"f": [(3, 3)]}).tolist() == [3, -1, 5]


def test_an_index_that_reads_the_func_itself_is_followed():
    """Pointer chasing: f[f[r] % 7 + 10] = r."""
    cell = Add(Mod(read("f", r), i32(7)), i32(10))
    f = func("f", [x], Mul(x, i32(3)), update([cell], r, domain(("r", 0, 5))))
    expected = {v: 3 * v for v in range(30)}
    for v in range(5):
        expected[expected[v] % 7 + 10] = v
    assert run(program(f), {"f": [(0, 20)]}).tolist() == [expected[v] for v in range(20)]
    assert run(program(f), {"f": [(16, 1)]}).tolist() == [expected[16]]


def test_cells_that_only_an_early_update_touched_are_not_taken_for_results():
    """f(0) is asked for after f(1): the scatter wrote it then, but the last update did not."""
    f = func("f", [x], x, update([Mul(s, i32(0))], i32(0), domain(("s", 0, 1))), update([x], Add(read("f", x), i32(7))))
    g = func("g", [x], read(f, Mod(read(f, x), i32(8))))
    assert run(program(f, g), {"g": [(1, 1)]}).tolist() == [7]


def test_a_predicate_that_never_holds_changes_nothing():
    h = func("h", [x], i32(3), update([Mod(r, i32(2))], r, domain(("r", 0, 5), where=LT(r, i32(0)))))
    assert run(program(h), {"h": [(0, 2)]}).tolist() == [3, 3]


def test_an_undefined_value_is_not_stored():
    nothing = Call("undef", (), INT32)
    f = func("f", [x], x, update([x], Select(LT(x, i32(2)), nothing, i32(9))), update([x], nothing))
    assert run(program(f), {"f": [(0, 4)]}).tolist() == [0, 1, 9, 9]


def test_scalars_and_image_shapes_are_variables():
    gain = Var("gain", FLOAT32)
    f = func("f", [x], Mul(Cast(FLOAT32, Add(Var("in.extent.0"), Var("in.min.1"))), gain))
    p = program(f, images=PIXELS, scalars={"gain": FLOAT32})
    assert run(p, {"f": [(0, 1)]}, {"in": image(picture, 0, 3)}, {"gain": 0.5}).tolist() == [6.0]


def test_ten_thousand_nodes_are_no_trouble():
    e = x
    for k in range(10_000):
        e = Add(e, i32(k)) if k % 2 else Sub(i32(k), e)
    expected = 5
    for k in range(10_000):
        expected = expected + k if k % 2 else k - expected
    assert run(program(func("f", [x], e)), {"f": [(5, 1)]}).tolist() == [expected]


def test_five_hundred_stages_are_computed_once_each():
    stages = [func("f0", [x], x)]
    for k in range(1, 500):
        before = stages[-1]
        stages.append(func(f"f{k}", [x], Max(read(before, Sub(x, i32(1))), Min(read(before, x), i32(100)))))
    assert run(program(*stages), {"f499": [(0, 3)]}).tolist() == [0, 1, 2]


def test_an_empty_region_gives_an_empty_array():
    got = run(program(func("f", [x, y], pixel(x, y)), images=PIXELS), {"f": [(0, 0), (0, 5)]}, {"in": image(picture)})
    assert got.shape == (5, 0)


def test_several_outputs_share_their_producers():
    f = func("f", [x], Mul(x, x))
    g = func("g", [x], read(f, Add(x, i32(1))))
    h = func("h", [x], NE(read(f, x), read(g, x)))
    got = evaluate(program(f, g, h, outputs=["g", "h", "f"]), {}, {}, {"g": [(0, 2)], "h": [(5, 1)], "f": [(1, 1)]})
    assert got["g"][0].tolist() == [1, 4]
    assert got["h"][0].tolist() == [True] and got["h"][0].dtype == np.bool_
    assert got["f"][0].tolist() == [1]
    assert BOOL.to_numpy() == got["h"][0].dtype


def test_a_wrong_image_is_refused():
    p = program(func("f", [x, y], pixel(x, y)), images=PIXELS)
    with pytest.raises(BufferError, match="`in` is missing"):
        run(p, {"f": [(0, 1), (0, 1)]})
    with pytest.raises(BufferError, match="float64, expected uint8"):
        run(p, {"f": [(0, 1), (0, 1)]}, {"in": image(picture.astype(float))})
    assert Const(1, UINT8).dtype is UINT8
