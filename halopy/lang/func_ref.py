"""`f[x, y]`: a value of the Func where it is read, the left-hand side where it is assigned."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from typing import TypeAlias, cast

from ..errors import DefinitionError
from ..ir import expr as nodes
from ..ir.function import Function
from ..source import caller
from .definition import access, base_case, call_index, define, expand_placeholder, implicit_count
from .expressions.expr import Expr, ExprLike, to_node
from .expressions.operators import binary
from .expressions.tuple import to_values
from .expressions.types import Type
from .func_contents import FuncContents

BinaryNode: TypeAlias = type[nodes.Binary]
_NEUTRAL: dict[BinaryNode, int] = {nodes.Add: 0, nodes.Sub: 0, nodes.Mul: 1, nodes.Div: 1}


class PendingUpdate:
    """`f[x] + e` for an undefined f: nothing until it is assigned to `f[x]`, where f starts as 0 (or 1 for * and /)."""

    __slots__ = ("node", "ref", "values")

    def __init__(self, ref: FuncRef, node: BinaryNode, values: tuple[nodes.Expr, ...]) -> None:
        self.ref, self.node, self.values = ref, node, values

    def assign_to(self, target: FuncRef) -> int:
        """Define the Func by its starting value and this update. Returns the number of the update's stage."""
        func = target.func
        if func is not self.ref.func:
            raise undefined(self.ref.func)
        if target.index != self.ref.index:
            raise DefinitionError(
                f"an update of `{self.ref.shown()}` is assigned to `{target.shown()}`",
                location=caller(),
                reason=[f"`{self.ref.func.name}` was not defined yet, so its value cannot be used elsewhere"],
                accepted=f"{self.ref.shown()} += ..., or define {self.ref.func.name} first",
            )
        if func.function is not None:
            raise DefinitionError(
                f"Func `{func.name}` has been defined since `{self.ref.shown()}` was written",
                location=caller(),
                accepted=f"{self.ref.shown()} += ...",
            )
        base_case(func, self.ref.index, self.values, _NEUTRAL[self.node])
        return target.expanded().update(self.node, self.values)


class FuncRef(ExprLike):
    """A Func at given places."""

    __slots__ = ("_given", "func", "index")

    def __init__(self, func: FuncContents, index: tuple[nodes.Expr, ...]) -> None:
        self.func = func
        self._given = index
        self.index = call_index(f"Func `{func.name}`", index)
        if func.function is not None:
            self.index = expand_placeholder(self.index, func.function.rank)
            if len(self.index) != func.function.rank:
                args = ", ".join(func.function.args)
                raise DefinitionError(
                    f"Func `{func.name}` is used with {len(self.index)} arguments, but has {func.function.rank}",
                    location=caller(),
                    accepted=f"{func.name}[{args}]" if args else f"{func.name}[()]",
                )

    def expanded(self) -> FuncRef:
        """The same places, looked at anew: the Func may have been defined since."""
        return FuncRef(self.func, self._given)

    def assign(self, value: object) -> int:
        """Define the Func at these places. Returns the number of the new stage."""
        if isinstance(value, PendingUpdate):
            return value.assign_to(self)
        values = to_values(value)
        if self.func.function is not None and implicit_count(values) > implicit_count(self.index):
            raise DefinitionError(
                f"Func `{self.func.name}`: the right-hand side uses more implicit Vars than the left-hand side has",
                location=caller(),
                accepted="`_` on the left-hand side too",
            )
        return define(self.func, self.index, values)

    def update(self, node: BinaryNode, values: tuple[nodes.Expr, ...]) -> int:
        """Define `f[index] = f[index] op values`, element by element."""
        own = (access(self.func, self.index, element) for element in range(len(self.func.defined_function.dtypes)))
        return define(self.func, self.index, tuple(binary(node, a, b) for a, b in zip(own, values, strict=True)))

    def _as_expr(self) -> Expr:
        function = self._function()
        if len(function.dtypes) != 1:
            raise DefinitionError(
                f"`{self.shown()}` has {len(function.dtypes)} values, and one is needed here",
                location=caller(),
                accepted=f"{self.shown()}[0]",
            )
        return Expr(access(self.func, self.index, 0))

    def _function(self) -> Function:
        if self.func.function is None:
            raise undefined(self.func)
        return self.func.function

    def shown(self) -> str:
        """As the user would write it."""
        return f"{self.func.name}[{', '.join(map(str, self.index))}]"

    def _shown(self) -> str:
        return self.shown()

    def __getitem__(self, element: int) -> FuncTupleElementRef:
        return FuncTupleElementRef(self, element)

    def __len__(self) -> int:
        return len(self._function().dtypes)

    def __iter__(self) -> Iterator[FuncTupleElementRef]:
        return (FuncTupleElementRef(self, element) for element in range(len(self)))

    def size(self) -> int:
        """Number of values at each point."""
        return len(self)

    def type(self) -> Type:
        """The type of the value."""
        return Type.of(self._as_expr().node.dtype)

    def types(self) -> list[Type]:
        """The type of each value."""
        return [Type.of(dtype) for dtype in self._function().dtypes]

    def _special(self, node: BinaryNode, other: object) -> PendingUpdate | tuple[Expr, ...] | None:
        """What an operator gives for an undefined Func, and for several values; None where it is as for any Expr."""
        if self.func.function is None:
            return PendingUpdate(self, node, to_values(other))
        if len(self) > 1 and isinstance(other, Sized) and len(other) == len(self):
            pairs = zip(self, to_values(other), strict=True)
            return tuple(Expr(binary(node, to_node(a), b)) for a, b in pairs)
        return None

    def __add__(self, other: object) -> Expr:
        special = self._special(nodes.Add, other)
        return super().__add__(other) if special is None else cast(Expr, special)

    def __sub__(self, other: object) -> Expr:
        special = self._special(nodes.Sub, other)
        return super().__sub__(other) if special is None else cast(Expr, special)

    def __mul__(self, other: object) -> Expr:
        special = self._special(nodes.Mul, other)
        return super().__mul__(other) if special is None else cast(Expr, special)

    def __truediv__(self, other: object) -> Expr:
        special = self._special(nodes.Div, other)
        return super().__truediv__(other) if special is None else cast(Expr, special)

    def __repr__(self) -> str:
        return f"<halopy.FuncRef {self.shown()}>"


def undefined(func: FuncContents) -> DefinitionError:
    """What to say when a Func is read that has no definition."""
    return DefinitionError(
        f"Func `{func.name}` is used before it is defined",
        location=caller(),
        accepted=f"define it first, for example: {func.name}[x] = x",
    )


class FuncTupleElementRef(ExprLike):
    """One value of a tuple-valued `f[x, y]`."""

    __slots__ = ("_element", "_ref")

    def __init__(self, ref: FuncRef, element: int) -> None:
        count = len(ref)
        if count == 1:
            raise DefinitionError(
                f"`{ref.shown()}` has one value, not several", location=caller(), accepted=f"{ref.shown()}"
            )
        if not 0 <= element < count:
            raise DefinitionError(
                f"`{ref.shown()}` has {count} values; there is no number {element}",
                location=caller(),
                accepted=f"0 to {count - 1}",
            )
        self._ref, self._element = ref, element

    def index(self) -> int:
        """Which of the values it is."""
        return self._element

    def _as_expr(self) -> Expr:
        return Expr(access(self._ref.func, self._ref.index, self._element))

    def _shown(self) -> str:
        return f"{self._ref.shown()}[{self._element}]"

    def __repr__(self) -> str:
        return f"<halopy.FuncTupleElementRef {self._shown()}>"
