"""Expressions and statements as text, close to how Halide shows them.

    for (x, 0, 10) {
      let a = (x + 1)
      out[a] = in[(a*2)]
    }

No recursion: an expression of any depth prints. Text that grows beyond LIMIT characters (a deep
expression that shares its parts) ends in `…`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..dtypes import INT32, Code
from . import expr as ir
from . import stmt as st
from .expr import Expr
from .node import Node
from .services import Trace
from .stmt import LoopKind, Stmt

LIMIT = 1 << 20
_INDENT = "  "

Piece = str | Expr


def expr_text(e: Expr) -> str:
    """The expression on one line."""
    return "".join(_limited(_strings(e)))


def stmt_text(s: Stmt) -> str:
    """The statement, one line per step, each ending in a newline."""
    lines: list[str] = []
    todo: list[tuple[int, str | Stmt]] = [(0, s)]
    while todo:
        depth, item = todo.pop()
        if isinstance(item, str):
            lines.append(_INDENT * depth + item)
            continue
        parts = _STMTS[type(item)](item)
        todo.extend((depth + more, part) for more, part in reversed(parts))
    return "".join(line + "\n" for line in lines)


def _strings(e: Expr) -> Iterator[str]:
    todo: list[Piece] = [e]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            yield item
        else:
            todo.extend(reversed(tuple(_EXPRS[type(item)](item))))


def _limited(strings: Iterator[str]) -> Iterator[str]:
    length = 0
    for text in strings:
        length += len(text)
        if length > LIMIT:
            yield "…"
            return
        yield text


def literal_text(c: ir.Const) -> str:
    """A literal with its type: `3`, `(uint8)3`, `3.000000f`, `(bool)1`."""
    if c.dtype.is_float:
        suffix = {16: "h", 32: "f", 64: ""}[c.dtype.bits] if c.dtype.code != Code.BFLOAT else "bf"
        return _float_text(float(c.value)) + suffix
    return str(c.value) if c.dtype is INT32 else f"({c.dtype}){c.value}"


def _float_text(value: float) -> str:
    """Six decimals where they are exact, all digits where not."""
    if not math.isfinite(value):
        return repr(value)
    short = f"{value:f}"
    return short if float(short) == value else repr(value)


def _list(items: Iterable[Expr]) -> Iterator[Piece]:
    for position, item in enumerate(items):
        if position:
            yield ", "
        yield item


def _binary(e: ir.Binary) -> tuple[Piece, ...]:
    gap = "" if type(e) is ir.Mul or type(e) is ir.Div else " "
    return "(", e.a, f"{gap}{e.symbol}{gap}", e.b, ")"


def _function(name: str) -> Callable[[Any], tuple[Piece, ...]]:
    return lambda e: (f"{name}(", e.a, ", ", e.b, ")")


def _read(e: ir.Read) -> tuple[Piece, ...]:
    element = f".{e.element}" if e.element else ""
    return f"{e.name}{element}(", *_list(e.index), ")"


def _access(e: ir.FuncAccess) -> tuple[Piece, ...]:
    element = f"[{e.element}]" if e.element else ""
    return f"{e.ref.name}(", *_list(e.index), ")" + element


def _load(e: ir.Load) -> tuple[Piece, ...]:
    guard: tuple[Piece, ...] = () if e.predicate is None else (" if ", e.predicate)
    return f"{e.buffer}[", e.index, "]", *guard


def _effect(e: ir.Effect) -> tuple[Piece, ...]:
    where: tuple[Piece, ...] = () if e.where is None else (" if ", e.where)
    name = e.service.kind.name.lower() if isinstance(e.service, Trace) else type(e.service).__name__.lower()
    of = f" {e.service.func}" if isinstance(e.service, Trace) else ""
    return f"{name}{of}(", *_list((e.value, *e.args)), ")", *where


def _shuffle(e: ir.Shuffle) -> tuple[Piece, ...]:
    return "shuffle(", *_list(e.vectors), ", " + ", ".join(map(str, e.indices)), ")"


_EXPRS: dict[type[Node], Callable[[Any], Iterable[Piece]]] = {
    ir.Const: lambda e: (literal_text(e),),
    ir.Var: lambda e: (e.name,),
    ir.Param: lambda e: (e.ref.name,),
    ir.RVarAccess: lambda e: (e.ref.var_name(e.position),),
    ir.FuncAccess: _access,
    ir.ImageAccess: lambda e: (f"{e.ref.name}(", *_list(e.index), ")"),
    ir.ImageProperty: lambda e: (f"{e.ref.name}.{e.property}.{e.dim}",),
    ir.Random: lambda e: (f"random_{e.dtype}(", *(() if e.seed is None else (e.seed,)), ")"),
    ir.TargetQuery: lambda e: (f"target_{e.question}({'' if e.subject is None else e.subject})",),
    ir.Read: _read,
    **dict.fromkeys((ir.Add, ir.Sub, ir.Mul, ir.Div, ir.Mod, ir.And, ir.Or, *ir.COMPARISONS), _binary),
    ir.Min: _function("min"),
    ir.Max: _function("max"),
    ir.Not: lambda e: ("!", e.a),
    ir.Select: lambda e: ("select(", e.condition, ", ", e.a, ", ", e.b, ")"),
    ir.Cast: lambda e: (f"{e.dtype}(", e.a, ")"),
    ir.Effect: _effect,
    ir.Call: lambda e: (f"{e.name}(", *_list(e.args), ")"),
    ir.Let: lambda e: (f"(let {e.name} = ", e.value, " in ", e.body, ")"),
    ir.Load: _load,
    ir.Ramp: lambda e: ("ramp(", e.base, ", ", e.stride, f", {e.lanes})"),
    ir.Broadcast: lambda e: (f"x{e.lanes}(", e.value, ")"),
    ir.Shuffle: _shuffle,
    ir.VectorReduce: lambda e: (f"reduce_{e.op}(", e.value, f", {e.lanes})"),
}

Part = tuple[int, str | Stmt]


def _block(opening: str, *body: Stmt) -> list[Part]:
    return [(0, opening + " {"), *((1, s) for s in body), (0, "}")]


def _for(s: st.For) -> list[Part]:
    word = "for" if s.kind is LoopKind.SERIAL else s.kind.value
    return _block(f"{word} ({s.name}, {s.min}, {s.extent})", s.body)


def _if(s: st.If) -> list[Part]:
    parts = _block(f"if ({s.condition})", s.then)
    if s.otherwise is not None:
        parts[-1:] = [(0, "} else {"), (1, s.otherwise), (0, "}")]
    return parts


def _texts(items: Iterable[Expr]) -> str:
    return ", ".join(map(expr_text, items))


def _provide(s: st.Provide) -> list[Part]:
    values = _texts(s.values)
    return [(0, f"{s.name}({_texts(s.index)}) = {values if len(s.values) == 1 else '{' + values + '}'}")]


def _store(s: st.Store) -> list[Part]:
    guard = "" if s.predicate is None else f" if {s.predicate}"
    return [(0, f"{s.buffer}[{s.index}] = {s.value}{guard}")]


def _realize(s: st.Realize) -> list[Part]:
    box = ", ".join(f"[{low}, {extent}]" for low, extent in s.bounds)
    return _block(f"realize {s.name}({box}){_memory(s.memory)}", s.body)


def _reserve(s: st.Reserve) -> list[Part]:
    return _block(f"reserve {s.name}[{_texts(s.extents)}] * {s.slots}{_memory(s.memory)}", s.body)


def _allocate(s: st.Allocate) -> list[Part]:
    return [(0, f"allocate {s.buffer}[{s.dtype} * {s.size}]{_memory(s.memory)}"), (0, s.body)]


def _memory(kind: st.MemoryKind) -> str:
    return "" if kind is st.MemoryKind.AUTO else f" in {kind.value}"


def _assert(s: st.Assert) -> list[Part]:
    values = ", ".join([s.site.value, *s.names, *map(expr_text, s.args)])
    return [(0, f"assert({s.condition}, {values})")]


def _fork(s: st.Fork) -> list[Part]:
    return [(0, f"fork {s.name} {{"), (1, s.producer), (0, "} and {"), (1, s.consumer), (0, "}")]


def _counted(verb: str, s: st.Publish | st.Await) -> list[Part]:
    return [(0, f"{verb} {s.counter}" + ("" if s.value is None else f" {s.value}"))]


def _launch(s: st.Launch) -> list[Part]:
    shape = f"groups ({_texts(s.groups)}), threads ({_texts(s.threads)})"
    return [(0, f"launch {s.kernel}[{shape}]({', '.join((*s.buffers, *map(expr_text, s.scalars)))})")]


def _mirror(s: st.Mirror) -> list[Part]:
    also = " and on the host" if s.on_host else ""
    return [(0, f"mirror {s.buffer}[{s.dtype} * {s.size}] on the device{also}"), (0, s.body)]


_STMTS: dict[type[Node], Callable[[Any], list[Part]]] = {
    st.For: _for,
    st.Block: lambda s: [(0, part) for part in s.stmts],
    st.If: _if,
    st.LetStmt: lambda s: [(0, f"let {s.name} = {s.value}"), (0, s.body)],
    st.Produce: lambda s: _block(f"produce {s.name}", s.body),
    st.Atomic: lambda s: _block(f"atomic {s.name}", s.body),
    st.Realize: _realize,
    st.Reserve: _reserve,
    st.Provide: _provide,
    st.Allocate: _allocate,
    st.Store: _store,
    st.Assert: _assert,
    st.Fork: _fork,
    st.Publish: lambda s: _counted("publish", s),
    st.Await: lambda s: _counted("await", s),
    st.Evaluate: lambda s: [(0, expr_text(s.value))],
    st.Prefetch: lambda s: [(0, f"prefetch({s.place})")],
    st.Barrier: lambda _: [(0, "barrier")],
    st.Launch: _launch,
    st.Mirror: _mirror,
    st.ToHost: lambda s: [(0, f"to host: {', '.join(s.buffers)}")],
}
