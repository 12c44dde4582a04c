"""Messages as tests compare them."""

from __future__ import annotations

import re


def without_place(error: BaseException) -> str:
    """The message without the user's file and line, which stand in front or behind the directive."""
    return re.sub(r"^\S+\.py:\d+: |, \S+\.py:\d+(?=: )", "", str(error), count=1)
