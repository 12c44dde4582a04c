"""Bring out a photograph's detail at every scale, without halos at its edges: a local Laplacian filter.

python -m apps.local_laplacian [PHOTO] --out detailed.png

After Paris, Hasinoff and Kautz, "Local Laplacian Filters" (2011), in the fast form of Aubry et al. (2014).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import halopy as hl
from apps import command, photo
from apps.algorithm import Algorithm, Value
from apps.photo import Picture
from schedules import local_laplacian as schedules

LEVELS = 8  # of each pyramid
INTENSITIES = 8  # brightnesses that the picture is remapped around
STEPS = 256  # of the curve from one of them to the next
DARK = 0.01  # added to what is divided by

x, y, c, k, i = hl.Var("x"), hl.Var("y"), hl.Var("c"), hl.Var("k"), hl.Var("i")


def local_laplacian() -> Algorithm:
    """RGB of 16 bits. `alpha` is what a small difference gains at most, `beta` the factor of large ones.

    The picture is remapped around each of some brightnesses, so that what is near that brightness gains. A pixel of a
    band of the result is interpolated between those bands of remapped pictures that are nearest to its own brightness.
    """
    rgb = hl.ImageParam(hl.UInt(16), 3, "rgb")
    alpha, beta = hl.Param(hl.Float(32), "alpha"), hl.Param(hl.Float(32), "beta")
    stages: dict[str, hl.Func] = {}
    curve, light, grey, step = (_stage(stages, name) for name in ("curve", "light", "grey", "step"))

    distance = hl.f32(i - STEPS * k) / STEPS
    curve[i, k] = alpha * distance * hl.exp(-distance * distance / 2.0)

    red, green, blue = (hl.f32(rgb[x, y, channel]) * hl.f32(1 / 65535) for channel in range(3))
    light[x, y] = hl.f32(0.299) * red + hl.f32(0.587) * green + hl.f32(0.114) * blue
    grey[x, y] = hl.BoundaryConditions.repeat_edge(
        light, [(dim.min(), dim.extent()) for dim in (rgb.dim(0), rgb.dim(1))]
    )[x, y]

    around = hl.f32(k) * hl.f32(1 / (INTENSITIES - 1))
    step[x, y] = hl.clamp(hl.i32(grey[x, y] * ((INTENSITIES - 1) * STEPS)), 0, (INTENSITIES - 1) * STEPS)
    remapped = [_stage(stages, "remapped_0")]
    remapped[0][x, y, k] = beta * (grey[x, y] - around) + around + curve[step[x, y], k]
    small = [grey]
    for level in range(1, LEVELS):
        remapped.append(_halved(stages, remapped[-1], f"remapped_{level}", k))
        small.append(_halved(stages, small[-1], f"small_{level}"))

    collapsed: hl.Func | None = None
    for level in reversed(range(LEVELS)):
        band = remapped[level]
        if level < LEVELS - 1:
            band = _stage(stages, f"band_{level}")
            band[x, y, k] = remapped[level][x, y, k] - _doubled(stages, remapped[level + 1], f"remapped_{level}", k)
        place = small[level][x, y] * float(INTENSITIES - 1)
        below = hl.clamp(hl.i32(place), 0, INTENSITIES - 2)
        share = place - hl.f32(below)
        chosen = (1.0 - share) * band[x, y, below] + share * band[x, y, below + 1]
        coarser = _doubled(stages, collapsed, f"collapsed_{level}") if collapsed else None
        collapsed = _stage(stages, f"collapsed_{level}")
        collapsed[x, y] = chosen if coarser is None else coarser + chosen

    assert collapsed, "there are levels"
    gain = (collapsed[x, y] + hl.f32(DARK)) / (grey[x, y] + hl.f32(DARK))
    output = hl.Func("output")
    output[x, y, c] = hl.u16(hl.clamp(rgb[x, y, c] * gain, 0.0, 65535.0))
    return Algorithm((rgb, alpha, beta), stages | {"output": output})


def _stage(stages: dict[str, hl.Func], name: str) -> hl.Func:
    return stages.setdefault(name, hl.Func(name))


def _halved(stages: dict[str, hl.Func], fine: hl.Func, name: str, *rest: hl.Var) -> hl.Func:
    """Half as high, then half as wide, with weights 1 3 3 1."""
    rows, coarse = _stage(stages, f"{name}_rows"), _stage(stages, name)
    rows[(x, y, *rest)] = _weighted(*(fine[(x, 2 * y + d, *rest)] for d in range(-1, 3)))
    coarse[(x, y, *rest)] = _weighted(*(rows[(2 * x + d, y, *rest)] for d in range(-1, 3)))
    return coarse


def _weighted(a: hl.Expr, b: hl.Expr, c: hl.Expr, d: hl.Expr) -> hl.Expr:
    return (a + 3.0 * (b + c) + d) / 8.0


def _doubled(stages: dict[str, hl.Func], coarse: hl.Func, name: str, *rest: hl.Var) -> hl.Expr:
    """Twice as wide, then twice as high, interpolated."""
    wide = _stage(stages, f"{name}_wide")
    near, far = coarse[((x + 1) // 2, y, *rest)], coarse[((x - 1) // 2, y, *rest)]
    wide[(x, y, *rest)] = hl.lerp(near, far, ((x % 2) * 2 + 1) / 4.0)
    near, far = wide[(x, (y + 1) // 2, *rest)], wide[(x, (y - 1) // 2, *rest)]
    return hl.lerp(near, far, ((y % 2) * 2 + 1) / 4.0)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command.parser(
        "local_laplacian", "Bring out a photograph's detail, without halos at its edges.", bytes_per_pixel=80
    )
    parser.add_argument("--detail", type=float, default=1.0, help="what small differences gain (%(default)s)")
    parser.add_argument("--contrast", type=float, default=1.0, help="the factor of large differences (%(default)s)")
    options = parser.parse_args(arguments)

    def prepare(picture: Picture) -> tuple[list[Value], Picture]:
        colours = photo.channels(photo.colours(picture), bits=16)
        return [colours, options.detail / (INTENSITIES - 1), options.contrast], np.zeros_like(colours)

    def finish(result: Picture) -> Picture:
        return photo.channels(result, bits=8)

    hand, plain = schedules.local_laplacian, schedules.local_laplacian_plain
    opencl = schedules.local_laplacian_opencl
    command.run(options, local_laplacian, hand, prepare, finish, opencl=opencl, plain=plain)


if __name__ == "__main__":
    main()
