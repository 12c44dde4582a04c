"""The schedule a Func has before anything is said about it."""

from __future__ import annotations

from ..ir.expr import Var
from ..ir.extern import extern_call
from ..ir.function import Definition, Function
from ..ir.refs import FunctionRef
from ..ir.stmt import LoopKind
from .nest import StageNest, initial_nest
from .order import is_order_free, ordered_variables


def pure_variables(function: Function, stage: int) -> tuple[str, ...]:
    """Arguments that stand alone at their own place on the left-hand side of a stage."""
    index = function.definitions[stage].index
    return tuple(name for name, e in zip(function.args, index, strict=True) if isinstance(e, Var) and e.name == name)


def instance_variables(function: Function, stage: int) -> tuple[str, ...]:
    """What tells the instances of a stage apart: its pure variables, then those of its reduction domain."""
    return *pure_variables(function, stage), *_reduction_names(function.definitions[stage])


def initial_stage(function: Function, stage: int, ref: FunctionRef | None = None) -> StageNest:
    """The loops of a stage as its definition gives them. `ref` is the Func of a user-level definition."""
    definition = function.definitions[stage]
    return initial_nest(
        function.name,
        stage,
        pure_variables(function, stage),
        _reduction_names(definition),
        ordered=ordered_variables(definition, function, ref),
        is_order_free=is_order_free(definition, function, ref),
        pure_kind=LoopKind.SERIAL if extern_call(function) is None else LoopKind.EXTERN,
    )


def _reduction_names(definition: Definition) -> list[str]:
    return [v.name for v in definition.rdom.vars] if definition.rdom else []
