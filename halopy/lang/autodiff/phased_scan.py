"""The update of a scan that goes against the order of the update that is differentiated.

f[r+1] = 2*f[r] + g[r]  ->  for r backwards:  phase 0: had[r+1] = owed[r+1], owed[r+1] = 0
                                              phase 1: owed[r] += 2 * had[r+1]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from ...dtypes import DType
from ...ir import build
from ...ir.expr import Expr, Var, const
from ...ir.function import Definition
from ...ir.rewrite import substitute
from ...ir.simplify import simplify
from ..expressions.expr import Expr as Handle
from ..func import Func
from .adjoint import adjoint_of, domain_values, read


class ScannedStage(Protocol):
    """What a scan asks of the stage that it goes against."""

    definition: Definition
    dtypes: tuple[DType, ...]

    def seen(self, e: Expr) -> Expr:
        """A derivative, with the Func's own values as the update saw them."""


class PhasedScan:
    """The one update of a scan backwards."""

    def __init__(
        self,
        stage: ScannedStage,
        scan: Func,
        index: tuple[Expr, ...],
        phases: Sequence[tuple[tuple[Expr, ...], Mapping[int, Expr]]],
    ) -> None:
        self.stage, self.scan, self.index, self.phases = stage, scan, index, phases

    def define(self) -> None:
        rdom = self.stage.definition.rdom
        assert rdom is not None, "scans have a domain"
        ends = {v.name: simplify(build.sub(build.add(build.mul(v.min, 2), v.extent), 1)) for v in rdom.vars}
        turned = {v.name: build.sub(ends[v.name], Var(f"sum.{n + 1}")) for n, v in enumerate(rdom.vars)}
        predicate = None if rdom.predicate is None else substitute(self.stage.seen(rdom.predicate), turned)
        ranges = [(const(0), const(len(self.phases))), *((v.min, v.extent) for v in rdom.vars)]
        domain = domain_values(ranges, predicate)
        bound = {name: substitute(e, domain) for name, e in turned.items()}
        phase = domain["sum.0"]
        place = tuple(self._chosen(phase, [target[d] for target, _ in self.phases]) for d in range(len(self.index)))
        values = self._values(phase, place)
        func_place = tuple(Handle(substitute(e, bound)) for e in place)
        self.scan[func_place] = tuple(Handle(substitute(v, bound)) for v in values)

    def _chosen(self, phase: Expr, options: Sequence[Expr]) -> Expr:
        """The option that belongs to the phase."""
        chosen = options[-1]
        for number in reversed(range(len(options) - 1)):
            chosen = build.select(build.eq(phase, number), options[number], chosen)
        return chosen

    def _values(self, phase: Expr, place: tuple[Expr, ...]) -> list[Expr]:
        dtypes = self.stage.dtypes
        count = len(dtypes)
        found = {adjoint_of(e, t).name: read(self.scan, self.index, e, t) for e, t in enumerate(dtypes)}
        taken = {adjoint_of(e, t).name: read(self.scan, self.index, count + e, t) for e, t in enumerate(dtypes)}
        running, saved = [], []
        for e, dtype in enumerate(dtypes):
            there, zero = read(self.scan, place, e, dtype), const(0, dtype)
            (_, first), *rest = self.phases
            given = [build.add(there, substitute(shares.get(e, zero), taken)) for _, shares in rest]
            running.append(self._chosen(phase, [substitute(first.get(e, zero), found), *given]))
            kept = read(self.scan, place, count + e, dtype)
            saved.append(build.select(build.eq(phase, 0), there, kept))
        return [*running, *saved]
