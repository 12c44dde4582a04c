"""One layer of a convolutional network: 3x3 filters over all channels, a bias, and nothing below zero.

python -m apps.conv_layer [PHOTO] --out maps.png
python -m apps.conv_layer images.npy --filters filters.npy --bias bias.npy --out layer.npy
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

import halopy as hl
from apps import arrays, command, photo
from apps.algorithm import Algorithm
from apps.arrays import Array
from apps.photo import Picture
from schedules import conv_layer as schedules

CHANNELS = 128
_SHOWN = 4  # by 4 of the maps
_EPILOG = """\
Of a photograph the layer has 128 maps, made by random filters, the same ones each time. The picture written shows the
first 16 of them, beside each other. Instead of a photograph there may be arrays of 32-bit floats:
  FILE.npy    images, of the shape (images, height + 2, width + 2, channels)
  --filters   of the shape (channels, 3, 3, maps), and --bias of the shape (maps); random ones if they are missing
Then the layer is written whole, of the shape (images, height, width, maps).

"""


def conv_layer(channels_in: int = CHANNELS, channels_out: int = CHANNELS) -> Algorithm:
    """Channels lie densest, then x, y and the number of the image; the layer is two pixels less wide and high."""
    images, filters = hl.ImageParam(hl.Float(32), 4, "images"), hl.ImageParam(hl.Float(32), 4, "filters")
    bias = hl.ImageParam(hl.Float(32), 1, "bias")
    c, x, y, n = (hl.Var(name) for name in "cxyn")
    r = hl.RDom([(0, channels_in), (0, 3), (0, 3)], "r")
    sums, layer = hl.Func("sums"), hl.Func("layer")

    sums[c, x, y, n] = bias[c]
    sums[c, x, y, n] += filters[c, r.y, r.z, r.x] * images[r.x, x + r.y, y + r.z, n]
    layer[c, x, y, n] = hl.max(sums[c, x, y, n], 0)

    images.dim(0).set_bounds(0, channels_in)
    filters.dim(0).set_bounds(0, channels_out).dim(1).set_bounds(0, 3).dim(2).set_bounds(0, 3)
    filters.dim(3).set_bounds(0, channels_in)
    bias.dim(0).set_bounds(0, channels_out)
    layer.output_buffer().dim(0).set_bounds(0, channels_out)
    return Algorithm((images, filters, bias), {"sums": sums, "layer": layer})


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    if options.photo.suffix == ".npy":
        _run_on_arrays(options)
        return
    if options.filters or options.bias:
        raise SystemExit("conv_layer: --filters and --bias are for images in a .npy file")
    build = partial(conv_layer, channels_in=3)
    command.run(options, build, schedules.conv_layer, _prepared, _first_maps, opencl=schedules.conv_layer_opencl)


def _parser() -> argparse.ArgumentParser:
    made = command.parser("conv_layer", "One layer of a convolutional network.", bytes_per_pixel=5 * CHANNELS)
    made.epilog = _EPILOG + (made.epilog or "")
    made.add_argument("--filters", type=Path, metavar="FILE.npy", help="filters for images in an array")
    made.add_argument("--bias", type=Path, metavar="FILE.npy", help="what is added to each map")
    return made


def _random_filters(channels_in: int, channels_out: int) -> Array:
    filters = np.random.default_rng(0).standard_normal((channels_in, 3, 3, channels_out), np.float32)
    return filters / np.float32((9 * channels_in) ** 0.5)


def _prepared(picture: Picture) -> tuple[list[Array], Array]:
    """The photograph with its edge repeated, so that maps have its size."""
    colours = np.moveaxis(photo.floats(photo.colours(picture)), 0, -1)
    framed = np.pad(colours, ((1, 1), (1, 1), (0, 0)), mode="edge")[None]
    layer = np.zeros((1, *colours.shape[:2], CHANNELS), np.float32)
    return [framed, _random_filters(3, CHANNELS), np.zeros(CHANNELS, np.float32)], layer


def _first_maps(layer: Array) -> Picture:
    rows = [np.moveaxis(layer[0, :, :, row * _SHOWN : (row + 1) * _SHOWN], 2, 0) for row in range(_SHOWN)]
    shown = np.concatenate([np.concatenate(list(maps), axis=1) for maps in rows])
    return photo.from_floats(shown / max(float(shown.max()), 1e-9))


def _run_on_arrays(options: argparse.Namespace) -> None:
    out = options.out if options.out != Path("conv_layer.png") else Path("conv_layer.npy")
    arrays.check_writable(out)
    images = arrays.load(options.photo, rank=4)
    filters = arrays.load(options.filters, rank=4) if options.filters else _random_filters(images.shape[3], CHANNELS)
    bias = arrays.load(options.bias, rank=1) if options.bias else np.zeros(filters.shape[3], np.float32)
    _check_shapes(images, filters, bias)
    count, height, width, channels = images.shape
    layer = np.zeros((count, height - 2, width - 2, len(bias)), np.float32)
    build, values = partial(conv_layer, channels, len(bias)), [images, filters, bias]
    timed = command.fill(options, build, schedules.conv_layer, values, layer, opencl=schedules.conv_layer_opencl)
    seconds = median(timed.further)
    print(
        f"conv_layer: {arrays.described(layer)}, {options.schedule} schedule: first call {timed.first:.3f} s"
        f" (with compiling), then {seconds * 1e3:.3f} ms = {18 * channels * layer.size / seconds / 1e9:.3g} GFLOP/s"
        f" (median of {len(timed.further)} calls)"
    )
    arrays.save(out, layer)
    print(f"wrote {out}")


def _check_shapes(images: Array, filters: Array, bias: Array) -> None:
    if min(images.shape[1:3]) < 3:
        raise SystemExit(f"conv_layer: images must have at least 3x3 pixels; these are {arrays.described(images)}")
    if filters.shape[:3] != (images.shape[3], 3, 3):
        raise SystemExit(
            f"conv_layer: filters for {images.shape[3]} channels must be {images.shape[3]}x3x3xMAPS;"
            f" these are {arrays.described(filters)}"
        )
    if bias.shape != filters.shape[3:]:
        raise SystemExit(f"conv_layer: {filters.shape[3]} maps need as many numbers in the bias, not {len(bias)}")


if __name__ == "__main__":
    main()
