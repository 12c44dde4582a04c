"""Run one algorithm in the Halide wheel and in halopy's reference evaluator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import halopy as hl
from halopy.ir.program import program_of
from halopy.lang.buffers.contents import BufferContents
from halopy.reference.evaluate import evaluate

Build = Callable[[Any], Any]


def by_reference(func: hl.Func, *sizes: int) -> list[np.ndarray[Any, Any]]:
    """All values of a Func over [0, size) in each dimension, x last; inputs are Buffers in the expression."""
    program = program_of([func._contents])
    buffers = {name: image.ref.constant for name, image in program.images.items()}
    images = {name: (b.array, b.mins) for name, b in buffers.items() if isinstance(b, BufferContents)}
    (values,) = evaluate(program, images, {}, {program.outputs[0]: [(0, size) for size in sizes]}).values()
    return values


def by_halide(func: Any, *sizes: int) -> list[np.ndarray[Any, Any]]:
    result = func.realize(list(sizes))
    return [np.array(buffer) for buffer in (result if isinstance(result, tuple | list) else [result])]


@pytest.fixture
def same_as_halide() -> Callable[..., None]:
    """Check that `build(module)` gives a Func with the same values in both, over [0, size) in each dimension."""
    halide = pytest.importorskip("halide")

    def check(build: Build, *sizes: int) -> None:
        ours, theirs = by_reference(build(hl), *sizes), by_halide(build(halide), *sizes)
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)

    return check
