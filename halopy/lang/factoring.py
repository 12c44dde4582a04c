"""`rfactor`: an associative update is split over an intermediate Func."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

from ..errors import MistypedDirective, ScheduleError
from ..schedule.directives import Directive, Rfactor
from ..schedule.rfactor import rfactor
from ..source import caller
from . import revision
from .func_contents import FuncContents, freeze_called
from .loop_names import Loop, loop_name, shown
from .rdom import RDom, RVar
from .var import Var

Preserved: TypeAlias = "Loop | Sequence[tuple[Loop, Var]]"


def shown_pairs(r: Preserved, v: Var | None) -> str:
    """The arguments as the user wrote them."""
    if v is not None or not isinstance(r, list | tuple):
        return shown(r) if v is None else f"{shown(r)}, {shown(v)}"
    return "[" + ", ".join(f"({shown(p)[1:-1]})" if isinstance(p, list | tuple) else shown(p) for p in r) + "]"


def preserved_pairs(text: str, r: Preserved, v: Var | None) -> tuple[tuple[str, str], ...]:
    """The loops to keep, each with the Var that it becomes. Raises MistypedDirective for anything else."""
    pairs: list[object] = list(r) if v is None and isinstance(r, list | tuple) else [(r, v)]
    found = []
    for pair in pairs:
        loop, var = pair if isinstance(pair, list | tuple) and len(pair) == 2 else (pair, None)
        if not isinstance(var, Var) or not isinstance(loop, RVar | RDom):
            raise MistypedDirective(
                text,
                location=caller(),
                reason=[f"`{shown(loop)}` and `{shown(var)}` are no RVar and Var"],
                accepted="rfactor(rvar, var), or rfactor([(rvar, var), ...])",
            )
        found.append((loop_name(loop), var.name()))
    return tuple(found)


def factored(contents: FuncContents, stage: int, pairs: tuple[tuple[str, str], ...], text: str) -> FuncContents:
    """The intermediate Func; the update of `contents` is changed to combine its values."""
    function, nest = contents.defined_function, contents.nests[stage]
    directive = Directive(Rfactor(pairs), stage, caller(), text)
    if nest.specializations:
        raise ScheduleError(
            text,
            location=caller(),
            reason=[f"{contents.name} has versions of this update already"],
            accepted="rfactor() before specialize()",
        )
    intermediate = FuncContents(f"{contents.name}_intm")
    result = rfactor(function, nest, contents, pairs, intermediate, directive)
    intermediate.function = result.intermediate
    intermediate.nests = list(result.nests)
    intermediate.frozen = True
    definitions = (*function.definitions[:stage], result.update, *function.definitions[stage + 1 :])
    contents.function = replace(function, definitions=definitions)
    contents.nests[stage] = result.nest
    freeze_called(result.update, contents)
    revision.changed()
    return intermediate
