"""The algorithm of one Func, as a value: its pure definition and its updates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..dtypes import DType
from ..source import SourceLocation
from .expr import Expr


@dataclass(frozen=True, slots=True)
class ReductionVar:
    """One dimension of a reduction domain: `name` runs over [min, min + extent)."""

    name: str
    min: Expr
    extent: Expr


@dataclass(frozen=True, slots=True)
class ReductionDomain:
    """An iteration box, first variable innermost, restricted to where `predicate` holds."""

    vars: tuple[ReductionVar, ...]
    predicate: Expr | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """Of the versions of one stage the one that runs where each condition of `path` is as said.

    `stage` counts the stages as they were written. With `failure` given, the pipeline stops with that message.
    """

    stage: int
    path: tuple[tuple[Expr, bool], ...] = ()
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """One stage: `func[index] = values`, for all pure variables, and over `rdom` in order.

    In the pure definition every index is a Var of the Func's arguments. In an update the pure
    variables are those arguments that stand alone at their own place in `index`.
    """

    index: tuple[Expr, ...]
    values: tuple[Expr, ...]
    rdom: ReductionDomain | None = None
    location: SourceLocation | None = None
    branch: Branch | None = None  # only where a stage has several versions (`separate_specializations`)
    versions: tuple[Definition, ...] = ()  # what some versions of the stage compute it by, after rfactor()


@dataclass(frozen=True, slots=True)
class Function:
    """A named grid of values with `args` (names, innermost first) and one dtype per tuple element."""

    name: str
    args: tuple[str, ...]
    dtypes: tuple[DType, ...]
    definitions: tuple[Definition, ...]
    location: SourceLocation | None = None

    @property
    def pure(self) -> Definition:
        return self.definitions[0]

    @property
    def updates(self) -> tuple[Definition, ...]:
        return tuple(d for number, d in enumerate(self.definitions) if self.written_stage(number) > 0)

    @property
    def rank(self) -> int:
        return len(self.args)

    def written_stage(self, number: int) -> int:
        """Which stage a definition is, as the user counts: versions of one stage are one."""
        branch = self.definitions[number].branch
        return number if branch is None else branch.stage

    def all_definitions(self) -> Iterator[Definition]:
        """The definitions, each before those of its versions."""
        for definition in self.definitions:
            yield definition
            yield from definition.versions

    def in_version(self, stage: int, version: int | None) -> Function:
        """The Func as a version of a stage sees it; None: as it is defined."""
        if version is None:
            return self
        own = self.definitions[stage].versions[version]
        return replace(self, definitions=(*self.definitions[:stage], own, *self.definitions[stage + 1 :]))

    def versions(self, number: int) -> range:
        """The numbers of the definitions that are versions of one stage, to which `number` belongs."""
        stage = self.written_stage(number)
        same = [n for n in range(len(self.definitions)) if self.written_stage(n) == stage]
        return range(same[0], same[-1] + 1)
