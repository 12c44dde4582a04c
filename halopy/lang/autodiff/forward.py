"""Values of a Func as they were when a derivative needs them, not as later updates leave them.

f[x] = b[x]
f[x] = f[x] * f[x]        the derivative 2 * f[x] needs f before the update: a Func of the first definition alone
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...ir.expr import Expr, FuncAccess, Var
from ...ir.function import Definition
from ...ir.linear import difference, linear
from ...ir.map_definitions import map_definition
from ...ir.rewrite import free_vars
from ..expressions.leaves import replace_leaves
from ..func_contents import FuncContents


class History:
    """A Func as it was after each of its stages."""

    def __init__(self, func: FuncContents) -> None:
        self.func = func
        self._before: dict[int, FuncContents] = {}

    def after(self, stage: int) -> FuncContents:
        """A Func of the definitions up to that stage."""
        function = self.func.defined_function
        if stage == len(function.definitions) - 1:
            return self.func
        if stage not in self._before:
            early = FuncContents(f"{self.func.name}_{stage}")
            for count in range(1, stage + 2):
                definitions = tuple(map_definition(d, lambda e: self._read(e, early)) for d in function.definitions)
                early.set_function(replace(function, definitions=definitions[:count]))
            self._before[stage] = early
        return self._before[stage]

    def _read(self, e: Expr, instead: FuncContents) -> Expr:
        """The expression, reading another Func in the place of this one."""

        def read(a: FuncAccess) -> Expr:
            index = tuple(self._read(i, instead) for i in a.index)
            return FuncAccess(instead if a.ref is self.func else a.ref, index, a.element, a.dtype)

        return replace_leaves(e, FuncAccess, read)

    def as_read(self, e: Expr, stage: int) -> Expr | None:
        """The expression with reads of the Func as that stage saw them; None where what it saw is gone."""
        reads = self._own_reads(e)
        if not reads:
            return e
        definition = self.func.defined_function.definitions[stage]
        if all(_is_read_after_written(a, definition) for a in reads):
            return self._read(e, self.after(stage))
        return None if definition.rdom else self._read(e, self.after(stage - 1))

    def _own_reads(self, e: Expr) -> list[FuncAccess]:
        found: list[FuncAccess] = []
        stack = [e]
        while stack:
            top = stack.pop()
            if isinstance(top, FuncAccess) and top.ref is self.func:
                found.append(top)
            stack.extend(c for c in top.children() if isinstance(c, Expr) and c.has(FuncAccess))
        return found


def _is_read_after_written(a: FuncAccess, definition: Definition) -> bool:
    """Whether the stage no longer writes what was read: it is written in earlier iterations only, or never."""
    gaps = [difference(w, r) for w, r in zip(definition.index, a.index, strict=True)]
    if any(gap is not None and gap != 0 and not _moves(w) for gap, w in zip(gaps, definition.index, strict=True)):
        return True  # in another row, always
    if definition.rdom is None:
        return False
    steps: dict[str, int] = {}
    for gap, place in zip(gaps, definition.index, strict=True):
        step = None if gap is None else _single_step(place, definition)
        if step is not None and gap is not None and gap % step[1] == 0:
            steps[step[0]] = gap // step[1]
        elif step is not None and gap is not None:
            return True  # between what is written
    return _is_earlier([steps.get(v.name) for v in definition.rdom.vars])


def _moves(e: Expr) -> bool:
    return bool(free_vars(e))


def _single_step(e: Expr, definition: Definition) -> tuple[str, int] | None:
    """The only reduction variable in an affine place, and its factor."""
    assert definition.rdom is not None, "asked of reductions"
    form = linear(e)
    names = {v.name for v in definition.rdom.vars}
    moving = [t for t in form.terms if not names.isdisjoint(free_vars(t))]
    if len(moving) != 1 or not isinstance(moving[0], Var):
        return None
    return moving[0].name, form.terms[moving[0]]


def _is_earlier(steps: Sequence[int | None]) -> bool:
    """Whether what was read is written so many iterations before, outermost loop first."""
    for step in reversed(steps):
        if step is None or step < 0:
            return False
        if step > 0:
            return True
    return False
