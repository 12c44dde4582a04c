"""Random values of every type. What has the width of an index stays small: it does not wrap in Halide's language."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .case import Term

TYPES = ("u8", "u8", "i32", "i32", "i32", "u16", "i16", "i8", "u32", "f32", "f32", "f64", "u64", "i64", "bool", "f16")
_WIDE = 1 << 24
_TRANSCENDENTAL = ("sin", "cos", "exp", "log", "tanh", "sqrt", "atan", "erf")


@dataclass(frozen=True)
class Value:
    """A term, and what its absolute value is at most, where that counts."""

    term: Term
    bound: int = 0

    @property
    def type(self) -> str:
        return self.term.type


Source = Callable[[], Value]  # draws something of any type: a read, a coordinate


def const(kind: str, value: float) -> Value:
    return Value(Term("const", kind, (), value), abs(int(value)))


def call(op: str, kind: str, *args: Value, bound: int = 0) -> Value:
    return Value(Term(op, kind, tuple(a.term for a in args)), bound)


def small(value: Value) -> Value:
    """The same, or a remainder of it where it could grow out of its type."""
    if value.type in ("i32", "i64") and value.bound > _WIDE:
        return call("%", value.type, value, const(value.type, 1009), bound=1008)
    return value


def cast(kind: str, value: Value) -> Value:
    """As another type; what is cut off is cut off the same way everywhere."""
    if value.type == kind:
        return value
    if value.type.startswith("f") and kind != "bool" and not kind.startswith("f"):
        low, high = (0, 100) if kind.startswith("u") else (-100, 100)
        value = call("clamp", value.type, value, const(value.type, low), const(value.type, high))
        return call("cast", kind, value, bound=100)
    if kind in ("i32", "i64"):
        widest = {"bool": 1, "u8": 255, "i8": 128, "u16": 65535, "i16": 32768}.get(value.type, value.bound or 1 << 64)
        return small(call("cast", kind, value, bound=widest))
    return call("cast", kind, value)


class Terms:
    """Random terms over what `sources` give."""

    def __init__(self, rng: random.Random, sources: Sequence[Source]) -> None:
        self.rng = rng
        self.sources = sources

    def draw(self, kind: str, depth: int) -> Value:
        if depth <= 0 or self.rng.random() < 0.3:
            return self._leaf(kind)
        if kind == "bool":
            return self.condition(depth - 1)
        if kind.startswith("f"):
            return self._float(kind, depth - 1)
        return small(self._integer(kind, depth - 1))

    def condition(self, depth: int) -> Value:
        rng = self.rng
        if depth > 0 and rng.random() < 0.3:
            if rng.random() < 0.3:
                return call("logical_not", "bool", self.condition(depth - 1))
            return call(rng.choice("&|"), "bool", self.condition(depth - 1), self.condition(depth - 1))
        kind = rng.choice([t for t in TYPES if t != "bool"])
        pair = self.draw(kind, depth - 1), self.draw(kind, depth - 1)
        return call(rng.choice(("<", "<=", ">", ">=", "==", "!=")), "bool", *pair)

    def transcendental(self, kind: str) -> Value:
        """Different within units in the last place where another library computes it."""
        argument = cast(kind, cast("i16", self.draw("i32", 1)))
        argument = call("/", kind, argument, const(kind, 4096))
        name = self.rng.choice(_TRANSCENDENTAL if kind == "f32" else _TRANSCENDENTAL[:-1])  # erf is of f32 alone
        if name in ("log", "sqrt"):
            argument = call("+", kind, call("abs", kind, argument), const(kind, 0.5))
        return call(name, kind, argument)

    def number(self, kind: str) -> Value:
        rng = self.rng
        if kind == "bool":
            return const(kind, rng.randrange(2))
        if kind.startswith("f"):
            return const(kind, rng.choice((0.0, 0.25, 1.0, -1.5, 3.0, 2.0, 100.0)))
        return const(kind, rng.choice((0, 1, 2, 3, 5, 7, 16, 100)) - (3 if kind.startswith("i") else 0))

    def _leaf(self, kind: str) -> Value:
        if self.rng.random() < 0.35 or not self.sources:
            return self.number(kind)
        return cast(kind, self.rng.choice(self.sources)())

    def _float(self, kind: str, depth: int) -> Value:
        rng = self.rng
        a, b = self.draw(kind, depth), self.draw(kind, depth)
        match rng.randrange(10):
            case 0:
                return call("select", kind, self.condition(depth), a, b)
            case 1:
                return call(rng.choice(("min", "max")), kind, a, b)
            case 2:
                return call(rng.choice(("abs", "floor", "ceil", "round", "trunc")), kind, a)
            case 3:
                return call("/", kind, a, self.number(kind) if rng.random() < 0.5 else b)
            case 4:
                return call("clamp", kind, a, const(kind, -8), const(kind, 8))
        return call(rng.choice("+-*"), kind, a, b)

    def _integer(self, kind: str, depth: int) -> Value:
        rng = self.rng
        a, b = self.draw(kind, depth), self.draw(kind, depth)
        both = max(a.bound, b.bound)
        match rng.randrange(14):
            case 0:
                return call("select", kind, self.condition(depth), a, b, bound=both)
            case 1 | 2:
                return call(rng.choice(("min", "max")), kind, a, b, bound=both)
            case 3 | 4:
                return call("/", kind, a, self.number(kind) if rng.random() < 0.7 else b, bound=a.bound)
            case 5:
                return call("%", kind, a, self.number(kind) if rng.random() < 0.7 else b, bound=both)
            case 6:
                name = rng.choice("&|^")
                return call(name, kind, a, b, bound=2 * both)
            case 7:
                count = const(kind, rng.randrange(8)) if rng.random() < 0.5 else call("%", kind, b, const(kind, 7))
                if rng.random() < 0.5 and kind not in ("i32", "i64"):
                    return call("<<", kind, a, count)
                return call(">>", kind, a, count, bound=a.bound)
            case 8:
                name = rng.choice(("halving_add", "saturating_add", "saturating_sub", "rounding_halving_add"))
                return call(name, kind, a, b, bound=a.bound + b.bound)
            case 9:
                return self._narrower(kind, a, b)
            case 10:
                low = self.number(kind)
                return call("clamp", kind, a, low, const(kind, 60), bound=max(60, low.bound))
        if rng.random() < 0.4:
            return call("*", kind, a, b, bound=a.bound * b.bound)
        return call(rng.choice("+-"), kind, a, b, bound=a.bound + b.bound)

    def _narrower(self, kind: str, a: Value, b: Value) -> Value:
        """By way of a type of another width, as fixed-point code goes."""
        if kind in ("u8", "i8", "u16", "i16") and self.rng.random() < 0.6:
            wide = {"u8": "u16", "i8": "i16", "u16": "u32", "i16": "i32"}[kind]
            name = self.rng.choice(("widening_add", "widening_mul"))
            value = call(name, wide, a, b, bound=1 << 31)
            shifted = call(">>", wide, value, const(wide, self.rng.randrange(1, 9)), bound=1 << 30)
            return cast(kind, shifted)
        if kind in ("u8", "i8", "u16", "i16"):
            wide = self.draw("i32", 1)
            return call({"u8": "u8_sat", "i8": "i8_sat", "u16": "u16_sat", "i16": "i16_sat"}[kind], kind, wide)
        return cast(kind, self.draw(self.rng.choice(TYPES), 1))
