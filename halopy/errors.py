"""Every error halopy raises.

    HalideError                  base of all; also a RuntimeError
      UserError                  the program is wrong; the message names it as the user wrote it
        DefinitionError          a Func, RDom or reduction is defined wrongly
          FieldWritten           (also AttributeError) a field of a generator is assigned to
          NotDifferentiable      a definition has no derivative that could be computed
        TypeMismatch             (also TypeError) a type does not fit
          NoTruthValue           (also ValueError) `and`, `or`, `not`, `if` on an expression
        ScheduleError            a directive cannot be applied
          MistypedDirective      (also TypeMismatch) an argument of a directive is of another kind than it takes
          IllegalSchedule        a directive would change the answer, or reads what is not there
        BufferError              a buffer does not fit: dtype, rank, region, stride
          MistypedBuffer         (also TypeMismatch) what is given is no memory, or no size
        ParamError               a scalar parameter is missing or out of range
        SerializationError       a pipeline or schedule cannot be written as data, or data is not one that can be read
        RequirementFailed        what `require` or `add_requirement` asks for does not hold in this run
      UnsupportedTarget          the machine, target or compiler cannot do it
        CompilerNotFound         no C compiler; says the command that installs one
        CompilerFailed           the C compiler was found and failed
      InternalError              our own bug; please report it

An error carries data and renders it: where, what, why, and what would be accepted.
"""

from __future__ import annotations

from collections.abc import Sequence

from .source import SourceLocation, Written
from .witness import Witness


class HalideError(RuntimeError):
    """Base of all errors. `location` is the user's line, `reason` why, `accepted` what would do."""

    def __init__(
        self,
        summary: str,
        *,
        location: SourceLocation | None = None,
        reason: Sequence[str] = (),
        accepted: str | None = None,
    ) -> None:
        self.summary = summary
        self.location = location
        self.reason = tuple(reason)
        self.accepted = accepted
        super().__init__(self._render())

    def _render(self) -> str:
        where = f"{self.location}: " if self.location else ""
        lines = [where + self.summary, *(f"  {line}" for line in self.reason)]
        if self.accepted:
            lines.append(f"  accepted here: {self.accepted}")
        return "\n".join(lines)


class UserError(HalideError):
    """The program is wrong."""


class DefinitionError(UserError):
    """A Func, RDom, Var or reduction is defined or used wrongly."""


class FieldWritten(DefinitionError, AttributeError):
    """A field of a generator is assigned to, where an output is defined by `self.output[x] = ...`."""


class NotDifferentiable(DefinitionError):
    """A definition through which `propagate_adjoints` cannot go."""


class TypeMismatch(UserError, TypeError):
    """A type does not fit where it stands."""


class NoTruthValue(TypeMismatch, ValueError):
    """An expression stands where Python needs True or False."""


class ScheduleError(UserError):
    """A directive cannot be applied: unknown loop, bad factor, wrong order."""


class MistypedDirective(ScheduleError, TypeMismatch):
    """An argument of a directive is of another kind than the directive takes: no loop, no Func, no strategy."""


class IllegalSchedule(ScheduleError):
    """A directive would change the answer: `witness` shows two iterations for which it would, where they were found,
    and `repair` is what could be written instead: the empty text where the line can only be left out.
    """

    def __init__(
        self,
        summary: str,
        *,
        location: SourceLocation | None = None,
        reason: Sequence[str] = (),
        accepted: str | None = None,
        witness: Witness | None = None,
        repair: str | None = None,
    ) -> None:
        self.witness = witness
        self.repair = repair
        super().__init__(summary, location=location, reason=reason, accepted=accepted)

    @property
    def directive(self) -> Written:
        """The directive that is refused, and where it was written."""
        return Written(self.summary, self.location)

    @property
    def _instead(self) -> str:
        return "to leave this line out" if not self.repair and self.repair is not None else self.repair or ""

    def _render(self) -> str:
        if self.witness is None:
            return super()._render() + (f"\n  legal instead: {self._instead}" if self._instead else "")
        lines = [f"{self.directive}: {'; '.join(self.reason)}."]
        if self._instead:
            lines[0] += f" Legal instead: {self._instead}."
        if self.accepted:
            lines.append(f"  accepted here: {self.accepted}")
        return "\n".join(lines)


class BufferError(UserError):
    """A buffer does not fit: dtype, rank, region or stride."""


class MistypedBuffer(BufferError, TypeMismatch):
    """What is given for a buffer or its sizes is neither."""


class ParamError(UserError):
    """A scalar parameter is missing or out of its range."""


class SerializationError(UserError):
    """A pipeline or schedule cannot be written as data, or data is not one that can be read."""


class RequirementFailed(UserError):
    """A condition of `hl.require` or `Pipeline.add_requirement` does not hold in this run."""


class UnsupportedTarget(HalideError):
    """The machine, target or compiler cannot do what is asked."""


class CompilerNotFound(UnsupportedTarget):
    """No C compiler on this machine."""


class CompilerFailed(UnsupportedTarget):
    """The C compiler was found and failed; `log` is what it printed."""

    def __init__(self, summary: str, *, log: str = "", reason: Sequence[str] = ()) -> None:
        self.log = log
        super().__init__(summary, reason=reason)


class InternalError(HalideError):
    """A bug in halopy."""
