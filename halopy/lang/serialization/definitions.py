"""Definitions of Funcs, which are given to a Func again one after the other, checked as the user's are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ...dtypes import BOOL, INT32, DType
from ...ir.expr import Expr, FuncAccess, Var
from ...ir.function import Definition, Function, ReductionDomain
from ...ir.node import find
from ...ir.program import calls
from ...ir.refs import FunctionRef
from ..definition import check_update, function_of, with_update
from ..expressions.expr import Expr as Handle
from ..func_contents import FuncContents
from ..groups import with_fitting_groups
from ..sizes import size_expression
from ..wrappers import Redirected
from .extern_stages import ExternRecord, definition_of, extern_record
from .malformed import Malformed, inside
from .nodes import check_coordinates


@dataclass(frozen=True, slots=True)
class Header:
    """What reads of a Func are checked with, before its definitions are known."""

    args: tuple[str, ...]
    dtypes: tuple[DType, ...]


@dataclass(frozen=True, slots=True)
class FuncRecord:
    """A Func without its schedule. `function` has the name that it was defined under: a clone's is its original's.

    That of an extern stage has no definitions, as `extern` stands for them.
    """

    name: str
    function: Function | None
    required_types: tuple[DType, ...] = ()
    required_rank: int | None = None
    is_frozen: bool = False
    extern: ExternRecord | None = None


def record_of(contents: FuncContents) -> FuncRecord:
    """The Func as it is now."""
    function = contents.function
    extern = None if function is None else extern_record(function)
    if function is not None and extern is not None:
        function = replace(function, definitions=())
    return FuncRecord(
        contents.name, function, contents.required_dtypes, contents.required_rank, contents.frozen, extern
    )


def define_again(contents: FuncContents, record: FuncRecord) -> None:
    """Give the Func its definitions. Raises Malformed where the language would refuse them."""
    contents.required_dtypes, contents.required_rank = record.required_types, record.required_rank
    if record.function is None:
        return
    if record.extern is not None:
        with inside("extern"):
            definition = definition_of(contents, record.function, record.extern)
        function = _defined(contents, record.function, definition)
        contents.set_function(replace(function, name=record.function.name, location=record.function.location))
        contents.frozen = record.is_frozen
        return
    with inside("function", "definitions"):
        if not record.function.definitions:
            raise Malformed("a Func without definitions")
        for number, definition in enumerate(record.function.definitions):
            with inside(number):
                for version in definition.versions:
                    with inside("versions"):
                        if number == 0 or version.versions:
                            raise Malformed("a version of a version, or of a pure definition")
                        _checked(contents, record.function, version, is_first=False)
                function = _checked(contents, record.function, replace(definition, versions=()), is_first=number == 0)
                *earlier, last = function.definitions
                definitions = (*earlier, replace(last, versions=definition.versions))
                whole = record.function
                contents.set_function(Function(whole.name, function.args, function.dtypes, definitions, whole.location))
    with inside("function"):
        if contents.defined_function != record.function:
            raise Malformed("the Func's arguments or types are not those of its first definition")
    contents.frozen = record.is_frozen


def _checked(contents: FuncContents, wanted: Function, definition: Definition, *, is_first: bool) -> Function:
    """The Func as it is after one more definition, if that is one."""
    _check(definition)
    if with_fitting_groups(contents.name, definition, is_first=is_first) is not definition:
        raise Malformed("a group of places that do not belong together")
    return _defined(contents, wanted, definition)


def _defined(contents: FuncContents, wanted: Function, definition: Definition) -> Function:
    """The Func as it is after one more definition."""
    if contents.function is not None:
        check_update(contents, contents.function, definition.index, definition.values, definition.location)
        return with_update(contents, contents.function, definition)
    if definition.rdom is not None or definition.index != tuple(map(Var, wanted.args)) or not definition.values:
        raise Malformed("the first definition is for each of the Func's arguments")
    if len(set(wanted.args)) < len(wanted.args):
        raise Malformed("two arguments of one name")
    if any(access.ref is contents for value in definition.values for access in _accesses(value)):
        raise Malformed("the first definition reads the Func itself")
    return function_of(contents, definition, wanted.args)


def _accesses(root: Expr) -> list[FuncAccess]:
    return [node for node in find(root, FuncAccess) if isinstance(node, FuncAccess)]


def _check(definition: Definition) -> None:
    """What the user's operators see to."""
    check_coordinates(definition.index)
    if any(value.dtype.lanes != 1 for value in definition.values):
        raise Malformed("a value of several lanes")
    if definition.branch is not None:
        raise Malformed("versions of a stage belong to its schedule")
    if definition.rdom is not None:
        _check_domain(definition.rdom)


def _check_domain(domain: ReductionDomain) -> None:
    names = [v.name for v in domain.vars]
    if len(set(names)) < len(names):
        raise Malformed("a reduction domain has variables of different names")
    for v in domain.vars:
        for bound in (v.min, v.extent):
            if size_expression(f"RDom variable {v.name}", Handle(bound)).dtype is not bound.dtype:
                raise Malformed(f"a bound of type {bound.dtype!r}, not {INT32!r}")
    if domain.predicate is not None and domain.predicate.dtype is not BOOL:
        raise Malformed("a predicate that is no condition")


def check_access(access: FuncAccess, header: Header | None) -> None:
    """Raises Malformed where a read does not fit the Func."""
    name = access.ref.name
    if header is None:
        raise Malformed(f"Func `{name}` is read and has no definition")
    if len(access.index) != len(header.args):
        raise Malformed(f"Func `{name}` of {len(header.args)} dimensions is read with {len(access.index)} indices")
    if not 0 <= access.element < len(header.dtypes) or header.dtypes[access.element] is not access.dtype:
        raise Malformed(f"Func `{name}` has no value {access.element} of type {access.dtype!r}")
    check_coordinates(access.index)


def check_no_cycles(funcs: list[FuncContents]) -> None:
    """Raises Malformed where a Func needs itself by way of others, also once reads are redirected to wrappers."""
    _require_order({f: [w.wrapper for w in f.wrappers.values()] for f in funcs})
    redirected = Redirected()
    reads: dict[FunctionRef, list[FunctionRef]] = {}
    for f in funcs:
        function = redirected(f)
        reads[f] = [] if function is None else calls(f, function)
    _require_order(reads)


def _require_order(edges: Mapping[FunctionRef, Sequence[FunctionRef]]) -> None:
    """Raises Malformed unless there is an order in which each stands after those it leads to."""
    open_now: set[FunctionRef] = set()
    done: set[FunctionRef] = set()
    for root in edges:
        stack: list[tuple[FunctionRef, bool]] = [(root, False)]
        while stack:
            ref, is_finished = stack.pop()
            if is_finished:
                open_now.remove(ref)
                done.add(ref)
            elif ref in open_now:
                raise Malformed(f"Func `{ref.name}` needs itself, by way of others")
            elif ref not in done:
                open_now.add(ref)
                stack.append((ref, True))
                stack.extend((below, False) for below in edges.get(ref, ()) if below not in done)
