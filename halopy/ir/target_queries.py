"""Facts about the target, asked for in expressions, as the numbers that they are for one target."""

from __future__ import annotations

from dataclasses import replace

from ..dtypes import DType
from ..target import Target
from ..target_features import TargetArch, TargetFeature, TargetOS
from .expr import Expr, TargetQuery, const
from .function import Function
from .map_definitions import map_expressions
from .program import Program, expressions
from .rewrite import Rewriter


def answer_target_queries(program: Program, target: Target) -> Program:
    """The program with a Const for every TargetQuery.

    f(x) = select(target_has_feature(AVX2), x, -x)   ->   f(x) = select(1, x, -x)
    """
    if not any(e.has(TargetQuery) for f in program.functions.values() for e in expressions(f)):
        return program
    answers = _Answers(target)
    return replace(program, functions={n: _answered(f, answers) for n, f in program.functions.items()})


def answer(query: TargetQuery, target: Target) -> Expr:
    """The answer as a Const."""
    match query.question, query.subject:
        case "arch_is", TargetArch() as arch:
            return const(target.arch is arch, query.dtype)
        case "os_is", TargetOS() as os:
            return const(target.os is os, query.dtype)
        case "has_feature", TargetFeature() as feature:
            return const(target.has(feature), query.dtype)
        case "natural_vector_size", DType() as dtype:
            return const(target.vector_lanes(dtype), query.dtype)
    assert query.question == "bits", f"a question that can be answered, not {query.question}"
    return const(target.bits, query.dtype)


class _Answers(Rewriter):
    only = (TargetQuery,)

    def __init__(self, target: Target) -> None:
        super().__init__()
        self.target = target

    def rewrite_TargetQuery(self, query: TargetQuery) -> Expr:
        return answer(query, self.target)


def _answered(function: Function, answers: _Answers) -> Function:
    answered: Function = map_expressions(function, answers)
    return answered
