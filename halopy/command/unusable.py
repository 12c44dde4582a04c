"""`Unusable`: what the user typed cannot be done."""

from __future__ import annotations


class Unusable(Exception):
    """The message says what was typed, why it cannot be done, and what could be."""
