"""What a Func is made of, shared by all handles of it: its definition and its schedule in progress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..dtypes import DType
from ..ir.expr import FuncAccess
from ..ir.function import Definition, Function
from ..ir.node import Node, walk
from ..ir.refs import FunctionRef
from ..runtime import Handlers
from ..schedule.directives import ComputeAt, Directive, HoistStorage, StoreAt
from ..schedule.directives import LoopLevel as LoopLevelValue
from ..schedule.initial import initial_stage
from ..schedule.nest import FuncSchedule, StageNest
from . import revision
from .image_ref import ImageParamRef
from .legality import applied
from .loop_level import LoopLevel

if TYPE_CHECKING:
    from .wrappers import Wrapping


class Placement:
    """A directive whose place in the nest may still be set: resolved when the schedule is read."""

    __slots__ = ("directive", "level")

    def __init__(self, directive: Directive, level: LoopLevel) -> None:
        self.directive, self.level = directive, level

    def resolved(self) -> Directive:
        action = type(self.directive.action)
        assert action in (ComputeAt, StoreAt, HoistStorage), "only places are deferred"
        place: LoopLevelValue = self.level.value(self.directive)
        return Directive(action(place), 0, self.directive.location, self.directive.text)


class FuncContents(FunctionRef):
    """A Func's identity, with everything its handles may change."""

    __slots__ = (
        "as_written",
        "frozen",
        "func_directives",
        "handlers",
        "is_intermediate",
        "nests",
        "output_refs",
        "pipeline",
        "required_dtypes",
        "required_rank",
        "wrappers",
    )

    def __init__(self, name: str, dtypes: Sequence[DType] = (), rank: int | None = None) -> None:
        super().__init__(name)
        self.required_dtypes = tuple(dtypes)
        self.required_rank = rank
        self.frozen = False
        self.as_written: dict[int, Definition] = {}  # the updates that rfactor() has changed, by stage
        self.is_intermediate = False  # made by rfactor()
        self.handlers = Handlers()  # of its own pipeline
        self.nests: list[StageNest] = []
        self.func_directives: list[Directive | Placement] = []
        self.wrappers: dict[FuncContents | None, Wrapping] = {}  # by consumer; None: for all
        self.output_refs: tuple[ImageParamRef, ...] = ()  # made when asked for
        self.pipeline: object | None = None  # the Pipeline of this Func alone, made by realize

    @property
    def defined_function(self) -> Function:
        assert self.function is not None, f"Func {self.name} is defined"
        return self.function

    @property
    def written_function(self) -> Function:
        """The Func as the user defined it, before rfactor()."""
        function = self.defined_function
        definitions = (self.as_written.get(stage, d) for stage, d in enumerate(function.definitions))
        return replace(function, definitions=tuple(definitions)) if self.as_written else function

    def set_function(self, function: Function) -> None:
        """A new definition, one stage longer than before."""
        self.function = function
        self.nests.append(initial_stage(function, len(self.nests), self))
        revision.changed()

    def apply(self, directive: Directive) -> None:
        """Add a directive about one stage. Raises ScheduleError, changing nothing, where it does not fit."""
        self.nests[directive.stage] = applied(self, self.nests[directive.stage], directive)
        revision.changed()

    def add(self, directive: Directive | Placement) -> None:
        """Add a directive about the whole Func."""
        self.func_directives.append(directive)
        revision.changed()

    def schedule(self) -> FuncSchedule:
        """The schedule as it is now."""
        directives = (d.resolved() if isinstance(d, Placement) else d for d in self.func_directives)
        return FuncSchedule(tuple(self.nests), tuple(directives))


def freeze_called(definition: Definition, by: FunctionRef) -> None:
    """No Func that the definition reads may get further definitions."""
    roots: list[Node] = [*definition.index, *definition.values]
    if definition.rdom is not None and definition.rdom.predicate is not None:
        roots.append(definition.rdom.predicate)
    for root in roots:
        if root.has(FuncAccess):
            for node in walk(root):
                if isinstance(node, FuncAccess) and node.ref is not by and isinstance(node.ref, FuncContents):
                    node.ref.frozen = True
