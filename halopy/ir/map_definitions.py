"""Rewrite every expression of a definition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from .expr import Expr
from .function import Definition, Function, ReductionDomain, ReductionVar

Rewrite: TypeAlias = "Callable[[Expr], Expr]"


def map_expressions(function: Function, rewrite: Rewrite) -> Function:
    """The function with every expression of its definitions rewritten; itself where nothing changes."""
    definitions = tuple(map_definition(d, rewrite) for d in function.definitions)
    if all(a is b for a, b in zip(definitions, function.definitions, strict=True)):
        return function
    return replace(function, definitions=definitions)


def map_definition(definition: Definition, rewrite: Rewrite) -> Definition:
    index = tuple(map(rewrite, definition.index))
    values = tuple(map(rewrite, definition.values))
    rdom = definition.rdom and _map_domain(definition.rdom, rewrite)
    versions = tuple(map_definition(v, rewrite) for v in definition.versions)
    same = index == definition.index and values == definition.values and versions == definition.versions
    if same and rdom is definition.rdom:
        return definition
    return replace(definition, index=index, values=values, rdom=rdom, versions=versions)


def _map_domain(rdom: ReductionDomain, rewrite: Rewrite) -> ReductionDomain:
    domain = ReductionDomain(
        tuple(ReductionVar(v.name, rewrite(v.min), rewrite(v.extent)) for v in rdom.vars),
        None if rdom.predicate is None else rewrite(rdom.predicate),
    )
    return rdom if domain == rdom else domain
