"""A pipeline with its schedule, as data: what the fuzzer draws, runs, shrinks and prints."""

from __future__ import annotations

from dataclasses import dataclass

FACTORIES = {
    "bool": ("Bool",), "u8": ("UInt", 8), "u16": ("UInt", 16), "u32": ("UInt", 32), "u64": ("UInt", 64),
    "i8": ("Int", 8), "i16": ("Int", 16), "i32": ("Int", 32), "i64": ("Int", 64), "f16": ("Float", 16),
    "f32": ("Float", 32), "f64": ("Float", 64),
}  # fmt: skip
DTYPES = {
    "bool": "bool", "u8": "uint8", "u16": "uint16", "u32": "uint32", "u64": "uint64", "i8": "int8", "i16": "int16",
    "i32": "int32", "i64": "int64", "f16": "float16", "f32": "float32", "f64": "float64",
}  # fmt: skip


@dataclass(frozen=True)
class Term:
    """A value: an operator of `build.OPERATORS`, a function of the module, or one of

    const      `value` as `type`                    var    the Var called `value`
    param      the Param called `value`             rvar   dimension value[1] of the RDom called value[0]
    read       element value[1] (None: the only one) of the Func value[0], at `args`
    cast       `args[0]` as `type`
    """

    op: str
    type: str
    args: tuple[Term, ...] = ()
    value: str | float | tuple[str, int | None] = 0


@dataclass(frozen=True)
class Domain:
    name: str
    ranges: tuple[tuple[int, int], ...]
    where: Term | None = None


@dataclass(frozen=True)
class Update:
    index: tuple[Term, ...]
    values: tuple[Term, ...]
    domain: Domain | None = None


@dataclass(frozen=True)
class Definition:
    """A Func: its arguments, pure values (two or more are a Tuple), and updates."""

    name: str
    args: tuple[str, ...]
    values: tuple[Term, ...]
    updates: tuple[Update, ...] = ()


@dataclass(frozen=True)
class Image:
    """An input of random contents, with a boundary condition: its name is that of the Func around it.

    Without a `boundary`, it is an ImageParam, and as large as a bounds query says; `sizes` only count its dimensions.
    """

    name: str
    type: str
    sizes: tuple[int, ...]
    boundary: str
    seed: int


@dataclass(frozen=True)
class Name:
    """An argument of a directive: a `var`, `rvar`, `func`, or a member of an enumeration (`kind` is its name).

    Of kind `domain`, it is dimension `position` of an RDom.
    """

    kind: str
    name: str
    position: int = 0


Argument = int | bool | Name | Term


@dataclass(frozen=True)
class Directive:
    """A call on a stage (0: the Func itself, n: its update n - 1), or on its version for a condition.

    What it gives is called `result`, where later directives are on that.
    """

    func: str
    stage: int
    method: str
    args: tuple[Argument, ...]
    under: Term | None = None
    result: str = ""


@dataclass(frozen=True)
class Case:
    images: tuple[Image, ...]
    params: tuple[tuple[str, int], ...]
    funcs: tuple[Definition, ...]  # the last one is the output
    directives: tuple[Directive, ...]
    sizes: tuple[int, ...]
    mins: tuple[int, ...]
    is_exact: bool = True  # else floats may differ by a few units in the last place
    target: str = ""  # that of the environment

    @property
    def unbounded(self) -> list[Image]:
        return [image for image in self.images if not image.boundary]

    @property
    def output(self) -> Definition:
        return self.funcs[-1]
