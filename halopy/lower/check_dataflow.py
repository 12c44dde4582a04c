"""Whether the loops that were built compute what the algorithm says: each compilation is validated.

`HALOPY_VERIFY=full` asks isl about every access, `off` about none; by default about as many as takes, by the count of
statements, no more than a quarter of the time of lowering. What isl refutes is a bug here, and is not compiled.
"""

from __future__ import annotations

import importlib
from dataclasses import replace

from ..errors import InternalError
from ..instrument import verification
from ..ir.node import walk
from ..ir.program import Program
from ..ir.stmt import Stmt, block
from ..proof import NOT_PROVED, REFUTED, Obligation
from .check_buffers import constraint_checks
from .place_functions import Placement

_PER_NODE = 20  # operations, microseconds about, where lowering takes five times as many until here


def check_dataflow(unfolded: Stmt, folded: Stmt, placement: Placement) -> None:
    """Raise InternalError for a nest, given before and after its storage was folded, that reads a wrong value."""
    mode = verification()
    if mode == "off":
        return
    operations = None if mode == "full" else _PER_NODE * sum(1 for _ in walk(unfolded))
    for obligation in dataflow_of(unfolded, folded, placement, operations):
        if obligation.status == REFUTED:
            raise InternalError(
                f"the loops made for {' and '.join(obligation.stages)} are wrong",
                reason=[obligation.reason, "nothing was compiled; please report this, with the program"],
            )


def dataflow_of(unfolded: Stmt, folded: Stmt, placement: Placement, operations: int | None = None) -> list[Obligation]:
    """What must hold of each access, where what is wrong because the user allows races is not proved, and no bug."""
    allowed = {name for name, s in placement.schedules.items() if any(nest.races_allowed for nest in s.nests)}
    found = dataflow(unfolded, folded, placement.program, operations)
    return [_allowed(o) if o.status == REFUTED and allowed & _funcs(o) else o for o in found]


def dataflow(unfolded: Stmt, folded: Stmt, program: Program, operations: int | None = None) -> list[Obligation]:
    """What must hold of each access for the loops to do what the algorithm says, as far as so many operations tell."""
    validation = importlib.import_module("..polyhedral.validation.validate", __package__)  # not needed by all
    promised = constraint_checks(program)  # which the kernel begins with
    nests = block(*promised, unfolded), block(*promised, folded)
    found: list[Obligation] = validation.validate(*nests, program, operations)
    return found


def _funcs(obligation: Obligation) -> set[str]:
    return {stage.partition(".update(")[0] for stage in obligation.stages}


def _allowed(refuted: Obligation) -> Obligation:
    return replace(refuted, status=NOT_PROVED, reason=f"allow_race_conditions() was given, and it is {refuted.reason}")
