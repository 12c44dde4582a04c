"""Calls of functions outside the kernel, in Halide's calling convention.

halide_dimension_t dim[2] = {{min, extent, stride, 0}, ...};
halide_buffer_t buffer = {.host = (uint8_t *)(f + offset), .type = {0, 32, 1}, .dimensions = 2, .dim = dim};
code = blur(&buffer, 3, &result);
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from ...dtypes import DType
from ...ir.services import CallExtern, ExternArgument
from .mangling import BUFFER, mangled
from .types import memory_type

Shape = Sequence[Sequence[str]]
Given = tuple[str, str]  # the C type and text of an argument

NEEDS_MORE, LEAVES_OUTER = 1, 2  # what may be wrong with an answer


def symbol_of(call: CallExtern) -> str:
    """The name by which the linker finds the function."""
    if not call.is_cpp:
        return call.function
    types: list[DType | str] = []
    for argument in call.arguments:
        types += [BUFFER] * len(argument.dtypes) if argument.name else argument.dtypes
    *namespaces, name = call.function.split("::")
    return mangled(namespaces, name, [*types, *[BUFFER] * len(call.dtypes)])


class ExternText:
    """Gathers the lines of one call. `pointer` gives the C pointer to a buffer, `fresh` a name."""

    def __init__(self, service: CallExtern, pointer: Callable[[str], str], fresh: Callable[[str], str]) -> None:
        self.service, self.pointer, self.fresh = service, pointer, fresh
        self.lines: list[str] = []

    def compute(self, code: str, operands: Sequence[str]) -> None:
        """Lines that have the function compute, and put what it returns into `code`."""
        rest = iter(operands)
        numbers = self._numbers(rest)
        given: list[Given] = []
        for argument in self.service.arguments:
            if not argument.name:
                given.append(next(numbers))
            elif argument.position >= 0:
                given += _buffers([f"buffers[{argument.position}]"])
            else:
                given += self._placed(argument.name, argument.dtypes, argument.rank, rest)
        operands_left = list(rest)
        rank = (len(operands_left) // len(self.service.dtypes) - 1) // 3
        given += self._placed(self.service.func, self.service.dtypes, rank, iter(operands_left))
        self._call(code, given)

    def ask(self, code: str, operands: Sequence[str], result: Sequence[str]) -> list[str]:
        """Lines that ask about the region in `result`, a min and an extent for each dimension.

        Gives the answers: min and extent of each dimension of each argument, then of the result.
        """
        numbers = self._numbers(iter(operands))
        given: list[Given] = []
        answers: list[str] = []
        for argument in self.service.arguments:
            if not argument.name:
                given.append(next(numbers))
                continue
            names = self._asked(argument)
            given += _buffers([f"&{name}" for name in names])
            answers += _hulls(names, argument.rank)
        shape = [(*result[k : k + 2], "0") for k in range(0, len(result), 2)]
        results = [self._declared(dtype, "0", shape) for dtype in self.service.dtypes]
        self._call(code, [*given, *_buffers([f"&{name}" for name in results])])
        return [*answers, *_hulls(results, len(shape))]

    def _numbers(self, operands: Iterator[str]) -> Iterator[Given]:
        dtypes = [a.dtypes[0] for a in self.service.arguments if not a.name]
        return iter([(memory_type(dtype), next(operands)) for dtype in dtypes])

    def _call(self, code: str, given: Sequence[Given]) -> None:
        symbol = symbol_of(self.service)
        name = self.fresh(self.service.function.split("::")[-1])  # a name of the kernel's own may be the same
        label = "" if name == symbol else f' __asm__("{symbol}")'
        types = ", ".join(kind for kind, _ in given) or "void"
        self.lines.append(f"extern int32_t {name}({types}){label};")
        self.lines.append(f"{code} = {name}({', '.join(text for _, text in given)});")

    def _placed(self, func: str, dtypes: Sequence[DType], rank: int, rest: Iterator[str]) -> list[Given]:
        """A buffer for a part of each value of a Func."""
        names = []
        for element, dtype in enumerate(dtypes):
            start, shape = next(rest), [tuple(islice(rest, 3)) for _ in range(rank)]
            pointer = self.pointer(func if len(dtypes) == 1 else f"{func}.{element}")
            names.append(self._declared(dtype, f"({pointer} + ({start}))", shape))
        return _buffers([f"&{name}" for name in names])

    def _asked(self, argument: ExternArgument) -> list[str]:
        """Buffers without memory, whose shapes the function fills in."""
        shape: Shape = [["0", "0", "0"]] * argument.rank
        if argument.position >= 0:
            dims = [f"buffers[{argument.position}]->dim[{d}]" for d in range(argument.rank)]
            shape = [[f"{dim}.min", f"{dim}.extent", f"{dim}.stride"] for dim in dims]
        return [self._declared(dtype, "0", shape) for dtype in argument.dtypes]

    def _declared(self, dtype: DType, host: str, shape: Shape) -> str:
        """The name of a new buffer."""
        name = self.fresh("buffer")
        rows = ", ".join("{" + ", ".join(f"(int32_t)({e})" for e in row) + ", 0}" for row in shape)
        self.lines.append(f"halide_dimension_t {name}_dim[{max(1, len(shape))}] = {{{rows or '{0, 0, 0, 0}'}}};")
        kind = f"{{{dtype.code.value}, {dtype.bits}, 1}}"
        fields = f".host = (uint8_t *){host}, .type = {kind}, .dimensions = {len(shape)}, .dim = {name}_dim"
        self.lines.append(f"halide_buffer_t {name} = {{{fields}}};")
        return name


def keep_growth(
    asked: Sequence[str], grown: Sequence[str], outer: Sequence[str], wrong: str, *, stays: bool
) -> list[str]:
    """Lines after which `asked` is the region that the function wants to compute, moved into the outer one.

    They leave the loop around them if the region is the one that was asked about. What cannot be is noted in `wrong`.
    """
    lines = []
    for k in range(0, len(asked), 2):
        low, extent = asked[k : k + 2]
        end = f"grown_{k} + grown_{k + 1}"
        lines.append(f"int32_t grown_{k} = {grown[k]}, grown_{k + 1} = {grown[k + 1]};")
        lines.append(f"if ({extent} > 0 && (grown_{k} > {low} || {end} < {low} + {extent})) {wrong} |= {NEEDS_MORE};")
        if outer:
            last = f"(int32_t)({outer[k]}) + (int32_t)({outer[k + 1]})"
            lines.append(f"if ({end} > {last}) grown_{k} = {last} - grown_{k + 1};")
        if stays:
            lines.append(f"if (grown_{k} < (int32_t)({outer[k]})) {wrong} |= {LEAVES_OUTER};")
    same = " && ".join(f"{name} == grown_{k}" for k, name in enumerate(asked))
    return [*lines, f"if ({same}) break;", *(f"{name} = grown_{k};" for k, name in enumerate(asked))]


def _buffers(texts: Sequence[str]) -> list[Given]:
    return [("halide_buffer_t *", text) for text in texts]


def _hulls(buffers: Sequence[str], rank: int) -> list[str]:
    """Min and extent of each dimension of the least region that holds those of some buffers."""
    dims = [[f"{buffer}_dim[{d}]" for buffer in buffers] for d in range(rank)]
    return [text for same in dims for text in (_hull(same, "min"), _hull(same, "extent"))]


def _hull(dims: Sequence[str], end: str) -> str:
    low, high = f"{dims[0]}.min", f"{dims[0]}.min + {dims[0]}.extent"
    for dim in dims[1:]:
        low = f"({low} < {dim}.min ? {low} : {dim}.min)"
        high = f"({high} > {dim}.min + {dim}.extent ? {high} : {dim}.min + {dim}.extent)"
    return low if end == "min" else f"({high} > {low} ? {high} - {low} : 0)"
