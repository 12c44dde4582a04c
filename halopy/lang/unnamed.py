"""Names for inputs that the user gives none: each once, as a function may take several."""

from __future__ import annotations

import itertools

_numbers = itertools.count()


def unnamed_input() -> str:
    """A name that no other input without a name has."""
    return f"p{next(_numbers)}"
