"""One question to isl, within what is left of a budget."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import islpy as isl

from .budget import Budget

Answer = TypeVar("Answer")


def asked(question: Callable[[isl.Context], Answer], budget: Budget) -> Answer | None:
    """The answer, for few operations if they are enough; None where isl gives up, or nothing is left to ask it with."""
    limits = budget.limits()
    for limit in limits:
        context = isl.Context()
        context.set_max_operations(limit)
        try:
            answer = question(context)
        except isl.Error:
            continue
        budget.spend(limit)
        context.set_max_operations(0)  # a point of what is not empty is at hand
        return answer
    budget.give_up(sum(limits))
    return None
