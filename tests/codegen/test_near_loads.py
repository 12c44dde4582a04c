"""Lanes under clamped coordinates are dense loads and a permutation, with the values that each lane's own load has."""

import numpy as np
import pytest

import halopy as hl
from halopy.codegen.c.near_loads import growth
from halopy.ir.build import as_expr, broadcast
from halopy.ir.expr import Add, Expr, Max, Min, Mul, Ramp, Sub, Var

x, y = hl.Var("x"), hl.Var("y")
lane = Ramp(Var("x"), as_expr(1), 16)
edge = broadcast(Var("w"), 16)


@pytest.mark.parametrize(
    ("index", "steps"),
    [
        (edge, 0),
        (lane, 1),
        (Max(Min(lane, edge), broadcast(as_expr(0), 16)), 1),
        (Mul(Min(lane, edge), broadcast(as_expr(2), 16)), 2),
        (Add(Min(lane, edge), Max(lane, edge)), 2),
        (Sub(Min(lane, edge), edge), 1),
        (Sub(edge, lane), None),
        (Mul(lane, edge), None),
        (Mul(lane, broadcast(as_expr(-1), 16)), None),
        (Ramp(Var("x"), Var("s"), 16), None),
    ],
    ids=str,
)
def test_growth_is_known_where_no_lane_lies_before_the_one_before_it(index: Expr, steps: int | None) -> None:
    assert growth(index) == steps


@pytest.mark.parametrize(
    ("dtype", "lanes", "step"),
    [(np.uint8, 32, 1), (np.uint16, 32, 2), (np.float32, 16, 2), (np.float32, 8, 1), (np.float64, 8, 1)],
)
def test_clamped_lanes_have_the_values_of_their_places(dtype: type[np.generic], lanes: int, step: int) -> None:
    kind = hl.Buffer(np.zeros(1, dtype)).type()
    image, f = hl.ImageParam(kind, 2, "image"), hl.Func("f")
    edge = image.width() - 1
    f[x, y] = image[hl.clamp(x * step - 3, 0, edge), y] ^ 1 if kind.is_uint() else image[hl.clamp(x * step, 2, edge), y]
    f.vectorize(x, lanes, hl.TailStrategy.GuardWithIf)
    for width in (3, 7, 16, 33, 100):
        rows = np.random.default_rng(width).integers(0, 255, (3, width)).astype(dtype)
        image.set(rows)
        at = np.arange(width) * step
        expected = rows[:, np.clip(at - 3, 0, width - 1)] ^ 1 if kind.is_uint() else rows[:, np.clip(at, 2, width - 1)]
        assert np.array_equal(np.array(f.realize([width, 3])), expected)


def test_edges_of_clamped_rows_are_vectors(tmp_path):
    image, f = hl.ImageParam(hl.Float(32), 2, "image"), hl.Func("f")
    f[x, y] = image[hl.clamp(x - 1, 0, image.width() - 1), y] * 2
    f.vectorize(x, 16, hl.TailStrategy.RoundUp)
    f.compile_to_c(str(tmp_path / "f.c"), [image], "f")
    text = (tmp_path / "f.c").read_text()
    assert "load_near1_f32x16(image" in text
    assert "f_s0_x_v" not in text  # no loop over lanes
