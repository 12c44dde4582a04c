"""The local Laplacian filter: 8 levels, 8 intensities, RGB of 16 bits."""

from __future__ import annotations

import numpy as np

from apps import photo
from apps.cases import LARGE, ODD, Array, Case, Size, Value

LEVELS, INTENSITIES, STEPS, DARK = 8, 8, 256, np.float32(0.01)  # the app's, which cannot be imported here
APPS = Size(1536, 2560)  # what Halide's own benchmark takes
APRON = 3  # so many pixels outside a level, all further ones are alike


DETAIL, CONTRAST = 1 / (INTENSITIES - 1), 1.0


def _photograph(size: Size) -> list[Value]:
    coffee = photo.channels(photo.load(photo.COFFEE), bits=16)
    times = max(-(-size.width // coffee.shape[2]), -(-size.height // coffee.shape[1]))
    return [np.ascontiguousarray(photo.tiled(coffee, times)[:, : size.height, : size.width]), DETAIL, CONTRAST]


def detailed(rgb: Array, detail: float, contrast: float) -> Array:
    """In the order of the app, so that it has the same bits but for exp; one remapped picture after the other."""
    height, width = rgb.shape[1:]
    grey = _grey(np.pad(rgb, ((0, 0), (APRON, APRON), (APRON, APRON)), mode="edge"))
    extents = [((height >> level) + 1 + 2 * APRON, (width >> level) + 1 + 2 * APRON) for level in range(LEVELS)]
    extents[0] = grey.shape
    small = _pyramid(grey, extents)
    chosen = [np.zeros_like(level) for level in small]
    places = [level * np.float32(INTENSITIES - 1) for level in small]
    below = [np.clip(place.astype(np.int32), 0, INTENSITIES - 2) for place in places]
    shares = [place - low.astype(np.float32) for place, low in zip(places, below, strict=True)]
    for k in range(INTENSITIES):
        remapped = _pyramid(_remapped(grey, k, detail, contrast), extents)
        for level, picture in enumerate(remapped):
            band = picture - _doubled(remapped[level + 1], picture.shape) if level < LEVELS - 1 else picture
            here, before = below[level] == k, below[level] == k - 1
            chosen[level][here] = ((np.float32(1) - shares[level]) * band)[here]
            chosen[level][before] += (shares[level] * band)[before]
    collapsed = chosen[-1]
    for level in reversed(chosen[:-1]):
        collapsed = _doubled(collapsed, level.shape) + level
    inside = (slice(APRON, -APRON), slice(APRON, -APRON))
    gain = (collapsed[inside] + DARK) / (grey[inside] + DARK)
    return np.clip(rgb.astype(np.float32) * gain, 0, 65535).astype(np.uint16)


def _grey(rgb: Array) -> Array:
    red, green, blue = rgb.astype(np.float32) * np.float32(1 / 65535)
    return np.float32(0.299) * red + np.float32(0.587) * green + np.float32(0.114) * blue


def _remapped(grey: Array, k: int, detail: float, contrast: float) -> Array:
    last = (INTENSITIES - 1) * STEPS
    distance = (np.arange(last + 1) - STEPS * k).astype(np.float32) / np.float32(STEPS)
    curve = np.float32(detail) * distance * np.exp(-distance * distance / np.float32(2))
    around = np.float32(k) * np.float32(1 / (INTENSITIES - 1))
    step = np.clip((grey * np.float32(last)).astype(np.int32), 0, last)
    return np.float32(contrast) * (grey - around) + around + curve[step]


def _pyramid(finest: Array, extents: list[tuple[int, ...]]) -> list[Array]:
    levels = [finest]
    for height, width in extents[1:]:
        rows = _weighted(*(levels[-1][_at(2, d, height, len(levels[-1]))] for d in range(-1, 3)))
        levels.append(_weighted(*(rows[:, _at(2, d, width, rows.shape[1])] for d in range(-1, 3))))
    return levels


def _weighted(a: Array, b: Array, c: Array, d: Array) -> Array:
    return (a + np.float32(3) * (b + c) + d) / np.float32(8)


def _at(scale: int, distance: int, count: int, limit: int) -> Array:
    """Where scale * place + distance is kept, for each place from -APRON on."""
    return np.clip(scale * (np.arange(count) - APRON) + distance + APRON, 0, limit - 1)


def _doubled(coarse: Array, shape: tuple[int, ...]) -> Array:
    height, width = shape
    return _between(_between(coarse.T, width).T, height)


def _between(coarse: Array, count: int) -> Array:
    """Twice as high: rows at a quarter and three quarters of the way."""
    places = np.arange(count) - APRON
    near, far = (np.clip((places + d) // 2 + APRON, 0, len(coarse) - 1) for d in (1, -1))
    weight = ((places % 2) * 2 + 1).astype(np.float32)[:, np.newaxis] / np.float32(4)
    return coarse[near] * (np.float32(1) - weight) + coarse[far] * weight


CASES = (
    Case(
        name="local_laplacian",
        title="local Laplacian filter, 8 levels, 8 intensities, 16-bit RGB",
        algorithm="apps.local_laplacian:local_laplacian",
        schedules={
            "hand": "schedules.local_laplacian:local_laplacian",
            "halide": "schedules.local_laplacian:local_laplacian_halide",
            "app": "schedules.local_laplacian:local_laplacian_app",
            "opencl": "schedules.local_laplacian:local_laplacian_opencl",
        },
        rivals={},
        inputs=_photograph,
        output=lambda size: np.ones((3, size.height, size.width), np.uint16),
        reference=detailed,
        operations=120,
        lane_bits=32,
        tolerance={"halopy": 1, "halide": 4},
        why="floats are rounded in the end; exp differs by its last bit, and Halide adds and multiplies in one step",
        sizes=(APPS, LARGE, ODD),
        fused=True,
    ),
)
