"""`rfactor`: an associative update is split over an intermediate Func."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

from ..errors import MistypedDirective
from ..ir.function import Definition
from ..schedule.directives import Directive, Rfactor
from ..schedule.nest import StageNest
from ..schedule.rfactor import rfactor
from ..schedule.versions import version_at, with_version
from ..source import caller
from . import revision
from .expressions.var import Var
from .func_contents import FuncContents, freeze_called
from .loop_names import Loop, loop_name, shown
from .rdom import RDom, RVar

Preserved: TypeAlias = "Loop | Sequence[tuple[Loop, Var]]"


def shown_pairs(r: Preserved, v: Var | None) -> str:
    """The arguments as the user wrote them."""
    if v is not None or not isinstance(r, list | tuple):
        return shown(r) if v is None else f"{shown(r)}, {shown(v)}"
    return "[" + ", ".join(f"({shown(p)[1:-1]})" if isinstance(p, list | tuple) else shown(p) for p in r) + "]"


def preserved_pairs(text: str, r: Preserved, v: Var | None) -> tuple[tuple[str, str], ...]:
    """The loops to keep, each with the Var that it becomes. Raises MistypedDirective for anything else."""
    pairs: list[object] = list(r) if v is None and isinstance(r, list | tuple) else [(r, v)]
    found = []
    for pair in pairs:
        loop, var = pair if isinstance(pair, list | tuple) and len(pair) == 2 else (pair, None)
        if not isinstance(var, Var) or not isinstance(loop, RVar | RDom):
            raise MistypedDirective(
                text,
                location=caller(),
                reason=[f"`{shown(loop)}` and `{shown(var)}` are no RVar and Var"],
                accepted="rfactor(rvar, var), or rfactor([(rvar, var), ...])",
            )
        found.append((loop_name(loop), var.name()))
    return tuple(found)


def factored(
    contents: FuncContents, stage: int, version: Sequence[int], pairs: tuple[tuple[str, str], ...], text: str
) -> FuncContents:
    """The intermediate Func; the update of `contents`, or a version of it, is changed to combine its values."""
    intermediate = FuncContents(f"{contents.name}_intm")
    directive = Directive(Rfactor(pairs, intermediate), stage, caller(), text)
    nest = version_at(contents.nests[stage], version)
    changed = factor(contents, nest, directive, intermediate, is_main=not version)
    contents.nests[stage] = with_version(contents.nests[stage], version, changed)
    revision.changed()
    return intermediate


def factor(
    contents: FuncContents, nest: StageNest, directive: Directive, intermediate: FuncContents, *, is_main: bool
) -> StageNest:
    """What is left of the nest; the definition that it is of changes, and the intermediate Func is defined."""
    action, function, stage = directive.action, contents.defined_function, nest.stage
    assert isinstance(action, Rfactor), "a directive that factors"
    seen = function.in_version(stage, nest.definition)
    result = rfactor(seen, replace(nest, specializations=()), contents, action.preserved, intermediate, directive)
    intermediate.function = result.intermediate
    intermediate.nests = list(result.nests)
    intermediate.frozen = intermediate.is_intermediate = True
    changed = replace(result.nest, specializations=nest.specializations, definition=nest.definition)
    contents.as_written.setdefault(stage, function.definitions[stage])
    definition, own = _with_version(function.definitions[stage], changed, result.update, is_main=is_main)
    definitions = (*function.definitions[:stage], definition, *function.definitions[stage + 1 :])
    contents.function = replace(function, definitions=definitions)
    freeze_called(result.update, contents)
    return own


def _with_version(
    definition: Definition, nest: StageNest, changed: Definition, *, is_main: bool
) -> tuple[Definition, StageNest]:
    """The stage's definition, where the nest is now of the changed one; versions of the nest stay of what it was of."""
    versions = definition.versions
    if not is_main:
        own = len(versions)
        kept = replace(definition, versions=(*versions, replace(changed, versions=())))
        return kept, replace(nest, definition=own)
    if nest.specializations:
        nest = _with_specializations(nest, len(versions))
        versions = (*versions, replace(definition, versions=()))
    return replace(changed, versions=versions), nest


def _with_specializations(nest: StageNest, definition: int) -> StageNest:
    """The nest with its versions being of that definition, where they were of the stage's own."""
    versions = [replace(s, nest=_of(s.nest, definition)) for s in nest.specializations]
    return replace(nest, specializations=tuple(versions))


def _of(nest: StageNest, definition: int) -> StageNest:
    own = nest if nest.definition is not None else replace(nest, definition=definition)
    return _with_specializations(own, definition)
