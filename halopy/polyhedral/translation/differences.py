"""What two texts compute differently, if that shows at small sizes: one of them is wrong then.

    f[3 + 19*y] = g[…] + 1        printed:  f(3, 2) is 17, where the loops make it 23, at f.extent.0 = 19, …

Both are run on the same made-up inputs, with the operations of the oracle. What passes may do does not change a bit,
but for sums of floats that lanes take in another order; so floats are compared as if they all were. What differs has
to differ for several inputs: nothing is refuted that a rounding may have made.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ...arithmetic.values import Array
from ...dtypes import DType
from ...ir import expr as ir
from ...ir.expr import Var, const_value
from ...ir.node import find, walk
from ...ir.rewrite import free_vars
from ...ir.stmt import Allocate, Assert, For, LetStmt, Stmt, Store
from .computed import Ended, Number
from .trial import OutsideError, Refused, Steps, Trial

MOST_STEPS, FEW_STEPS = 2_000_000, 200_000  # of computing, where a proof is asked for, and otherwise
_SEEDS = (0, 1, 2)
_EXTENTS = ((19, 13, 3, 2), (40, 4, 3, 2), (8, 5, 4, 1))
_LARGER = ((70, 37, 4, 2), (150, 70, 4, 2), (300, 140, 4, 2))
_TOLERANCE = 1e-3  # of the largest float in a buffer
_Sizes = Mapping[str, Number]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What is in the caller's buffers in the end, or what was done wrong."""

    memory: Mapping[str, Array]
    wrong: str = ""


def difference(built: Stmt, printed: Stmt, near: Iterable[Mapping[str, int]], most: int) -> str:
    """Where the printed text computes something else than the loops do, or leaves memory; empty where not seen.

    It is looked for at usual sizes, and at those `near`. No more than so many steps are taken.
    """
    trials = _Trials(built, printed, Steps(most))
    for sizes in trials.sizes(near):
        if trials.steps.left <= 0:
            break
        found = [trials.difference(sizes, _SEEDS[0])]
        if found[0]:
            found += [trials.difference(sizes, seed) for seed in _SEEDS[1:]]
        if all(found):
            said = ", ".join(f"{n} = {v}" for n, v in sizes.items() if ".extent." in n or (".min." in n and v))
            return f"{found[0]}, where {said}" if said else found[0]
    return ""


class _Trials:
    """Runs of two texts."""

    def __init__(self, built: Stmt, printed: Stmt, steps: Steps) -> None:
        self.built, self.printed, self.steps = built, printed, steps
        inner = {s.buffer for s in find(built, Allocate)}
        self.outputs = {s.buffer: s.value.dtype.element for s in find(built, Store) if s.buffer not in inner}
        self.has_run = False

    def sizes(self, near: Iterable[Mapping[str, int]]) -> Iterator[_Sizes]:
        """Usual ones, those near, and larger ones if the text refuses to run at these."""
        usual = list(self._usual(_EXTENTS))
        yield from usual
        for values in near:
            yield {**usual[0], **{name: n for name, n in values.items() if name.endswith((".min.0", ".extent.0"))}}
        for extents in _LARGER:
            if not self.has_run:
                yield from self._usual([extents])

    def difference(self, sizes: _Sizes, seed: int) -> str:
        right = self._outcome(self.built, sizes, seed)
        if right is None or right.wrong:
            return ""
        self.has_run = True
        found = self._outcome(self.printed, sizes, seed)
        if found is None:
            return ""
        return found.wrong or self._compared(right.memory, found.memory, sizes)

    def _outcome(self, stmt: Stmt, sizes: _Sizes, seed: int) -> _Outcome | None:
        """None where it cannot be run."""
        outputs = {b: (dtype, _elements(b, sizes)) for b, dtype in self.outputs.items()}
        try:
            run = Trial(stmt, sizes, outputs, seed, self.steps)
        except OutsideError as access:
            return _Outcome({}, f"it accesses {access}, which is outside")
        except (Ended, Refused, KeyError):
            return None
        return _Outcome({b: run.memory[b] for b in self.outputs})

    def _compared(self, right: Mapping[str, Array], found: Mapping[str, Array], sizes: _Sizes) -> str:
        for buffer, dtype in self.outputs.items():
            differs = _differing(right[buffer], found[buffer], dtype)
            if differs.any():
                n = int(np.argmax(differs))
                place = ", ".join(map(str, _coordinates(buffer, n, sizes)))
                return f"{buffer}({place}) is {found[buffer][n]}, where the loops make it {right[buffer][n]}"
        return ""

    def _usual(self, choices: Iterable[tuple[int, ...]]) -> Iterator[_Sizes]:
        """Small sizes for all that the text depends on."""
        bound = {s.name for s in find(self.built, For)} | {s.name for s in find(self.built, LetStmt)}
        free = sorted(_typed(self.built, free_vars(self.built) - bound).items())
        promised = _promised(self.built)
        for n, extents in enumerate(choices):
            for is_wide in (True, False):
                yield self._at(free, promised, extents, is_wide)
            if n == 0:
                moved = self._at(free, promised, extents, True)
                yield {name: -3 if name.endswith(".min.0") and name not in promised else v for name, v in moved.items()}

    def _at(
        self, free: Iterable[tuple[str, DType]], promised: _Sizes, extents: tuple[int, ...], is_wide: bool
    ) -> dict[str, Number]:
        found: dict[str, Number] = {}
        for name, dtype in free:  # extents come before strides
            found[name] = promised.get(name, _size(name, dtype, found, set(self.outputs), extents, is_wide))
        return found


def _typed(stmt: Stmt, names: Collection[str]) -> dict[str, DType]:
    return {e.name: e.dtype for e in walk(stmt) if isinstance(e, Var) and e.name in names}


def _promised(stmt: Stmt) -> dict[str, int]:
    """Sizes that the text asks for."""
    found = {}
    for check in find(stmt, Assert):
        equal = check.condition
        if isinstance(equal, ir.EQ) and isinstance(equal.a, Var) and const_value(equal.b) is not None:
            found[equal.a.name] = int(const_value(equal.b) or 0)
    return found


def _size(name: str, dtype: DType, known: _Sizes, outputs: set[str], extents: tuple[int, ...], is_wide: bool) -> Number:
    """Inputs are wider than outputs, or not."""
    match = re.fullmatch(r"(.*)\.(min|extent|stride)\.(\d+)", name)
    if match is None:
        return np.asarray(0.75, dtype.to_numpy()) if dtype.is_float else 2
    buffer, what, d = match[1], match[2], int(match[3])
    if what == "extent":
        own = [*extents, *[2] * 8]
        return own[d] if buffer in outputs or not is_wide else own[d] + 60
    if what == "min":
        return 0 if buffer in outputs or not is_wide else -30
    return _stride(buffer, d, known)


def _stride(buffer: str, dim: int, known: _Sizes) -> int:
    stride = 1
    for d in range(dim):
        stride *= int(known.get(f"{buffer}.extent.{d}", 64))
    return stride


def _rank(buffer: str, sizes: _Sizes) -> int:
    return sum(f"{buffer}.extent.{d}" in sizes for d in range(64))


def _strides(buffer: str, sizes: _Sizes) -> list[int]:
    """Where a text does not mention a stride, it is 1, or never counts."""
    return [int(sizes.get(f"{buffer}.stride.{d}", _stride(buffer, d, sizes))) for d in range(_rank(buffer, sizes))]


def _elements(buffer: str, sizes: _Sizes) -> int:
    """How many elements the caller's buffer has, from first to last."""
    reach = (stride * (int(sizes[f"{buffer}.extent.{d}"]) - 1) for d, stride in enumerate(_strides(buffer, sizes)))
    return 1 + sum(reach)


def _coordinates(buffer: str, place: int, sizes: _Sizes) -> list[int]:
    found = {}
    for stride, d in sorted(((s, d) for d, s in enumerate(_strides(buffer, sizes))), reverse=True):
        found[d], place = divmod(place, stride) if stride else (0, place)
    return [found[d] + int(sizes.get(f"{buffer}.min.{d}", 0)) for d in sorted(found)]


def _differing(right: Array, found: Array, dtype: DType) -> Array:
    if not dtype.is_float:
        return np.asarray(right != found)
    same = (right == found) | (np.isnan(right) & np.isnan(found))
    finite = np.abs(right[np.isfinite(right)]).astype(np.float64)
    allowed = _TOLERANCE * (finite.max() if len(finite) else 1.0)
    with np.errstate(all="ignore"):
        near = np.abs(right.astype(np.float64) - found.astype(np.float64)) <= allowed
    return np.asarray(~(same | near))
