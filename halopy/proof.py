"""`Proof`: whether a pipeline's schedule keeps the algorithm's answer, obligation by obligation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from .iteration_picture import iteration_picture
from .markup import block
from .witness import Witness

PROVED, REFUTED, NOT_PROVED = "proved", "refuted", "not proved"
REASSOCIATED = "associativity"  # the kind of obligations that hold only up to the order in which floats are combined
_WORST_FIRST = (REFUTED, NOT_PROVED, PROVED)


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

    def to_html(self) -> str:
        """A row of a table; where two iterations show what is wrong, they are drawn."""
        about = (self.status, self.kind, ", ".join(self.stages))
        cells = "".join(f'<td style="{_CELL}">{escape(text)}</td>' for text in about)
        picture = "" if self.witness is None else iteration_picture(self.witness)
        why = f'<td style="{_CELL}"><div style="white-space:pre-wrap">{escape(self.reason)}</div>{picture}</td>'
        return f'<tr style="color:{_COLOURS[self.status]}">{cells}{why}</tr>'


_CELL = "text-align:left;vertical-align:top;padding:0 1em 0 0"
_COLOURS = {PROVED: "inherit", REFUTED: "#a00", NOT_PROVED: "#850"}


@dataclass(frozen=True, slots=True)
class Proof:
    """`status` is "proved" where all obligations are, "refuted" where one is, and "not proved" otherwise.

    What is proved has the algorithm's values, bit for bit; where `is_reassociated`, up to the rounding of floats.
    """

    obligations: tuple[Obligation, ...]

    @property
    def status(self) -> str:
        """The worst of the obligations' statuses."""
        return worst(o.status for o in self.obligations)

    @property
    def seconds(self) -> float:
        """How long it took to find."""
        return sum(o.seconds for o in self.obligations)

    @property
    def is_reassociated(self) -> bool:
        """Whether floats are combined in another order than the algorithm says."""
        return any(o.kind == REASSOCIATED for o in self.obligations)

    @property
    def summary(self) -> str:
        """The status, and how many obligations have which."""
        counts = Counter(o.status for o in self.obligations)
        told = ", ".join(f"{counts[s]} {s}" for s in (PROVED, REFUTED, NOT_PROVED) if counts[s])
        order = ", up to the order in which floats are combined" if self.is_reassociated else ""
        return f"{self.status}{order} ({told or 'nothing to prove'})"

    def __str__(self) -> str:
        return "\n".join([self.summary, *(f"  {o}" for o in self.obligations)])

    def to_html(self) -> str:
        """The obligations as a table, what is not proved first: HTML that stands alone, without scripts."""
        worst_first = sorted(self.obligations, key=lambda o: _WORST_FIRST.index(o.status))
        titles = "".join(f'<th style="{_CELL}">{title}</th>' for title in ("status", "kind", "stages", "reason"))
        rows = "".join(o.to_html() for o in worst_first)
        return block(self.summary, f'<table style="border-collapse:collapse"><tr>{titles}</tr>{rows}</table>')

    def _repr_html_(self) -> str:
        """For notebooks."""
        return self.to_html()

    def of_kind(self, kind: str) -> Sequence[Obligation]:
        """The obligations of one kind."""
        return [o for o in self.obligations if o.kind == kind]


def worst(statuses: Iterable[str]) -> str:
    """The status of a whole from those of its parts."""
    found = set(statuses)
    return REFUTED if REFUTED in found else NOT_PROVED if NOT_PROVED in found else PROVED
