"""`Stage`: the schedule of one definition of a Func, pure or update."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from ..errors import MistypedDirective, ScheduleError
from ..schedule.directives import Specialize, SpecializeFail
from ..source import caller
from .argument_names import also_called
from .device_scheduling import DeviceScheduling
from .display import definition_text
from .expressions.expr import ToExpr
from .expressions.var import Var
from .factoring import Preserved, factored, preserved_pairs, shown_pairs
from .func_contents import FuncContents
from .loop_names import bare, shown
from .sizes import condition_expression

if TYPE_CHECKING:
    from .func import Func


class StageVersions(DeviceScheduling):
    """Versions of a stage that are scheduled apart, chosen when the pipeline runs."""

    __slots__ = ()

    def specialize(self, condition: ToExpr) -> Stage:
        """The version of this stage for when the condition holds: it has the directives given so far, and gets more.

        Conditions are tried in the order in which they were given. Asked again with the same one, it is the same
        version. The condition is of Params and the shapes of inputs and outputs.
        """
        text = f"{self._stage_name()}{self._conditions()}.specialize({bare(shown(condition))})"
        known = condition_expression(text, condition)
        nest = self._nest()
        place = next((n for n, s in enumerate(nest.specializations) if s.condition is known and not s.failure), None)
        if place is None:
            place = len(nest.specializations)
            self._record(text, Specialize(known))
        return Stage(contents=self._contents, stage=self._stage, version=(*self._version, place))

    def specialize_fail(self, message: str) -> None:
        """Where no condition holds, the pipeline stops with the message."""
        text = self._text("specialize_fail", message)
        if not isinstance(message, str):
            raise MistypedDirective(text, location=caller(), reason=["the message is no text"], accepted="a str")
        if not message:
            raise ScheduleError(text, location=caller(), reason=["the message is empty"], accepted="a message")
        self._record(text, SpecializeFail(message))


class Stage(StageVersions):
    """One definition of a Func, reached by `f.update(n)`, or a version of one."""

    __slots__ = ("_contents", "_stage", "_version")
    _func_type: ClassVar[type[Func]]  # set where Func is defined, which knows of stages itself

    def __init__(
        self,
        func: Stage | None = None,
        *,
        contents: FuncContents | None = None,
        stage: int = 0,
        version: tuple[int, ...] = (),
    ) -> None:
        source = contents if contents is not None else getattr(func, "_contents", None)
        assert isinstance(source, FuncContents), "a Stage is made from a Func"
        self._contents, self._stage, self._version = source, stage, version

    def name(self) -> str:
        """The name of its Func, and which update it is."""
        return self._stage_name()

    @also_called(r="preserved")
    def rfactor(self, r: Preserved, v: Var | None = None) -> Func:
        """Reduce in two steps: the Func that is returned reduces for each value of `v`, this update over loop `r`.

        rfactor(r, v)     rfactor([(r, v), ...])

        Other reduction loops are the returned Func's alone: all of them where no pairs are given. The update's operator
        is associative.
        """
        text = f"{self._stage_name()}{self._conditions()}.rfactor({shown_pairs(r, v)})"
        if self._stage == 0:
            reason = ["this is a pure definition"]
            raise ScheduleError(text, location=caller(), reason=reason, accepted="an update: f.update()")
        pairs = preserved_pairs(text, r, v)
        return self._func_type._of(factored(self._contents, self._stage, self._version, pairs, text))

    def unscheduled(self) -> None:
        """Say that the stage is left alone on purpose, so that no warning is needed."""
        self._replace_nest(replace(self._nest(), is_left_alone=True))

    def __repr__(self) -> str:
        function = self._contents.defined_function
        return f"<halopy.Stage '{self.name()}': {definition_text(function.name, function.definitions[self._stage])}>"
