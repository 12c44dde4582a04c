"""Equalise the histogram of a photograph: as bright as a pixel is then, as many pixels are not brighter.

python -m apps.hist [PHOTO] --out hist.png
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import halopy as hl
from apps import command, photo
from apps.algorithm import Algorithm
from apps.photo import Picture
from schedules import hist as schedules


def equalise() -> Algorithm:
    """RGB in channels of 8 bits. Brightness (Y of YCbCr) is equalised, the colour (Cb and Cr) stays."""
    rgb = hl.ImageParam(hl.UInt(8), 3, "rgb")
    x, y, c, v = (hl.Var(name) for name in "xycv")
    luma, level, cb, cr = (hl.Func(name) for name in ("luma", "level", "cb", "cr"))
    rows, counts, cumulative = (hl.Func(name) for name in ("rows", "counts", "cumulative"))
    equal, equalised = hl.Func("equal"), hl.Func("equalised")
    across, down = hl.RDom([(0, rgb.width())], "across"), hl.RDom([(0, rgb.height())], "down")
    above = hl.RDom([(1, 255)], "above")
    red, green, blue = (rgb[x, y, channel] for channel in range(3))

    luma[x, y] = hl.f32(0.299) * red + hl.f32(0.587) * green + hl.f32(0.114) * blue
    cb[x, y] = (blue - luma[x, y]) * hl.f32(0.564) + 128
    cr[x, y] = (red - luma[x, y]) * hl.f32(0.713) + 128
    level[x, y] = hl.u8(hl.clamp(luma[x, y], 0, 255))

    rows[v, y] = 0
    rows[hl.i32(level[across, y]), y] += 1
    counts[v] = 0
    counts[v] += rows[v, down]
    cumulative[v] = counts[0]
    cumulative[above.x] = cumulative[above.x - 1] + counts[above.x]

    equal[x, y] = hl.clamp(cumulative[level[x, y]] * (hl.f32(255) / (rgb.width() * rgb.height())), 0, 255)
    b, r = cb[x, y] - 128, cr[x, y] - 128
    pixel = (
        equal[x, y] + r * hl.f32(1.4),
        equal[x, y] - b * hl.f32(0.343) - r * hl.f32(0.711),
        equal[x, y] + b * hl.f32(1.765),
    )
    equalised[x, y, c] = hl.mux(c, [hl.u8(hl.clamp(channel, 0, 255)) for channel in pixel])
    stages = (luma, level, cb, cr, rows, counts, cumulative, equal, equalised)
    return Algorithm((rgb,), {stage.name(): stage for stage in stages})


def _prepare(picture: Picture) -> tuple[list[Picture], Picture]:
    rgb = photo.colours(photo.channels(picture, bits=8))
    return [rgb], np.zeros_like(rgb)


def main(arguments: Sequence[str] | None = None) -> None:
    options = command.parser("hist", "Equalise the histogram of a photograph.").parse_args(arguments)
    command.run(
        options, equalise, schedules.equalise, _prepare, opencl=schedules.equalise_opencl, plain=schedules.plain
    )


if __name__ == "__main__":
    main()
