"""Turn `f[index] = values` into a Definition, or say what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..dtypes import INT32, DType, accepted
from ..errors import DefinitionError, TypeMismatch
from ..ir.expr import Expr, FuncAccess, Let, Var, const
from ..ir.extern import extern_call
from ..ir.function import Definition, Function, ReductionDomain
from ..ir.map_definitions import map_definition
from ..ir.node import walk
from ..ir.rewrite import free_vars
from ..schedule.initial import pure_variables
from ..schedule.order import self_reads
from ..source import SourceLocation, caller
from .advise import advise
from .expressions.conversion import cast, show, typed
from .expressions.random_numbers import next_definition, place_random
from .expressions.var import Var as VarHandle
from .func_contents import FuncContents, freeze_called
from .groups import with_fitting_groups
from .rdom import bind_reduction, is_reduction_access

_PLACEHOLDER = "_"


def call_index(what: str, index: Sequence[Expr]) -> tuple[Expr, ...]:
    """Arguments of a call, as int32. Raises TypeMismatch for types that do not fit."""
    return tuple(_as_coordinate(what, place, e) for place, e in enumerate(index))


def _as_coordinate(what: str, place: int, e: Expr) -> Expr:
    if e.dtype is INT32:
        return e
    if e.dtype.is_integer and e.dtype.lanes == 1 and e.dtype.bits + e.dtype.is_uint <= 32:
        return cast(INT32, e)
    raise TypeMismatch(
        f"argument {place + 1} in a call to {what} is {typed(e)}",
        location=caller(),
        reason=[f"Implicit cast from {e.dtype} to int in argument {place + 1} could change its value"],
        accepted="integers of at most 32 bits, or an explicit hl.cast(hl.Int(32), ...)",
    )


def expand_placeholder(index: tuple[Expr, ...], rank: int | None) -> tuple[Expr, ...]:
    """`_` replaced by as many implicit Vars as the rank leaves room for (none while it is unknown)."""
    for at, e in enumerate(index):
        if isinstance(e, Var) and e.name == _PLACEHOLDER:
            missing = 0 if rank is None else max(0, rank - len(index) + 1)
            implicit = tuple(Var(VarHandle.implicit(n).name()) for n in range(missing))
            return (*index[:at], *implicit, *index[at + 1 :])
    return index


def _placeholder_at(index: tuple[Expr, ...]) -> int | None:
    places = (at for at, e in enumerate(index) if isinstance(e, Var) and e.name == _PLACEHOLDER)
    return next(places, None)


def define(func: FuncContents, index: tuple[Expr, ...], values: tuple[Expr, ...]) -> int:
    """Add a definition to the Func: the pure one first, then updates. Returns the number of its stage."""
    location = caller()
    if func.frozen:
        raise DefinitionError(
            f"Func `{func.name}` cannot be given another definition",
            location=location,
            reason=["it has already been realized, or used in the definition of another Func"],
            accepted="all definitions of a Func before its first use",
        )
    if func.function is not None and extern_call(func.function) is not None:
        raise DefinitionError(
            f"Func `{func.name}` is an extern stage, which has no other definitions",
            location=location,
            accepted=f"another Func that reads {func.name}",
        )
    if func.function is None:
        function = _pure_function(func, index, values, location)
    else:
        function = _updated_function(func, func.function, index, values, location)
    function = _in_place(function)
    freeze_called(function.definitions[-1], func)
    func.set_function(function)
    return len(function.definitions) - 1


def _in_place(function: Function) -> Function:
    """The function with what its last definition writes at once checked, and its random values written out."""
    *earlier, last = function.definitions
    last = with_fitting_groups(function.name, last, is_first=not earlier)
    reduction = [v.name for v in last.rdom.vars] if last.rdom else []
    variables = [*pure_variables(function, len(earlier)), *reduction]
    number = next_definition()
    last = map_definition(last, lambda e: place_random(e, variables, number))
    return replace(function, definitions=(*earlier, last))


def implicit_count(values: Sequence[Expr]) -> int:
    """How many implicit Vars the values use: 2 for _0 and _1."""
    names = {name for value in values for name in free_vars(value)}
    return max((VarHandle(name).implicit_index() + 1 for name in names), default=0)


def base_case(func: FuncContents, index: tuple[Expr, ...], values: tuple[Expr, ...], start: int) -> None:
    """Define an undefined Func by a constant, so that `f[index] += values` has something to add to."""
    fresh = (VarHandle() for _ in index)
    index = _with_implicit(index, values)
    names = [e.name if isinstance(e, Var) else next(fresh).name() for e in index]
    dtypes = func.required_dtypes or tuple(v.dtype for v in values)
    define(func, tuple(map(Var, names)), tuple(const(start, dtype) for dtype in dtypes))


def _with_implicit(index: tuple[Expr, ...], values: Sequence[Expr]) -> tuple[Expr, ...]:
    """`_` on the left of an undefined Func stands for as many Vars as the right-hand side uses."""
    at = _placeholder_at(index)
    if at is None:
        return index
    implicit = tuple(Var(VarHandle.implicit(n).name()) for n in range(implicit_count(values)))
    return (*index[:at], *implicit, *index[at + 1 :])


def _pure_function(
    func: FuncContents, index: tuple[Expr, ...], values: tuple[Expr, ...], location: SourceLocation
) -> Function:
    for place, e in enumerate(index):
        if not isinstance(e, Var):
            what = "a reduction variable" if is_reduction_access(e) else f"`{show(e)}`"
            raise DefinitionError(
                f"Func `{func.name}`: argument {place + 1} of its first definition is {what}, not a Var",
                location=location,
                reason=["the first definition gives a value to every point, so its arguments are plain Vars"],
                accepted=f"for example {func.name}[x] = 0 first, then an update",
            )
    index = _with_implicit(index, values)
    names = tuple(e.name for e in index if isinstance(e, Var))
    if len(set(names)) != len(names):
        twice = next(n for n in names if names.count(n) > 1)
        raise DefinitionError(
            f"Func `{func.name}`: Var `{twice}` stands twice on the left-hand side",
            location=location,
            accepted="a different Var for each dimension",
        )
    bound, domain = bind_reduction(values)
    if domain is not None:
        raise DefinitionError(
            f"Func `{func.name}`: its first definition uses the reduction variable `{domain.vars[0].name}`",
            location=location,
            accepted=f"a first definition without RDom, then an update such as {func.name}[...] += ...",
        )
    return function_of(func, Definition(index, tuple(bound), None, location), names)


def function_of(func: FuncContents, definition: Definition, names: tuple[str, ...]) -> Function:
    """The Func of one pure definition over Vars of these names, checked."""
    dtypes = tuple(v.dtype for v in definition.values)
    _check_variables(func, definition, set(names))
    _check_required(func, dtypes, len(names), definition.location)
    return Function(func.name, names, dtypes, (definition,), definition.location)


def _tuple_type(dtypes: tuple[DType, ...]) -> str:
    return accepted(dtypes) if len(dtypes) == 1 else f"({accepted(dtypes)})"


def _check_required(func: FuncContents, dtypes: tuple[DType, ...], rank: int, location: SourceLocation | None) -> None:
    if func.required_dtypes and dtypes != func.required_dtypes:
        raise TypeMismatch(
            f"Func `{func.name}` is constrained to only hold values of type {_tuple_type(func.required_dtypes)}"
            f" but is defined with values of type {_tuple_type(dtypes)}",
            location=location,
            accepted=f"values of type {accepted(func.required_dtypes)}",
        )
    if func.required_rank is not None and rank != func.required_rank:
        raise DefinitionError(
            f"Func `{func.name}` is constrained to have exactly {func.required_rank} dimensions,"
            f" but is defined with {rank} dimensions",
            location=location,
            accepted=f"{func.required_rank} Vars on the left-hand side",
        )


def _updated_function(
    func: FuncContents,
    function: Function,
    index: tuple[Expr, ...],
    values: tuple[Expr, ...],
    location: SourceLocation,
) -> Function:
    check_update(func, function, index, values, location)
    bound, domain = bind_reduction((*index, *values))
    updated = with_update(
        func, function, Definition(tuple(bound[: len(index)]), tuple(bound[len(index) :]), domain, location)
    )
    if _hides_all(func, updated):
        _warn_hidden(func, len(function.updates), location)
    return updated


def check_update(
    func: FuncContents,
    function: Function,
    index: Sequence[Expr],
    values: Sequence[Expr],
    location: SourceLocation | None,
) -> None:
    """Raises DefinitionError or TypeMismatch where an update has other dimensions or types than the Func."""
    _check_arity(func, function, index, location)
    _check_update_types(func, function, values, len(function.updates), location)


def with_update(func: FuncContents, function: Function, definition: Definition) -> Function:
    """The Func with a further definition, whose variables and reads of the Func itself are checked."""
    number, location = len(function.updates), definition.location
    pure = {
        at: name
        for at, (name, e) in enumerate(zip(function.args, definition.index, strict=True))
        if isinstance(e, Var) and e.name == name
    }
    reduction = {v.name for v in definition.rdom.vars} if definition.rdom else set()
    _check_variables(func, definition, set(pure.values()) | reduction)
    updated = replace(function, definitions=(*function.definitions, definition))
    reads = self_reads(definition, updated, func)
    for read in reads:
        for at, name in pure.items():
            if read.index[at] is not definition.index[at]:
                raise DefinitionError(
                    f"Func `{func.name}`, update {number}: it reads itself at `{show(read.index[at])}` "
                    f"in dimension {at}, where it is defined for all `{name}`",
                    location=location,
                    reason=[f"the loop over `{name}` may run in any order, so only the same point can be read"],
                    accepted=f"`{name}` in that place, or a reduction variable on the left-hand side",
                )
    return updated


def _hides_all(func: FuncContents, function: Function) -> bool:
    """Whether the last update gives every point a value, whatever it was."""
    last = function.definitions[-1]
    is_everywhere = last.rdom is None and len(pure_variables(function, -1)) == function.rank
    return is_everywhere and not self_reads(last, function, func)


def _warn_hidden(func: FuncContents, number: int, location: SourceLocation) -> None:
    text = f"Func `{func.name}`, update {number}: hides all earlier definitions, since it defines every point anew"
    advise(text, location)


def _check_arity(
    func: FuncContents, function: Function, index: Sequence[Expr], location: SourceLocation | None
) -> None:
    if len(index) != function.rank:
        raise DefinitionError(
            f"Func `{func.name}` has {function.rank} dimensions ({', '.join(function.args)}), not {len(index)}",
            location=location,
            accepted=f"{function.rank} arguments",
        )


def _check_update_types(
    func: FuncContents, function: Function, values: Sequence[Expr], number: int, location: SourceLocation | None
) -> None:
    if len(values) != len(function.dtypes):
        raise DefinitionError(
            f"Func `{func.name}`, update {number}: {len(values)} values, but the Func has {len(function.dtypes)}",
            location=location,
            accepted=f"a tuple of {len(function.dtypes)} values" if len(function.dtypes) > 1 else "one value",
        )
    for place, (value, dtype) in enumerate(zip(values, function.dtypes, strict=True)):
        if value.dtype is not dtype:
            which = f"value {place} " if len(values) > 1 else "the value "
            raise TypeMismatch(
                f"Func `{func.name}`, update {number}: {which}has type {value.dtype}, but the Func holds {dtype}",
                location=location,
                accepted=f"{dtype}; convert with hl.cast(<type of {func.name}>, ...)",
            )


def _check_variables(func: FuncContents, definition: Definition, known: set[str]) -> None:
    """Every variable on the right is an argument, a reduction variable or bound by a let."""
    roots = [*definition.index, *definition.values]
    if definition.rdom is not None:
        roots += _domain_expressions(definition.rdom)
    for root in roots:
        unknown = free_vars(root) - known
        if unknown and root.has(Let):
            unknown -= {node.name for node in walk(root) if isinstance(node, Let)}
        if unknown:
            name = min(unknown)
            raise DefinitionError(
                f"Func `{func.name}`: variable `{name}` is used on the right-hand side but is no dimension of it",
                location=definition.location,
                reason=[f"its value would be unknown when {func.name} is computed"],
                accepted=", ".join(sorted(known)) or "no variable: the Func has no dimensions",
            )


def _domain_expressions(domain: ReductionDomain) -> list[Expr]:
    found = [e for v in domain.vars for e in (v.min, v.extent)]
    return found if domain.predicate is None else [*found, domain.predicate]


def access(func: FuncContents, index: tuple[Expr, ...], element: int) -> Expr:
    """A read of one element of a defined Func."""
    return FuncAccess(func, index, element, func.defined_function.dtypes[element])
