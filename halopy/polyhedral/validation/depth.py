"""How much isl is told of what names stand for, and what it found wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import islpy as isl

from ...ir import build
from ...ir.expr import Expr, Var


@dataclass(frozen=True, slots=True)
class Depth:
    """How much isl is told: what names of other Funcs stand for, what minima and maxima are exactly, and sizes."""

    names: bool
    choices: bool
    sizes: Mapping[str, int] = field(default_factory=dict)

    def known(self, names: Iterable[str]) -> list[Expr]:
        """Conditions that fix the sizes."""
        return [build.eq(Var(name), self.sizes[name]) for name in sorted(names & self.sizes.keys())]


DEPTHS = (Depth(False, False), Depth(True, False), Depth(True, True))


@dataclass(frozen=True, slots=True)
class Wrong:
    """Reads, over the variables named, that may not find the right value; and `doubts` whether they are such."""

    reads: isl.Set
    variables: tuple[str, ...]
    doubts: tuple[str, ...]
