"""`Proof`: whether a pipeline's schedule keeps the algorithm's answer, obligation by obligation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .witness import Witness

PROVED, REFUTED, NOT_PROVED = "proved", "refuted", "not proved"


@dataclass(frozen=True, slots=True)
class Obligation:
    """One thing that must hold: of which kind, about which stages, and whether and why it does."""

    kind: str
    stages: tuple[str, ...]
    status: str
    reason: str
    witness: Witness | None = None
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.status}: {self.kind} of {' and '.join(self.stages)}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Proof:
    """`status` is "proved" where all obligations are, "refuted" where one is, and "not proved" otherwise."""

    obligations: tuple[Obligation, ...]

    @property
    def status(self) -> str:
        """The worst of the obligations' statuses."""
        return worst(o.status for o in self.obligations)

    @property
    def seconds(self) -> float:
        """How long it took to find."""
        return sum(o.seconds for o in self.obligations)

    def __str__(self) -> str:
        counts = Counter(o.status for o in self.obligations)
        told = ", ".join(f"{counts[s]} {s}" for s in (PROVED, REFUTED, NOT_PROVED) if counts[s])
        return "\n".join([f"{self.status} ({told or 'nothing to prove'})", *(f"  {o}" for o in self.obligations)])

    def of_kind(self, kind: str) -> Sequence[Obligation]:
        """The obligations of one kind."""
        return [o for o in self.obligations if o.kind == kind]


def worst(statuses: Iterable[str]) -> str:
    """The status of a whole from those of its parts."""
    found = set(statuses)
    return REFUTED if REFUTED in found else NOT_PROVED if NOT_PROVED in found else PROVED
