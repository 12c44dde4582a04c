"""A whole pipeline as a document: tables of inputs, expressions and Funcs that refer to each other by number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import SerializationError
from ...ir.expr import Effect, Expr, FuncAccess, ImageAccess, Var
from ...ir.node import Node
from ...ir.refs import FunctionRef, ImageRef, ScalarRef
from ...ir.services import Fail
from ...source import SourceLocation
from .. import revision
from ..func import Func
from ..func_contents import FuncContents
from ..image_ref import ImageParamRef
from ..param_ref import ParamRef
from ..parameter import Parameter
from ..pipeline import Pipeline
from ..wrappers import Wrapping
from .definitions import FuncRecord, Header, check_access, check_no_cycles, define_again, record_of
from .directives import read_schedule, write_schedule
from .document import Json
from .fields import codec, expect
from .malformed import Malformed, inside
from .nodes import read_node, write_nodes
from .parameters import fields, read_image, read_promises, read_range, read_scalar, write_image, write_scalar

FORMAT, VERSION = "halopy pipeline", 1
_TABLES = ("scalars", "images", "nodes", "functions", "schedules", "wrappers", "outputs", "requirements")


@dataclass(frozen=True, slots=True)
class WrapperRecord:
    """`wrapper` is read in the place of `of`, by `consumer`, or by all."""

    of: FunctionRef | ImageRef
    consumer: FunctionRef | None
    wrapper: FunctionRef
    text: str
    location: SourceLocation


def write_pipeline(pipeline: Pipeline) -> tuple[dict[str, Json], dict[str, Parameter]]:
    """The document's content, and the parameters that it leaves to the reader."""
    writer = _Writer()
    outputs = [writer.place("function", contents) for contents in pipeline._outputs]
    requirements = [writer.place("node", e) for e in pipeline._requirements]
    writer.finish()
    content = {
        "scalars": writer.rows["scalar"],
        "images": writer.rows["image"],
        "nodes": writer.nodes,
        "functions": writer.rows["function"],
        "schedules": writer.schedules,
        "wrappers": writer.wrappers,
        "outputs": outputs,
        "requirements": requirements,
    }
    refs = [*writer.refs["scalar"], *(r for r in writer.refs["image"] if r.constant is None and r.output is None)]
    return content, {ref.name: Parameter._of(ref) for ref in refs}


class _Writer:
    """Gives nodes and references their places, and writes each once."""

    def __init__(self) -> None:
        self.known: dict[Node, int] = {}
        self.nodes: list[Json] = []
        self.refs: dict[str, dict[Any, int]] = {"scalar": {}, "image": {}, "function": {}}
        self.rows: dict[str, list[Json]] = {"scalar": [], "image": [], "function": []}
        self.schedules: list[Json] = []
        self.wrappers: list[Json] = []
        self._write: dict[str, Callable[[Any], Json]] = {
            "scalar": lambda ref: write_scalar(ref, self),
            "image": lambda ref: write_image(ref, self),
            "function": self._function,
        }

    def place(self, table: str, value: Any) -> int:
        if table == "node":
            return write_nodes(value, self.known, self.nodes, self)
        return self.refs[table].setdefault(value, len(self.refs[table]))

    def finish(self) -> None:
        """Write all that has a place; writing gives places to more."""
        while unwritten := self._unwritten():
            for table, ref in unwritten:
                self.rows[table].append(self._write[table](ref))
            self._place_wrappers()

    def _unwritten(self) -> list[tuple[str, Any]]:
        """What has a place and is not written yet, in the order of places."""
        return [(table, ref) for table, refs in self.refs.items() for ref in list(refs)[len(self.rows[table]) :]]

    def _function(self, contents: FunctionRef) -> Json:
        if not isinstance(contents, FuncContents):
            raise SerializationError(f"the Func `{contents.name}` is not the user's")
        for ref in contents.output_refs:
            self.place("image", ref)
        row = codec(FuncRecord).write(record_of(contents), self)
        self.schedules.append(write_schedule(contents, self))
        return row

    def _place_wrappers(self) -> None:
        """Write the wrappers that are read by Funcs that have a place, which may give a place to more."""
        self.wrappers = []
        for ref in [*self.refs["function"], *self.refs["image"]]:
            for consumer, wrapping in getattr(ref, "wrappers", {}).items():
                if consumer is None or consumer in self.refs["function"]:
                    record = WrapperRecord(ref, consumer, wrapping.wrapper, wrapping.text, wrapping.location)
                    self.wrappers.append(codec(WrapperRecord).write(record, self))


def read_pipeline(content: dict[str, Json], params: Mapping[str, Parameter]) -> tuple[Pipeline, dict[str, Parameter]]:
    """The pipeline, and its parameters by name. Raises Malformed for what is none."""
    fields(content, *_TABLES)
    reader = _Reader(content, params)
    reader.read_inputs()
    reader.read_functions()
    with inside("outputs"):
        outputs = [reader.at("function", expect(place, int)) for place in expect(content["outputs"], list)]
        pipeline = Pipeline([Func._of(contents) for contents in outputs])
    pipeline._requirements = tuple(reader.requirements())
    revision.changed()
    return pipeline, {ref.name: Parameter._of(ref) for ref in reader.inputs()}


class _Reader:
    """The tables of a document, filled from the first to the last."""

    def __init__(self, content: dict[str, Json], params: Mapping[str, Parameter]) -> None:
        self.content = content
        self.params = params
        self.tables: dict[str, list[Any]] = {"scalar": [], "image": [], "node": [], "function": []}
        self.headers: dict[FunctionRef, Header] = {}

    def at(self, table: str, place: int) -> Any:
        rows = self.tables[table]
        if not 0 <= place < len(rows):
            raise Malformed(f"there is no {table} {place}{' before this one' if table == 'node' else ''}")
        return rows[place]

    def rows(self, key: str) -> list[Json]:
        with inside(key):
            found: list[Json] = expect(self.content[key], list)
            return found

    def read_inputs(self) -> None:
        """Scalars, images and Funcs by name and type; then the expressions, which refer to them; then the rest."""
        for at, row in enumerate(self.rows("functions")):
            with inside("functions", at):
                self.tables["function"].append(self._named(row))
        for at, row in enumerate(self.rows("scalars")):
            with inside("scalars", at):
                self.tables["scalar"].append(self._bound(read_scalar(row, self)))
        for at, row in enumerate(self.rows("images")):
            with inside("images", at):
                self.tables["image"].append(self._bound(read_image(row, self)))
        for at, row in enumerate(self.rows("nodes")):
            with inside("nodes", at):
                self.tables["node"].append(self._node(row))
        for at, row in enumerate(self.rows("scalars")):
            if not self._is_given(ref := self.tables["scalar"][at]):
                with inside("scalars", at):
                    read_range(ref, row, self)
        for at, row in enumerate(self.rows("images")):
            if isinstance(ref := self.tables["image"][at], ImageParamRef) and not self._is_given(ref):
                with inside("images", at):
                    read_promises(ref, row, self)

    def _named(self, row: Json) -> FuncContents:
        record = expect(row, dict)
        contents = FuncContents(codec(str).read(record.get("name"), self))
        function = record.get("function")
        if function is not None:
            with inside("function"):
                args = codec(tuple[str, ...]).read(expect(function, dict).get("args"), self)
                dtypes: Any = function.get("dtypes")
                self.headers[contents] = Header(
                    args, tuple(codec(Header).read({"args": [], "dtypes": dtypes}, self).dtypes)
                )
        return contents

    def _bound(self, ref: ParamRef | ImageRef) -> Any:
        """The user's parameter of this name, where one is given."""
        given = self.params.get(ref.name) if self._is_open(ref) else None
        if given is None:
            return ref
        if not isinstance(given, Parameter) or not given.defined():
            raise Malformed(f"what is given for `{ref.name}` is no Parameter", accepted="param.parameter()")
        rank = ref.rank if isinstance(ref, ImageRef) else 0
        if (
            given._ref.dtype is not ref.dtype
            or given.dimensions() != rank
            or given.is_buffer() != isinstance(ref, ImageRef)
        ):
            wanted = f"a buffer of {rank} dimensions" if isinstance(ref, ImageRef) else "a scalar"
            raise Malformed(f"`{ref.name}` is {wanted} of type {ref.dtype!r}, and {given!r} is given for it")
        return given._ref

    @staticmethod
    def _is_open(ref: ScalarRef | ImageRef) -> bool:
        return not isinstance(ref, ImageRef) or (isinstance(ref, ImageParamRef) and ref.output is None)

    def _is_given(self, ref: ParamRef | ImageParamRef) -> bool:
        return any(given._ref is ref for given in self.params.values())

    def _node(self, row: Json) -> Expr:
        node = read_node(row, self)
        if isinstance(node, FuncAccess):
            check_access(node, self.headers.get(node.ref))
        return node

    def read_functions(self) -> None:
        """Definitions, then wrappers, then schedules, which may name any Func."""
        funcs: list[FuncContents] = self.tables["function"]
        for at, row in enumerate(self.rows("functions")):
            with inside("functions", at):
                define_again(funcs[at], codec(FuncRecord).read(row, self))
        for at, row in enumerate(self.rows("wrappers")):
            with inside("wrappers", at):
                self._wrap(codec(WrapperRecord).read(row, self))
        check_no_cycles(funcs)
        schedules = self.rows("schedules")
        if len(schedules) != len(funcs):
            raise Malformed(f"{len(schedules)} schedules of {len(funcs)} Funcs")
        for at, row in enumerate(schedules):
            with inside("schedules", at):
                read_schedule(funcs[at], row, self)
        self._give_outputs()

    def _wrap(self, record: WrapperRecord) -> None:
        ref, wrapper = record.of, record.wrapper
        if not isinstance(ref, FuncContents | ImageParamRef) or record.consumer in ref.wrappers:
            raise Malformed(f"`{ref.name}` cannot be wrapped, or is already")
        header, types = self.headers.get(wrapper), self._types(ref)
        if header is None or (len(header.args), header.dtypes) != types:
            raise Malformed(f"`{wrapper.name}` has not the dimensions and types of `{ref.name}`")
        assert isinstance(wrapper, FuncContents), "Funcs of the table"
        assert record.consumer is None or isinstance(record.consumer, FuncContents), "Funcs of the table"
        ref.wrappers[record.consumer] = Wrapping(wrapper, record.text, record.location)

    def _types(self, ref: FuncContents | ImageParamRef) -> object:
        if isinstance(ref, ImageParamRef):
            return ref.rank, (ref.dtype,)
        header = self.headers.get(ref)
        return header and (len(header.args), header.dtypes)

    def _give_outputs(self) -> None:
        """Output buffers, to the Funcs that fill them."""
        found: dict[FunctionRef, list[ImageParamRef]] = {}
        for ref in self.tables["image"]:
            if isinstance(ref, ImageParamRef) and ref.output is not None:
                found.setdefault(ref.output[0], []).append(ref)
        for func, refs in found.items():
            dtypes = self.headers[func].dtypes if func in self.headers else ()
            rank = len(self.headers[func].args) if func in self.headers else 0
            if [(r.output and r.output[1], r.dtype, r.rank) for r in refs] != [
                (n, d, rank) for n, d in enumerate(dtypes)
            ]:
                raise Malformed(f"the output buffers of `{func.name}` are not those of its values")
            assert isinstance(func, FuncContents), "Funcs of the table"
            func.output_refs = tuple(refs)

    def requirements(self) -> list[Expr]:
        found: list[Expr] = []
        for at, place in enumerate(self.rows("requirements")):
            with inside("requirements", at):
                e = self.at("node", expect(place, int))
                if not isinstance(e, Effect) or not isinstance(e.service, Fail) or e.has(Var, FuncAccess, ImageAccess):
                    raise Malformed("a requirement fails with a message, and is about parameters and shapes only")
                found.append(e)
        return found

    def inputs(self) -> list[ParamRef | ImageParamRef]:
        return [ref for ref in (*self.tables["scalar"], *self.tables["image"]) if self._is_open(ref)]
