"""Messages as tests compare them."""

from __future__ import annotations

import re


def without_place(error: BaseException) -> str:
    """The message without the user's file and line in front."""
    return re.sub(r"^\S+\.py:\d+: ", "", str(error))
