"""Changes of a schedule that somebody wrote: the same directives with another number in them.

blur_y.split(y, strip, y, 40)   ->   blur_y.split(y, strip, y, 60)
"""

from __future__ import annotations

import json
import re
from random import Random

_LEAST = 4  # smaller numbers count channels and unrolled rows
_CHANGES = (0.5, 0.67, 0.75, 1.25, 1.5, 2.0)


def rescaled(schedule: str, random: Random) -> str | None:
    """The document of a schedule with one number changed wherever it stands; None where there is none to change."""
    content = json.loads(schedule)
    numbers = [node for node in content["nodes"] if node[0] == "Const" and type(node[1]) is int and node[1] >= _LEAST]
    if not numbers:
        return None
    chosen = random.choice(numbers)
    old, new = chosen[1], max(2, round(chosen[1] * random.choice(_CHANGES)))
    chosen[1] = new
    _retell(content["schedules"], rf"\b{old}\b", str(new))
    return json.dumps(content, sort_keys=True)


def _retell(data: object, old: str, new: str) -> None:
    """Directives are quoted as they were written; so these quotations change, too."""
    if isinstance(data, dict):
        if isinstance(data.get("text"), str):
            data["text"] = re.sub(old, new, data["text"])
        for value in data.values():
            _retell(value, old, new)
    elif isinstance(data, list):
        for value in data:
            _retell(value, old, new)
