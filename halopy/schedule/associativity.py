"""Whether an update combines each element with something, in steps that may be grouped otherwise.

    s[x] = s[x] + f[x, r]                 x0 + y0                    starting from 0, with y0 = f[x, r]
    m[()] = max(m[()], f[r])              max(x0, y0)                starting from the least value
    (v, p) = f[r] > v ? (f[r], r)         (y0 > x0 ? y0 : x0,        starting from (least value, 0);
                      : (v, p)             y0 > x0 ? y1 : x1)         ties make the order matter

`x0`, `x1`, ... stand for the element's values before, `y0`, `y1`, ... for what they are combined with. Found by the
shape of the definition: None says that no such shape is seen, not that there is none. Floating point counts as
associative, as in Halide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias

from ..dtypes import DType
from ..ir import build
from ..ir.expr import Add, And, Call, Expr, FuncAccess, Let, Max, Min, Mul, Or, Read, Sub, Var, chained, const
from ..ir.function import Definition, Function
from ..ir.refs import FunctionRef
from ..ir.rewrite import Rewriter, free_vars, substitute
from .choices import chosen
from .order import SelfRead, own_read, self_reads

_Chain: TypeAlias = type[Add | Mul | Min | Max | And | Or]
_CHAINS: tuple[_Chain, ...] = (Add, Mul, Min, Max, And, Or)
_BITWISE = frozenset({"bitwise_and", "bitwise_or", "bitwise_xor"})


@dataclass(frozen=True, slots=True)
class AssociativeOp:
    """How a definition combines values, per tuple element.

    `values` are of `x(k)` and `y(k)`; an element without an operand is not changed. With `keeps_identity`, combining
    with `identities` changes nothing, whatever the element is.
    """

    values: tuple[Expr, ...]
    identities: tuple[Expr, ...]
    operands: tuple[Expr | None, ...]
    is_commutative: bool = True
    keeps_identity: bool = True


@dataclass(frozen=True, slots=True)
class _Match:
    """One element of an AssociativeOp. `better`: 1 where it keeps the greater of two, -1 the lesser."""

    value: Expr
    identity: Expr
    operand: Expr | None
    better: int = 0
    is_commutative: bool = True
    keeps_identity: bool = True


def x(element: int, dtype: DType) -> Var:
    """The symbol for an element's value before."""
    return Var(f"<x{element}>", dtype)


def y(element: int, dtype: DType) -> Var:
    """The symbol for what an element is combined with."""
    return Var(f"<y{element}>", dtype)


def associative_op(definition: Definition, function: Function, ref: FunctionRef | None = None) -> AssociativeOp | None:
    """The operation of an update of `function`; `ref` is the Func of a user-level definition."""
    to_symbols = _ToSymbols(definition, function, ref)
    values = [to_symbols(_without_lets(value)) for value in definition.values]
    others = Definition(definition.index, (), definition.rdom)
    rest = Definition((), tuple(values))
    if self_reads(others, function, ref) or self_reads(rest, function, ref):
        return None
    matches = _matches(values, function.dtypes)
    if matches is None:
        return None
    return AssociativeOp(
        tuple(m.value for m in matches),
        tuple(m.identity for m in matches),
        tuple(m.operand for m in matches),
        all(m.is_commutative for m in matches),
        all(m.keeps_identity for m in matches),
    )


class _ToSymbols(Rewriter):
    """Reads of the element that is written become `x0`, `x1`, ..."""

    only = (FuncAccess, Read)

    def __init__(self, definition: Definition, function: Function, ref: FunctionRef | None) -> None:
        super().__init__()
        self.index, self.function, self.ref = definition.index, function, ref

    def rewrite_FuncAccess(self, a: FuncAccess) -> Expr:
        return self._symbol(a)

    def rewrite_Read(self, a: Read) -> Expr:
        return self._symbol(a)

    def _symbol(self, a: FuncAccess | Read) -> Expr:
        read = own_read(a, self.function, self.ref)
        if read == SelfRead(self.index, a.element):
            return x(a.element, a.dtype)
        rebuilt: Expr = self.rebuild(a)
        return rebuilt


class _InlineLets(Rewriter):
    only = (Let,)

    def rewrite_Let(self, let: Let) -> Expr:
        inlined: Expr = substitute(self(let.body), {let.name: self(let.value)})
        return inlined


def _without_lets(e: Expr) -> Expr:
    inlined: Expr = _InlineLets()(e)
    return inlined


def _matches(values: Sequence[Expr], dtypes: Sequence[DType]) -> list[_Match] | None:
    """Elements that stand alone first, then those that follow them or belong in pairs."""
    names = {x(k, dtype).name: k for k, dtype in enumerate(dtypes)}
    uses = [{names[name] for name in free_vars(value) & names.keys()} for value in values]
    found: dict[int, _Match] = {}
    for k, value in enumerate(values):
        match = _alone(value, k) if uses[k] == {k} else None
        if match is not None:
            found[k] = match
    for k, value in enumerate(values):
        match = None if k in found else _follower(value, k, found)
        if match is not None:
            found[k] = match
    for k in range(len(values)):
        for other in uses[k] - {k} if k not in found else ():
            found |= _complex_product(values, k, other) or _complex_product(values, other, k) or {}
    return [found[k] for k in range(len(values))] if len(found) == len(values) else None


def _alone(e: Expr, k: int) -> _Match | None:
    """An element that does not depend on others."""
    mine, other = x(k, e.dtype), y(k, e.dtype)
    if e is mine:
        return _Match(mine, const(0, e.dtype), None)
    shifted = _common_shift(e, mine)
    if shifted is not None:
        return _Match(build.add(mine, other), const(0, e.dtype), shifted)
    choice = chosen(e, {mine.name: k})
    if choice is not None and choice.kept is mine and choice.taken is choice.compared and choice.primary is mine:
        identity = _least(e.dtype) if choice.better > 0 else _greatest(e.dtype)
        return _Match(choice.with_operands(other, other), identity, choice.compared, choice.better)
    return _chain(e, mine, other) or _named(e, mine, other)


def _chain(e: Expr, mine: Var, other: Var) -> _Match | None:
    """One operator over the element and others."""
    if isinstance(e, Sub):
        return _sum(e, mine, other)
    if not isinstance(e, _CHAINS):
        return None
    operator: _Chain = type(e)
    operands = chained(operator, e)
    others = [o for o in operands if o is not mine]
    if len(others) != len(operands) - 1 or any(_mentions(o, mine) for o in others):
        return _sum(e, mine, other) if operator is Add else None
    better = 1 if operator is Max else -1 if operator is Min else 0
    return _Match(operator(mine, other), _identity(operator, e.dtype), reduce(operator, others), better)


def _sum(e: Expr, mine: Var, other: Var) -> _Match | None:
    """A sum with terms subtracted; `x - a` alone is none, as in Halide: its steps are no sums of such steps."""
    terms = _terms(e)
    positive = [t for t, sign in terms if sign > 0 and t is not mine]
    negative = [t for t, sign in terms if sign < 0]
    is_once = sum(t is mine for t, _ in terms) == 1 and mine not in negative
    if not is_once or not positive or any(_mentions(t, mine) for t in (*positive, *negative)):
        return None
    operand = reduce(Sub, negative, reduce(Add, positive))
    return _Match(Add(mine, other), const(0, e.dtype), operand)


def _common_shift(e: Expr, mine: Var) -> Expr | None:
    """What is added: max(x + a, x + b) is x + max(a, b) where sums do not overflow."""
    is_unbounded = e.dtype.is_float or (not e.dtype.is_uint and e.dtype.bits >= 32)
    if not isinstance(e, Max | Min) or not is_unbounded:
        return None
    sides = [_added(side, mine) for side in (e.a, e.b)]
    a, b = sides
    return None if a is None or b is None else type(e)(a, b)


def _added(e: Expr, mine: Var) -> Expr | None:
    if e is mine:
        return const(0, e.dtype)
    match = _sum(e, mine, mine) if isinstance(e, Add | Sub) else None
    return None if match is None else match.operand


def _named(e: Expr, mine: Var, other: Var) -> _Match | None:
    """A call of two arguments, of which one is the element."""
    if not isinstance(e, Call) or len(e.args) != 2:
        return None
    is_saturating = e.name == "saturating_add" and e.dtype.is_uint
    if e.name not in _BITWISE and not is_saturating:
        return None
    operands = [a for a in e.args if a is not mine]
    if len(operands) != 1 or _mentions(operands[0], mine):
        return None
    identity = const(0, e.dtype)
    if e.name == "bitwise_and":
        identity = const(e.dtype.max if e.dtype.is_uint else -1, e.dtype)
    return _Match(e.with_(args=(mine, other)), identity, operands[0])


def _follower(e: Expr, k: int, found: dict[int, _Match]) -> _Match | None:
    """What stands beside the greatest or least value: it changes when that does."""
    primaries = {x(p, m.value.dtype).name: p for p, m in found.items() if m.better}
    choice = chosen(e, primaries)
    if choice is None or choice.kept is not x(k, e.dtype):
        return None
    p = primaries[choice.primary.name]
    if choice.compared is not found[p].operand or choice.better != found[p].better or choice.is_nan_kept:
        return None
    if any(name.startswith("<x") for name in free_vars(choice.taken)):
        return None
    value = choice.with_operands(y(p, choice.primary.dtype), y(k, e.dtype))
    return _Match(value, const(0, e.dtype), choice.taken, 0, False, not choice.takes_equal)


def _complex_product(values: Sequence[Expr], real: int, imaginary: int) -> dict[int, _Match] | None:
    """(x0 + i x1)(y0 + i y1) as two values."""
    re, im = values[real], values[imaginary]
    if not (isinstance(re, Sub) and isinstance(im, Add) and re.dtype is im.dtype):
        return None
    x0, x1 = x(real, re.dtype), x(imaginary, im.dtype)
    y0, y1 = _factor(re.a, x0), _factor(re.b, x1)
    crossed = [(_factor(a, x1), _factor(b, x0)) for a, b in ((im.a, im.b), (im.b, im.a))]
    if y0 is None or y1 is None or (y0, y1) not in crossed:
        return None
    if any(_mentions(part, mine) for part in (y0, y1) for mine in (x0, x1)):
        return None
    o0, o1 = y(real, re.dtype), y(imaginary, im.dtype)
    product = Sub(Mul(x0, o0), Mul(x1, o1)), Add(Mul(x1, o0), Mul(x0, o1))
    return {
        real: _Match(product[0], const(1, re.dtype), y0),
        imaginary: _Match(product[1], const(0, im.dtype), y1),
    }


def _factor(e: Expr, mine: Var) -> Expr | None:
    """The other factor of a product with the element."""
    if not isinstance(e, Mul):
        return None
    return e.b if e.a is mine else e.a if e.b is mine else None


def _terms(e: Expr) -> list[tuple[Expr, int]]:
    """What a chain of sums and differences adds, each with its sign."""
    found: list[tuple[Expr, int]] = []
    todo = [(e, 1)]
    while todo:
        top, sign = todo.pop()
        if isinstance(top, Add | Sub):
            todo += [(top.b, sign if isinstance(top, Add) else -sign), (top.a, sign)]
        else:
            found.append((top, sign))
    return found


def _mentions(e: Expr, mine: Var) -> bool:
    return mine.name in free_vars(e)


def _identity(operator: _Chain, dtype: DType) -> Expr:
    if operator is Max:
        return _least(dtype)
    if operator is Min:
        return _greatest(dtype)
    return const(1 if operator in (Mul, And) else 0, dtype)


def _least(dtype: DType) -> Expr:
    return const(float("-inf") if dtype.is_float else dtype.min, dtype)


def _greatest(dtype: DType) -> Expr:
    return const(float("inf") if dtype.is_float else dtype.max, dtype)
