"""The command line that apps share: which picture, which schedule, where to; then run, time and say so."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

import halopy as hl
from apps import photo
from apps.algorithm import Algorithm
from apps.photo import Picture

ROUNDS = 15
BENCH_PIXELS = 30_000_000


def parser(app: str, purpose: str) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog=f"python -m apps.{app}", description=purpose)
    made.add_argument("photo", nargs="?", type=Path, default=photo.COFFEE, help="the picture (%(default)s)")
    made.add_argument("--out", "-o", type=Path, default=Path(f"{app}.png"), help="where to write (%(default)s)")
    made.add_argument("--schedule", choices=("hand", "none"), default="hand", help="hand-written, or plain loops")
    made.add_argument("--bench", action="store_true", help="repeat the picture to 30 megapixels before timing")
    return made


def read_picture(options: argparse.Namespace) -> Picture:
    picture = photo.load(options.photo)
    if not options.bench:
        return picture
    across = max(1, round((BENCH_PIXELS / (picture.shape[-1] * picture.shape[-2])) ** 0.5))
    return photo.tiled(picture, across)


def run(
    algorithm: Algorithm, schedule: Callable[..., None], inputs: Sequence[Picture], result: Picture, scheduled: bool
) -> str:
    """Fill `result`; the answer says how fast that was, first (with compiling) and then."""
    try:
        if scheduled:
            schedule(**algorithm.stages)
        for image, array in zip(algorithm.inputs, inputs, strict=True):
            image.set(hl.Buffer(array))
        target = hl.Buffer(result)
        first, *seconds = [_timed(algorithm.output, target) for _ in range(1 + ROUNDS)]
    except hl.HalideError as error:  # such as a picture too small for the schedule, or no C compiler
        raise SystemExit(str(error)) from None
    pixels = result.shape[-1] * result.shape[-2]
    return (
        f"first call {first:.3f} s (with compiling), then {median(seconds) * 1e3:.3f} ms"
        f" = {pixels / median(seconds) / 1e6:.0f} megapixels/s (median of {ROUNDS})"
    )


def _timed(output: hl.Func, target: hl.Buffer) -> float:
    start = perf_counter()
    output.realize(target)
    return perf_counter() - start
