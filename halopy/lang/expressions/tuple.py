"""Several values that a Func has at each point."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized

from ...errors import TypeMismatch
from ...ir import expr as nodes
from ...source import caller
from .conversion import show
from .expr import Expr, ExprLike, to_expr


class Tuple:
    """A fixed number of expressions. A Python tuple or list stands for one wherever a Func is defined."""

    __slots__ = ("_values",)

    def __init__(self, *values: object) -> None:
        given: Iterable[object] = values
        if len(values) == 1 and not isinstance(values[0], ExprLike | int | float):
            given = _several(values[0])
        self._values = tuple(to_expr(v) for v in given)
        if not self._values:
            raise TypeMismatch("a Tuple needs at least one value", location=caller(), accepted="hl.Tuple(a, b)")

    def __getitem__(self, place: int) -> Expr:
        return self._values[place]

    def __len__(self) -> int:
        return len(self._values)

    def size(self) -> int:
        """How many values it has."""
        return len(self._values)

    def __iter__(self) -> Iterator[Expr]:
        return iter(self._values)

    def __repr__(self) -> str:
        return f"<halopy.Tuple of size {len(self._values)}: ({', '.join(show(v.node) for v in self._values)})>"


def _several(value: object) -> Iterable[object]:
    if _is_several(value):
        return iter(value)  # type: ignore[call-overload, no-any-return]
    raise TypeMismatch(f"{value!r} is not a tuple of expressions", location=caller(), accepted="(a, b), [a, b]")


def _is_several(value: object) -> bool:
    """Whether Python iterates over it: it says so, or has a length and places, as a user's own number of parts does."""
    return isinstance(value, Iterable) or (isinstance(value, Sized) and hasattr(value, "__getitem__"))


def to_values(value: object) -> tuple[nodes.Expr, ...]:
    """The nodes of one expression, or of a tuple of them."""
    if isinstance(value, ExprLike) and not (isinstance(value, Sized) and len(value) > 1):
        return (value._as_expr().node,)
    if _is_several(value) and not isinstance(value, str):
        return tuple(e.node for e in Tuple(*_several(value)))
    return (to_expr(value).node,)
