"""Results that are kept from run to run: what they are keyed by, how many are kept, and how they are dropped."""

from __future__ import annotations

from ..errors import TypeMismatch
from ..ir import expr as nodes
from ..runtime import results
from ..schedule.memoized import TAG
from ..source import caller
from .expressions.conversion import typed
from .expressions.expr import Expr, ToExpr, to_node

__all__ = [
    "EvictionKey", "memoization_cache_cleanup", "memoization_cache_evict", "memoization_cache_set_size", "memoize_tag",
]  # fmt: skip


class EvictionKey:
    """The number under which the results of a Func are dropped together."""

    __slots__ = ("_node",)

    def __init__(self, expr: ToExpr | None = None) -> None:
        is_given = expr is not None and not (isinstance(expr, Expr) and not expr.defined())
        self._node = to_node(expr) if is_given else None
        if self._node is not None and not (self._node.dtype.is_integer or self._node.dtype.is_bool):
            raise TypeMismatch(
                f"the eviction key is {typed(self._node)}", location=caller(), accepted="an integer of up to 64 bits"
            )


def to_eviction_key(key: EvictionKey | ToExpr | None) -> nodes.Expr | None:
    return key._node if isinstance(key, EvictionKey) else EvictionKey(key)._node


def memoize_tag(result: ToExpr, *cache_key_values: ToExpr) -> Expr:
    """The result; where it is part of a memoized Func, kept values are keyed by the given values in its place.

    Without any, by the result itself. It is the caller's promise that nothing else decides the result: a value of
    an input that changes without them is not noticed.
    """
    value = to_node(result)
    return Expr(nodes.Call(TAG, (value, *map(to_node, cache_key_values)), value.dtype))


def memoization_cache_set_size(size: int) -> None:
    """At most so many bytes of results are kept, the latest used ones. 0 is the default: 1 MiB."""
    results.set_size(size)


def memoization_cache_evict(eviction_key: int) -> None:
    """Drop the results that are kept under an eviction key."""
    results.evict(eviction_key)


def memoization_cache_cleanup() -> None:
    """Drop all results."""
    results.drop_all()
