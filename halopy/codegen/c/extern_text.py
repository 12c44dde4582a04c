"""Calls of functions outside the kernel, in Halide's calling convention.

halide_dimension_t dim[2] = {{min, extent, stride, 0}, ...};
halide_buffer_t buffer = {.host = (uint8_t *)f, .type = {0, 32, 1}, .dimensions = 2, .dim = dim};
code = blur(&buffer, 3, &result);
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ...dtypes import DType
from ...ir.services import CallExtern, ExternArgument
from .types import memory_type

Shape = Sequence[Sequence[str]]


class ExternText:
    """Gathers the lines of one call. `pointer` gives the C pointer to a buffer, `fresh` a name."""

    def __init__(self, service: CallExtern, pointer: Callable[[str], str], fresh: Callable[[str], str]) -> None:
        self.service, self.pointer, self.fresh = service, pointer, fresh
        self.lines: list[str] = []
        self.answers: list[str] = []

    def call(self, code: str, operands: Sequence[str]) -> None:
        """Lines that call the function and put what it returns into `code`."""
        service, rest = self.service, iter(operands)
        numbers = {at: next(rest) for at, a in enumerate(service.arguments) if not a.name}
        types: list[str] = []
        given: list[str] = []
        for at, argument in enumerate(service.arguments):
            if not argument.name:
                types.append(memory_type(argument.dtypes[0]))
                given.append(numbers[at])
                continue
            names = self._asked(argument) if service.asks else self._whole(argument, rest)
            types += ["halide_buffer_t *"] * len(names)
            given += names
        results = self._results(rest)
        types += ["halide_buffer_t *"] * len(results)
        name = self.fresh(service.function)  # a name of the kernel's own may be the same
        label = "" if name == service.function else f' __asm__("{service.function}")'
        self.lines.append(f"extern int32_t {name}({', '.join(types) or 'void'}){label};")
        self.lines.append(f"{code} = {name}({', '.join([*given, *results])});")

    def _whole(self, argument: ExternArgument, rest: Iterator[str]) -> list[str]:
        if argument.position >= 0:
            return [f"buffers[{argument.position}]"]
        shape = [[next(rest), next(rest), next(rest)] for _ in range(argument.rank)]
        return self._buffers(argument.name, argument.dtypes, shape, is_there=True)

    def _asked(self, argument: ExternArgument) -> list[str]:
        """Buffers without memory, whose shapes the function fills in."""
        shape = [["0", "0", "0"]] * argument.rank
        if argument.position >= 0:
            dims = [f"buffers[{argument.position}]->dim[{d}]" for d in range(argument.rank)]
            shape = [[f"{dim}.min", f"{dim}.extent", f"{dim}.stride"] for dim in dims]
        buffers = self._buffers(argument.name, argument.dtypes, shape, is_there=False)
        for d in range(argument.rank):
            ends = [f"{buffer.removeprefix('&')}_dim[{d}]" for buffer in buffers]
            self.answers += [_hull(ends, "min"), _hull(ends, "extent")]
        return buffers

    def _results(self, rest: Iterator[str]) -> list[str]:
        width = 2 if self.service.asks else 3
        ends = list(rest)
        shape = [[*ends[k : k + width], "0"][:3] for k in range(0, len(ends), width)]
        return self._buffers(self.service.func, self.service.dtypes, shape, is_there=not self.service.asks)

    def _buffers(self, func: str, dtypes: Sequence[DType], shape: Shape, *, is_there: bool) -> list[str]:
        """A buffer for each value of a Func, as arguments of the call."""
        names = []
        for element, dtype in enumerate(dtypes):
            name = self.fresh("buffer")
            rows = ", ".join("{" + ", ".join(f"(int32_t)({e})" for e in row) + ", 0}" for row in shape)
            host = self.pointer(func if len(dtypes) == 1 else f"{func}.{element}") if is_there else "0"
            self.lines.append(f"halide_dimension_t {name}_dim[{max(1, len(shape))}] = {{{rows or '{0, 0, 0, 0}'}}};")
            kind = f"{{{dtype.code.value}, {dtype.bits}, 1}}"
            fields = f".host = (uint8_t *){host}, .type = {kind}, .dimensions = {len(shape)}, .dim = {name}_dim"
            self.lines.append(f"halide_buffer_t {name} = {{{fields}}};")
            names.append(f"&{name}")
        return names


def _hull(dims: Sequence[str], end: str) -> str:
    """An end of the least region that holds some regions."""
    low, high = f"{dims[0]}.min", f"{dims[0]}.min + {dims[0]}.extent"
    for dim in dims[1:]:
        low = f"({low} < {dim}.min ? {low} : {dim}.min)"
        high = f"({high} > {dim}.min + {dim}.extent ? {high} : {dim}.min + {dim}.extent)"
    return low if end == "min" else f"{high} - {low}"
