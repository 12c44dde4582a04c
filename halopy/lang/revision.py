"""A number that grows whenever any definition, schedule or binding changes.

Compiled pipelines remember the number at which they were found to be current; while it stands,
a call needs no further look at definitions and schedules.
"""

from __future__ import annotations


class _Revision:
    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = 0


current = _Revision()


def changed() -> None:
    """Say that something that compiled code depends on has changed."""
    current.number += 1
