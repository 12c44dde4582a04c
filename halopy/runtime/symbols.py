"""Functions that are there in this process, for kernels that call them by name."""

from __future__ import annotations

import ctypes


def has_symbol(name: str) -> bool:
    """Whether a loaded library, of those whose functions all may use, has a function of that name."""
    try:
        ctypes.CDLL(None)[name]
    except (AttributeError, OSError):
        return False
    return True
