"""Expressions as C: every operand before its operators, shared values once, without recursion over depth.

A value that is used more than once, or that has grown long, becomes a constant of its own in front of
the statement. Constants that read no memory stay known to the end of the enclosing block.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...ir.expr import (
    EQ,
    GE,
    GT,
    LE,
    LT,
    NE,
    Add,
    And,
    Call,
    Cast,
    Const,
    Div,
    Effect,
    Expr,
    Let,
    Load,
    Max,
    Min,
    Mod,
    Mul,
    Not,
    Or,
    Select,
    Sub,
    Var,
)
from ...ir.node import Node, mask, walk
from ...ir.services import AskExtern, CallExtern, Fail
from .context import Context, is_index, is_name
from .loads import print_load
from .scalars import print_scalar
from .scopes import Key, Mode
from .types import UNARY, Text, Value, Vec, c_type
from .vectors import print_vector

_LONGEST = 100  # characters of one inlined text

_INDEX_KINDS = mask(
    Const, Var, Add, Sub, Mul, Div, Mod, Min, Max, Select, EQ, NE, LT, LE, GT, GE, And, Or, Not, Let, Call
)
_SAME_MODE = (Add, Sub, Mul, Div, Mod, Min, Max, Select, EQ, NE, LT, LE, GT, GE, And, Or, Not)
_TRANSPARENT = frozenset(("likely", "likely_if_innermost", "promise_clamped", "unsafe_promise_clamped"))


class ExpressionPrinter(Context):
    """Prints expressions into the lines of a function."""

    def __init__(self, vector_bytes: int) -> None:
        super().__init__(vector_bytes)
        self._uses: dict[Node, int] = {}
        self._let_names: dict[Expr, str] = {}

    def begin(self, *roots: Expr) -> None:
        """Count what a statement uses; forget what was read from memory before it."""
        uses: dict[Node, int] = {}
        self._uses = uses
        for node in _distinct(roots):
            for child in node.children():
                uses[child] = uses.get(child, 0) + 1
        self.scopes.forget_loads()

    def value(self, node: Expr, mode: Mode = Mode.VALUE) -> Value:
        stack = [(node, _settled(node, mode))]
        while stack:
            key = stack[-1]
            if self.scopes.get(key) is not None:
                stack.pop()
                continue
            waiting = [operand for operand in self._operands(*key) if self.scopes.get(operand) is None]
            if waiting:
                stack.extend(reversed(waiting))
                continue
            stack.pop()
            self.scopes.set(key, self._kept(key, self._print(*key)))
        found = self.scopes.get((node, _settled(node, mode)))
        assert found is not None, "a printed value was expected"
        return found

    def keep(self, node: Expr, mode: Mode = Mode.VALUE, hint: str = "t") -> None:
        key = (node, _settled(node, mode))
        found = self.value(*key)
        if not _is_named(found):
            self.scopes.set(key, self._named(key, found, hint))

    def _operands(self, node: Expr, mode: Mode) -> Iterable[Key]:
        """What must be printed first. A Let binds its name between its value and its body."""
        if mode is Mode.LET:
            return ((node, let_mode(node)),)
        if isinstance(node, Let):
            bound = self.scopes.get((node.value, Mode.LET))
            if bound is None:
                self._let_names[node.value] = node.name
                return ((node.value, Mode.LET),)
            self.bindings[node.name] = bound
            return ((node.body, _settled(node.body, mode)),)
        if isinstance(node, Load):
            return self._load_operands(node)
        if isinstance(node, Call) and node.name == "if_then_else" and node.dtype.lanes == 1:
            return ((node.args[0], Mode.VALUE),)
        if isinstance(node, Call) and node.name in _TRANSPARENT:
            return ((node.args[0], _settled(node.args[0], mode)),)
        if isinstance(node, Effect) and isinstance(node.service, Fail):
            return [(e, _settled(e, Mode.VALUE)) for e in (node.where, *node.args) if e is not None]
        if isinstance(node, Effect) and isinstance(node.service, CallExtern | AskExtern):
            return [(e, _settled(e, each)) for e, each in extern_modes(node)]
        inner = mode if isinstance(node, _SAME_MODE) else Mode.VALUE
        return [(child, _settled(child, inner)) for child in node.children()]  # type: ignore[misc,arg-type]

    def _load_operands(self, node: Load) -> list[Key]:
        predicate = [] if node.predicate is None else [(node.predicate, Mode.VALUE)]
        return [*predicate, (node.index, Mode.INDEX)] if node.dtype.lanes == 1 else predicate

    def bind(self, name: str, expr: Expr) -> Value:
        """A C constant for a let-bound name."""
        value = self.value(expr, let_mode(expr))
        if isinstance(value, Vec):
            return self.name_vector(value, name)
        if is_index(expr.dtype):
            return self.local("int64_t", value, name)
        return self.local(c_type(expr.dtype), value, name)

    def _print(self, node: Expr, mode: Mode) -> Value:
        if mode is Mode.LET:
            return self.bind(self._let_names[node], node)
        if isinstance(node, Let):
            return self.value(node.body, mode)
        is_exact = _is_exact(node)
        inner = Mode.VALUE if is_exact else mode
        if isinstance(node, Load):
            found = self.load(node)
        elif isinstance(node, Effect):
            found = self.effect(node)
        elif isinstance(node, Call) and node.name == "if_then_else" and node.dtype.lanes == 1:
            return self._choice(node, mode)
        elif node.dtype.lanes == 1 and _all_scalar(node):
            found = print_scalar(self, node, inner)
        else:
            found = self.vector_of(node)
        if mode is Mode.INDEX and is_exact and isinstance(found, Text) and is_index(node.dtype):
            return Text(f"(int64_t){found.at(UNARY)}", UNARY)
        return found

    def load(self, node: Load) -> Value:
        """The C of a load whose index has been printed."""
        return print_load(self, node)

    def vector_of(self, node: Expr) -> Value:
        """The C of a vector node, or of one with vectors below it, whose operands have been printed."""
        return print_vector(self, node)

    def _choice(self, call: Call, mode: Mode) -> Text:
        """if_then_else: only the side that is chosen is computed."""
        condition, a, b = call.args
        kind = "int64_t" if mode is Mode.INDEX else c_type(call.dtype)
        name = self.declared("chosen", kind)
        self.line(f"{kind} {name};")
        self.open(f"if ({self.scalar(condition).code})")
        self.line(f"{name} = {self.scalar(a, mode).code};")
        self.close("} else {")
        self.depth += 1
        self.scopes.open()
        self.line(f"{name} = {self.scalar(b, mode).code};")
        self.close()
        return Text(name)

    def _kept(self, key: Key, value: Value) -> Value:
        node = key[0]
        long = _length(value) > _LONGEST
        if long or (self._uses.get(node, 0) > 1 and not isinstance(node, Const | Var | Let)):
            return self._named(key, value)
        return value

    def _named(self, key: Key, value: Value, hint: str = "t") -> Value:
        node, mode = key
        if isinstance(node, Load):
            hint = f"{node.buffer}_value"
        if _is_named(value):
            return value
        if isinstance(value, Vec):
            return self.name_vector(value, hint)
        kind = "int64_t" if mode is Mode.INDEX and is_index(node.dtype) else c_type(node.dtype)
        return self.local(kind, value, hint)


def extern_modes(node: Effect) -> list[Key]:
    """The operands of a call of a function outside, or of a question: its numbers are values, regions are indices."""
    assert isinstance(node.service, CallExtern | AskExtern), "a call of a function outside"
    call = node.service if isinstance(node.service, CallExtern) else node.service.call
    numbers = sum(not argument.name for argument in call.arguments)
    return [(e, Mode.VALUE if k < numbers else Mode.INDEX) for k, e in enumerate(node.args)]


def _is_named(value: Value) -> bool:
    """Whether using the value again costs nothing."""
    if isinstance(value, Text):
        return is_name(value)
    return value.splat is not None or all(map(is_name, value.parts))


def _settled(node: Expr, mode: Mode) -> Mode:
    """The mode that matters: indices only where something below is an int32 scalar."""
    dtype = node.dtype
    return mode if dtype.lanes == 1 and (is_index(dtype) or dtype.is_bool) else Mode.VALUE


def let_mode(value: Expr) -> Mode:
    """How a let-bound value is computed: as an index where it is made of indices only."""
    return Mode.INDEX if is_pure_index(value) else Mode.VALUE


def _is_exact(node: Expr) -> bool:
    """Whether the node gives an int32 that is no index arithmetic."""
    return isinstance(node, Load | Cast | Effect) or (isinstance(node, Call) and node.name not in _TRANSPARENT)


def _all_scalar(node: Expr) -> bool:
    return all(child.dtype.lanes == 1 for child in node.children())  # type: ignore[attr-defined]


def is_pure_index(node: Expr) -> bool:
    """Whether an int32 is computed from index variables and constants alone."""
    return is_index(node.dtype) and not node.kinds & ~_INDEX_KINDS


def _length(value: Value) -> int:
    if isinstance(value, Text):
        return len(value.code)
    return max((len(part.code) for part in value.parts), default=0)


def _distinct(roots: Iterable[Expr]) -> Iterable[Expr]:
    seen: set[Expr] = set()
    for root in roots:
        for node in walk(root):
            if node not in seen:
                seen.add(node)  # type: ignore[arg-type]
                yield node  # type: ignore[misc]
