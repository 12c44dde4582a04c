"""An expression without the services that it calls.

print(x*2)  ->  x*2
"""

from __future__ import annotations

from typing import TypeVar

from .expr import Effect, Expr
from .node import Node
from .rewrite import Rewriter

_Node = TypeVar("_Node", bound=Node)


def without_effects(node: _Node) -> _Node:
    """The same values, computed in silence."""
    silent: _Node = _WithoutEffects()(node)
    return silent


class _WithoutEffects(Rewriter):
    only = (Effect,)

    def rewrite_Effect(self, effect: Effect) -> Expr:
        value: Expr = self(effect.value)
        return value
