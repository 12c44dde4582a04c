"""Directives of a Func, which are applied again one after the other, checked as the user's are.

A stage's directives are a list. One that made a version of the stage has that version's own directives beside it.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

from ...errors import ScheduleError
from ...ir.expr import Expr, const_value
from ...ir.refs import FunctionRef
from ...schedule.directives import (
    Atomic,
    Bound,
    ComputeWith,
    CopyTo,
    DebugToFile,
    Directive,
    FuncDirective,
    LoopLevel,
    Memoize,
    NestDirective,
    ReorderStorage,
    Rfactor,
    Specialize,
    SpecializeFail,
    TraceTag,
)
from ...schedule.initial import initial_stage
from ...schedule.nest import StageNest
from ...schedule.taking_turns import turns
from ...source import SourceLocation
from ...target_features import DeviceAPI
from ..expressions.expr import Expr as Handle
from ..factoring import factor
from ..func_contents import FuncContents
from ..legality import applied
from ..memoization import to_eviction_key
from ..sizes import condition_expression, size_expression
from ..wrappers import is_plain_copy
from .document import Json
from .fields import Places, Tables, codec, expect
from .malformed import Malformed, inside
from .nests import with_directives_anew

# The tables of what may stand in a document.
OF_STAGES = typing.get_args(NestDirective)
OF_FUNCS = typing.get_args(FuncDirective)
_DEEPEST = 16  # versions of versions
_MAY_BE_ZERO = frozenset({"min", "remainder", "offset"})


@dataclass(frozen=True, slots=True)
class StageDirective:
    """One directive about a stage; the stage itself is known from its place."""

    action: NestDirective
    text: str
    location: SourceLocation | None = None


@dataclass(frozen=True, slots=True)
class WholeDirective:
    """One directive about a whole Func."""

    action: FuncDirective
    text: str
    location: SourceLocation | None = None


def write_schedule(contents: FuncContents, places: Places, *, factors: bool = False) -> Json:
    """All that was said about a Func. Raises ScheduleError where a place was never decided.

    With `factors`, rfactor() is a directive, and what it made has those given since; else loops are as it left them.
    """
    schedule = contents.schedule()
    whole = codec(WholeDirective)
    return {
        "stages": [
            _write_nest(nest, _made_by(nest, contents) if factors else 0, places, factors) for nest in schedule.nests
        ],
        "directives": [whole.write(WholeDirective(_whole(d), d.text, d.location), places) for d in schedule.directives],
    }


def _whole(directive: Directive) -> FuncDirective:
    assert isinstance(directive.action, FuncDirective), "a directive about a whole Func"
    return directive.action


def _made_by(nest: StageNest, contents: FuncContents) -> int:
    """How many directives there were when rfactor() had made the Func."""
    made = (
        n for n, d in enumerate(nest.directives) if isinstance(d.action, Rfactor) and d.action.intermediate is contents
    )
    return next((n + 1 for n in made), 0)


def _write_nest(nest: StageNest, first: int, places: Places, factors: bool) -> Json:
    """The directives from number `first` on: those before are of the version that this is a version of."""
    number_of_definition = {} if nest.definition is None or factors else {"definition": nest.definition}
    is_factored = any(isinstance(d.action, Rfactor) for d in nest.directives) and not factors
    if number_of_definition or is_factored:
        nest, first = with_directives_anew(nest), 0
    versions = iter(nest.specializations)
    rows = []
    for number, d in enumerate(nest.directives[first:], first):
        row = codec(StageDirective).write(StageDirective(d.action, d.text, d.location), places)  # type: ignore[arg-type]
        if isinstance(d.action, Specialize | SpecializeFail):
            row["version"] = _write_nest(next(versions).nest, number, places, factors)
        rows.append(row)
    return {"directives": rows, "is_left_alone": nest.is_left_alone, **number_of_definition}


def read_schedule(contents: FuncContents, data: Json, tables: Tables) -> None:
    """Schedule the Func, which has none. Raises Malformed where the language would refuse it."""
    read_stages(contents, data, tables)
    read_whole(contents, data, tables)


def read_stages(contents: FuncContents, data: Json, tables: Tables) -> None:
    """What is said about the Func's loops. Updates may be factored."""
    with inside("stages"):
        stages = expect(data.get("stages") if isinstance(data, dict) else data, list)
        if len(stages) != len(contents.nests):
            raise Malformed(f"{len(stages)} stages, and the Func has {len(contents.nests)}")
        for number, stage in enumerate(stages):
            with inside(number):
                contents.nests[number] = _read_nest(contents, contents.nests[number], stage, tables, 0)


def read_whole(contents: FuncContents, data: Json, tables: Tables) -> None:
    """What is said about the Func as a whole."""
    with inside("directives"):
        for number, row in enumerate(expect(data.get("directives"), list)):
            with inside(number):
                read: WholeDirective = codec(WholeDirective).read(row, tables)
                directive = Directive(read.action, 0, read.location, read.text)
                admit(contents, directive)
                contents.add(directive)


def _read_nest(contents: FuncContents, nest: StageNest, data: Json, tables: Tables, depth: int) -> StageNest:
    if depth > _DEEPEST:
        raise Malformed(f"versions of versions, deeper than {_DEEPEST}")
    if expect(data, dict).keys() - {"definition"} != {"directives", "is_left_alone"}:
        raise Malformed("a stage has `directives` and `is_left_alone`")
    if "definition" in data:
        nest = _nest_of_version(contents, nest.stage, expect(data["definition"], int), depth)
    with inside("directives"):
        for number, row in enumerate(expect(data["directives"], list)):
            with inside(number):
                nest = _with_row(contents, nest, row, tables, depth)
    return replace(nest, is_left_alone=expect(data["is_left_alone"], bool))


def _nest_of_version(contents: FuncContents, stage: int, number: int, depth: int) -> StageNest:
    """The loops of a version that has a definition of its own, before anything is said about them."""
    known = contents.defined_function.definitions[stage].versions
    if depth == 0 or not 0 <= number < len(known):
        raise Malformed(f"there is no version {number} of the stage's definition")
    nest = initial_stage(contents.defined_function.in_version(stage, number), stage, contents)
    return replace(nest, definition=number)


def _with_row(contents: FuncContents, nest: StageNest, row: Json, tables: Tables, depth: int) -> StageNest:
    version = expect(row, dict).get("version")
    plain = {key: value for key, value in row.items() if key != "version"}
    read: StageDirective = codec(StageDirective).read(plain, tables)
    action = read.action
    if isinstance(action, Rfactor):
        made = action.intermediate
        if not isinstance(made, FuncContents) or not made.is_intermediate or made.function is not None or version:
            raise Malformed("rfactor() makes no Func here, or one that there is already")
        directive = Directive(action, nest.stage, read.location, read.text)
        return factor(contents, nest, directive, made, is_main=depth == 0)
    if isinstance(action, Atomic):  # what is known of the update is found out, whatever is written
        override = action.override_associativity_test
        action = turns(nest, contents.defined_function, contents, override=override)
    if isinstance(action, ComputeWith) and depth:
        raise Malformed("compute_with() is about all versions of a stage")
    directive = Directive(action, nest.stage, read.location, read.text)
    admit(contents, directive)
    nest = applied(contents, nest, directive)
    if isinstance(read.action, Specialize | SpecializeFail) is not (version is not None):
        raise Malformed("specialize() and nothing else has a version")
    if version is None:
        return nest
    *others, last = nest.specializations
    with inside("version"):
        inner = _read_nest(contents, last.nest, version, tables, depth + 1)
    return replace(nest, specializations=(*others, replace(last, nest=inner)))


# -- what the user's methods see to before a directive is made -------------------------------------------------------


def admit(contents: FuncContents, directive: Directive) -> None:
    """Raises ScheduleError where a directive's sizes, dimensions or places are not what they may be."""
    if contents.function is None:
        raise _refused(directive, f"Func `{contents.name}` has no definition")
    args = contents.function.args
    for name, value in _values(directive.action):
        if name == "eviction":
            to_eviction_key(Handle(value) if isinstance(value, Expr) else None)
        elif isinstance(value, Expr):
            _check_size(directive, name, value)
        elif isinstance(value, LoopLevel):
            _check_place(directive, value, contents)
        elif name == "device" and value not in ("", *DeviceAPI.__members__):
            raise _refused(directive, f"there is no device `{value}`")
        elif name == "arg" and value not in args:
            raise _refused(directive, f"`{value}` is no dimension of {contents.name}", ", ".join(args))
    action = directive.action
    if isinstance(action, ReorderStorage) and (
        len(set(action.args)) < len(action.args) or not {*action.args} <= {*args}
    ):
        raise _refused(directive, "the dimensions are not those of the Func, each once", ", ".join(args))
    if isinstance(action, Memoize) and (action.algorithm or action.keys or action.images):
        raise _refused(directive, "what results are kept for is found out when the pipeline is compiled")
    if isinstance(action, CopyTo) and not is_plain_copy(contents.function):
        raise _refused(directive, "the Func does more than read another one at the same place")
    if isinstance(action, DebugToFile):
        raise _refused(directive, "data does not say which files are written", "f.debug_to_file(filename) afterwards")
    if isinstance(action, TraceTag | SpecializeFail) and "\0" in str(action):
        raise _refused(directive, "a text with a NUL character")


def _values(action: NestDirective | FuncDirective) -> Iterator[tuple[str, object]]:
    return ((field.name, getattr(action, field.name)) for field in fields(action))


def _check_size(directive: Directive, name: str, value: Expr) -> None:
    if isinstance(directive.action, Specialize):
        condition_expression(directive.text, Handle(value))
        return
    if size_expression(directive.text, Handle(value)) is not value:
        raise _refused(directive, f"the {name} has type {value.dtype!r}, not int32")
    constant = const_value(value)
    if constant is not None and constant < 1 and name not in _MAY_BE_ZERO and type(directive.action) is not Bound:
        raise _refused(directive, f"the {name} is {constant}", "1 or more")


def _check_place(directive: Directive, level: LoopLevel, own: FuncContents) -> None:
    func: FunctionRef | None = level.func
    if func is own:
        raise _refused(directive, f"{own.name} has no place inside its own loops")
    if func is None:
        if not (level.is_inlined or level.is_root):
            raise _refused(directive, f"`{level.loop}` without a Func is no place")
    elif func.function is None:
        raise _refused(directive, f"Func `{func.name}` has no definition")


def _refused(directive: Directive, reason: str, accepted: str | None = None) -> ScheduleError:
    return ScheduleError(directive.text, location=directive.location, reason=[reason], accepted=accepted)
