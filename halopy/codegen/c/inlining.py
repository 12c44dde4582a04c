"""Which helpers of a kernel are inlined: all of them, unless that would make more code than a compiler can swallow.

gcc takes milliseconds for each copy of a loop over lanes, and longer the more of them stand in one function
(300 Euclidean remainders of 8 lanes: 20 seconds inlined, a tenth of a second called).

    INLINE i32x8 div_euclid_i32x8(...)     ->     OUTLINE i32x8 div_euclid_i32x8(...)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

MOST_INLINED = 1500  # steps of helpers in one kernel

_CALLED = re.compile(r"\w+(?=\()")
_LANES = re.compile(r"for \(int k = 0; k < (\d+);")
# Compilers see through these at once.
_MOVES = re.compile(r"((load|store|select|multiply_add)_|lookup_\w+_|found_in_)[a-z]+\d+(x\d+)?$")
_INLINE, _OUTLINE = "INLINE ", "OUTLINE "


def sized(helpers: Mapping[str, str], body: str) -> dict[str, str]:
    """The texts of helpers (each after those it calls); those that `body` spends most on are called where the whole
    would be more than `MOST_INLINED`."""
    steps: dict[str, int] = {}
    for name, text in helpers.items():
        steps[name] = _steps(name, text, steps)
    calls = Counter(name for name in _CALLED.findall(body) if name in steps)
    total = sum(calls[name] * steps[name] for name in calls)
    written = dict(helpers)
    for name in sorted(calls, key=lambda name: -calls[name] * steps[name]):
        if total <= MOST_INLINED:
            break
        total -= calls[name] * steps[name]
        written[name] = _outlined(written[name])
    return written


def _steps(name: str, text: str, known: Mapping[str, int]) -> int:
    """About how much a compiler has to do for an inlined call."""
    if not text.startswith(_INLINE) or _MOVES.match(name):
        return 0
    loops = list(map(int, _LANES.findall(text)))
    inner = sum(1 + known[called] for called in _CALLED.findall(text) if called in known and called != name)
    if not inner:  # a loop without calls becomes an instruction or two
        return len(loops) or text.count(";") + 4 * max(0, text.count("?") - 1)
    return text.count(";") + inner * max(1, *loops, 1)


def _outlined(text: str) -> str:
    return _OUTLINE + text.removeprefix(_INLINE) if text.startswith(_INLINE) else text
