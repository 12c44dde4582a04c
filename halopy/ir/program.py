"""A whole algorithm as one value, with unique names instead of references.

`program_of(outputs)` walks what user-level expressions refer to and gives a Program in which every
Func, image and parameter has a name that is unique, close to what the user wrote, and the same
each time an equal program is built, so that compiled code can be found again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from ..dtypes import INT32, INT64, DType
from ..errors import DefinitionError
from .expr import Expr, FuncAccess, ImageAccess, ImageProperty, Param, Read, Var
from .function import Function
from .map_definitions import map_expressions
from .node import Node, walk
from .refs import FunctionRef, ImageRef, ScalarRef
from .rewrite import Rewriter


@dataclass(frozen=True, slots=True)
class Constraint:
    """A promise about a shape: the `min`, `extent` or `stride` of dimension `dim` is `value`."""

    property: str
    dim: int
    value: Expr


@dataclass(frozen=True, slots=True)
class Image:
    """An input buffer of the program. Its shape reads as Vars `name.min.d`, `name.extent.d`, `name.stride.d`."""

    name: str
    dtype: DType
    rank: int
    ref: ImageRef
    constraints: tuple[Constraint, ...] = ()
    is_traced: bool = False  # its loads are reported


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar input of the program; reads as a Var of this name."""

    name: str
    dtype: DType
    ref: ScalarRef


@dataclass(frozen=True, slots=True)
class Program:
    """`functions` by name, producers before consumers; `outputs` are names of functions.

    `requirements` are Effects that fail where what is required of the scalars and shapes does not hold.
    """

    functions: Mapping[str, Function]
    outputs: tuple[str, ...]
    images: Mapping[str, Image]
    scalars: Mapping[str, Scalar]
    names: Mapping[FunctionRef, str]
    promises: Mapping[str, tuple[Constraint, ...]] = field(default_factory=dict)  # by output buffer
    alignments: Mapping[str, int] = field(default_factory=dict)  # bytes, by input or output buffer, where promised
    requirements: tuple[Expr, ...] = ()


def output_buffers(name: str, count: int) -> list[str]:
    """The buffers of an output Func of so many values: `f`, or `f.0`, `f.1`, ..."""
    return [name] if count == 1 else [f"{name}.{element}" for element in range(count)]


Define: TypeAlias = "Callable[[FunctionRef], Function | None]"


def as_written(ref: FunctionRef) -> Function | None:
    """A Func's own definition."""
    return ref.function


def buffer_property(name: str, prop: str, dim: int) -> Var:
    """The symbol for `min`, `extent` or `stride` of a buffer's dimension."""
    return Var(f"{name}.{prop}.{dim}", INT32)


def buffer_address(name: str) -> Var:
    """The symbol for the address at which a buffer's memory starts."""
    return Var(f"{name}.address", INT64)


def program_of(outputs: Sequence[FunctionRef], define: Define = as_written) -> Program:
    """Collect all that the outputs depend on. Raises DefinitionError for an undefined Func.

    `define` gives each Func's definition, where reads may be redirected to other Funcs.
    """
    functions = _producers_first(outputs, define)
    order = list(functions)
    images, scalars = _inputs(functions.values())
    taken: set[str] = set()
    # Outputs and inputs are what the caller sees: they get their plain names first.
    names = {ref: _unique(ref.name, taken) for ref in outputs}
    image_names = {ref: _unique(ref.name, taken) for ref in images}
    taken |= _variables(
        functions.values()
    )  # a parameter may share no name with a Func's argument or reduction variable
    scalar_names = {ref: _unique(ref.name, taken) for ref in scalars}
    for ref in order:
        if ref not in names:
            names[ref] = _unique(ref.name, taken)
    buffers = {ref: output_buffers(names[ref], len(functions[ref].dtypes)) for ref in outputs}
    to_names = _ToNames(names, image_names, scalar_names, buffers)
    return Program(
        functions={names[ref]: _named(f, names[ref], to_names) for ref, f in functions.items()},
        outputs=tuple(names[ref] for ref in outputs),
        images={n: Image(n, r.dtype, r.rank, r) for r, n in image_names.items()},
        scalars={n: Scalar(n, r.dtype, r) for r, n in scalar_names.items()},
        names=names,
    )


def calls(ref: FunctionRef, function: Function) -> list[FunctionRef]:
    """The Funcs that a user-level definition of `ref` reads, itself excluded, in order of appearance."""
    found: dict[FunctionRef, None] = {}
    for root in expressions(function):
        for node in walk(root):
            if isinstance(node, FuncAccess) and node.ref is not ref:
                found.setdefault(node.ref)
    return list(found)


def expressions(function: Function) -> Iterable[Expr]:
    """All expressions of a function's definitions."""
    for d in function.all_definitions():
        yield from d.index
        yield from d.values
        if d.rdom:
            for v in d.rdom.vars:
                yield v.min
                yield v.extent
            if d.rdom.predicate is not None:
                yield d.rdom.predicate


def _producers_first(outputs: Sequence[FunctionRef], define: Define) -> dict[FunctionRef, Function]:
    """Depth-first post-order over the call graph, without recursion."""
    done: dict[FunctionRef, Function] = {}
    for root in outputs:
        function = _defined(root, None, define)
        stack = [(root, function, calls(root, function))]
        while stack:
            ref, function, todo = stack[-1]
            if todo:
                nxt = todo.pop(0)
                if nxt not in done and all(nxt is not open_ref for open_ref, _, _ in stack):
                    definition = _defined(nxt, ref, define)
                    stack.append((nxt, definition, calls(nxt, definition)))
            else:
                stack.pop()
                done.setdefault(ref, function)
    return done


def _defined(ref: FunctionRef, user: FunctionRef | None, define: Define) -> Function:
    function = define(ref)
    if function is None:
        by = f"it is used by `{user.name}`" if user else "it is an output of the pipeline"
        raise DefinitionError(
            f"Func `{ref.name}` has no definition",
            location=user.function.location if user and user.function else None,
            reason=[by, f"define it first, for example: {ref.name}[x] = x"],
        )
    return function


def _inputs(functions: Iterable[Function]) -> tuple[list[ImageRef], list[ScalarRef]]:
    images: dict[ImageRef, None] = {}
    scalars: dict[ScalarRef, None] = {}
    for function in functions:
        for root in expressions(function):
            for node in walk(root):
                if isinstance(node, ImageAccess | ImageProperty) and node.ref.output is None:
                    images.setdefault(node.ref)
                elif isinstance(node, Param):
                    scalars.setdefault(node.ref)
    return list(images), list(scalars)


def _variables(functions: Iterable[Function]) -> set[str]:
    names: set[str] = set()
    for function in functions:
        names.update(function.args)
        for d in function.all_definitions():
            names.update(v.name for v in d.rdom.vars) if d.rdom else None
    return names


def _unique(name: str, taken: set[str]) -> str:
    """The user's name without a `$n` suffix, made of letters, digits and _, with _n added when taken."""
    base = re.sub(r"[^A-Za-z0-9_]", "_", name.split("$")[0]) or "f"
    candidate, n = base, 1
    while candidate in taken:
        candidate = f"{base}_{n}"
        n += 1
    taken.add(candidate)
    return candidate


def output_of(ref: ImageRef, outputs: Mapping[FunctionRef, Sequence[str]]) -> str:
    """The name of an output buffer. Raises DefinitionError where its Func is no output of the pipeline."""
    assert ref.output is not None, "the image is an output buffer"
    func, element = ref.output
    if func not in outputs:
        raise DefinitionError(
            f"the output buffer of Func `{func.name}` is used, but `{func.name}` is no output of the pipeline",
            accepted=f"the output buffers of {', '.join(f'`{output.name}`' for output in outputs)}",
        )
    return outputs[func][element]


class _ToNames(Rewriter):
    only = (FuncAccess, ImageAccess, ImageProperty, Param)

    def __init__(
        self,
        functions: Mapping[FunctionRef, str],
        images: Mapping[ImageRef, str],
        scalars: Mapping[ScalarRef, str],
        outputs: Mapping[FunctionRef, list[str]],
    ) -> None:
        super().__init__()
        self.functions, self.images, self.scalars, self.outputs = functions, images, scalars, outputs

    def rewrite_FuncAccess(self, a: FuncAccess) -> Expr:
        return Read(self.functions[a.ref], tuple(map(self, a.index)), a.element, a.dtype)

    def rewrite_ImageAccess(self, a: ImageAccess) -> Expr:
        return Read(self.images[a.ref], tuple(map(self, a.index)), 0, a.dtype)

    def rewrite_ImageProperty(self, p: ImageProperty) -> Expr:
        name = self.images[p.ref] if p.ref.output is None else output_of(p.ref, self.outputs)
        return buffer_property(name, p.property, p.dim)

    def rewrite_Param(self, p: Param) -> Expr:
        return Var(self.scalars[p.ref], p.dtype)


def _named(function: Function, name: str, to_names: _ToNames) -> Function:
    return replace(map_expressions(function, to_names), name=name)


def reads(root: Node) -> Iterable[Read]:
    """Every distinct Read below."""
    return (n for n in walk(root) if isinstance(n, Read))
