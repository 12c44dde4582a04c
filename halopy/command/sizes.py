"""Sizes as they are typed: `640x480`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ..lang.pipeline import Pipeline
from .unusable import Unusable

_MOST = 1 << 31


def sizes(text: str) -> tuple[int, ...]:
    """`640x480`. Raises what the parser tells the user."""
    parts = text.split("x")
    if not all(part.isascii() and part.isdecimal() and len(part) < 11 and 0 < int(part) < _MOST for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is no WIDTHxHEIGHT")
    return tuple(map(int, parts))


def check_rank(pipeline: Pipeline, known: Sequence[int]) -> None:
    """Raises Unusable where there are more sizes than dimensions."""
    for func in pipeline.outputs():
        if len(known) > func.dimensions():
            raise Unusable(f"--sizes has {len(known)} numbers, but {func.name()} has {func.dimensions()} dimensions")
