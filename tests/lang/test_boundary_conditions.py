"""What is read outside bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import halopy as hl

Check = Callable[..., None]
NAMES = ["repeat_edge", "repeat_image", "mirror_image", "mirror_interior"]


def picture(m: Any) -> Any:
    f, x, y = m.Func("picture"), m.Var("x"), m.Var("y")
    f[x, y] = x + 100 * y
    return f


def shifted(m: Any, f: Any) -> Any:
    """The Func read from well outside on all sides."""
    g, x, y = m.Func("g"), m.Var("x"), m.Var("y")
    g[x, y] = f[x - 12, y - 9]
    return g


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bounds", [[(0, 5), (0, 4)], [(2, 5), (-1, 3)], [(1, 2)]])
def test_a_func_is_folded_into_its_bounds(name: str, bounds: list[tuple[int, int]], same_as_halide: Check) -> None:
    same_as_halide(lambda m: shifted(m, getattr(m.BoundaryConditions, name)(picture(m), bounds)), 30, 24)


@pytest.mark.parametrize("bounds", [[(0, 5), (0, 4)], [(2, 5), (-1, 3)], [(1, 2)]])
def test_a_func_is_constant_outside(bounds: list[tuple[int, int]], same_as_halide: Check) -> None:
    same_as_halide(lambda m: shifted(m, m.BoundaryConditions.constant_exterior(picture(m), -7, bounds)), 30, 24)


def test_dimensions_with_undefined_bounds_are_left_alone(same_as_halide: Check) -> None:
    def build(m: Any) -> Any:
        return shifted(m, m.BoundaryConditions.repeat_edge(picture(m), [(m.Expr(), m.Expr()), (0, 4)]))

    same_as_halide(build, 30, 24)


@pytest.mark.parametrize("name", NAMES)
def test_a_buffer_has_its_own_bounds(name: str, same_as_halide: Check) -> None:
    array = np.arange(20, dtype=np.uint8).reshape(4, 5)
    same_as_halide(lambda m: shifted(m, getattr(m.BoundaryConditions, name)(m.Buffer(array))), 30, 24)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(4, 5), (1, 3)])
def test_an_input_of_unknown_size_is_folded_into_the_size_it_has(name: str, shape: tuple[int, int]) -> None:
    buffer = hl.Buffer(np.arange(shape[0] * shape[1], dtype=np.uint8).reshape(shape))
    image = hl.ImageParam(hl.UInt(8), 2)
    image.set(buffer)
    folded, expected = (getattr(hl.BoundaryConditions, name)(source) for source in (image, buffer))
    found, wanted = (np.asarray(shifted(hl, f).realize([30, 24])) for f in (folded, expected))
    np.testing.assert_array_equal(found, wanted)


def test_the_inside_is_marked_likely() -> None:
    x = hl.Var("x")
    f, g = hl.Func("f"), hl.Func("g")
    f[x] = x
    g[x] = hl.BoundaryConditions.repeat_edge(f, [(0, 10)])[x]
    edge = hl.BoundaryConditions.repeat_edge(f, [(0, 10)]).value()
    assert str(edge.node) == "f(max(min(likely(x), ((0 + 10) - 1)), 0))"
    constant = hl.BoundaryConditions.constant_exterior(f, 3, [(0, 10)]).value()
    assert str(constant.node) == "select((((bool)0 || (x < 0)) || (x >= (0 + 10))), 3, likely(repeat_edge(x)))"


def test_a_tuple_valued_func_takes_a_tuple_of_constants() -> None:
    x = hl.Var("x")
    f = hl.Func("f")
    f[x] = (x, hl.u8(x))
    bounded = hl.BoundaryConditions.constant_exterior(f, (1, hl.u8(2)), [(0, 10)])
    assert [str(t) for t in bounded.types()] == ["int32", "uint8"]


def test_a_func_without_bounds_is_refused() -> None:
    f = picture(hl)
    with pytest.raises(hl.HalideError, match="repeat_edge of Func `picture` needs bounds"):
        hl.BoundaryConditions.repeat_edge(f)


def test_more_bounds_than_dimensions_are_refused() -> None:
    with pytest.raises(hl.HalideError, match="3 bounds for 2 dimensions of `picture`"):
        hl.BoundaryConditions.mirror_image(picture(hl), [(0, 3)] * 3)


def test_half_a_bound_is_refused() -> None:
    with pytest.raises(hl.HalideError, match="bound 0 has only one of min and extent"):
        hl.BoundaryConditions.mirror_image(picture(hl), [(0, hl.Expr())])
