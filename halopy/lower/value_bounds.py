"""What the values of Funcs lie between, so that an index made of them has a region.

f(x) = clamp(x, 10, p),  g(x) = in(f(x))     ->     in is read over [10, max(p, 10)]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..dtypes import DType
from ..ir.expr import Call, Expr, Read, Var, const, const_value
from ..ir.function import Definition, Function
from ..ir.interval import EVERYTHING, Interval, Scope, bounds_of, union
from ..ir.node import walk
from ..ir.rewrite import Rewriter


class ValueBounds:
    """Answers for the Funcs of one program; `bind` gives an expression in arguments of the pipeline a short name."""

    def __init__(self, functions: Mapping[str, Function], bind: Callable[[str, Expr], Expr]) -> None:
        self.functions = functions
        self.bind = bind
        self._known: dict[tuple[str, int], Interval] = {}

    def named(self, e: Expr, scope: Scope) -> tuple[Expr, Scope]:
        """The expression with variables for the numbers that it reads from Funcs, and the scope with their intervals.

        One value that is read twice is one variable.
        """
        if not e.kinds & Read.bit:
            return e, scope
        names = _NameValues(self)
        renamed: Expr = names(e)
        return renamed, {**scope, **names.found}

    def of(self, func: str, element: int) -> Interval:
        """Bounds of an element of a Func, wherever it is defined; of one that depends on itself those of its type."""
        key = func, element
        if key not in self._known:
            dtype = self.functions[func].dtypes[element]
            self._known[key] = _within_type(EVERYTHING, dtype)  # asked for while it is found: the Func reads itself
            self._known[key] = self._found(func, element, dtype)
        return self._known[key]

    def _found(self, func: str, element: int, dtype: DType) -> Interval:
        function = self.functions[func]
        stages = [self._of_stage(function, d, element) for d in function.definitions]
        total = stages[0]
        for interval in stages[1:]:
            total = union(total, interval)
        if dtype.is_float:  # names are of integers, and without them ends of ends would grow
            return Interval(*(end if end is not None and const_value(end) is not None else None for end in total))
        lo, hi = _within_type(total, dtype)
        name = f"{func}.{element}"
        return Interval(lo and self.bind(f"{name}.least", lo), hi and self.bind(f"{name}.greatest", hi))

    def _of_stage(self, function: Function, definition: Definition, element: int) -> Interval:
        value = definition.values[element]
        if any(isinstance(e, Call) and e.name == "undef" for e in walk(value)):
            return EVERYTHING
        scope: dict[str, Interval] = dict.fromkeys(function.args, EVERYTHING)
        scope |= dict.fromkeys((v.name for v in definition.rdom.vars) if definition.rdom else (), EVERYTHING)
        return bounds_of(*self.named(value, scope))


def _within_type(i: Interval, dtype: DType) -> Interval:
    """The interval with ends for an integer type that is narrower than indices."""
    if dtype.is_index_like or dtype.is_float:
        return i
    return Interval(i.lo or const(dtype.min, dtype), i.hi or const(dtype.max, dtype))


class _NameValues(Rewriter):
    only = (Read,)

    def __init__(self, values: ValueBounds) -> None:
        super().__init__()
        self.values = values
        self.found: dict[str, Interval] = {}

    def rewrite_Read(self, read: Read) -> Expr:
        if read.name not in self.values.functions or not (read.dtype.is_integer or read.dtype.is_float):
            return read
        interval = self.values.of(read.name, read.element)
        if interval == EVERYTHING:
            return read
        name = f"value {len(self.found)} of {read.name}"
        self.found[name] = interval
        return Var(name, read.dtype)
