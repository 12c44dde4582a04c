"""Extern stages: C functions that compute a Func, asked for the regions that they need."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import halopy as hl

from .extern_functions import load_functions
from .messages import without_place

x, y, xo, xi, yo, yi = (hl.Var(n) for n in ("x", "y", "xo", "xi", "yo", "yi"))
INT = hl.Int(32)


@pytest.fixture(scope="module", autouse=True)
def _functions(tmp_path_factory: pytest.TempPathFactory) -> None:
    load_functions(tmp_path_factory.mktemp("extern"))


def translated(source: Any, dx: Any, dy: Any, name: str = "g") -> hl.Func:
    g = hl.Func(name)
    g.define_extern("halopy_test_translate", [source, dx, dy], INT, [x, y])
    return g


def plane(width: int, height: int, x_min: int = 0, y_min: int = 0) -> tuple[np.ndarray, np.ndarray]:
    xs, ys = np.meshgrid(np.arange(width) + x_min, np.arange(height) + y_min)
    return xs, ys


SCHEDULES: dict[str, Callable[[hl.Func, hl.Func, hl.Func], Any]] = {
    "plain": lambda f, g, h: None,
    "root": lambda f, g, h: (f.compute_root().vectorize(x, 8), g.compute_root()),
    "vectors": lambda f, g, h: h.vectorize(x, 8, hl.TailStrategy.GuardWithIf).parallel(y),
    "tiles": lambda f, g, h: h.tile(x, y, xo, yo, xi, yi, 8, 4, hl.TailStrategy.GuardWithIf).parallel(yo),
    "padded": lambda f, g, h: f.compute_root().align_storage(x, 16).reorder_storage(y, x),
    "transposed result": lambda f, g, h: g.compute_root().reorder_storage(y, x),
    "inside a reader's update": lambda f, g, h: f.compute_root().parallel(y, 2, hl.TailStrategy.GuardWithIf),
}


@pytest.mark.parametrize("size", [(16, 8), (13, 7), (1, 1)])
@pytest.mark.parametrize("name", SCHEDULES)
def test_a_func_goes_through_an_extern_stage(name: str, size: tuple[int, int]):
    f, h = hl.Func("f"), hl.Func("h")
    f[x, y] = x * 3 + y * 100
    f[x, y] += 1
    g = translated(f, 3, -7)
    h[x, y] = g[x, y] + g[x + 1, y + 2]
    SCHEDULES[name](f, g, h)
    xs, ys = plane(*size)
    at = (xs + 3) * 3 + (ys - 7) * 100 + 1
    np.testing.assert_array_equal(np.array(h.realize(list(size))), at + at + 203)


@pytest.mark.parametrize("size", [(16, 8), (13, 7)])
def test_an_extern_stage_may_be_an_output_and_read_another(size: tuple[int, int]):
    f = hl.Func("f")
    f[x, y] = x - y * 10
    dx = hl.Param(INT, "dx", 2)
    last = translated(translated(f, dx, 1, "first"), dx * 2, 0, "last")
    for value in (2, -5):
        dx.set(value)
        xs, ys = plane(*size)
        np.testing.assert_array_equal(np.array(last.realize(list(size))), xs + 3 * value - (ys + 1) * 10)


@pytest.mark.parametrize("name", ["plain", "update", "two stages"])
def test_images_are_checked_against_what_the_function_asks_for(name: str):
    image = hl.ImageParam(INT, 2, "image")
    h = hl.Func("h")
    h[x, y] = translated(image, 2, 1)[x, y]
    if name == "update":
        h[x, y] += x
    elif name == "two stages":
        h[x, y] += image[x, y]
    data = np.arange(60, dtype=np.int32).reshape(6, 10)
    image.set(data)
    xs, _ = plane(8, 5)
    more = {"plain": 0, "update": xs, "two stages": data[:5, :8]}[name]
    np.testing.assert_array_equal(np.array(h.realize([8, 5])), data[1:, 2:] + more)
    with pytest.raises(hl.BufferError, match="image"):
        h.realize([9, 5])


def test_buffers_are_arguments_too():
    data = np.arange(60, dtype=np.int32).reshape(6, 10)
    g = translated(hl.Buffer(data), 2, 1)
    np.testing.assert_array_equal(np.array(g.realize([8, 5])), data[1:, 2:])
    g = translated(hl.Buffer(data[:, ::-1]), 2, 1)
    np.testing.assert_array_equal(np.array(g.realize([8, 5])), data[1:, ::-1][:, 2:])


def test_several_results_and_inputs_of_several_values():
    pair, both, h = hl.Func("pair"), hl.Func("both"), hl.Func("h")
    pair[x, y] = (x + y, x * y)
    both.define_extern("halopy_test_combine", [pair, hl.f64(2.5)], [INT, INT], 2)
    assert both.outputs() == 2
    h[x, y] = both[x, y][0] * 1000 + both[x, y][1]
    xs, ys = plane(7, 5)
    total = (xs + ys + np.trunc(2.5 * (xs * ys))).astype(int)
    np.testing.assert_array_equal(np.array(h.realize([7, 5])), total * 1000 + xs + ys - xs * ys)


def test_results_may_be_realized_as_they_are():
    both = hl.Func("both")
    a, b = hl.Func("a"), hl.Func("b")
    a[x, y], b[x, y] = x * 2, y * 3
    both.define_extern("halopy_test_combine", [a, b, hl.f64(1)], [INT, INT], [x, y])
    xs, ys = plane(7, 5)
    total, difference = (np.array(r) for r in both.realize([7, 5]))
    np.testing.assert_array_equal(total, xs * 2 + xs * 3)
    np.testing.assert_array_equal(difference, xs * 2 - xs * 3)
    del ys


def test_what_a_function_returns_ends_the_run():
    start, g, h = hl.Param(INT, "start", 5), hl.Func("g"), hl.Func("h")
    g.define_extern("halopy_test_ramp", [start], INT, 1)
    h[x] = g[x] * 2
    assert np.array(h.realize([4])).tolist() == [10, 12, 14, 16]
    start.set(101)
    with pytest.raises(hl.HalideError, match="extern stage `g`: halopy_test_ramp returned 5"):
        h.realize([4])


def test_bounds_hold_for_stages_that_nothing_was_said_of():
    f, h = hl.Func("f"), hl.Func("h")
    f[x, y] = x + y
    g = translated(f, 1, 1)
    h[x, y] = g[x, y]
    g.bound(x, 0, 4)
    f.bound(y, 1, 3)
    assert np.array(h.realize([4, 3])).tolist() == [[x + y + 2 for x in range(4)] for y in range(3)]
    with pytest.raises(hl.HalideError, match=r"g\.bound\(x, \.\.\.\)"):
        h.realize([5, 3])
    with pytest.raises(hl.HalideError, match=r"f\.bound\(y, \.\.\.\)"):
        h.realize([4, 4])


def test_a_func_knows_that_it_is_extern():
    g, f = hl.Func("g"), hl.Func("f")
    assert not g.is_extern()
    g.define_extern("halopy_test_ramp", [1], type=INT, dimensionality=1)
    f[x] = g[x]
    assert (g.is_extern(), g.extern_function_name(), g.defined()) == (True, "halopy_test_ramp", True)
    assert not f.is_extern()
    assert f.extern_function_name() == ""


def test_arguments_say_what_they_are():
    f = hl.Func("f")
    f[x] = x
    kinds = [hl.ExternFuncArgument(a) for a in (f, hl.Buffer(INT, [3]), hl.ImageParam(INT, 1), hl.Param(INT), 3, None)]
    found = [(a.is_func(), a.is_buffer(), a.is_image_param(), a.is_expr(), a.defined()) for a in kinds]
    assert found == [
        (True, False, False, False, True),
        (False, True, False, False, True),
        (False, False, True, False, True),
        (False, False, False, True, True),
        (False, False, False, True, True),
        (False, False, False, False, False),
    ]


def refusal(build: Callable[[hl.Func, hl.Func], object]) -> str:
    f, h = hl.Func("f"), hl.Func("h")
    f[x, y] = x + y
    g = translated(f, 1, 1)
    h[x, y] = g[x, y]
    with pytest.raises(hl.HalideError) as refused:
        build(f, g)
        h.realize([4, 4])
    return without_place(refused.value)


def _undefined_argument(f: hl.Func, g: hl.Func) -> None:
    translated(hl.Func("later"), 1, 1)


def _value_as_number(f: hl.Func, g: hl.Func) -> None:
    translated(f, f[0, 0], 1)


def test_what_cannot_be_is_refused(golden: str):
    def missing(f: hl.Func, g: hl.Func) -> None:
        nowhere = hl.Func("nowhere")
        nowhere.define_extern("halopy_test_is_not_there", [f], INT, 2)
        nowhere.realize([2, 2])

    texts = [
        refusal(lambda f, g: g.vectorize(g.args()[0], 4)),
        refusal(lambda f, g: f.compute_at(g, g.args()[1])),
        refusal(lambda f, g: f.compute_root().memoize()),
        refusal(missing),
        refusal(lambda f, g: hl.Func("g").define_extern("a b", [], INT, 1)),
        refusal(lambda f, g: g.define_extern("again", [], INT, 1)),
        refusal(lambda f, g: hl.Func("g").define_extern("f", [], [], 1)),
        refusal(_undefined_argument),
        refusal(_value_as_number),
    ]
    assert "\n".join(texts) == golden


def test_what_a_func_was_declared_to_be_holds_for_extern_stages():
    with pytest.raises(hl.TypeMismatch, match="declared with 1 dimensions, and is given 2"):
        hl.Func(hl.Float(32), 1, "g").define_extern("f", [], hl.Float(32), [x, y])
    with pytest.raises(hl.TypeMismatch, match="declared with other types"):
        hl.Func([hl.UInt(8), hl.Float(64)], 2, "g").define_extern("f", [], [INT, hl.Float(32)], [x, y])
    g = hl.Func("g")
    with pytest.raises(hl.DefinitionError, match="`g` is a Func without a definition"):
        g.define_extern("f", [g], INT, [x, y])
    g.define_extern("one::two", [], INT, [x, y], hl.NameMangling.CPlusPlus)
    assert g.extern_function_name() == "one::two"
    with pytest.raises(hl.DefinitionError, match=r"'one::' is no name of a C\+\+ function"):
        hl.Func("g").define_extern("one::", [], INT, [x, y], hl.NameMangling.CPlusPlus)


def test_an_extern_stage_has_no_updates():
    f, g = hl.Func("f"), hl.Func("g")
    f[x, y] = x
    g = translated(f, 0, 0)
    with pytest.raises(hl.DefinitionError, match="is an extern stage, which has no other definitions"):
        g[x, y] += 1


def test_linked_kernels_leave_the_symbol_to_the_linker(tmp_path: Path):
    f, h = hl.Func("f"), hl.Func("h")
    f[x, y] = x + y
    h[x, y] = translated(f, 1, 2)[x, y]
    h.compile_to_c(str(tmp_path / "h.c"), [], "h")
    text = (tmp_path / "h.c").read_text()
    assert "extern int32_t halopy_test_translate(halide_buffer_t *, int32_t, int32_t, halide_buffer_t *);" in text


def shape_of(image: hl.ImageParam) -> list[tuple[int, int]]:
    found = image.get()
    return [(found.dim(d).min(), found.dim(d).extent()) for d in range(found.dimensions())]


def test_inputs_are_inferred_by_asking_the_functions():
    image = hl.ImageParam(INT, 2, "image")
    translated(image, 3, 7).infer_input_bounds([30, 20])
    assert shape_of(image) == [(3, 30), (7, 20)]

    image = hl.ImageParam(INT, 2, "image")
    first, second, g = translated(image, 3, 7, "first"), translated(image, 8, 17, "second"), hl.Func("g")
    g[x, y] = first[x, y] + second[x, y]
    first.compute_root()
    second.compute_at(g, y)
    g.tile(x, y, xi, yi, 2, 4)
    g.infer_input_bounds([30, 20])
    assert shape_of(image) == [(3, 35), (7, 30)]

    image = hl.ImageParam(INT, 2, "image")
    first, second, g = translated(image, 3, 7, "first"), hl.Func("second"), hl.Func("g")
    second[x, y] = image[x + 8, y + 17]
    g[x, y] = first[x, y]
    g[x, y] += second[x, y]
    first.compute_at(g, y)
    second.compute_at(g, x)
    g.reorder(y, x).vectorize(y, 4)
    g.update().unscheduled()
    g.infer_input_bounds([30, 20])
    assert shape_of(image) == [(3, 35), (7, 30)]


def test_outputs_are_inferred_by_asking_the_functions_too():
    image, h = hl.ImageParam(INT, 1, "image"), hl.Func("h")
    g = hl.Func("g")
    g.define_extern("halopy_test_in_steps", [image, 17], INT, [x])
    query = hl.Buffer.make_bounds_query(INT, [40])
    g.infer_input_bounds(query)
    assert query.dim(0).extent() == 51
    assert shape_of(image) == [(0, 51)]
    image.reset()
    h[x] = g[x + 1]
    h.infer_input_bounds([18])
    assert shape_of(image) == [(1, 34)]


def test_a_function_that_fails_when_it_is_asked_is_named():
    image = hl.ImageParam(INT, 1, "image")
    g, h = hl.Func("g"), hl.Func("h")
    g.define_extern("halopy_test_fail", [hl.Param(INT, "how", 1)], INT, [x])
    h[x] = g[x] + image[x]
    with pytest.raises(hl.HalideError, match=r"extern stage `g`: halopy_test_fail, asked .* returned 7"):
        h.infer_input_bounds([4])
    nowhere = hl.Func("nowhere")
    nowhere.define_extern("halopy_test_is_not_there", [image], INT, [x])
    with pytest.raises(hl.DefinitionError, match="halopy_test_is_not_there"):
        nowhere.infer_input_bounds([4])
