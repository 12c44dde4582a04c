"""Raw pictures: what a sensor behind a Bayer filter gives, how it is developed, and how one is made of a photograph.

green red   green red   ...
blue  green blue  green ...         16 bits each, of which the sensor uses ten
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from apps.photo import Picture

LEFT, TOP = 16, 12  # sites around the picture, on each side, that only its neighbours need
LEVELS = 1024

# From colours of the sensor to those of a screen, at two temperatures of the light, with an offset; of the Nokia N900.
MATRIX_3200 = np.array(
    [[1.6697, -0.2693, -0.4004, -42.4346], [-0.3576, 1.0615, 1.5949, -37.1158], [-0.2175, -1.8751, 6.9640, -26.6970]],
    np.float32,
)
MATRIX_7000 = np.array(
    [[2.2997, -0.4478, 0.1706, -39.0923], [-0.3826, 1.5906, -0.2080, -25.4311], [-0.0888, -0.7344, 2.2832, -20.0826]],
    np.float32,
)


@dataclass(frozen=True)
class Development:
    """Colour temperature in kelvin; exponent; contrast in percent; strength of sharpening; what is black, and white."""

    temperature: float = 3700.0
    gamma: float = 2.0
    contrast: float = 50.0
    sharpening: float = 1.0
    black: int = 25
    white: int = 1023


def inputs(raw: Picture, development: Development) -> list[Picture | int | float]:
    """What the pipeline asks for, in its order."""
    settings = development
    numbers = [settings.temperature, settings.gamma, settings.contrast, settings.sharpening]
    return [raw, MATRIX_3200, MATRIX_7000, *numbers, settings.black, settings.white]


def developed_shape(raw: Picture) -> tuple[int, int]:
    height, width = raw.shape
    return height - 2 * TOP, width - 2 * LEFT


def colour_matrix(development: Development) -> Picture:
    """The matrix for this temperature as multiples of 1/256, [to, from and offset]."""
    one, kelvin = np.float32(1), np.float32(development.temperature)
    low, high = one / np.float32(3200), one / np.float32(7000)
    share = (one / kelvin - low) / (high - low)
    return ((MATRIX_3200 * share + MATRIX_7000 * (one - share)) * np.float32(256)).astype(np.int16)


def tone_curve(development: Development) -> Picture:
    """The brightness on a screen, of 8 bits, for each level of the sensor."""
    one = np.float32(1)
    levels = np.arange(LEVELS, dtype=np.int32)
    per_level = one / np.float32(development.white - development.black)
    bend = np.float32(2) - np.float32(2) ** np.float32(development.contrast / 100)
    curvature = np.float32(2) - np.float32(2) * bend
    light = np.clip((levels - development.black).astype(np.float32) * per_level, 0, 1) ** (
        one / np.float32(development.gamma)
    )
    dark = one - light
    toned = np.where(
        light > 0.5, one - (curvature * dark * dark + bend * dark), curvature * light * light + bend * light
    )
    bytes_ = np.clip(toned * np.float32(255) + np.float32(0.5), 0, 255).astype(np.uint8)
    return np.where(levels <= development.black, 0, np.where(levels > development.white, 255, bytes_)).astype(np.uint8)


def mosaic(picture: Picture, development: Development) -> Picture:
    """What the sensor would have seen where `picture` (of 8 bits) is what is developed, but for sharpening.

    Tones and colours are undone, one of three colours is kept at each site, and the edge is repeated around.
    """
    colours = np.broadcast_to(picture, (3, *picture.shape[1:]))
    darkest = np.searchsorted(tone_curve(development), np.arange(256)).clip(0, LEVELS - 1)
    matrix = colour_matrix(development).astype(np.float64) / 256
    corrected = darkest[colours] - matrix[:, 3, None, None]
    seen = np.tensordot(np.linalg.inv(matrix[:, :3]), corrected, 1)
    levels = np.pad(seen.round().clip(0, LEVELS - 1).astype(np.uint16), ((0, 0), (TOP, TOP), (LEFT, LEFT)), mode="edge")
    raw = levels[1].copy()
    raw[0::2, 1::2] = levels[0, 0::2, 1::2]
    raw[1::2, 0::2] = levels[2, 1::2, 0::2]
    return raw
