"""Whether a Func that is folded as its schedule says keeps its values, where rows alone do not tell.

    f.store_root().compute_at(g, y).fold_storage(y, 2)     g(x, y) reads f(x, y - 1) to f(x, y + 1): refused, as
                                                           (x=0, y=1) of f has written to the place of f(x, -1) by then

The loops are built as if the factor were right. They are run in numbers in search of a read that finds another element
(`replay_folds`); where there is none, all reads are proved to find what they mean (`polyhedral/validation`), or it is
refused.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace

from ..errors import IllegalSchedule
from ..instrument import timed
from ..ir.build import as_expr
from ..ir.expr import Expr, const_value
from ..ir.program import buffer_property, output_buffers
from ..ir.rewrite import substitute
from ..ir.stmt import Stmt
from ..schedule.directives import Directive
from .fold_storage import Folds, fold_storage
from .place_functions import Placement
from .replay_folds import Lost, replay_folds

_SIZES = (1, 6, 24)  # of outputs, in search of an example
_LARGEST = 1 << 6


class DoubtfulFold(IllegalSchedule):
    """A factor seems too small, or nothing is known of it (`is_unclear`). What the finished loops read decides.

    With `is_refused` it stands refused whatever they show, but for a witness.
    """

    def __init__(
        self,
        func: str,
        directive: Directive,
        reason: str,
        *,
        accepted: str,
        repair: str | None = None,
        is_unclear: bool = False,
        is_refused: bool = False,
    ) -> None:
        super().__init__(directive.text, location=directive.location, reason=[reason], accepted=accepted, repair=repair)
        self.func, self.is_unclear, self.is_refused = func, is_unclear, is_refused


def decide_fold(doubt: DoubtfulFold, stmt: Stmt, folds: Mapping[str, Folds], placement: Placement) -> None:
    """Raises IllegalSchedule unless all reads of the Func find what they mean, in loops that are built as if they did.

    isl takes long to import, and most schedules never need it.
    """
    lost = _example(doubt.func, stmt, folds[doubt.func], placement)
    if lost is None and not doubt.is_refused:
        validation = importlib.import_module("..polyhedral.validation.validate", __package__)
        with timed("legality"):
            finds_all = validation.finds_all(stmt, fold_storage(stmt, folds), placement.program, doubt.func)
        if finds_all:
            return
    known = () if lost is not None and doubt.is_unclear else doubt.reason
    raise IllegalSchedule(
        doubt.summary,
        location=doubt.location,
        reason=[*known, *([lost.told()] if lost else [])],
        accepted=doubt.accepted,
        witness=lost.witness if lost else None,
        repair=doubt.repair,
    )


def _example(func: str, stmt: Stmt, folds: Folds, placement: Placement) -> Lost | None:
    """A read that finds another element, of outputs of some size."""
    factors = {dim: int(n) for dim, n in ((dim, const_value(factor)) for dim, factor in folds.items()) if n is not None}
    for size in _SIZES:
        sizes = _shapes(placement, size)
        exact = substitute(stmt, sizes)
        found = replay_folds(exact, func, factors, placement.program, placement.originals)
        if found is not None:
            extents = {name: int(const_value(e) or 0) for name, e in sizes.items() if ".extent." in name}
            return replace(found, witness=replace(found.witness, parameters=extents))
    return None


def _shapes(placement: Placement, size: int) -> dict[str, Expr]:
    """What the shapes of outputs are called, as numbers: of a size, unless the schedule says which."""
    shapes: dict[str, Expr] = {}
    for name in placement.program.outputs:
        function = placement.program.functions[name]
        buffer = output_buffers(name, len(function.dtypes))[0]
        for d, arg in enumerate(function.args):
            bound = next((b for b in reversed(placement.schedules[name].bounds) if b.arg == arg), None)
            low = bound.min if bound is not None and bound.min is not None else as_expr(0)
            shapes[buffer_property(buffer, "min", d).name] = low
            shapes[buffer_property(buffer, "extent", d).name] = as_expr(size) if bound is None else bound.extent
            shapes[buffer_property(buffer, "stride", d).name] = as_expr(_LARGEST**d)
    return shapes
