"""Finished loops as a value: what validation and predictions of cost look at."""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.stmt import Stmt
from .place_functions import Placement


@dataclass(frozen=True, slots=True)
class Loops:
    """Finished loops, before and after their storage was folded, and where each Func stands."""

    unfolded: Stmt
    folded: Stmt
    placement: Placement
