"""Multiscale interpolation of RGBA in floats."""

from __future__ import annotations

import numpy as np

from apps.cases import CACHED, ODD, Array, Case, Size

LEVELS = 10  # the app's, which cannot be imported here


def _sparse(size: Size) -> list[Array]:
    """Random colours, of which one pixel in eight is known, and some in part."""
    random = np.random.default_rng(0)
    rgba = random.random((4, size.height, size.width), np.float32)
    rgba[3] = np.where(rgba[3] < 0.125, np.float32(1), np.where(rgba[3] > 0.9, rgba[3], np.float32(0)))
    return [rgba]


def interpolated(rgba: Array) -> Array:
    """In the order of the app; each level over the places that others read."""
    rows, columns = _needed(rgba.shape[1]), _needed(rgba.shape[2])
    levels = [_weighted(rgba, rows[0], columns[0])]
    for level in range(1, LEVELS):
        finer = levels[-1]
        at_y, at_x = (_finer(ends, level, size) for ends, size in ((rows, rgba.shape[1]), (columns, rgba.shape[2])))
        in_x = _halved(finer, at_x, axis=2)
        levels.append(_halved(in_x, at_y, axis=1))
    filled = levels[-1][:, -rows[-1][0] :, -columns[-1][0] :]
    for level in reversed(range(LEVELS - 1)):
        y, x = (np.arange(_filled(size, level) + 1) for size in rgba.shape[1:])
        in_x = (filled[:, :, x // 2] + filled[:, :, (x + 1) // 2]) / np.float32(2)
        up = (in_x[:, y // 2] + in_x[:, (y + 1) // 2]) / np.float32(2)
        top, left = -rows[level][0], -columns[level][0]
        own = levels[level][:, top : top + len(y), left : left + len(x)]
        filled = own + (1 - own[3]) * up
    with np.errstate(invalid="ignore"):  # where nothing is known
        return filled[:3] / filled[3]


def _filled(size: int, level: int) -> int:
    """The last place of a level that finer ones read on the way up, along a side of so many pixels."""
    last = size - 1
    for _ in range(level):
        last = (last + 1) // 2
    return last


def _needed(size: int) -> list[tuple[int, int]]:
    """The first and the last place of each level that is read."""
    needed = [(0, _filled(size, LEVELS - 1))]
    for level in reversed(range(LEVELS - 1)):
        first, last = 2 * needed[0][0] - 1, 2 * needed[0][1] + 1
        if level == 3:  # where edges are repeated
            first, last = 0, size // 8
        needed.insert(0, (min(first, 0), max(last, _filled(size, level))))
    return needed


def _finer(needed: list[tuple[int, int]], level: int, size: int) -> Array:
    """For each place of a level, where on the finer one its middle is; one more on both sides."""
    first, last = needed[level]
    places = np.arange(2 * first - 1, 2 * last + 2)
    if level == 4:
        places = np.clip(places, 0, size // 8)
    return places - needed[level - 1][0]


def _halved(finer: Array, places: Array, axis: int) -> Array:
    before, middle, after = (finer.take(places[k : len(places) - 2 + k : 2], axis) for k in range(3))
    return (before + np.float32(2) * middle + after) * np.float32(0.25)


def _weighted(rgba: Array, rows: tuple[int, int], columns: tuple[int, int]) -> Array:
    y, x = (
        np.clip(np.arange(first, last + 1), 0, size - 1)
        for (first, last), size in zip((rows, columns), rgba.shape[1:], strict=True)
    )
    edged = rgba[:, y][:, :, x]
    return np.concatenate([edged[:3] * edged[3], edged[3:]])


CASES = (
    Case(
        name="interpolate",
        title=f"Multiscale interpolation, RGBA in 32-bit floats, {LEVELS} levels",
        algorithm="apps.interpolate:interpolate",
        schedules={
            "hand": "schedules.interpolate:interpolate",
            "halide": "schedules.interpolate:interpolate_halide",
            "app": "schedules.interpolate:interpolate_app",
            "opencl": "schedules.interpolate:interpolate_opencl",
        },
        rivals={"numpy": "apps.rivals.numpy_interpolate:prepare"},
        inputs=_sparse,
        output=lambda size: np.ones((3, size.height, size.width), np.float32),
        reference=interpolated,
        operations=14,  # a third of a pixel: four channels weighted twice, halved, doubled and mixed; quotients
        lane_bits=32,
        tolerance={"halopy": 1e-5, "halide": 1e-5},
        why="both round products together with sums",
        sizes=(Size(3072, 2048), ODD, Size(1536, 2560), CACHED),
        growing=(Size(1152, 864), Size(2304, 1728), Size(4608, 3456)),
        fused=True,
    ),
)
