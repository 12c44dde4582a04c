"""Boxes of integer points: per dimension an inclusive (least, greatest), innermost first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from ..arithmetic.values import Array

Box: TypeAlias = tuple[tuple[int, int], ...]


def box_of_region(region: Sequence[tuple[int, int]]) -> Box:
    """The box of (min, extent) pairs."""
    return tuple((int(low), int(low) + int(extent) - 1) for low, extent in region)


def box_around(index: Sequence[Array]) -> Box:
    """The least box that holds all points of non-empty index arrays."""
    return tuple((int(i.min()), int(i.max())) for i in index)


def union(a: Box | None, b: Box) -> Box:
    """The least box that holds both; None is nothing, and so is an empty box."""
    if a is None or is_empty(a):
        return b
    if is_empty(b):
        return a
    return tuple((min(p[0], q[0]), max(p[1], q[1])) for p, q in zip(a, b, strict=True))


def is_empty(box: Box) -> bool:
    return any(high < low for low, high in box)


def covers(outer: Box, inner: Box) -> bool:
    return all(p[0] <= q[0] and q[1] <= p[1] for p, q in zip(outer, inner, strict=True))


def shape_of(box: Box) -> tuple[int, ...]:
    """The shape of an array over the box; the innermost dimension is the last axis."""
    return tuple(max(high - low + 1, 0) for low, high in reversed(box))


def axis_index(low: int, high: int, axis: int, rank: int) -> Array:
    """The integers low .. high along one axis of `rank`."""
    shape = [1] * rank
    shape[axis] = -1
    return np.arange(low, high + 1, dtype=np.int32).reshape(shape)
