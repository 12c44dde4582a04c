"""What validation may cost: a share of the time of lowering, or in full so much that it ends on any pipeline."""

from __future__ import annotations

import time

MOST_SECONDS = 8.0  # of the processor, for one compilation that is validated in full
MOST_OPERATIONS = 200_000  # of isl, for one round about some accesses
MOST_GIVEN_UP = 1_500_000  # of isl, in rounds that led to nothing
_PER_SECOND = 500_000  # of such operations, on a slow machine


class Budget:
    """The rest of it. Time that is short counts by the clock; otherwise that of other processes does not count."""

    def __init__(self, seconds: float | None) -> None:
        self._now = time.process_time if seconds is None else time.perf_counter
        self._end = self._now() + (MOST_SECONDS if seconds is None else seconds)
        self._to_give_up = MOST_GIVEN_UP

    @property
    def seconds(self) -> float:
        """That are left."""
        return self._end - self._now()

    @property
    def is_spent(self) -> bool:
        return self.seconds <= 0

    @property
    def operations(self) -> int:
        """That isl may use for one round; none where there is no time for a short one."""
        return min(MOST_OPERATIONS, self._to_give_up, int(self.seconds * _PER_SECOND))

    def give_up(self, operations: int) -> None:
        """So many operations of isl led to nothing."""
        self._to_give_up -= operations
