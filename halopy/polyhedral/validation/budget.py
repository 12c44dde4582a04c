"""What a proof may cost, counted in operations: so what is found is the same on each machine, however busy.

An operation is one of isl's, about a microsecond; what is done in Python counts as many as take about as long.
"""

from __future__ import annotations

FULL = 8_000_000  # for one compilation that is validated in full
MOST_OPERATIONS = 200_000  # of isl, for one round about some accesses
MOST_GIVEN_UP = 1_500_000  # of isl, in rounds that led to nothing
_FEW = 5_000, 30_000  # of isl, which mostly are enough
_LOADING = 40_000  # which isl takes


class Budget:
    """The rest of it."""

    def __init__(self, operations: int = FULL) -> None:
        self.left = operations
        self._to_give_up = MOST_GIVEN_UP
        self._is_loaded = False

    @property
    def is_spent(self) -> bool:
        return self.left <= 0

    def spend(self, operations: int) -> None:
        self.left -= operations

    def load(self) -> bool:
        """Whether isl may be asked. As if it were loaded for this, whoever did before."""
        if not self._is_loaded and self.left > _LOADING:
            self._is_loaded = True
            self.spend(_LOADING)
        return self._is_loaded and not self.is_spent

    def limits(self) -> list[int]:
        """How many operations isl may use for one round: few first, as nobody can say how many it did use."""
        most = min(MOST_OPERATIONS, self._to_give_up, self.left)
        return [*(few for few in _FEW if few < most), *([most] if most > 0 else [])]

    def give_up(self, operations: int) -> None:
        """So many operations of isl led to nothing."""
        self.spend(operations)
        self._to_give_up -= operations
