"""Runs over a region that is larger than the one asked for, where schedules or scatters write past its ends.

    f.vectorize(x, 8, RoundUp), realize([30])     ->     32 places are computed, and 30 of them given

What is promised about the shapes of outputs holds for what is computed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..dtypes import DType
from ..errors import HalideError
from .bounds_query import scalars_now
from .buffers.contents import BufferContents, ShapeOnly
from .compiled import CompiledPipeline, bound_contents, output_places

_MOST_ELEMENTS = 1 << 28  # of one output that is made larger


def run_larger(
    pipeline: CompiledPipeline, sizes: tuple[int, ...], outputs: Sequence[tuple[DType, str]]
) -> list[BufferContents] | None:
    """New outputs over these sizes, each a part of what was computed; None where no larger region would help."""
    shapes = [ShapeOnly(dtype, sizes, name) for dtype, name in outputs]
    program = pipeline.snapshot.program
    buffers = {name: bound_contents(image.ref) for name, image in program.images.items()}
    if any(type(contents) is ShapeOnly for contents in buffers.values()):
        return None
    try:
        pipeline.kernel()  # in case that not the run was refused, but the pipeline
        pipeline.find_shapes(
            buffers | {name: shapes[at] for name, at in output_places(program).items()}, scalars_now(program)
        )
    except HalideError:  # what the caller was refused for stands
        return None
    if not all(_covers(shape, sizes) and math.prod(shape.array.shape) <= _MOST_ELEMENTS for shape in shapes):
        return None
    made = [shape.allocated() for shape in shapes]
    pipeline.run(made)
    return [_part(contents, sizes) for contents in made]


def _covers(shape: ShapeOnly, sizes: tuple[int, ...]) -> bool:
    ranges = zip(shape.mins, shape.array.shape[::-1], sizes, strict=True)
    return all(low <= 0 and low + extent >= size for low, extent, size in ranges)


def _part(contents: BufferContents, sizes: tuple[int, ...]) -> BufferContents:
    """The places from 0 on, in the same memory."""
    places = tuple(slice(-low, size - low) for low, size in zip(contents.mins, sizes, strict=True))
    return BufferContents(contents.elements()[places[::-1]], contents.dtype, None, contents.name)
