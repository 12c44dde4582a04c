"""`Pipeline.check`: a schedule tried beside the oracle, at small sizes, on random inputs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import DType
from .buffers.buffer import Buffer
from .image_ref import ImageParamRef

if TYPE_CHECKING:
    from .pipeline_run import PipelineRun

_LENGTHS = (1, 5, 8, 19)
_SMALLEST = 2  # lengths of the sizes that are tried beyond two dimensions


@dataclass(frozen=True)
class Mismatch:
    """The first cell of an output that a schedule computes wrongly, and how many there are of them."""

    func: str
    element: int
    sizes: tuple[int, ...]
    cell: tuple[int, ...]
    found: Any
    wanted: Any
    count: int

    def __str__(self) -> str:
        element = f"[{self.element}]" if self.element else ""
        cell = ", ".join(map(str, self.cell))
        more = f" (and {self.count - 1} more are wrong)" if self.count > 1 else ""
        return (
            f"{self.func}({cell}){element} is {self.found}, should be {self.wanted}, at sizes {list(self.sizes)}{more}"
        )


def check(
    pipeline: PipelineRun, sizes: Sequence[Sequence[int]] | None, seed: int, tolerance: float
) -> tuple[Mismatch, ...]:
    """What is wrong at the first of the sizes at which anything is; nothing if all agree."""
    for wanted in _small_sizes(pipeline._outputs[0].defined_function.rank) if sizes is None else sizes:
        found = tuple(_mismatches(pipeline, tuple(wanted), np.random.default_rng(seed), tolerance))
        if found:
            return found
    return ()


def _small_sizes(rank: int) -> Iterator[tuple[int, ...]]:
    """All pairs of lengths in the first two dimensions."""
    for first in itertools.product(_LENGTHS, repeat=min(rank, 2)):
        yield (*first, *(_SMALLEST,) * (rank - 2))


def _mismatches(
    pipeline: PipelineRun, sizes: tuple[int, ...], rng: np.random.Generator, tolerance: float
) -> Iterator[Mismatch]:
    outputs = [Buffer._of(made) for made in pipeline._allocated(sizes)]
    images = [image.ref for image in pipeline.snapshot().program.images.values()]
    unbound = [ref for ref in images if isinstance(ref, ImageParamRef) and ref.buffer is None]
    try:
        pipeline.infer_input_bounds(outputs)
        for ref in unbound:
            array = np.asarray(ref.buffer)
            array[...] = _random(ref.dtype, array.shape, rng)
        pipeline.realize(outputs)
        reference = pipeline.reference(outputs)
    finally:
        for ref in unbound:
            ref.buffer = None
    wanted = reference if isinstance(reference, tuple) else (reference,)
    names = [(func.name, k) for func in pipeline._outputs for k in range(len(func.defined_function.dtypes))]
    for (name, element), got, want in zip(names, outputs, wanted, strict=True):
        places, found, right = _unlike(np.asarray(got), np.asarray(want), tolerance)
        if len(places):
            cell = tuple(int(i) for i in places[0][::-1])
            yield Mismatch(name, element, sizes, cell, found, right, len(places))


def _unlike(got: np.ndarray, want: np.ndarray, tolerance: float) -> tuple[np.ndarray, Any, Any]:
    """The places where two arrays differ, and the two values at the first."""
    if got.dtype.kind in "biu":
        same = got == want
    else:
        same = np.isclose(got.astype(float), want.astype(float), rtol=tolerance, atol=tolerance, equal_nan=True)
    places = np.argwhere(~same)
    first = tuple(places[0]) if len(places) else None
    return places, first and got[first], first and want[first]


def _random(dtype: DType, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Any values of narrow integers; of wider types, such as may be added and multiplied without wrapping."""
    if dtype.is_bool:
        return rng.integers(0, 2, shape).astype(bool)
    if dtype.is_float:
        return rng.uniform(-1, 1, shape)
    widest = min(dtype.max, 1000 if dtype.bits > 16 else dtype.max)
    return rng.integers(max(dtype.min, -widest), widest + 1, shape)
