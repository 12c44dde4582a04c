"""The bilateral grid: cells of 8x8 pixels and a tenth of the brightness, grey in floats."""

from __future__ import annotations

import numpy as np

from apps import photo
from apps.cases import LARGE, ODD, Array, Case, Size

CELL, DEPTH = 8, 10  # the app's, which cannot be imported here
LAYERS = DEPTH + 2 + 4  # of the grid, two of them before the first and three after the last
HALIDES_OWN = Size(1536, 2560)  # what its benchmark takes


def _photograph(size: Size) -> list[Array]:
    grey = photo.brightness(photo.load(photo.COFFEE), bits=16).astype(np.float32) / np.float32(65535)
    times = max(-(-size.width // grey.shape[1]), -(-size.height // grey.shape[0]))
    return [np.ascontiguousarray(np.tile(grey, (times, times))[: size.height, : size.width])]


def smoothed(grey: Array) -> Array:
    """Sums in the order of the app."""
    height, width = grey.shape
    cells = (height // CELL + 6, width // CELL + 6)  # from cell -2 on
    before = 2 * CELL + CELL // 2
    after = [(before, n * CELL - before - extent) for n, extent in zip(cells, grey.shape, strict=True)]
    edged = np.clip(np.pad(grey, after, mode="edge"), 0, 1)
    grid = np.zeros((*cells, LAYERS, 2), np.float32)
    rows, columns = np.indices(cells)
    for down in range(CELL):
        for across in range(CELL):
            value = edged[down::CELL, across::CELL]
            layer = (value * np.float32(DEPTH) + np.float32(0.5)).astype(np.int32) + 2
            grid[rows, columns, layer, 0] += value
            grid[rows, columns, layer, 1] += 1
    for axis in (2, 1, 0):
        grid = _blurred(grid, axis)
    y, x = np.indices(grey.shape)
    place = np.clip(grey, 0, 1) * np.float32(DEPTH)
    z = place.astype(np.int32)
    weights = [((p % CELL).astype(np.float32) / np.float32(CELL))[..., np.newaxis] for p in (x, y)]
    weights.append((place - z.astype(np.float32))[..., np.newaxis])

    def sample(corner: tuple[int, ...], dimension: int) -> Array:
        if dimension < 0:
            found: Array = grid[y // CELL + corner[1], x // CELL + corner[0], z + corner[2]]
            return found
        near, far = (sample((*corner[:dimension], n, *corner[dimension + 1 :]), dimension - 1) for n in (0, 1))
        return near * (1 - weights[dimension]) + far * weights[dimension]

    total, count = np.moveaxis(sample((0, 0, 0), 2), -1, 0)
    return total / count


def _blurred(grid: Array, axis: int) -> Array:
    """Two cells fewer at each end."""
    count = grid.shape[axis] - 4
    parts = [np.take(grid, range(n, n + count), axis) for n in range(5)]
    return parts[0] + parts[1] * 4 + parts[2] * 6 + parts[3] * 4 + parts[4]


CASES = (
    Case(
        name="bilateral_grid",
        title="bilateral grid, 32-bit grey",
        algorithm="apps.bilateral_grid:bilateral_grid",
        schedules={
            "hand": "schedules.bilateral_grid:bilateral_grid",
            "halide": "schedules.bilateral_grid:bilateral_grid_halide",
            "app": "schedules.bilateral_grid:bilateral_grid_app",
            "opencl": "schedules.bilateral_grid:bilateral_grid_opencl",
        },
        rivals={},
        inputs=_photograph,
        output=lambda size: np.ones((size.height, size.width), np.float32),
        reference=smoothed,
        operations=40,
        lane_bits=32,
        tolerance={"halopy": 2e-6, "halide": 2e-6},
        why="sums of floats are rounded differently where they are multiplied and added in one step",
        sizes=(HALIDES_OWN, LARGE, ODD),
        fused=True,
    ),
)
