"""`scatter` and `gather`: one definition that writes, or reads, several places at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..errors import DefinitionError, TypeMismatch
from ..ir import expr as nodes
from ..ir.function import Definition
from ..ir.groups import GROUP, groups_in, last_element
from ..ir.map_definitions import map_definition
from ..source import caller
from .expressions.conversion import cast, typed
from .expressions.expr import Expr, ExprLike, ToExpr, to_node

__all__ = ["gather", "scatter"]


def scatter(*args: ToExpr | Iterable[ToExpr]) -> Expr:
    """The places of a definition that writes several at once: `f[hl.scatter(3, 5)] = hl.gather(1, 2)`.

    All values are taken before any is written; of equal places the rightmost value stays. The places may also be
    given as one list.
    """
    return _group("scatter", args)


def gather(*args: ToExpr | Iterable[ToExpr]) -> Expr:
    """A value for each of several places written at once: `f[hl.scatter(3, 5)] = f[hl.gather(5, 3)]` exchanges two.

    An operation on several groups takes the elements with the same number.
    """
    return _group("gather", args)


def _group(name: str, args: Sequence[ToExpr | Iterable[ToExpr]]) -> Expr:
    given = [e for arg in args for e in (arg if _is_list(arg) else (arg,))]  # type: ignore[union-attr]
    elements = list(map(to_node, given))
    if not elements:
        raise DefinitionError(f"hl.{name} of nothing", location=caller(), accepted="one or more expressions")
    dtype = next((e.dtype for e in elements if not isinstance(e, nodes.Const)), elements[0].dtype)
    fitting = tuple(cast(dtype, e) if isinstance(e, nodes.Const) and e.dtype.is_int else e for e in elements)
    for e in fitting:
        if e.dtype is not dtype:
            raise TypeMismatch(
                f"hl.{name} of different types: {typed(elements[0])} and {typed(e)}",
                location=caller(),
                accepted="one type; convert with hl.cast",
            )
    return Expr(nodes.Call(GROUP, fitting, dtype))


def _is_list(arg: object) -> bool:
    return isinstance(arg, Iterable) and not isinstance(arg, ExprLike | str)


def with_fitting_groups(func: str, definition: Definition, *, is_first: bool) -> Definition:
    """The definition, of which all groups have one size. A first definition writes one place, where the last element
    stays. Raises DefinitionError."""
    groups = groups_in((*definition.index, *definition.values))
    predicate = definition.rdom.predicate if definition.rdom else None
    if predicate is not None and groups_in((predicate,)):
        raise _misplaced(func, definition, "the predicate of its RDom has a group: it is asked once for all places")
    if not groups:
        return definition
    if any(groups_in(group.args) for group in groups):
        raise _misplaced(func, definition, "a scatter or gather stands inside another")
    sizes = dict.fromkeys(len(group.args) for group in groups)
    if len(sizes) > 1:
        raise _misplaced(func, definition, f"scatters and gathers of different sizes: {' and '.join(map(str, sizes))}")
    return map_definition(definition, last_element) if is_first else definition


def _misplaced(func: str, definition: Definition, what: str) -> DefinitionError:
    return DefinitionError(
        f"Func `{func}`: {what}",
        location=definition.location,
        accepted="groups of one size, side by side, in the places and values of one definition",
    )


def outside_definitions() -> DefinitionError:
    """What to say of a group in a schedule, a size or a requirement."""
    return DefinitionError(
        "a scatter or gather stands outside the definition of a Func",
        location=caller(),
        accepted="scatter on the left, gather on the right of a definition",
    )
