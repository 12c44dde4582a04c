"""`Pipeline`: one or more output Funcs, compiled and run together."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import DefinitionError, ScheduleError
from ..ir import expr as nodes
from ..source import caller
from . import revision
from .autoscheduling import Autoscheduling
from .check import Mismatch, check
from .display import notebook_html
from .expressions.conversion import show
from .expressions.expr import ToExpr, to_node
from .expressions.leaves import leaves
from .func import Func
from .reads import Reads, reads_of
from .schedule import Schedule
from .services import requirement


class Pipeline(Autoscheduling):
    """Output Funcs and all that they depend on."""

    __slots__ = ()

    def __init__(self, outputs: Func | Sequence[Func] = ()) -> None:
        funcs = [outputs] if isinstance(outputs, Func) else list(outputs)
        for func in funcs:
            if not isinstance(func, Func):
                raise DefinitionError(f"{func!r} is not a Func", location=caller(), accepted="a Func or a list of them")
        super().__init__([func._contents for func in funcs])

    def defined(self) -> bool:
        """Whether it has an output."""
        return bool(self._outputs)

    def outputs(self) -> list[Func]:
        """The Funcs that a run computes."""
        return [Func._of(contents) for contents in self._outputs]

    def add_requirement(self, condition: ToExpr, *message: ToExpr | str) -> None:
        """Before anything is computed, a run ends with an error that shows the message unless the condition holds.

        Both are made of numbers, Params and the shapes of inputs.
        """
        text = f"add_requirement({show(to_node(condition))})"
        for value in (condition, *(m for m in message if not isinstance(m, str))):
            for node in leaves(to_node(value), nodes.Var, nodes.RVarAccess, nodes.FuncAccess, nodes.ImageAccess):
                raise DefinitionError(
                    text,
                    location=caller(),
                    reason=[f"`{show(node)}` is not known before the pipeline runs"],
                    accepted="numbers, Params, and the shapes of Buffers and ImageParams",
                )
        required = requirement("add_requirement", to_node(condition), nodes.const(0), message)
        self._requirements = (*self._requirements, required)
        revision.changed()

    @property
    def schedule(self) -> Schedule:
        """What was said about each Func, as a value: to keep, compare, and give to the same algorithm again."""
        return Schedule._of(self._outputs, self.snapshot().program)

    def apply_schedule(self, schedule: Schedule) -> None:
        """Give the Funcs this schedule in the place of the one that they have. Directives are checked as usual.

        Raises ScheduleError, changing nothing, where a Func, loop or input that it names is not there, or a directive
        is refused.
        """
        if not isinstance(schedule, Schedule):
            raise ScheduleError(
                f"{schedule!r} is no Schedule", location=caller(), accepted="pipeline.schedule, or Schedule.from_json"
            )
        schedule._apply(self._outputs, self.snapshot().program)

    def check(
        self,
        schedule: Schedule | None = None,
        sizes: Sequence[Sequence[int]] | None = None,
        *,
        seed: int = 0,
        tolerance: float = 1e-5,
    ) -> tuple[Mismatch, ...]:
        """Run beside the oracle, which knows no schedule; nothing is given if all values agree.

        It is the schedule that the Funcs have, or this one, and small sizes, or these. Inputs without a buffer are
        filled with random numbers. Floats may differ by `tolerance`, absolutely or relatively: sums may be regrouped.
        Raises what a run raises.
        """
        if schedule is None:
            return check(self, sizes, seed, tolerance)
        before = self.schedule
        self.apply_schedule(schedule)
        try:
            return check(self, sizes, seed, tolerance)
        finally:
            self.apply_schedule(before)

    def get_func(self, index: int) -> Func:
        """The nth Func of the pipeline, producers before consumers."""
        program = self.snapshot().program
        refs = {name: ref for ref, name in program.names.items()}
        names = list(program.functions)
        if not 0 <= index < len(names):
            raise DefinitionError(
                f"the pipeline has no Func number {index}", location=caller(), accepted=f"0 to {len(names) - 1}"
            )
        return next(Func._of(c) for c in program.names if c is refs[names[index]])  # type: ignore[arg-type]

    def reads(self) -> Reads:
        """By the name of each Func, producers first: for each stage, at how many places it reads which other Func."""
        return reads_of(self.snapshot().program)

    def _repr_html_(self) -> str:
        """Definitions and loop nest, for notebooks."""
        return notebook_html(repr(self), self._outputs)

    def __repr__(self) -> str:
        names = ",".join(f"'{contents.name}'" for contents in self._outputs)
        return f"<halopy.Pipeline [{names}]>" if names else "<halopy.Pipeline Pipeline()>"
