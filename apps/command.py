"""The command line that apps share: which picture, which schedule, where to; then run, time and say so.

    def main(arguments=None):
        options = command.parser("unsharp", "Sharpen a photograph.").parse_args(arguments)
        command.run(options, unsharp, schedules.unsharp, prepare, finish, opencl=schedules.unsharp_opencl)

Whatever a user may get wrong ends with a message and a status that is not 0, before anything is written.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from numpy.typing import NDArray

import halopy as hl
from apps import photo
from apps.algorithm import Algorithm, Value
from apps.cases import cases_of
from apps.photo import Picture
from schedules.tuned import tuned

Array = NDArray[Any]
Prepare = Callable[[Picture], tuple[Sequence[Value], Array]]

ROUNDS, SECONDS = 15, 1.0
BENCH_PIXELS = 30_000_000
INTERRUPTED = 130  # what a shell says of a program that was stopped by Ctrl-C

_EPILOG = """\
schedules (they change how fast the picture is made, never the picture):
  hand   written for this app by a person, in schedules/{app}.py
  auto   found by halopy, which is told the size of the picture
  tuned  found by measuring many: schedules/tuned, by `halopy tune`
  none   the algorithm as it stands: plain loops, one thread

On --target opencl, which is a GPU or whatever HALOPY_OPENCL_DEVICE names, hand is another one, for such devices.

example:
  python -m apps.{app} photo.jpg -o {app}.png
"""
TARGETS = {"host": "host", "opencl": "host-opencl"}


def parser(app: str, purpose: str, *, bytes_per_pixel: int = 40) -> argparse.ArgumentParser:
    """`bytes_per_pixel` of memory are needed at most: pictures for which there is less are refused."""
    made = argparse.ArgumentParser(
        prog=f"python -m apps.{app}",
        description=purpose,
        epilog=_EPILOG.format(app=app),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.set_defaults(app=app, bytes_per_pixel=bytes_per_pixel)
    made.add_argument(
        "photo", nargs="?", type=Path, default=photo.COFFEE, help="a picture file; without one, a cup of coffee"
    )
    made.add_argument(
        "--out", "-o", type=Path, default=Path(f"{app}.png"), help="file to write; its suffix says how (%(default)s)"
    )
    made.add_argument(
        "--schedule", choices=("hand", "auto", "tuned", "none"), default="hand", help="see below (%(default)s)"
    )
    add_target(made)
    made.add_argument("--bench", action="store_true", help="also time it on the picture repeated to 30 megapixels")
    return made


def add_target(parser: argparse.ArgumentParser) -> None:
    """What runs the app, for programs that have a parser of their own too."""
    parser.add_argument(
        "--target", choices=tuple(TARGETS), default="host", help="this processor, or an OpenCL device (%(default)s)"
    )


@dataclass(frozen=True)
class Timed:
    first: float
    further: Sequence[float]  # fewer where a call takes long


def run(
    options: argparse.Namespace,
    build: Callable[[], Algorithm],
    hand: Callable[..., None],
    prepare: Prepare,
    finish: Callable[[Array], Picture] = lambda result: result,
    *,
    opencl: Callable[..., None],
    plain: Callable[..., None] | None = None,
    alpha: bool = False,
) -> None:
    """From the photograph's file to the picture's, as `options` (of `parser`) say.

    prepare   the pipeline's inputs for a picture, and an array for its output
    finish    the picture to write, of 8 or 16 bits, for a filled output
    opencl    the schedule written by hand for an OpenCL device
    plain     the schedule that stands for none, where the algorithm inlined into one loop would never end
    alpha     the picture is given with four channels
    """
    with _refusing(options.app):
        schedules = _schedules(options, build, hand, plain or _nothing, opencl)
        photo.check_writable(options.out)
        picture = _read(options, alpha)
        print(
            f"{options.app}: {photo.describe(picture)} from {options.photo.name}, {options.schedule} schedule"
            + f" for {options.target}" * (options.target != "host")
        )
        _run(options, build, schedules, picture, prepare, finish)


def fill(
    options: argparse.Namespace,
    build: Callable[[], Algorithm],
    hand: Callable[..., None],
    values: Sequence[Value],
    result: Array,
    *,
    opencl: Callable[..., None],
) -> Timed:
    """The part of `run` between reading and writing, for an app whose inputs and output are no pictures."""
    with _refusing(options.app):
        schedules = _schedules(options, build, hand, _nothing, opencl)
        return _compiled(options, build, schedules, values, result)[1]


def _schedules(
    options: argparse.Namespace,
    build: Callable[[], Algorithm],
    hand: Callable[..., None],
    none: Callable[..., None],
    opencl: Callable[..., None],
) -> dict[str, Callable[..., None]]:
    """Those for the target, by the names that --schedule has for them."""
    if options.target == "host":
        return {"hand": hand, "none": none, "tuned": tuned(_case_of(options.app, build))}
    if options.schedule != "hand":
        raise SystemExit(
            f"{options.app}: --target {options.target} has the schedule written by hand only,"
            f" not --schedule {options.schedule}"
        )
    return {"hand": opencl}


def _case_of(app: str, build: Callable[[], Algorithm]) -> str:
    """The name of an algorithm among the app's cases."""
    name = getattr(build, "func", build).__name__  # of what a partial() calls
    return next((c.name for c in cases_of(app) if c.algorithm == f"apps.{app}:{name}"), app)


@contextmanager
def _refusing(app: str) -> Iterator[None]:
    """Ends the program in words where something is wrong."""
    try:
        yield
    except hl.HalideError as error:  # such as no C compiler
        raise SystemExit(f"{app}: {error}") from None
    except MemoryError:
        raise SystemExit(f"{app}: there is not enough memory for this input") from None
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None


def _run(
    options: argparse.Namespace,
    build: Callable[[], Algorithm],
    schedules: dict[str, Callable[..., None]],
    picture: Picture,
    prepare: Prepare,
    finish: Callable[[Array], Picture],
) -> None:
    values, result = prepare(picture)
    pipeline, timed = _compiled(options, build, schedules, values, result)
    print(f"first call {timed.first:.3f} s (with compiling), {_speed(timed, picture)}")
    with _Progress(f"writing {options.out}"):
        photo.save(options.out, finish(result))
    print(f"wrote {options.out}")
    if options.bench:
        repeated = photo.tiled(picture, _times(picture, options.bytes_per_pixel))
        with _Progress(f"timing {photo.describe(repeated)}"):
            values, result = prepare(repeated)
            pipeline.algorithm.give(values)
            timed = _time(pipeline.realize, result)
        print(f"{photo.describe(repeated)}: {_speed(timed, repeated)}")


@dataclass(frozen=True)
class _Pipeline:
    algorithm: Algorithm
    realize: Callable[[hl.Buffer], object]


def _compiled(
    options: argparse.Namespace,
    build: Callable[[], Algorithm],
    schedules: dict[str, Callable[..., None]],
    values: Sequence[Value],
    result: Array,
) -> tuple[_Pipeline, Timed]:
    """Filled `result`; by an automatic schedule where the hand-written one is for larger pictures."""
    with _Progress("compiling and running"):
        if options.schedule in schedules:
            pipeline = _scheduled(build(), schedules[options.schedule], values, options.target)
            try:
                return pipeline, _time(pipeline.realize, result)
            except (hl.ScheduleError, hl.BufferError) as error:
                reason = str(error).splitlines()[0]
            print(f"this input is too small for that schedule, so an automatic one is used ({reason})")
        automatic = _automatic(build(), values, result)
        return automatic, _time(automatic.realize, result)


def _scheduled(algorithm: Algorithm, schedule: Callable[..., None], values: Sequence[Value], target: str) -> _Pipeline:
    schedule(**algorithm.stages)
    algorithm.give(values)
    compiled_for = hl.Target(TARGETS[target])
    return _Pipeline(algorithm, lambda result: algorithm.output.realize(result, compiled_for))


def _automatic(algorithm: Algorithm, values: Sequence[Value], result: Array) -> _Pipeline:
    algorithm.estimate(values, result)
    pipeline = hl.Pipeline(algorithm.output)
    pipeline.apply_autoscheduler(hl.get_host_target(), hl.AutoschedulerParams("halopy"))
    algorithm.give(values)
    return _Pipeline(algorithm, pipeline.realize)


def _nothing(**_stages: hl.Func) -> None:
    """No directive at all."""


def _time(realize: Callable[[hl.Buffer], object], result: Array) -> Timed:
    """A first call and then `ROUNDS` further ones, or as many as `SECONDS` allow."""
    target = hl.Buffer(result)
    start = perf_counter()
    realize(target)
    first = perf_counter() - start
    further: list[float] = []
    while not further or (len(further) < ROUNDS and sum(further) < SECONDS):
        start = perf_counter()
        realize(target)
        further.append(perf_counter() - start)
    return Timed(first, further)


def _speed(timed: Timed, picture: Picture) -> str:
    seconds, pixels = median(timed.further), picture.shape[-1] * picture.shape[-2]
    rate = pixels / seconds / 1e6
    digits = 0 if rate >= 10 else 2
    return f"then {seconds * 1e3:.3f} ms = {rate:.{digits}f} megapixels/s (median of {len(timed.further)} calls)"


def _read(options: argparse.Namespace, alpha: bool) -> Picture:
    most = min(photo.MOST_PIXELS, _free_bytes() // options.bytes_per_pixel)
    with _Progress(f"reading {options.photo}"):
        return photo.load(options.photo, most_pixels=most, alpha=alpha)


def _free_bytes() -> int:
    """Of memory, as far as the system says."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return sys.maxsize
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), sys.maxsize)


def _times(picture: Picture, bytes_per_pixel: int) -> int:
    most = min(BENCH_PIXELS, _free_bytes() // bytes_per_pixel)
    return max(1, int((most / (picture.shape[-1] * picture.shape[-2])) ** 0.5))


class _Progress:
    """What is being done, on the terminal while it is being done; nothing where there is none."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __enter__(self) -> None:
        if sys.stderr.isatty():
            print(f"{self._text} ...", end="", file=sys.stderr, flush=True)

    def __exit__(self, *_error: object) -> None:
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def at_least(picture: Picture, width: int, height: int, why: str) -> None:
    """Refuse a picture that has no result, such as one smaller than its border."""
    if picture.shape[-1] < width or picture.shape[-2] < height:
        raise SystemExit(
            f"a picture of at least {width}x{height} pixels is needed {why}; this one is {photo.describe(picture)}"
        )
