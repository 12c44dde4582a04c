"""Which read of a Func finds another element in its folded memory, where a run was refused as too many are in use.

    g.store_root().compute_at(f, y).fold_storage(y, n)     n = 2: iteration (x=0, y=0) of f reads g(0, -1), in whose
                                                           place g(0, 1) is by then

Asked for after the refusal, with the shapes and scalars of that run, as kernels carry nothing for it. Outputs are made
smaller where that shows it too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ..ir.expr import TRUE, Expr, const, const_value
from ..ir.program import Program, buffer_property, output_buffers
from ..ir.rewrite import Rewriter, substitute
from ..ir.stmt import Assert, ErrorSite, Stmt
from ..schedule.nest import FuncSchedule
from ..schedule.storage import folds
from .loops import Loops
from .replay_folds import Lost, replay_folds

_SMALLER = (1, 6, 24)


def lost_in_run(
    loops: Loops, func: str, schedule: FuncSchedule, shapes: Mapping[str, Expr], scalars: Mapping[str, Expr]
) -> Lost | None:
    """The first such read; None where none is found. `shapes` are those of the buffers, by what they are called."""
    placement = loops.placement
    if func not in placement.program.functions:
        return None
    args, known = placement.program.functions[func].args, {**shapes, **scalars}
    factors: dict[int, int] = {}
    for arg, (factor, _) in folds(schedule).items():
        number = const_value(substitute(factor, known))
        if number is None or number < 1:
            return None
        factors[args.index(arg)] = int(number)
    stmt = _Unchecked()(loops.unfolded)
    for sizes in _sizes(placement.program, shapes):
        exact = substitute(stmt, {**known, **sizes})
        found = replay_folds(exact, func, factors, placement.program, placement.originals)
        if found is not None:
            told = {name: _number(e) for name, e in (*scalars.items(), *sizes.items()) if e.dtype.is_integer}
            return replace(found, witness=replace(found.witness, parameters=told))
    return None


class _Unchecked(Rewriter):
    """Without the checks of folds, which refused the run."""

    only = (Assert,)

    def rewrite_Assert(self, check: Assert) -> Stmt:
        return check.with_(condition=TRUE) if check.site is ErrorSite.FOLD_TOO_SMALL else check


def _sizes(program: Program, known: Mapping[str, Expr]) -> Iterator[Mapping[str, Expr]]:
    """Extents of the outputs: small ones first, at last those of the run."""
    extents = {
        name: _number(known[name])
        for output in program.outputs
        for d in range(len(program.functions[output].args))
        for buffer in output_buffers(output, len(program.functions[output].dtypes))
        if (name := buffer_property(buffer, "extent", d).name) in known
    }
    for most in (*_SMALLER, max(extents.values(), default=1)):
        yield {name: const(min(n, most)) for name, n in extents.items()}


def _number(e: Expr) -> int:
    return int(const_value(e) or 0)
