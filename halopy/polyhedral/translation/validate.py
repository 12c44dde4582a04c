"""Whether what is printed does what the loops do that were built: one obligation for each of their statements.

Flat memory is compared with boxes first (`layouts`). Then each printed statement is found in the loops as built
(`copies`); each iteration of these must be done once (`iterations`), in an order that keeps who reads what (`order`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from ...ir.expr import Effect, Load
from ...ir.node import find
from ...ir.program import Program
from ...ir.services import touched_buffers
from ...ir.stmt import Stmt, Store
from ...proof import NOT_PROVED, PROVED, REFUTED, Obligation
from ...schedule.nest import FuncSchedule
from . import iterations, layouts, order
from .copies import Copies, Copy, Lost
from .differences import FEW_STEPS, MOST_STEPS, difference
from .inequalities import BUDGET, FULL, TOO_LONG
from .paths import Leaf, key_of
from .polynomials import TooLong
from .texts import After, Before

FLAT, PRINTED = "flat memory", "printed"
_MOST_LEAVES = 400
_HOLDS = "what is printed does each iteration once, on the same elements, in an order that keeps who reads what"


def validate_layouts(
    boxed: Stmt,
    flat: Stmt,
    program: Program,
    schedules: Mapping[str, FuncSchedule],
    strided: Collection[str],
    operations: int | None = None,
) -> list[Obligation]:
    """One obligation for each Func that is computed: before and after its memory was made flat."""
    start = time.perf_counter()
    BUDGET.renew(FULL if operations is None else operations)
    doubts: dict[str, layouts.Doubt] = {}
    try:
        found = layouts.doubts(boxed, flat, program, schedules, strided)
    except TooLong:
        found = [layouts.Doubt(name, "there are too many terms in an address", False) for name in program.functions]
    for doubt in sorted(found, key=lambda d: not d.is_sure):
        doubts.setdefault(doubt.func, doubt)
    seconds = (time.perf_counter() - start) / len(program.functions)
    return [_layout_obligation(name, doubts.get(name), seconds) for name in program.functions]


def _layout_obligation(func: str, doubt: layouts.Doubt | None, seconds: float) -> Obligation:
    if doubt is None:
        return Obligation(FLAT, (func,), PROVED, "each element lies at a place of its own", seconds=seconds)
    return Obligation(FLAT, (func,), REFUTED if doubt.is_sure else NOT_PROVED, doubt.why, seconds=seconds)


def validate_printed(built: Stmt, printed: Stmt, operations: int | None = None) -> list[Obligation]:
    """One obligation for each statement of the loops as built. After so many operations the rest is not proved."""
    BUDGET.renew(FULL if operations is None else operations)
    translation = _Translation(built, printed)
    found = list(translation.obligations())
    doubtful = [o for o in found if o.status == NOT_PROVED and (o.reason != TOO_LONG or operations is None)]
    if not doubtful or (operations is not None and BUDGET.is_spent()):
        return found
    shown = difference(built, printed, translation.shown, MOST_STEPS if operations is None else FEW_STEPS)
    return [replace(o, status=REFUTED, reason=f"{o.reason}: {shown}") if shown and o in doubtful else o for o in found]


class _Translation:
    def __init__(self, built: Stmt, printed: Stmt) -> None:
        self.before = Before(built)
        self.after = After(printed, self.before)
        self.copies: dict[int, list[Copy]] = {}
        self.lost: dict[tuple[str, str], str] = {}
        self.seconds: dict[tuple[str, str], float] = {}
        self.shown: list[Mapping[str, int]] = []  # sizes at which something did not hold

    def obligations(self) -> Iterator[Obligation]:
        self._find_copies()
        mixed = self._mixed()
        keys = [key_of(leaf.node) for leaf in self.before.leaves]
        for n, leaf in enumerate(self.before.leaves):
            start = time.perf_counter()
            why = self.lost.get(keys[n]) or mixed.get(n) or self._iterations_doubt(n, leaf)
            seconds = self.seconds.get(keys[n], 0.0) / keys.count(keys[n]) + time.perf_counter() - start
            yield Obligation(PRINTED, (_stage(leaf),), NOT_PROVED if why else PROVED, why or _HOLDS, seconds=seconds)
        for key, why in self.lost.items():
            if key not in keys:
                yield Obligation(PRINTED, (key[1] or key[0],), NOT_PROVED, why)

    def _find_copies(self) -> None:
        copies = Copies(self.before, self.after)
        if len(self.after.leaves) > _MOST_LEAVES:
            self.lost = {key_of(leaf.node): "there are too many statements" for leaf in self.after.leaves}
            return
        for order_, leaf in enumerate(self.after.leaves):
            start, key = time.perf_counter(), key_of(leaf.node)
            found = Lost(leaf, TOO_LONG) if BUDGET.is_spent() else copies.of(order_)
            if isinstance(found, Lost):
                self.lost.setdefault(key, found.why)
                self.shown += found.shown
            else:
                for copy in found:
                    self.copies.setdefault(copy.original, []).append(copy)
            self.seconds[key] = self.seconds.get(key, 0.0) + time.perf_counter() - start

    def _mixed(self) -> dict[int, str]:
        """Statements that may come in another order, and why."""
        if BUDGET.is_spent():
            return dict.fromkeys(range(len(self.before.leaves)), TOO_LONG)
        every = [copy for several in self.copies.values() for copy in several]
        return {copy.original: why for *pair, why in order.doubts(self.before, self.after, every) for copy in pair}

    def _iterations_doubt(self, n: int, leaf: Leaf) -> str:
        if n not in self.copies and self._is_unread(leaf):
            return ""
        return TOO_LONG if BUDGET.is_spent() else iterations.doubt(self.before, leaf, self.copies.get(n, []))

    def _is_unread(self, leaf: Leaf) -> bool:
        """Whether nothing printed reads what it stores, so that it need not be there."""
        node = leaf.node
        if not isinstance(node, Store) or node.has(Effect) or not leaf.allocates(node.buffer):
            return False
        reads = {load.buffer for other in self.after.leaves for load in find(other.node, Load)}
        effects = (e for other in self.after.leaves for e in find(other.node, Effect))
        return node.buffer not in reads and all(node.buffer not in touched_buffers(e.service) for e in effects)


def _stage(leaf: Leaf) -> str:
    """Whose statement it is."""
    for loop in reversed(leaf.loops):
        found = re.match(r"(.*)\.s(\d+)\.", loop.name)
        if found:
            return found[1] if found[2] == "0" else f"{found[1]}.update({int(found[2]) - 1})"
    kind, name = key_of(leaf.node)
    return name or kind
