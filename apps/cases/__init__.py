"""What the benchmark measures, as data: a file per app, with cases that do not import the compiler they measure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Value = Array | int | float

APPS = (
    "blur",
    "unsharp",
    "harris",
    "camera_pipe",
    "jacobi",
    "sgemm",
    "conv_layer",
    "hist",
    "interpolate",
    "local_laplacian",
    "bilateral_grid",
)


@dataclass(frozen=True)
class Size:
    """Of the output, in pixels; `channels` counts where a case can have any number of them."""

    width: int
    height: int
    channels: int = 3

    def __str__(self) -> str:
        return f"{self.width}x{self.height}" + f"x{self.channels}" * (self.channels != 3)


LARGE, ODD, CACHED = Size(6400, 4800), Size(3001, 2003), Size(256, 256)
GROWING = (Size(1152, 864), Size(2304, 1728), Size(4608, 3456), Size(9216, 6912))  # 1, 4, 16 and 64 megapixels
MORE_CHANNELS = (Size(2304, 1728, 2), Size(2304, 1728, 4), Size(2304, 1728, 8))


@dataclass(frozen=True)
class Case:
    """One pipeline, measured at some sizes of its output.

    algorithm   "module:function" that builds an apps.algorithm.Algorithm
    schedules   name -> "module:function"; "hand" is halopy's, "halide" the strongest known for Halide
    rivals      other systems: name -> "module:function", which takes inputs and output and returns what to call
    inputs      makes the inputs for a size of the output, the same ones each time: arrays, and numbers for parameters
    output      makes the output array, touched
    reference   what NumPy says the output is
    tolerance   the largest difference allowed to a system (halopy, halide, opencv...), with `why` where it is not 0
    sizes       the first stands for the case in the summary
    growing     sizes to see how time grows with
    tiny_schedule  which of the schedules can do a picture of 16x16; "none" is plain loops
    engines     the compilers that can do the algorithm, with schedules and autoschedulers
    operations  arithmetic instructions per element of the output (of this size), each in `lane_bits` bits
    fused       whether they are floats multiplied and added at once, at best, rather than integers added
    """

    name: str
    title: str
    algorithm: str
    schedules: Mapping[str, str]
    rivals: Mapping[str, str]
    inputs: Callable[[Size], Sequence[Value]]
    output: Callable[[Size], Array]
    reference: Callable[..., Array]
    operations: int | Callable[[Size], int]
    lane_bits: int
    tolerance: Mapping[str, float]
    why: str = ""
    sizes: Sequence[Size] = (LARGE, ODD, CACHED)
    tiny_schedule: str = "hand"
    engines: Sequence[str] = ("halopy", "halide")
    growing: Sequence[Size] = GROWING
    fused: bool = False


def cases_of(app: str) -> Sequence[Case]:
    cases: Sequence[Case] = import_module(f"apps.cases.{app}").CASES
    return cases


def case_named(name: str) -> Case:
    return next(case for app in APPS for case in cases_of(app) if case.name == name)


def named(reference: str) -> Callable[..., Any]:
    """The function that "module:function" names."""
    module, function = reference.split(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found


def random_pixels(shape: tuple[int, ...], below: int, kind: type[np.unsignedinteger[Any]]) -> Array:
    return np.random.default_rng(0).integers(0, below, shape, dtype=kind)


def random_floats(shape: tuple[int, ...]) -> Array:
    """From 0 to 1."""
    return np.random.default_rng(0).random(shape, np.float32)
