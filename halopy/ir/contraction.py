"""Which products of floats are rounded together with the sum that they are added to, and which are not.

a*b + c   ->   multiply_add(a, b, c)          c - a*b   ->   multiply_add(a*-1, b, c)

Halide's rule: so it is wherever the user does not ask otherwise by `strict_float`. Of two products that are added the
second is rounded with the sum. What an index is made of is computed as written, so that regions hold every index.
"""

from __future__ import annotations

from collections.abc import Iterator

from .build import mul
from .expr import Add, Call, Const, Expr, Mul, Read, Sub, const
from .function import Function
from .node import walk
from .program import Program, expressions
from .rewrite import Rewriter


def contracted(value: Expr) -> Expr:
    """The value with products and sums rounded once; indices in it are left as they are."""
    rewritten: Expr = _Contract()(value)
    return rewritten


def kept_exact(program: Program) -> frozenset[str]:
    """The Funcs that some index depends on."""
    found: set[str] = set()
    todo = [name for f in program.functions.values() for name in _in_indices(f)]
    while todo:
        name = todo.pop()
        if name not in found and name in program.functions:
            found.add(name)
            todo += [read.name for root in expressions(program.functions[name]) for read in _reads(root)]
    return frozenset(found)


def _in_indices(function: Function) -> Iterator[str]:
    for definition in function.definitions:
        for e in definition.index:
            yield from (read.name for read in _reads(e))
    for root in expressions(function):
        for read in _reads(root):
            yield from (inner.name for e in read.index for inner in _reads(e))


def _reads(root: Expr) -> Iterator[Read]:
    if root.has(Read):
        yield from (node for node in walk(root) if isinstance(node, Read))


class _Contract(Rewriter):
    only = (Add, Sub)

    def rewrite_Read(self, read: Read) -> Expr:
        return read

    def rewrite_Call(self, call: Call) -> Expr:
        rebuilt: Expr = call if call.name == "strict_float" else self.rebuild(call)
        return rebuilt

    def rewrite_Add(self, e: Add) -> Expr:
        if not _rounds(e):
            return self._rebuilt(e)
        if isinstance(e.b, Mul):
            return self._together(e.b, self(e.a))
        return self._together(e.a, self(e.b)) if isinstance(e.a, Mul) else self._rebuilt(e)

    def rewrite_Sub(self, e: Sub) -> Expr:
        if not _rounds(e):
            return self._rebuilt(e)
        if isinstance(e.b, Mul):
            return self._together(Mul(_negated(e.b.a), e.b.b), self(e.a))
        return self._together(e.a, _negated(self(e.b))) if isinstance(e.a, Mul) else self._rebuilt(e)

    def _together(self, product: Mul, other: Expr) -> Expr:
        return Call("multiply_add", (self(product.a), self(product.b), other), other.dtype)

    def _rebuilt(self, e: Expr) -> Expr:
        rebuilt: Expr = self.rebuild(e)
        return rebuilt


def _rounds(e: Expr) -> bool:
    """Narrower floats are computed as float32, and rounded after each operation."""
    return e.dtype.is_float and e.dtype.bits >= 32


def _negated(e: Expr) -> Expr:
    """-e, of zeros too."""
    return mul(e, const(-1.0, e.dtype)) if isinstance(e, Const) else Mul(e, const(-1.0, e.dtype))
