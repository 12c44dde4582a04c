"""A plan: for each Func where it is computed and stored, and how the loops of its stages are cut, ordered and run.

Plans are values. `apply_plan` turns one into directives; `as_data` and `from_data` into what JSON knows and back.

Loop n of dimension x is called `x_n`, 0 being the innermost; of the first update `x_u0_n`. A dimension that is not cut
keeps its name. The reduction variables of an update are `$0`, `$1`, ... as their names may be others the next time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import halopy as hl

INLINE, ROOT = "inline", "root"
GUARD, SHIFT, ROUND_UP = "GuardWithIf", "ShiftInwards", "RoundUp"
Place = str | tuple[str, str]  # INLINE, ROOT, or a Func and one of its loops


@dataclass(frozen=True, slots=True)
class StagePlan:
    """`cuts` are the extents of a dimension's inner loops, the innermost first; `order` is innermost first, too."""

    cuts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    vector: str | None = None
    unrolled: tuple[str, ...] = ()
    parallel: tuple[str, ...] = ()
    tail: str = GUARD


@dataclass(frozen=True, slots=True)
class FuncPlan:
    """`store` is where memory for it begins to be kept: `place`, or further out. `bounds` are dimensions that are
    said to have as many elements as are expected."""

    place: Place = INLINE
    store: Place | None = None
    stages: tuple[StagePlan, ...] = ()
    bounds: Mapping[str, int] = field(default_factory=dict)


Plan = Mapping[str, FuncPlan]  # consumers first


def as_data(plan: Plan) -> dict[str, Any]:
    """What JSON knows."""
    return {name: _func_as_data(func) for name, func in plan.items()}


def _func_as_data(func: FuncPlan) -> dict[str, Any]:
    stages = [
        {
            "cuts": {d: list(c) for d, c in s.cuts.items()},
            "order": list(s.order),
            "vector": s.vector,
            "unrolled": list(s.unrolled),
            "parallel": list(s.parallel),
            "tail": s.tail,
        }
        for s in func.stages
    ]
    return {"place": func.place, "store": func.store, "stages": stages, "bounds": dict(func.bounds)}


def from_data(data: Mapping[str, Any]) -> dict[str, FuncPlan]:
    """What `as_data` gave."""
    return {name: _func_from_data(func) for name, func in data.items()}


def _func_from_data(data: Mapping[str, Any]) -> FuncPlan:
    stages = tuple(
        StagePlan(
            {d: tuple(c) for d, c in s["cuts"].items()},
            tuple(s["order"]),
            s["vector"],
            tuple(s["unrolled"]),
            tuple(s["parallel"]),
            s["tail"],
        )
        for s in data["stages"]
    )
    return FuncPlan(_place(data["place"]), _place(data["store"]), stages, dict(data["bounds"]))


def _place(data: Any) -> Any:
    return tuple(data) if isinstance(data, list) else data


def loops_of(dimension: str, stage: int, cuts: tuple[int, ...]) -> list[str]:
    """The names of a dimension's loops, the innermost first."""
    if not cuts:
        return [dimension]
    base = re.sub(r"\W", "r", dimension) + (f"_u{stage - 1}" if stage else "")
    return [f"{base}_{n}" for n in range(len(cuts) + 1)]


# -- to directives -----------------------------------------------------------------------------------------------------


def apply_plan(plan: Plan, funcs: Mapping[str, hl.Func]) -> None:
    """Say it of these Funcs. Raises hl.HalideError where something is refused."""
    for name, chosen in plan.items():
        apply_loops(funcs[name], chosen)
    for name, chosen in plan.items():
        apply_place(funcs, name, chosen)


def apply_loops(func: hl.Func, chosen: FuncPlan) -> None:
    """What is said about the loops of a Func's stages."""
    for dimension, extent in chosen.bounds.items():
        func.bound(hl.Var(dimension), 0, extent)
    for at, stage in enumerate(chosen.stages):
        apply_stage(func, at, stage)


def apply_place(funcs: Mapping[str, hl.Func], name: str, chosen: FuncPlan) -> None:
    """Where a Func is computed and stored."""
    func = funcs[name]
    if chosen.place == ROOT:
        func.compute_root()
    elif chosen.place != INLINE:
        if chosen.store not in (None, chosen.place):
            func.store_root() if chosen.store == ROOT else func.store_at(*_level(funcs, chosen.store))
        func.compute_at(*_level(funcs, chosen.place))


def _level(funcs: Mapping[str, hl.Func], place: Any) -> tuple[hl.Func, hl.Var]:
    name, loop = place
    return funcs[name], hl.Var(loop)


def apply_stage(func: hl.Func, at: int, plan: StagePlan) -> None:
    """What is said about the loops of one stage."""
    stage: Any = func.update(at - 1) if at else func
    if at and not plan.cuts and plan.vector is None and not plan.unrolled and not plan.parallel:
        stage.unscheduled()  # on purpose
    names = {f"${n}": v.name() for n, v in enumerate(func.rvars(at - 1))} if at else {}
    kinds: dict[str, Any] = dict.fromkeys(names, hl.RVar)

    def var(loop: str) -> Any:
        return kinds.get(loop, hl.Var)(names.get(loop, loop))

    for dimension, cuts in plan.cuts.items():
        kind = hl.RVar if dimension in names else hl.Var
        loops = loops_of(dimension, at, cuts)
        kinds |= dict.fromkeys(loops, kind)
        rest = dimension
        for inner, outer, factor in zip(loops, loops[1:], cuts, strict=False):
            stage.split(var(rest), var(outer), var(inner), factor, _tail(plan, kind))
            rest = outer
    if len(plan.order) > 1:
        stage.reorder(*map(var, plan.order))
    for loop in plan.unrolled:
        stage.unroll(var(loop))
    if plan.vector is not None:
        stage.vectorize(var(plan.vector))
    for loop in plan.parallel:
        stage.parallel(var(loop))


def _tail(plan: StagePlan, kind: Any) -> Any:
    return hl.TailStrategy.GuardWithIf if kind is hl.RVar else getattr(hl.TailStrategy, plan.tail)
