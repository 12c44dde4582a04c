"""Develop a raw photograph: from what a sensor saw behind a Bayer filter to the colours of a screen.

python -m apps.camera_pipe [PHOTO] --out developed.png      a photograph, made raw first, or raw sites as a 16-bit grey
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

import halopy as hl
from apps import bayer, command, photo
from apps.algorithm import Algorithm, Value
from apps.bayer import Development
from apps.photo import Picture
from schedules import camera_pipe as schedules

x, y, c = hl.Var("x"), hl.Var("y"), hl.Var("c")


def camera_pipe() -> Algorithm:
    """As Halide's app of that name: hot sites, mosaic, colours, tones, sharpness. The result is [channel, y, x]."""
    raw = hl.ImageParam(hl.UInt(16), 2, "raw")
    matrices = hl.ImageParam(hl.Float(32), 2, "matrix_3200"), hl.ImageParam(hl.Float(32), 2, "matrix_7000")
    temperature, gamma, contrast, sharpening = (
        hl.Param(hl.Float(32), name) for name in ("temperature", "gamma", "contrast", "sharpening")
    )
    black, white = hl.Param(hl.Int(32), "black"), hl.Param(hl.Int(32), "white")

    denoised, deinterleaved = hl.Func("denoised"), hl.Func("deinterleaved")
    around = [raw[x + bayer.LEFT + dx, y + bayer.TOP + dy] for dx, dy in ((-2, 0), (2, 0), (0, -2), (0, 2))]
    denoised[x, y] = hl.clamp(raw[x + bayer.LEFT, y + bayer.TOP], 0, hl.max(*around))
    deinterleaved[x, y, c] = hl.mux(c, [denoised[2 * x + dx, 2 * y + dy] for dy in (0, 1) for dx in (0, 1)])

    g_r, g_b, demosaiced = _demosaic(deinterleaved)
    matrix, corrected = _correct_colours(demosaiced, *matrices, temperature)
    curve = _tone_curve(gamma, contrast, black, white)
    curved = hl.Func("curved")
    curved[x, y, c] = curve[hl.clamp(corrected[x, y, c], 0, bayer.LEVELS - 1)]
    strength, blurred, processed = _sharpen(curved, sharpening)
    tables = {"matrix": matrix, "curve": curve, "strength": strength}
    sites = {"denoised": denoised, "deinterleaved": deinterleaved, "g_r": g_r, "g_b": g_b, "demosaiced": demosaiced}
    colours = {"corrected": corrected, "curved": curved, "blurred": blurred, "processed": processed}
    inputs = (raw, *matrices, temperature, gamma, contrast, sharpening, black, white)
    return Algorithm(inputs, {**tables, **sites, **colours})


def _demosaic(known: hl.Func) -> tuple[hl.Func, hl.Func, hl.Func]:
    """Colours at all sites: known ones, and others from neighbours, in the direction in which they differ least.

    A name says which colour and at which sites: red, blue, green between reds (gr), green between blues (gb).
    Red and blue follow green: the error that green has, interpolated the same way, is added.
    """
    g_gr, r_r, b_b, g_gb = (_plane(name, known[x, y, k]) for k, name in enumerate(("g_gr", "r_r", "b_b", "g_gb")))
    across, down = _between(g_gr[x + 1, y], g_gr[x, y]), _between(g_gb[x, y - 1], g_gb[x, y])
    g_r = _plane("g_r", _least_different(across, down))
    across, down = _between(g_gb[x - 1, y], g_gb[x, y]), _between(g_gr[x, y + 1], g_gr[x, y])
    g_b = _plane("g_b", _least_different(across, down))

    def follow(green: hl.Expr, near: hl.Func, colour: hl.Func, one: Place, other: Place) -> hl.Expr:
        return green - _average(near[one], near[other]) + _average(colour[one], colour[other])

    here, left, right, above, below = (x, y), (x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)
    r_gr = follow(g_gr[here], g_r, r_r, left, here)
    b_gr = follow(g_gr[here], g_b, b_b, here, above)
    r_gb = follow(g_gb[here], g_r, r_r, here, below)
    b_gb = follow(g_gb[here], g_b, b_b, here, right)

    def diagonal(green: hl.Func, near: hl.Func, colour: hl.Func, corners: Sequence[tuple[Place, Place]]) -> hl.Expr:
        ways = [(follow(green[here], near, colour, *pair), hl.absd(*(colour[at] for at in pair))) for pair in corners]
        return _least_different(*ways)

    r_b = diagonal(g_b, g_r, r_r, [(here, (x - 1, y + 1)), (left, below)])
    b_r = diagonal(g_r, g_b, b_b, [(here, (x + 1, y - 1)), (right, above)])

    rows = {
        "r": (r_gr, r_r[here], r_b, r_gb),
        "g": (g_gr[here], g_r[here], g_b[here], g_gb[here]),
        "b": (b_gr, b_r, b_b[here], b_gb),
    }
    demosaiced = hl.Func("demosaiced")
    demosaiced[x, y, c] = hl.i16(hl.mux(c, [_interleaved(name, row) for name, row in rows.items()]))
    return g_r, g_b, demosaiced


Place = tuple[hl.Expr, hl.Expr]


def _plane(name: str, value: hl.Expr) -> hl.Func:
    plane = hl.Func(name)
    plane[x, y] = value
    return plane


def _interleaved(name: str, quarters: Sequence[hl.Expr]) -> hl.Expr:
    """One value per site: the first two quarters take turns in even rows, the others in odd rows."""
    planes = [_plane(f"{name}_{k}", quarter) for k, quarter in enumerate(quarters)]
    even = _plane(f"{name}_even", _in_turn(x, planes[0][x // 2, y], planes[1][x // 2, y]))
    odd = _plane(f"{name}_odd", _in_turn(x, planes[2][x // 2, y], planes[3][x // 2, y]))
    return _in_turn(y, even[x, y // 2], odd[x, y // 2])


def _in_turn(at: hl.Var, even: hl.FuncRef, odd: hl.FuncRef) -> hl.Expr:
    return hl.select(at % 2 == 0, hl.Expr(even), hl.Expr(odd))


def _average(one: hl.Expr, other: hl.Expr, bits: int = 16) -> hl.Expr:
    """Rounded up, without overflow."""
    return hl.cast(hl.UInt(bits), (hl.cast(hl.UInt(2 * bits), one) + other + 1) // 2)


def _blur(before: hl.Expr, here: hl.Expr, after: hl.Expr) -> hl.Expr:
    return _average(_average(before, after, 8), here, 8)


def _between(one: hl.Expr, other: hl.Expr) -> tuple[hl.Expr, hl.Expr]:
    return _average(one, other), hl.absd(one, other)


def _least_different(one: tuple[hl.Expr, hl.Expr], other: tuple[hl.Expr, hl.Expr]) -> hl.Expr:
    """Of two (value, difference) the value with the smaller difference; the second if they are equal."""
    return hl.select(one[1] < other[1], one[0], other[0])


def _correct_colours(
    colours: hl.Func, matrix_3200: hl.ImageParam, matrix_7000: hl.ImageParam, kelvin: hl.Param
) -> tuple[hl.Func, hl.Func]:
    """By a matrix in 1/256 for the temperature of the light, between two that were measured."""
    matrix, corrected = hl.Func("matrix"), hl.Func("corrected")
    share = (1.0 / kelvin - 1.0 / hl.f32(3200)) / (1.0 / hl.f32(7000) - 1.0 / hl.f32(3200))
    between = matrix_3200[x, y] * share + matrix_7000[x, y] * (1.0 - share)
    matrix[x, y] = hl.i16(between * 256.0)

    red, green, blue = (hl.i32(colours[x, y, k]) for k in range(3))
    products = [matrix[3, k] + matrix[0, k] * red + matrix[1, k] * green + matrix[2, k] * blue for k in range(3)]
    corrected[x, y, c] = hl.mux(c, [hl.i16(product // 256) for product in products])
    return matrix, corrected


def _tone_curve(gamma: hl.Param, contrast: hl.Param, black: hl.Param, white: hl.Param) -> hl.Func:
    """Levels of the sensor between black and white to bytes: gamma, then two parabolas for the contrast."""
    bend = 2.0 - hl.pow(2.0, contrast / 100.0)
    curvature = 2.0 - 2.0 * bend
    level = hl.clamp(hl.f32(x - black) * (1.0 / (white - black)), 0.0, 1.0)
    light = hl.pow(level, 1.0 / gamma)
    dark = 1.0 - light
    toned = hl.select(
        light > 0.5, 1.0 - (curvature * dark * dark + bend * dark), curvature * light * light + bend * light
    )
    byte = hl.u8(hl.clamp(toned * 255.0 + 0.5, 0.0, 255.0))
    curve = hl.Func("curve")
    curve[x] = hl.select(x <= black, 0, hl.select(x > white, 255, byte))
    return curve


def _sharpen(colours: hl.Func, sharpening: hl.Param) -> tuple[hl.Func, hl.Func, hl.Func]:
    """What differs from its surroundings differs more: by so many 32nds, at most 255 of them."""
    strength, blurred, processed = hl.Func("strength"), hl.Func("blurred"), hl.Func("processed")
    strength[()] = hl.u8_sat(sharpening * 32)
    blurred[x, y, c] = _blur(colours[x, y - 1, c], colours[x, y, c], colours[x, y + 1, c])
    smooth = _blur(blurred[x - 1, y, c], blurred[x, y, c], blurred[x + 1, y, c])
    difference = hl.i16(colours[x, y, c]) - hl.i16(smooth)
    processed[x, y, c] = hl.u8_sat(colours[x, y, c] + (difference * strength[()]) // 32)
    return strength, blurred, processed


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command.parser("camera_pipe", "Develop a raw photograph; a picture that is not raw is made so first.")
    for name, about in _OPTIONS.items():
        default = getattr(Development(), name)
        parser.add_argument(f"--{name}", type=float, default=default, help=f"{about} (%(default)s)")
    options = parser.parse_args(arguments)
    development = replace(Development(), **{name: getattr(options, name) for name in _OPTIONS})

    def prepare(picture: Picture) -> tuple[list[Value], Picture]:
        is_raw = picture.shape[0] == 1 and picture.dtype == np.uint16
        raw = picture[0] if is_raw else bayer.mosaic(photo.channels(picture, bits=8), Development())
        least = 2 * bayer.LEFT + 1, 2 * bayer.TOP + 1
        command.at_least(raw[np.newaxis], *least, "as sites at the edge are only read around")
        return bayer.inputs(raw, development), np.zeros((3, *bayer.developed_shape(raw)), np.uint8)

    command.run(options, camera_pipe, schedules.camera_pipe, prepare, opencl=schedules.camera_pipe_opencl)


_OPTIONS = {
    "temperature": "of the light, in kelvin",
    "gamma": "exponent that brightens shadows",
    "contrast": "in percent, from -100 to 100",
    "sharpening": "strength, from 0 to 4",
}

if __name__ == "__main__":
    main()
