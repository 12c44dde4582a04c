"""The cells that two buffers share are those that the ties name."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest

from halopy.ir.shared_memory import Tie
from halopy.runtime.buffer import RawBuffer
from halopy.runtime.shared_cells import Irregular, shared_cells

Cell = tuple[int, ...]


def cells(buffer: RawBuffer) -> Iterator[tuple[int, Cell]]:
    """Addresses and coordinates."""
    start = buffer.array.__array_interface__["data"][0]
    ranges = [range(low, low + extent) for low, extent in zip(buffer.mins, buffer.extents, strict=True)]
    for cell in product(*ranges):
        steps = sum((at - low) * s for at, low, s in zip(cell, buffer.mins, buffer.strides, strict=True))
        yield start + buffer.array.itemsize * steps, cell


def meets(tie: Tie, one: Cell, other: Cell) -> bool:
    d, e, k = tie
    return other[e or 0] == k if d is None else one[d] == (k if e is None else other[e] + k)


def random_view(array: np.ndarray, numbers: random.Random) -> np.ndarray:
    index: list[slice | int] = []
    for size in array.shape:
        low, high = sorted(numbers.sample(range(size + 1), 2))
        index.append(slice(low, high, numbers.choice([1, 1, 2])) if numbers.random() < 0.8 else slice(low, low + 1))
    view = array[tuple(index)]
    return view[0] if numbers.random() < 0.2 else view[::-1] if numbers.random() < 0.1 else view


def test_random_views_of_one_array_meet_where_their_addresses_are_equal() -> None:
    numbers = random.Random(1)
    array = np.zeros((7, 6, 5), np.uint16)
    kinds = set()
    for _ in range(600):
        one, other = (
            RawBuffer(view, [numbers.randrange(-3, 4) for _ in view.shape])
            for view in (random_view(array, numbers), random_view(array, numbers))
        )
        pairs = {(a, b) for at, a in cells(one) for to, b in cells(other) if at == to}
        try:
            ties = shared_cells(one, other)
        except Irregular:
            kinds.add("irregular")
            assert pairs
            continue
        kinds.add("none" if ties is None else "tied")
        named = [] if ties is None else product((c for _, c in cells(one)), (c for _, c in cells(other)))
        assert pairs == {(a, b) for a, b in named if all(meets(tie, a, b) for tie in ties or ())}
    assert kinds == {"irregular", "none", "tied"}


def test_colours_of_an_interleaved_picture_share_nothing() -> None:
    picture = np.zeros((5, 7, 3), np.uint8)
    assert shared_cells(RawBuffer(picture[..., 0]), RawBuffer(picture[..., 1])) is None


def test_a_plane_is_one_place_of_the_third_dimension() -> None:
    picture = np.zeros((3, 5, 7), np.uint8)
    assert set(shared_cells(RawBuffer(picture), RawBuffer(picture[2])) or ()) == {(0, 0, 0), (1, 1, 0), (2, None, 2)}


def test_elements_of_other_sizes_are_irregular_where_they_meet() -> None:
    numbers = np.zeros(8, np.uint16)
    with pytest.raises(Irregular):
        shared_cells(RawBuffer(numbers), RawBuffer(numbers.view(np.uint8)))
    assert shared_cells(RawBuffer(numbers[::2]), RawBuffer(numbers.view(np.uint8)[2::4])) is None
