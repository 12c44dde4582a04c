"""The first of some pairs of instances: with the least sizes, then the earliest source, then the earliest sink."""

from __future__ import annotations

from collections.abc import Collection

import islpy as isl

from ...ir.expr import Expr, Var
from ...witness import Cell, Instance, Witness
from ..affine import Affine
from .dependences import Dependence
from .stage_model import Model, shown

MOST_QUOTIENTS = 8
_PARAMETER, _SET = isl.dim_type.param, isl.dim_type.set


def find_witness(
    pairs: isl.Map, dependence: Dependence, model: Model, affine: Affine, timed_by: Collection[str] = ()
) -> Witness:
    """A witness from pairs that exist. `timed_by` are the symbols of the loops' dates."""
    space = pairs.get_space()
    symbols, variables = space.dim(_PARAMETER), space.dim(isl.dim_type.in_)
    point = _first(pairs, symbols, model)
    values = [_coordinate(point, n) for n in range(symbols + 2 * variables)]
    own = {f"p{n}": value for n, value in enumerate(values[:symbols])}
    source = dict(zip(model.variables, values[symbols : symbols + variables], strict=True))
    sink = dict(zip(model.variables, values[symbols + variables :], strict=True))
    touched = dependence.source if None not in dependence.source.index else dependence.sink
    at = source if touched is dependence.source else sink
    return Witness(
        _instance(model, source),
        _instance(model, sink),
        Cell(model.stage.function.name, tuple(_value(e, own, at, model, affine) for e in touched.index if e)),
        _parameters(model, own, timed_by),
        dependence.source.is_write,
        dependence.sink.is_write,
    )


def _first(pairs: isl.Map, symbols: int, model: Model) -> isl.Point:
    """Symbols that may be 0 are, starts before sizes; a least point may not exist, as regions may start anywhere."""
    points = pairs.wrap().flatten()
    for n in _starts_first(model):
        zero = points.fix_val(_PARAMETER, n, isl.Val.zero(points.get_ctx()))
        points = points if zero.is_empty() else zero
    points = points.move_dims(_SET, 0, _PARAMETER, 0, symbols)
    if any(part.dim(isl.dim_type.div) > MOST_QUOTIENTS for part in points.get_basic_sets()):
        return points.sample_point()  # the least one may take for ever, and isl does not count what that costs
    try:
        return points.lexmin().sample_point()
    except isl.Error:
        return points.sample_point()


def _starts_first(model: Model) -> list[int]:
    names = [str(e) for e in model.symbols.expressions]
    return [n for n, name in enumerate(names) if "min" in name]


def _coordinate(point: isl.Point, at: int) -> int:
    return int(point.get_coordinate_val(_SET, at).to_python())


def _instance(model: Model, values: dict[str, int]) -> Instance:
    """As the user names things, the innermost variable first."""
    return Instance(model.stage.name, {name.replace("$", "."): values[name] for name in reversed(model.variables)})


def _parameters(model: Model, own: dict[str, int], timed_by: Collection[str]) -> dict[str, int]:
    """What the user can name, and of the region that the Func is computed over what decides when iterations run."""
    region = {f"{name}.{part}" for name in model.variables for part in ("min", "extent")}
    told = [n for n, e in enumerate(model.symbols.expressions) if f"p{n}" in timed_by or not _is_of(e, region)]
    return {shown(model.symbols.expressions[n]): own[f"p{n}"] for n in told}


def _is_of(e: Expr, names: set[str]) -> bool:
    return isinstance(e, Var) and e.name in names


def _value(e: Expr, symbols: dict[str, int], at: dict[str, int], model: Model, affine: Affine) -> int:
    """A canonical form at an instance."""
    point = affine.universe
    for n, name in enumerate(model.variables):
        point = point.fix_val(_SET, n, affine.value(at[name]))
    for n in range(len(symbols)):
        point = point.fix_val(_PARAMETER, n, affine.value(symbols[f"p{n}"]))
    value = isl.Map.from_pw_aff(affine.function(e)).intersect_domain(point).range().sample_point()
    return _coordinate(value, 0)
