"""Ask isl for the least and greatest value of an affine index."""

from __future__ import annotations

from functools import lru_cache

import islpy as isl

from ..ir.interval import EVERYTHING, Interval
from .affine import Affine
from .from_isl import expr_of
from .isl_limits import ask
from .question import Question


@lru_cache(maxsize=4096)
def extremes(question: Question) -> Interval:
    """Both ends, over the question's symbols; None for an end that isl cannot say briefly or in time.

    Ends are right for all values of the symbols for which some point satisfies the question; where
    none does they may be anything.
    """
    return ask(lambda context: _extremes(question, context)) or EVERYTHING


def _extremes(question: Question, context: isl.Context) -> Interval:
    affine = Affine(context, len(question.ranges), question.symbols)
    domain = affine.domain(question)
    values = isl.Map.from_pw_aff(affine.function(question.index)).intersect_domain(domain).range()
    where = domain.params()
    if where.is_empty():
        return EVERYTHING
    return Interval(expr_of(values.dim_min(0), where), expr_of(values.dim_max(0), where))
