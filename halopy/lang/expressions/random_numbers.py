"""Pseudo-random values: `random_float`, `random_int`, `random_uint`.

A random value is a hash of where it stands: the seed, the use (each call of these functions is another random
variable), the definition, and the place in its grid. So it is the same for any schedule. The hash is Halide's: a
program that makes the same uses and definitions in the same order gets the same numbers.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import reduce

from ...dtypes import FLOAT32, INT32, UInt
from ...errors import TypeMismatch
from ...ir import expr as nodes
from ...ir.build import add, cast, maximum, minimum, mul, sub
from ...source import caller
from .conversion import typed
from .expr import Expr, ToExpr, to_node
from .leaves import replace_leaves

__all__ = ["random_float", "random_int", "random_uint"]

_UINT32 = UInt(32)
_uses = itertools.count()
_definitions = itertools.count()


def random_float(seed: ToExpr | None = None) -> Expr:
    """A float32 in [0, 1), another at each place; the same each time it is used in one definition."""
    use = next(_uses)
    given = _seed("random_float", seed, "int32")
    return Expr(nodes.Random(given, use, FLOAT32))


def random_uint(seed: ToExpr | None = None) -> Expr:
    """A uint32 of which each bit is as likely 0 as 1; otherwise as `random_float`."""
    use = next(_uses)
    return Expr(nodes.Random(_seed("random_uint", seed, "int32", "uint32"), use, _UINT32))


def random_int(seed: ToExpr | None = None) -> Expr:
    """An int32 of which each bit is as likely 0 as 1; otherwise as `random_float`."""
    use = next(_uses)
    bits = nodes.Random(_seed("random_int", seed, "int32", "uint32"), use, _UINT32)
    return Expr(nodes.Call("reinterpret", (bits,), INT32))


def _seed(name: str, seed: ToExpr | None, *accepted: str) -> nodes.Expr | None:
    if seed is None or (isinstance(seed, Expr) and not seed.defined()):
        return None
    node = to_node(seed)
    if str(node.dtype) not in accepted:
        raise TypeMismatch(f"the seed of hl.{name} is {typed(node)}", location=caller(), accepted=" or ".join(accepted))
    return node


def next_definition() -> int:
    """A number that tells the random values of one definition from those of all others."""
    return next(_definitions)


def place_random(e: nodes.Expr, variables: Sequence[str], definition: int) -> nodes.Expr:
    """The expression with its random values written out as what they are at a place.

    random_uint()  ->  hash(use, definition, y, x)
    """

    def written_out(random: nodes.Random) -> nodes.Expr:
        seed = [] if random.seed is None else [place_random(random.seed, variables, definition)]
        place = [nodes.Var(name) for name in reversed(variables)]
        bits = _mixed([*seed, nodes.const(random.use), nodes.const(definition), *place])
        return _unit_float(bits) if random.dtype is FLOAT32 else bits

    return replace_leaves(e, nodes.Random, written_out)


def _mixed(terms: Sequence[nodes.Expr]) -> nodes.Expr:
    first, *others = [cast(_UINT32, term) for term in terms]
    mixed = reduce(lambda so_far, term: _permuted(add(so_far, term)), others, _permuted(first))
    high = nodes.Call("shift_right", (mixed, nodes.const(16, _UINT32)), _UINT32)
    return nodes.Call("bitwise_xor", (mixed, high), _UINT32)  # the low bits alone have short periods


def _permuted(x: nodes.Expr) -> nodes.Expr:
    """A polynomial that is a permutation of the 32-bit numbers: its linear coefficient is odd, its quadratic even."""
    return add(mul(add(mul(x, 1040796640), 1121052041), x), 576942909)


def _unit_float(bits: nodes.Expr) -> nodes.Expr:
    """The upper 23 bits as the fraction of a float in [1, 2), less 1."""
    fraction = nodes.Call("shift_right", (bits, nodes.const(9, _UINT32)), _UINT32)
    number = nodes.Call("bitwise_or", (fraction, nodes.const(127 << 23, _UINT32)), _UINT32)
    unit = sub(nodes.Call("reinterpret", (number,), FLOAT32), nodes.const(1, FLOAT32))
    zero, one = nodes.const(0, FLOAT32), nodes.const(1, FLOAT32)
    return maximum(minimum(unit, one), zero)  # already so: said for who asks for its range
