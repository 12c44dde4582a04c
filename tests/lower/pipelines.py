"""From a user's Funcs to the statements between the first passes, for tests of lowering."""

from __future__ import annotations

from dataclasses import dataclass

import halopy as hl
from halopy.ir.node import walk
from halopy.ir.simplify import simplify
from halopy.ir.stmt import Allocate, Stmt
from halopy.lang.snapshot import snapshot
from halopy.lower.build_loop_nests import build_loop_nests
from halopy.lower.flatten_storage import flatten_storage
from halopy.lower.fold_storage import fold_storage
from halopy.lower.place_functions import Placement, place_functions
from halopy.lower.regions import Regions


@dataclass(frozen=True)
class Nests:
    """The loops of a scheduled pipeline, before storage is flat."""

    placement: Placement
    regions: Regions
    stmt: Stmt

    def flat(self) -> Stmt:
        """With folded and flat storage, simplified."""
        folded = fold_storage(self.stmt, self.regions.folds)
        return simplify(flatten_storage(folded, self.placement.program, self.placement.schedules))

    def allocation(self, func: str) -> Allocate:
        """The memory of a Func."""
        return next(n for n in walk(self.flat()) if isinstance(n, Allocate) and n.buffer == func)


def nests(*outputs: hl.Func) -> Nests:
    """The loops of the pipeline with these outputs."""
    taken = snapshot([f._contents for f in outputs])
    placement = place_functions(taken.program, taken.schedules)
    regions = Regions(placement)
    return Nests(placement, regions, build_loop_nests(regions))
