"""Which Funcs are computed where they are read, because storing and loading their values would cost more.

evaluated where read:   evaluations * operations
computed and stored:    points * (operations + store) + evaluations * load
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from ..ir.function import Function
from ..ir.program import Program
from ..lower.inline_functions import inline_functions
from ..lower.place_functions import stage_reads
from ..schedule.directives import ReorderStorage
from ..schedule.extern_stages import never_inlined
from .boxes import Boxes, points, readers_of
from .estimates import Expected
from .machine import Machine
from .operations import operations

NO_ROWS: Mapping[str, ReorderStorage] = {}
_STORE = 2  # in the cache, of a value; a load is counted among the operations of who reads it


def without_cheap(
    program: Program,
    expected: Expected,
    machine: Machine,
    wanted: Collection[str],
    kept: Collection[str] = (),
    rows: Mapping[str, ReorderStorage] = NO_ROWS,
) -> Program:
    """The program with those Funcs substituted that are better not stored, and those that the user wants inlined.

    Of those `kept`, only the latter. Where `rows` are looked up, all lanes are one load.
    """
    boxes = Boxes(program, expected)
    evaluations, readers = _evaluations(program, boxes), readers_of(boxes)
    inlined: list[str] = []
    for name in program.functions:  # producers first: what is substituted is counted with who reads it
        if program.functions[name].updates or name in program.outputs or name in never_inlined(program):
            continue
        current = inline_functions(program, inlined).functions[name]
        far = machine.traffic(current.dtypes) if len(readers[name]) > 1 and _is_large(current, boxes, machine) else 0
        if name in wanted or (name not in kept and _is_cheap(current, boxes, evaluations[name], far, rows)):
            inlined.append(name)
    return inline_functions(program, inlined)


def _is_large(function: Function, boxes: Boxes, machine: Machine) -> bool:
    """Whether its values do not stay in the cache until the last reader comes, which may be in another group."""
    box = boxes.root[function.name]
    return box is not None and points(box) * sum(d.bytes for d in function.dtypes) > machine.last_level_cache_size


def _is_cheap(
    function: Function, boxes: Boxes, evaluations: int, far: float, rows: Mapping[str, ReorderStorage]
) -> bool:
    """Whether evaluating it where it is read costs no more than computing it once and loading it.

    `far` is the cost of bringing one value to memory and back.
    """
    box = boxes.root[function.name]
    if box is None:
        return True  # nothing says how large its storage would be
    along = rows[function.name].args[0] if function.name in rows else None
    own = operations(function.pure, rows, along)
    return evaluations * own <= points(box) * (own + _STORE + far) + evaluations


def _evaluations(program: Program, boxes: Boxes) -> dict[str, int]:
    """How often each Func is read while the pipeline runs, each Func being computed once."""
    found = dict.fromkeys([*program.functions, *program.images], 0)
    for user, function in program.functions.items():
        box = boxes.root[user]
        for stage, definition in enumerate(function.definitions):
            times = 1 if box is None else math.prod(boxes.iterations(user, stage, box).values())
            for read in stage_reads(definition):
                found[read.name] += times
    return found
