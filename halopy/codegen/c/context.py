"""Where printing stands: the lines so far, what is in scope, which values already have a name."""

from __future__ import annotations

from abc import ABC, abstractmethod

from ...dtypes import DType
from ...ir.expr import Effect, Expr
from ...ir.ranges import Range, Ranges
from ...ir.stmt import Store
from .names import Names
from .prelude import Prelude
from .registers import Registers
from .scopes import Mode, Scopes
from .types import Text, Value, Vec, storages, vector_type

INDENT = "    "


class Context(ABC):
    """One function being printed. `vector_bytes` is the width of a vector register."""

    def __init__(self, vector_bytes: int) -> None:
        self.vector_bytes = vector_bytes
        self.names = Names()
        self.prelude = Prelude()
        self.lines: list[str] = []
        self.depth = 1
        self.bindings: dict[str, Value] = {}  # IR variables in scope
        self.pointers: dict[str, str] = {}  # buffers in scope: C pointer to element 0
        self.tables: dict[str, str] = {}  # buffers that are laid out for lookups: the C name of that
        self.sizes: dict[str, int] = {}  # scratch memory in scope with a known number of elements
        self.registers: dict[str, Registers] = {}  # buffers in scope that are variables
        self.scopes = Scopes()
        self.known_ranges: dict[str, Range] = {}  # of let-bound vectors in scope
        self.ranges = Ranges(self.known_ranges)
        self.local_types: dict[str, str] = {}  # C type of each local name, also of those out of scope
        self.past_the_cache: frozenset[Store] = frozenset()
        self.is_large: dict[str, str] = {}  # outputs with such stores: C name of whether that is worth it
        self.stored_past = False  # and nobody has waited for it yet

    @abstractmethod
    def value(self, node: Expr, mode: Mode = Mode.VALUE) -> Value:
        """The C of an expression; lines that it needs are written first."""

    @abstractmethod
    def keep(self, node: Expr, mode: Mode = Mode.VALUE, hint: str = "t") -> None:
        """Give the value a name now, since it will be used several times."""

    @abstractmethod
    def effect(self, node: Effect) -> Value:
        """The C of an expression that calls a service, after lines that make the call."""

    def scalar(self, node: Expr, mode: Mode = Mode.VALUE) -> Text:
        """The C of a scalar expression."""
        found = self.value(node, mode)
        assert isinstance(found, Text), f"a scalar was expected, found {node.dtype}"
        return found

    def vector(self, node: Expr) -> Vec:
        """The C of a vector expression."""
        found = self.value(node)
        assert isinstance(found, Vec), f"a vector was expected, found {node.dtype}"
        return found

    def line(self, text: str) -> None:
        self.lines.append(INDENT * self.depth + text if text else "")

    def open(self, header: str) -> None:
        """Begin a C block with a scope of its own."""
        self.line(header + " {" if header else "{")
        self.depth += 1
        self.scopes.open()

    def close(self, tail: str = "}") -> None:
        self.scopes.close()
        self.depth -= 1
        self.line(tail)

    def local(self, c_type: str, text: Text, hint: str = "t") -> Text:
        """A constant of its own for a value."""
        name = self.declared(hint, c_type)
        self.line(f"const {c_type} {name} = {text.code};")
        return Text(name)

    def declared(self, wanted: str, c_type: str) -> str:
        """A name for a local of this type."""
        name = self.names.fresh(wanted)
        self.local_types[name] = c_type
        return name

    def name_vector(self, vec: Vec, hint: str = "t") -> Vec:
        """The same vector with every part in a constant of its own."""
        if vec.splat is not None or all(map(is_name, vec.parts)):
            return vec
        if len(vec.parts) > 1:
            hint = self.names.fresh(hint)
        parts = []
        for k, (part, size) in enumerate(zip(vec.parts, storages(vec.lanes, vec.grain), strict=True)):
            name = f"{hint}_{k}" if len(vec.parts) > 1 else hint
            parts.append(part if is_name(part) else self.local(self.vector_c_type(vec.element, size), part, name))
        return Vec(vec.element, vec.lanes, vec.grain, tuple(parts), vec.is_mask)

    def vector_c_type(self, element: str, lanes: int) -> str:
        self.prelude.vector(element, lanes)
        return vector_type(element, lanes)

    def math(self, name: str, dtype: DType) -> str:
        """The function of this name, of C's mathematics, for scalars of the type."""
        return f"__builtin_{name}{'f' if dtype.bits == 32 else ''}"

    def pointer(self, buffer: str) -> str:
        """The C pointer to a buffer's element 0."""
        return self.pointers[buffer]


def is_name(text: Text) -> bool:
    """Whether using the text again costs nothing."""
    return text.is_literal or text.code.isidentifier()


def is_index(dtype: DType) -> bool:
    """Whether values of the type may be computed as an index: scalar int32."""
    return dtype.lanes == 1 and dtype.is_int and dtype.bits == 32
