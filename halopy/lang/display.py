"""How Funcs and pipelines show themselves: a definition on one line, loops as text, both as a tree in a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from ..errors import HalideError
from ..ir.function import Definition
from ..lower.single_loops import single_loops
from ..markup import block, complaint
from ..schedule.extern_stages import place_extern_stages
from ..schedule.placement import check_placements
from ..schedule.print_loop_nest import loop_nest_text
from ..schedule.separate_specializations import separate_specializations
from .expressions.conversion import show
from .func_contents import FuncContents
from .snapshot import Snapshot, snapshot
from .targets.choice import jit_target

_LONGEST_VALUE = 100  # characters of a right-hand side
_MOST_LINES = 500  # of a tree
_INDENT = "  "


def definition_text(name: str, definition: Definition) -> str:
    """`f(x, y) = (x + y)` on one line, elided where it is long."""
    values = ", ".join(map(show, definition.values))
    if len(definition.values) > 1:
        values = f"({values})"
    elided = values if len(values) <= _LONGEST_VALUE else values[: _LONGEST_VALUE - 1] + "…"
    return f"{name}({', '.join(map(show, definition.index))}) = {elided}"


def func_text(func: FuncContents) -> str:
    """The pure definition, and how many updates follow; the name alone where there is none."""
    function = func.function
    if function is None:
        return f"'{func.name}'"
    count = len(function.updates)
    more = f", then {count} update{'s' if count > 1 else ''}" if count else ""
    return f"'{func.name}': {definition_text(func.name, function.pure)}{more}"


def loop_nest(now: Snapshot) -> str:
    """The loops as pseudo-code. Raises IllegalSchedule where a place does not enclose all uses."""
    schedules = place_extern_stages(now.program, now.schedules)
    program, schedules = separate_specializations(now.program, schedules)
    check_placements(program, schedules)
    return loop_nest_text(program, schedules, single_loops(program, schedules))


def notebook_html(title: str, outputs: Sequence[FuncContents]) -> str:
    """Definitions and loops as a tree that folds: HTML that stands alone, without scripts.

    Showing changes nothing: the Funcs may still get definitions. Where the loops cannot be told, it says why.
    """
    lines = [definition_text(f.name, d) for f in outputs if f.function for d in f.function.definitions]
    body = "".join(f"<div>{escape(line)}</div>" for line in lines)
    if lines and all(f.function for f in outputs):
        try:
            text = loop_nest(snapshot(outputs, jit_target(None)))
            body += "".join(_tree(text.splitlines()))
        except HalideError as reason:
            body += complaint(str(reason))
    return block(title, body)


def _tree(lines: Sequence[str]) -> Iterator[str]:
    """Each line that has deeper ones below it folds them."""
    shown = lines[:_MOST_LINES]
    depths = [*map(_depth, shown), 0]
    for line, here, below in zip(shown, depths, depths[1:], strict=False):
        text = escape(line.strip())
        if below > here:
            yield f'<details open><summary>{text}</summary><div style="margin-left:1.5em">'
        else:
            yield f"<div>{text}</div>"
            yield "</div></details>" * (here - below)
    if len(lines) > len(shown):
        yield f"<div>… {len(lines) - len(shown)} lines more</div>"


def _depth(line: str) -> int:
    return (len(line) - len(line.lstrip())) // len(_INDENT)
