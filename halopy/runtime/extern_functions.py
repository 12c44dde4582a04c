"""Functions of extern stages, called from Python in Halide's convention: as a kernel would, but on arrays.

`ask_function` is the question that `codegen/c/extern_text.py` prints, `call_function` the call.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from ..codegen.c.extern_text import symbol_of
from ..dtypes import Code, DType
from ..errors import DefinitionError, RequirementFailed
from ..ir.services import AskExtern, CallExtern, ExternArgument
from ..source import SourceLocation
from .buffer import Array, RawBuffer
from .symbols import has_symbol

Region: TypeAlias = Sequence[tuple[int, int]]  # min and extent of each dimension
Shape: TypeAlias = Sequence[tuple[int, int, int]]  # with strides
Answers: TypeAlias = dict[tuple[int, int, int], int]  # by argument, dimension and end, as of AskedEnd


class _Dimension(ctypes.Structure):
    _fields_ = (
        ("min", ctypes.c_int32),
        ("extent", ctypes.c_int32),
        ("stride", ctypes.c_int32),
        ("flags", ctypes.c_uint32),
    )


class _Buffer(ctypes.Structure):
    _fields_ = (
        ("device", ctypes.c_uint64),
        ("device_interface", ctypes.c_void_p),
        ("host", ctypes.c_void_p),
        ("flags", ctypes.c_uint64),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("dimensions", ctypes.c_int32),
        ("dim", ctypes.POINTER(_Dimension)),
        ("padding", ctypes.c_void_p),
    )


def ask_function(
    service: AskExtern, numbers: Sequence[int | float], region: Region, outer: Region, images: Mapping[str, Shape]
) -> Answers:
    """The regions that the function needs, and computes, where this region is needed.

    `images` has the shapes of the images among the arguments. Raises RequirementFailed where the function fails.
    """
    call, own = service.call, list(region)
    for turn in range(2 if service.grows else 1):
        given = [_queries(a, images) for a in call.arguments]
        results = [_query(dtype, [(low, extent, 0) for low, extent in own]) for dtype in call.dtypes]
        _invoke(call, numbers, [*given, results], ", asked which regions it needs,")
        if turn or not service.grows:
            break
        grown = _moved(call, region, _hull(results), outer, stays=service.stays)
        if grown == own:
            break
        own = grown
    regions = [*map(_hull, given), own]
    return {
        (at, dim, end): row[end] for at, rows in enumerate(regions) for dim, row in enumerate(rows) for end in (0, 1)
    }


def call_function(
    call: CallExtern, numbers: Sequence[int | float], memory: Sequence[Sequence[tuple[Array, Sequence[int]]]]
) -> None:
    """Have the function compute: `memory` has arrays and the mins of their dimensions, of each argument, none for
    numbers, and then of the results."""
    dtypes = [*(a.dtypes for a in call.arguments), call.dtypes]
    buffers = [
        [RawBuffer(array, mins, dtype) for (array, mins), dtype in zip(given, kinds, strict=False)]
        for given, kinds in zip(memory, dtypes, strict=True)
    ]
    _invoke(call, numbers, [[ctypes.c_void_p(b.address) for b in of_one] for of_one in buffers], "")


def _invoke(call: CallExtern, numbers: Sequence[int | float], buffers: Sequence[Sequence[Any]], when: str) -> None:
    symbol = symbol_of(call)
    if not has_symbol(symbol):
        raise missing_function(call)
    rest = iter(numbers)
    arguments: list[Any] = []
    for argument, given in zip(call.arguments, buffers, strict=False):
        arguments += _pointers(given) if argument.name else [_number(next(rest), argument.dtypes[0])]
    arguments += _pointers(buffers[-1])
    code = ctypes.CDLL(None)[symbol](*arguments)
    if code:
        raise RequirementFailed(f"extern stage `{call.shown}`: {call.function}{when} returned {code}")


def missing_function(call: CallExtern, location: SourceLocation | None = None) -> DefinitionError:
    """What is raised where a function is nowhere to be found."""
    return DefinitionError(
        f"the function `{call.function}` of the extern stage `{call.shown}` is not in this process",
        location=location,
        accepted="a function of a library opened with ctypes.CDLL(path, ctypes.RTLD_GLOBAL)",
    )


def _pointers(buffers: Sequence[Any]) -> Iterator[Any]:
    return (ctypes.byref(b) if isinstance(b, _Buffer) else b for b in buffers)


def _number(value: int | float, dtype: DType) -> Any:
    if dtype.is_float:
        return (ctypes.c_double if dtype.bits == 64 else ctypes.c_float)(value)
    if dtype.is_bool:
        return ctypes.c_bool(bool(value))
    if dtype.code is Code.HANDLE:
        return ctypes.c_void_p(int(value))
    return getattr(ctypes, f"c_{'' if dtype.is_int else 'u'}int{dtype.bits}")(int(value))


def _queries(argument: ExternArgument, images: Mapping[str, Shape]) -> list[_Buffer]:
    shape = images.get(argument.name, [(0, 0, 0)] * argument.rank)
    return [_query(dtype, shape) for dtype in argument.dtypes] if argument.name else []


def _query(dtype: DType, shape: Shape) -> _Buffer:
    """A buffer without memory."""
    dims = (_Dimension * max(1, len(shape)))(*(_Dimension(*row, 0) for row in shape))
    return _Buffer(code=dtype.code.value, bits=dtype.bits, lanes=1, dimensions=len(shape), dim=dims)


def _hull(buffers: Sequence[_Buffer]) -> list[tuple[int, int]]:
    """The least region that holds those of some buffers."""
    found = []
    for d in range(buffers[0].dimensions if buffers else 0):
        dims = [b.dim[d] for b in buffers]
        low = min(dim.min for dim in dims)
        found.append((low, max(0, max(dim.min + dim.extent for dim in dims) - low)))
    return found


def _moved(call: CallExtern, region: Region, grown: Region, outer: Region, *, stays: bool) -> list[tuple[int, int]]:
    """The region that the function wants to compute, moved into the outer one."""
    moved = []
    for d, ((low, extent), (new, size)) in enumerate(zip(region, grown, strict=True)):
        if extent > 0 and (new > low or new + size < low + extent):
            raise RequirementFailed(f"extern stage `{call.shown}`: {call.function} would compute less than is needed")
        if outer:
            new = min(new, outer[d][0] + outer[d][1] - size)
            if stays and new < outer[d][0]:
                what = "would compute more for a part of the region than for the whole"
                raise RequirementFailed(f"extern stage `{call.shown}`: {call.function} {what}")
        moved.append((new, size))
    return moved
