"""What automatic scheduling is told of the machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..dtypes import UINT8, DType
from ..target import Target


@dataclass(frozen=True, slots=True)
class Machine:
    """`balance` is the cost of bringing a value from memory, counted in simple operations."""

    target: Target
    parallelism: int = 16
    last_level_cache_size: int = 16 << 20  # bytes, shared by all threads
    balance: int = 40

    @property
    def cache_per_thread(self) -> int:
        """Bytes that a thread may keep at hand."""
        return max(1, self.last_level_cache_size // self.parallelism)

    def traffic(self, dtypes: Iterable[DType]) -> float:
        """Operations in the time that it takes to store values of these types in memory and to load them again."""
        return sum(d.bytes for d in dtypes) / 4 * self.balance

    def lanes(self, dtype: DType) -> int:
        """Values of the type in one vector register."""
        return self.target.vector_lanes(dtype)

    @property
    def registers(self) -> int:
        """Vector registers."""
        return 32 if self.target.vector_lanes(UINT8) >= 64 else 16
