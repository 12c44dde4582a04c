"""Raw sites of 10 bits to RGB of 8 bits."""

from __future__ import annotations

import numpy as np

from apps import bayer, photo
from apps.bayer import LEFT, TOP, Development
from apps.cases import CACHED, LARGE, ODD, Array, Case, Size, Value


def _inputs(size: Size) -> list[Value]:
    """The coffee, repeated to fill the sensor."""
    tile = bayer.mosaic(photo.load(photo.COFFEE), Development())[TOP:-TOP, LEFT:-LEFT]
    height, width = size.height + 2 * TOP, size.width + 2 * LEFT
    rows, columns = -(-height // tile.shape[0]), -(-width // tile.shape[1])
    raw = np.ascontiguousarray(np.tile(tile, (rows, columns))[:height, :width])
    return bayer.inputs(raw, Development())


def developed(raw: Array, _matrix_3200: Array, _matrix_7000: Array, *settings: float) -> Array:
    """Step by step over whole planes. What wraps around at their edges stays outside of the result."""
    development = Development(*settings[:4], *map(int, settings[4:]))
    height, width = bayer.developed_shape(raw)
    colours = _demosaiced(_denoised(np.pad(raw, [(0, extent % 2) for extent in raw.shape])))
    corrected = _corrected(colours, bayer.colour_matrix(development).astype(np.int32))
    curved = bayer.tone_curve(development)[corrected.clip(0, bayer.LEVELS - 1)]
    strength = np.int16(np.clip(np.float32(development.sharpening) * np.float32(32), 0, 255))
    return _sharpened(curved, strength)[:, TOP : TOP + height, LEFT : LEFT + width]


def _denoised(raw: Array) -> Array:
    around = [np.roll(raw, step, axis) for axis in (0, 1) for step in (-2, 2)]
    return np.minimum(raw, np.maximum.reduce(around))


def _average(one: Array, other: Array) -> Array:
    return ((one.astype(np.uint32) + other + 1) >> 1).astype(one.dtype)


def _difference(one: Array, other: Array) -> Array:
    return np.abs(one.astype(np.int32) - other)


def _at(plane: Array, dx: int, dy: int) -> Array:
    """What lies at (x + dx, y + dy), for each (x, y)."""
    return np.roll(plane, (-dy, -dx), (0, 1))


def _either(pairs: list[tuple[Array, Array]], values: list[Array]) -> Array:
    """The first value where the first pair differs less than the second."""
    return np.where(_difference(*pairs[0]) < _difference(*pairs[1]), *values)


def _demosaiced(sites: Array) -> Array:
    gr, red, blue, gb = (sites[dy::2, dx::2] for dy in (0, 1) for dx in (0, 1))
    pairs = [(_at(gr, 1, 0), gr), (_at(gb, 0, -1), gb)]
    green_r = _either(pairs, [_average(*pair) for pair in pairs])
    pairs = [(_at(gb, -1, 0), gb), (_at(gr, 0, 1), gr)]
    green_b = _either(pairs, [_average(*pair) for pair in pairs])

    result = np.empty((3, *sites.shape), np.uint16)
    for k, plane in enumerate((gr, green_r, green_b, gb)):
        result[1, k // 2 :: 2, k % 2 :: 2] = plane
    step_r, step_b = (-1, 0), (0, -1)
    result[0, 0::2, 0::2] = _follow(gr, green_r, red, step_r, (0, 0))
    result[0, 0::2, 1::2] = red
    result[0, 1::2, 0::2] = _diagonal(green_b, green_r, red, -1)
    result[0, 1::2, 1::2] = _follow(gb, green_r, red, (0, 1), (0, 0))
    result[2, 0::2, 0::2] = _follow(gr, green_b, blue, step_b, (0, 0))
    result[2, 0::2, 1::2] = _diagonal(green_r, green_b, blue, 1)
    result[2, 1::2, 0::2] = blue
    result[2, 1::2, 1::2] = _follow(gb, green_b, blue, (1, 0), (0, 0))
    return result.view(np.int16)


def _follow(green: Array, near: Array, colour: Array, one: tuple[int, int], other: tuple[int, int]) -> Array:
    return green - _average(_at(near, *one), _at(near, *other)) + _average(_at(colour, *one), _at(colour, *other))


def _diagonal(green: Array, near: Array, colour: Array, step: int) -> Array:
    ways = [((0, 0), (step, -step)), ((step, 0), (0, -step))]
    pairs = [(_at(colour, *one), _at(colour, *other)) for one, other in ways]
    return _either(pairs, [_follow(green, near, colour, *way) for way in ways])


def _corrected(colours: Array, matrix: Array) -> Array:
    wide = colours.astype(np.int32)
    rows = [row[3] + row[0] * wide[0] + row[1] * wide[1] + row[2] * wide[2] for row in matrix]
    return np.stack([(row >> 8).astype(np.int16) for row in rows])


def _sharpened(colours: Array, strength: np.int16) -> Array:
    down = _average(_average(np.roll(colours, 1, 1), np.roll(colours, -1, 1)), colours)
    smooth = _average(_average(np.roll(down, 1, 2), np.roll(down, -1, 2)), down)
    difference = colours.astype(np.int16) - smooth
    return (colours + ((difference * strength) >> 5)).clip(0, 255).astype(np.uint8)


CASES = (
    Case(
        name="camera_pipe",
        title="raw to RGB: demosaic, colours, tones, sharpness",
        algorithm="apps.camera_pipe:camera_pipe",
        schedules={
            "hand": "schedules.camera_pipe:camera_pipe",
            "halide": "schedules.camera_pipe:camera_pipe_halide",
            "app": "schedules.camera_pipe:camera_pipe_app",
            "opencl": "schedules.camera_pipe:camera_pipe_opencl",
            "tiny": "schedules.camera_pipe:camera_pipe_tiny",
        },
        rivals={"numpy": "apps.rivals.numpy_camera_pipe:prepare"},
        inputs=_inputs,
        output=lambda size: np.ones((3, size.height, size.width), np.uint8),
        reference=developed,
        operations=30,
        lane_bits=16,
        tolerance={},
        sizes=(Size(2560, 1920), LARGE, ODD, CACHED),
        tiny_schedule="tiny",
    ),
)
