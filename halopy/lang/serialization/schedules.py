"""A schedule as a document: by name, what was said about each Func of a pipeline, apart from the algorithm."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...dtypes import DType
from ...ir.expr import FuncAccess
from ...ir.node import Node, find
from ...ir.program import Program, program_of
from ...ir.refs import FunctionRef, ImageRef, ScalarRef
from ...schedule.directives import Rfactor
from ...schedule.initial import initial_stage
from ...schedule.nest import StageNest
from ...source import SourceLocation
from ..func_contents import FuncContents
from ..image_ref import ImageParamRef
from .directives import OF_STAGES, StageDirective, WholeDirective, write_schedule
from .document import Json
from .fields import codec, expect
from .malformed import Malformed, inside
from .nodes import read_node, write_nodes
from .parameters import fields

FORMAT, VERSION = "halopy schedule", 1


@dataclass(frozen=True, slots=True)
class ScalarName:
    """A Param that sizes of the schedule are about."""

    name: str
    type: DType


@dataclass(frozen=True, slots=True)
class ImageName:
    """An input that the schedule is about, or the output buffer of a Func's value."""

    name: str
    type: DType
    rank: int
    output: tuple[FunctionRef, int] | None = None


@dataclass(frozen=True, slots=True)
class WrapperName:
    """`wrapper` is made by `of.in_(consumers)` or `of.clone_in(consumers)`; None: for all consumers."""

    of: FunctionRef | ImageRef
    consumers: tuple[FunctionRef, ...] | None
    wrapper: FunctionRef
    is_clone: bool
    text: str
    location: SourceLocation | None = None


@dataclass(frozen=True, slots=True)
class LoopName:
    """A loop that a stage has before anything is said about it."""

    name: str
    is_reduction: bool = False


@dataclass(frozen=True, slots=True)
class FuncName:
    """A Func, and the loops of its stages."""

    name: str
    loops: tuple[tuple[LoopName, ...], ...] = ()
    is_intermediate: bool = False  # made by rfactor()


def initial_nests(contents: FuncContents) -> list[StageNest]:
    """The nests of a Func about which nothing was said."""
    whole = contents.written_function
    stages = range(len(whole.definitions))
    return [initial_stage(replace(whole, definitions=whole.definitions[: n + 1]), n, contents) for n in stages]


def name_of(contents: FuncContents, name: str) -> FuncName:
    """The Func as a schedule names it."""
    if contents.function is None:
        return FuncName(name)
    stages = initial_nests(contents)
    loops = tuple(tuple(LoopName(d.name, d.is_reduction) for d in nest.dims) for nest in stages)
    return FuncName(name, loops, contents.is_intermediate)


# -- writing -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Subject:
    """The Funcs and inputs that a schedule is about, by name. `wrappers` stand for Funcs of the algorithm."""

    algorithm: Mapping[FuncContents, str]
    wrappers: Mapping[FuncContents, str]
    images: Mapping[ImageRef, str]
    scalars: Mapping[ScalarRef, str]

    @property
    def funcs(self) -> Mapping[FuncContents, str]:
        return {**self.algorithm, **self.wrappers}

    @property
    def wrapped(self) -> list[FuncContents | ImageParamRef]:
        """What may have wrappers."""
        return [*(image for image in self.images if isinstance(image, ImageParamRef)), *self.funcs]


def subject_of(outputs: Sequence[FuncContents], program: Program) -> Subject:
    """Funcs go by the names that the program has without wrappers; inputs by those that it has with them."""
    algorithm = {ref: name for ref, name in program_of(outputs).names.items() if isinstance(ref, FuncContents)}
    images = {image.ref: name for name, image in program.images.items()}
    scalars = {scalar.ref: name for name, scalar in program.scalars.items()}
    wrappers: dict[FuncContents, str] = {}
    subject = Subject(algorithm, wrappers, images, scalars)
    todo = subject.wrapped
    while todo:
        for consumer, wrapping in todo.pop().wrappers.items():
            if wrapping.wrapper not in subject.funcs and (consumer is None or consumer in subject.funcs):
                taken = set(subject.funcs.values())
                wrappers[wrapping.wrapper] = _unused(wrapping.wrapper.name, taken)
                todo = subject.wrapped
    return subject


def _unused(name: str, taken: set[str]) -> str:
    base = name.split("$")[0]
    return next(n for k in range(len(taken) + 1) if (n := f"{base}_{k}" if k else base) not in taken)


def write_schedules(subject: Subject) -> dict[str, Json]:
    """The schedule of these Funcs."""
    writer = _Writer(subject)
    funcs = list(subject.funcs)
    for ref in funcs:
        writer.place("function", ref)
    schedules = [write_schedule(ref, writer, factors=True) for ref in funcs]
    wrappers = writer.wrappers()
    rows = {table: [writer.row(table, ref) for ref in refs] for table, refs in writer.refs.items()}
    return {
        "scalars": rows["scalar"],
        "images": rows["image"],
        "nodes": writer.nodes,
        "functions": rows["function"],
        "wrappers": wrappers,
        "schedules": schedules,
    }


class _Writer:
    """Gives nodes and names their places."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.known: dict[Node, int] = {}
        self.nodes: list[Json] = []
        self.refs: dict[str, dict[Any, int]] = {"scalar": {}, "image": {}, "function": {}}

    def place(self, table: str, value: Any) -> int:
        if table == "node":
            return write_nodes(value, self.known, self.nodes, self)
        if isinstance(value, ImageRef) and value.output is not None:
            self.place("function", value.output[0])
        return self.refs[table].setdefault(value, len(self.refs[table]))

    def row(self, table: str, ref: Any) -> Json:
        if table == "function":
            return codec(FuncName).write(name_of(ref, self.subject.funcs.get(ref, ref.name)), self)
        if table == "scalar":
            return codec(ScalarName).write(ScalarName(self.subject.scalars.get(ref, ref.name), ref.dtype), self)
        image = ImageName(self.subject.images.get(ref, ref.name), ref.dtype, ref.rank, ref.output)
        return codec(ImageName).write(image, self)

    def wrappers(self) -> list[Json]:
        """The wrappers, in an order in which they can be made."""
        todo = [ref for ref in self.subject.wrapped if ref not in self.subject.wrappers]
        rows = []
        while todo:
            ref = todo.pop(0)
            for wrapper in dict.fromkeys(w.wrapper for w in ref.wrappers.values()):
                if wrapper in self.subject.wrappers:
                    rows.append(codec(WrapperName).write(self._wrapper_name(ref, wrapper), self))
                    todo.append(wrapper)
        return rows

    def _wrapper_name(self, ref: FuncContents | ImageParamRef, wrapper: FuncContents) -> WrapperName:
        uses = {consumer: w for consumer, w in ref.wrappers.items() if w.wrapper is wrapper}
        first = next(iter(uses.values()))
        consumers = None if None in uses else tuple(c for c in uses if c in self.subject.funcs and c is not None)
        return WrapperName(ref, consumers, wrapper, is_clone_of(ref, wrapper), first.text, first.location)


def is_clone_of(ref: FuncContents | ImageParamRef, wrapper: FuncContents) -> bool:
    """Whether a wrapper computes what the Func does; others read it."""
    values = wrapper.defined_function.pure.values
    reads = {a.ref for value in values for a in find(value, FuncAccess) if isinstance(a, FuncAccess)}
    return isinstance(ref, FuncContents) and ref not in reads


# -- reading -----------------------------------------------------------------------------------------------------------


class Names:
    """The tables of a schedule that is read: nodes and references, as `find` gives these for their names."""

    def __init__(self, content: Mapping[str, Json], find_ref: Callable[[Any, Names], Any]) -> None:
        fields(content, "scalars", "images", "nodes", "functions", "wrappers", "schedules")
        self.content = content
        self.tables: dict[str, list[Any]] = {"scalar": [], "image": [], "node": [], "function": []}
        self.funcs = [self._read("functions", at, FuncName) for at in self._places("functions")]
        for func in self.funcs:
            self.tables["function"].append(find_ref(func, self))
        for table, key, kind in (("scalar", "scalars", ScalarName), ("image", "images", ImageName)):
            for at in self._places(key):
                record = self._read(key, at, kind)
                with inside(key, at):
                    self.tables[table].append(find_ref(record, self))
        for at in self._places("nodes"):
            with inside("nodes", at):
                self.tables["node"].append(read_node(content["nodes"][at], self))

    def _places(self, key: str) -> range:
        with inside(key):
            return range(len(expect(self.content[key], list)))

    def _read(self, key: str, at: int, kind: Any) -> Any:
        with inside(key, at):
            return codec(kind).read(self.content[key][at], self)

    def at(self, table: str, place: int) -> Any:
        rows = self.tables[table]
        if not 0 <= place < len(rows):
            raise Malformed(f"there is no {table} {place}")
        return rows[place]

    def wrappers(self) -> list[WrapperName]:
        return [self._read("wrappers", at, WrapperName) for at in self._places("wrappers")]

    def schedules(self) -> list[Json]:
        with inside("schedules"):
            rows: list[Json] = expect(self.content["schedules"], list)
            if len(rows) > len(self.funcs):
                raise Malformed(f"{len(rows)} schedules of {len(self.funcs)} Funcs")
            return rows


def stand_in(record: Any, _: Names) -> Any:
    """A reference of the name, which no pipeline has."""
    if isinstance(record, FuncName):
        return FunctionRef(record.name)
    if isinstance(record, ScalarName):
        return ScalarRef(record.name, record.type)
    return ImageRef(record.name, record.type, record.rank, output=record.output)


@dataclass(frozen=True, slots=True)
class StageRows:
    """What is said about a stage, or a version of one. Versions stand beside the directives that made them."""

    directives: tuple[tuple[StageDirective, StageRows | None], ...]
    is_left_alone: bool


def stage_rows(data: Json, names: Names) -> StageRows:
    """The directives of a stage as they are written."""
    fields(data, "directives", "is_left_alone")
    rows = []
    with inside("directives"):
        for at, row in enumerate(expect(data["directives"], list)):
            with inside(at):
                plain = {key: value for key, value in expect(row, dict).items() if key != "version"}
                read = codec(StageDirective).read(plain, names)
                if not isinstance(read.action, OF_STAGES) or _makes_nothing(read.action):
                    raise Malformed("no directive that can be given again")
                rows.append((read, stage_rows(row["version"], names) if "version" in row else None))
    return StageRows(tuple(rows), expect(data["is_left_alone"], bool))


def _makes_nothing(action: object) -> bool:
    return isinstance(action, Rfactor) and action.intermediate is None


def makers_first(funcs: Sequence[FuncName], rows: Sequence[Json]) -> list[int]:
    """The places of Funcs in an order that has what rfactor() makes after what it is made of, and before the rest.

    Of what it makes, producers stand before consumers, which are what they are made of.
    """
    places = range(min(len(rows), len(funcs)))
    made = [at for at in reversed(places) if funcs[at].is_intermediate]
    makers = [at for at in places if at not in made and _makes_funcs(rows[at])]
    return [*makers, *made, *(at for at in places if at not in {*makers, *made})]


def _makes_funcs(data: Json) -> bool:
    if isinstance(data, dict):
        return "Rfactor" in data or any(map(_makes_funcs, data.values()))
    return isinstance(data, list) and any(map(_makes_funcs, data))


def func_rows(data: Json, names: Names) -> tuple[list[StageRows], list[WholeDirective]]:
    """The directives of each stage, and those of the whole Func."""
    fields(data, "stages", "directives")
    stages, whole = [], []
    for at, row in enumerate(expect(data["stages"], list)):
        with inside("stages", at):
            stages.append(stage_rows(row, names))
    for at, row in enumerate(expect(data["directives"], list)):
        with inside("directives", at):
            whole.append(codec(WholeDirective).read(row, names))
    return stages, whole


def check_schedules(content: Mapping[str, Json]) -> None:
    """Raises Malformed for what is no schedule of any pipeline."""
    names = Names(content, stand_in)
    names.wrappers()
    for at, row in enumerate(names.schedules()):
        with inside("schedules", at):
            func_rows(row, names)
