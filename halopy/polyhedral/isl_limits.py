"""isl under an operation limit: some of its questions take exponential time, and no pipeline may hang."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import islpy as isl

MOST_OPERATIONS = 40_000  # a few milliseconds for an ordinary question, a quarter of a second at worst

Answer = TypeVar("Answer")


def ask(question: Callable[[isl.Context], Answer], most_operations: int = MOST_OPERATIONS) -> Answer | None:
    """The answer, computed in a context of its own; None where isl gives up, or would take too long."""
    context = isl.Context()
    context.set_max_operations(most_operations)
    try:
        return question(context)
    except isl.Error:
        return None
