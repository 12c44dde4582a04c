"""What is wrong with data that is read, and where in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...errors import HalideError, SerializationError

Key = str | int


class Malformed(Exception):
    """The data is not what it should be at `path`, from the outside in. Readers turn it into a SerializationError."""

    def __init__(self, reason: str, *more: str, accepted: str | None = None) -> None:
        super().__init__(reason)
        self.reasons = [reason, *more]
        self.accepted = accepted
        self.path: list[Key] = []

    def place(self) -> str:
        """functions[2].schedule.directives[0]"""
        return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in self.path).removeprefix(".")


@contextmanager
def inside(*keys: Key) -> Iterator[None]:
    """What is found wrong in the body stands under these keys; so does what definitions and directives refuse."""
    try:
        yield
    except Malformed as malformed:
        malformed.path[:0] = keys
        raise
    except HalideError as refused:
        found = Malformed(refused.summary, *refused.reason, accepted=refused.accepted)
        found.path[:0] = keys
        raise found from refused


@contextmanager
def reading(source: str, what: str) -> Iterator[None]:
    """Whatever is wrong with the data becomes a SerializationError that names the source and the place."""
    try:
        yield
    except Malformed as malformed:
        place = f", at {malformed.place()}" if malformed.path else ""
        summary = f"{source} is no {what} that can be read{place}"
        raise SerializationError(summary, reason=malformed.reasons, accepted=malformed.accepted) from None
    except (ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, RecursionError, TypeError) as e:
        # Data that gets past the checks must not end the program: whoever wrote it is not trusted.
        raise SerializationError(f"{source} is no {what} that can be read", reason=[repr(e)]) from e
