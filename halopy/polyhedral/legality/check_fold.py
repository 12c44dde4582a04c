"""Ask isl whether a Func whose stages and consumers run one after the other may keep only some rows of a dimension.

    u(x, r.t) = u(x - 1, r.t - 1) + u(x + 1, r.t - 1)       fold_storage(t, 2):  u(x, t) lies at (x, t % 2)

    clash     (c, c')   cells in one place: equal, but for c'[d] = c[d] + k * factor, k != 0
    in turn   for every clash with c[d] < c'[d]:  all that touch c come before all that write c'
    lost      (r, o)    r reads c, o writes c', o comes neither surely after r nor surely before the write that r means

kept  <=  in turn, upwards or downwards (a quick question, and mostly enough)
kept  <=>  nothing is lost
"""

from __future__ import annotations

from collections.abc import Sequence

import islpy as isl

from ...ir.expr import Call
from ...ir.function import Function
from ...ir.groups import groups_in
from ...ir.node import find
from ...proof import NOT_PROVED, PROVED, REFUTED
from ...schedule.initial import pure_variables
from ...schedule.nest import StageNest
from ...schedule.order import self_reads
from ..isl_limits import ask
from ..question import NotAffine
from .actors import Actor, Box, Role, roles_of, writes_nothing
from .check_stage import Verdict
from .lost_values import Fold, clash, first_lost

MOST_OPERATIONS = 8_000_000


def check_fold(function: Function, nests: Sequence[StageNest], fold: Fold, needed: Box) -> Verdict:
    """Whether every read finds the value that it means; `needed` is the box that others read of the Func."""
    try:
        roles = roles_of(function, nests, needed)
    except NotAffine as defeat:
        return Verdict(NOT_PROVED, str(defeat).replace("$", "."))
    doubt = _doubt(function, nests, roles, fold)
    answer = ask(lambda context: _answer([Actor(role, context) for role in roles], fold, doubt), MOST_OPERATIONS)
    return answer or Verdict(NOT_PROVED, "it is too intricate to be decided within the limit when values are used")


def _answer(actors: Sequence[Actor], fold: Fold, doubt: str) -> Verdict:
    if any(_is_in_turn(actors, fold, upwards=upwards) for upwards in (True, False)):
        return Verdict(PROVED, "values in one place are used one after the other")
    if doubt:
        return Verdict(NOT_PROVED, doubt)
    lost = first_lost(actors, fold)
    if lost is None:
        return Verdict(PROVED, "no value is overwritten before it is read for the last time")
    return Verdict(REFUTED, lost.told(), lost.witness)


def _is_in_turn(actors: Sequence[Actor], fold: Fold, *, upwards: bool) -> bool:
    """Whether all that touch a cell come before what is written to its place further up, or down."""
    for early in actors:
        for late in actors:
            for to in late.writes if late.number <= early.number else []:
                for index in early.reads:
                    if early.not_before(late, clash(early, index, late, to, fold, upwards=upwards)):
                        return False
                for index in early.writes:
                    pairs = clash(early, index, late, to, fold, upwards=upwards)
                    if early.not_before(late, pairs) or (early is late and not _is_apart(pairs)):
                        return False
    return True


def _is_apart(pairs: isl.Map) -> bool:
    """Whether no instance is paired with itself: it would write two cells to one place."""
    return bool(pairs.intersect(isl.Map.identity(pairs.get_space())).is_empty())


def _doubt(function: Function, nests: Sequence[StageNest], roles: Sequence[Role], fold: Fold) -> str:
    """Why a value that seems lost may not be; empty where it surely is."""
    vague = next((role.vague for role in roles if role.vague), None)
    if vague is not None:
        return f"nothing is known of `{vague}`"
    doubts = [_doubt_of(function, nest, fold) for nest in nests if not writes_nothing(function, nest.stage)]
    if any(role.runs_again for role in roles):
        doubts.append("the tail of a split runs some iterations twice; TailStrategy.GuardWithIf does not")
    return next(filter(None, doubts), "")


def _doubt_of(function: Function, nest: StageNest, fold: Fold) -> str:
    definition, arg = function.definitions[nest.stage], function.args[fold.dim]
    if groups_in((*definition.index, *definition.values)):
        return f"update {nest.stage - 1} writes several elements in one step"
    if any(call.name == "undef" for value in definition.values for call in find(value, Call)):
        return "some of its values may be undefined"
    if nest.is_order_free and self_reads(definition, function):
        return f"update {nest.stage - 1} may combine values in any order"
    if nest.is_update and arg in pure_variables(function, nest.stage):
        return f"update {nest.stage - 1} runs over all of `{arg}` that is needed"
    return ""
