"""An input and an output in the same memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Tie: TypeAlias = tuple[int | None, int | None, int]


@dataclass(frozen=True, slots=True)
class SharedMemory:
    """A cell of `image` and a cell of the Func `output` are the same memory just where all `ties` hold.

    A tie (d, e, k) says that coordinate d of the image is coordinate e of the output, plus k. With None for e,
    coordinate d is k; with None for d, coordinate e is k.
    """

    image: str
    output: str
    ties: tuple[Tie, ...]
