"""Documents that someone has tampered with."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

STRANGE: tuple[Any, ...] = (
    None, True, -1, 0, 1, 7, 10**30, 2**63, 1.5, 1e308, "", "x", "a" * 70_000, "\0", [], [[]], {}, {"x": 1}, [0, 0, 0],
)  # fmt: skip


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container and key in a JSON value."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from places(value[key])


def tampered(data: bytes | str, every: int) -> Iterator[str]:
    """The document with one value replaced, dropped or doubled: each place in turn with one of the strange values."""
    original = json.loads(data)
    for number in range(0, sum(1 for _ in places(original)), every):
        for strange in range(3):
            document = copy.deepcopy(original)
            container, key = next(p for at, p in enumerate(places(document)) if at == number)
            container[key] = STRANGE[(number * 3 + strange) % len(STRANGE)]
            yield json.dumps(document)
        document = copy.deepcopy(original)
        container, key = next(p for at, p in enumerate(places(document)) if at == number)
        del container[key]
        yield json.dumps(document)
        document = copy.deepcopy(original)
        container, key = next(p for at, p in enumerate(places(document)) if at == number)
        if isinstance(container[key], int):
            container[key] += 1
            yield json.dumps(document)
