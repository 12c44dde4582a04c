"""Recursion over expressions of any depth.

A recursive walk with a memo calls `stepping_stones` when it gets deep and visits what that yields
first: from then on each visit meets a remembered node within STEP levels.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from .node import Node, NodeMeta

STEP = 40


def stepping_stones(
    root: Node, done: Container[Node], flat: tuple[NodeMeta, ...] = (), kinds: int = -1
) -> Iterator[Node]:
    """Nodes below root at every STEP-th height, lowest first; what is in `done` is not entered.

    A chain of integers of the `flat` classes counts as one level. Only nodes with one of `kinds` below are looked at.
    """
    heights: dict[Node, int] = {}
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, finished = stack.pop()
        if finished:
            height = 0
            for child in node.children():
                if not child.kinds & kinds:
                    continue
                height = max(height, heights[child] + (0 if _is_flat(node, flat) and _is_flat(child, flat) else 1))
            heights[node] = height
            if height % STEP == 0 and height and node is not root:
                yield node
        elif node in done:
            heights[node] = 0
        elif node not in heights:
            heights[node] = 0
            stack.append((node, True))
            stack.extend((child, False) for child in node.children() if child.kinds & kinds and child not in heights)


def _is_flat(node: Node, flat: tuple[NodeMeta, ...]) -> bool:
    return type(node) in flat and not node.dtype.is_float  # type: ignore[attr-defined]
