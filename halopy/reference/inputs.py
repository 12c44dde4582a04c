"""The caller's images and scalars, checked, as grids and as values of variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from ..arithmetic.values import Array, as_values, from_storage
from ..errors import BufferError, ParamError
from ..ir.program import Image, Program, buffer_property
from .boxes import box_of_region
from .grid import Grid

ImageArgument: TypeAlias = tuple[Array, Sequence[int]]


def image_grids(program: Program, images: Mapping[str, ImageArgument]) -> dict[str, Grid]:
    """Each input image over its region. Raises BufferError for one that is missing or does not fit."""
    grids = {}
    for image in program.images.values():
        if image.name not in images:
            raise BufferError(f"input image `{image.name}` is missing")
        array, mins = images[image.name]
        _check_fits(image, array, mins)
        region = list(zip(mins, reversed(array.shape), strict=True))
        grids[image.name] = Grid(box_of_region(region), (from_storage(array, image.dtype),))
    return grids


def _check_fits(image: Image, array: Array, mins: Sequence[int]) -> None:
    if array.ndim != image.rank or len(mins) != image.rank:
        raise BufferError(f"input image `{image.name}` has {array.ndim} dimensions, expected {image.rank}")
    if array.dtype != image.dtype.to_numpy():
        raise BufferError(f"input image `{image.name}` has elements of {array.dtype}, expected {image.dtype}")


def input_variables(
    program: Program, images: Mapping[str, ImageArgument], scalars: Mapping[str, int | float]
) -> dict[str, Array]:
    """Values of scalar parameters and of the images' shape symbols. Raises ParamError for a missing scalar."""
    values: dict[str, Array] = {}
    for scalar in program.scalars.values():
        if scalar.name not in scalars:
            raise ParamError(f"scalar parameter `{scalar.name}` has no value")
        values[scalar.name] = as_values(np.array(scalars[scalar.name]), scalar.dtype)
    for image in program.images.values():
        array, mins = images[image.name]
        strides = [s // array.itemsize for s in reversed(array.strides)]
        for prop, sizes in (("min", mins), ("extent", array.shape[::-1]), ("stride", strides)):
            for dim, size in enumerate(sizes):
                values[buffer_property(image.name, prop, dim).name] = np.array(size, np.int32)
    return values
