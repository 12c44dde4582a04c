"""Inputs and what is promised about them: Params, ImageParams, output buffers, and Buffers inside expressions."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...dtypes import INT32, DType
from ...errors import SerializationError
from ...ir import expr as ir
from ...ir.refs import ImageRef, ScalarRef
from ..buffers.contents import Array, BufferContents, allocate
from ..enums import MemoryType
from ..expressions.expr import Expr
from ..image_ref import ImageParamRef
from ..param_ref import ParamRef
from ..sizes import size_expression
from .document import Json
from .fields import Places, Tables, codec, expect, text
from .malformed import Malformed, inside

_OPTIONAL_NODE = codec(ir.Expr | None)
_TYPE = codec(DType)
_NUMBER = codec(int | float)
_MOST_DIMENSIONS = 32
_RANGE = ("min", "max", "default", "estimate")
_PROPERTIES = ("min", "extent", "stride")


def _write_handle(e: Expr, places: Places) -> Json:
    return _OPTIONAL_NODE.write(e.node if e.defined() else None, places)


def _read_handle(data: Json, tables: Tables) -> Expr:
    node = _OPTIONAL_NODE.read(data, tables)
    return Expr() if node is None else Expr(node)


def write_scalar(ref: ScalarRef, places: Places) -> Json:
    """A Param with its value and range."""
    if not isinstance(ref, ParamRef):
        raise SerializationError(f"the scalar `{ref.name}` has no value")
    value = _NUMBER.write(ref.value, places) if ref.version else None
    head = {"name": ref.name, "type": _TYPE.write(ref.dtype, places), "value": value}
    return head | {key: _write_handle(getattr(ref, key), places) for key in _RANGE}


def read_scalar(data: Json, tables: Tables) -> ParamRef:
    """The Param without its range, which may be about other Params (`read_range`)."""
    fields(data, "name", "type", "value", *_RANGE)
    dtype = _TYPE.read(data["type"], tables)
    _require_one_lane(dtype)
    ref = ParamRef(text(data["name"]), dtype)
    with inside("value"):
        if data["value"] is not None:
            ref.set(_NUMBER.read(data["value"], tables))
    return ref


def read_range(ref: ParamRef, data: Json, tables: Tables) -> None:
    """Give the Param the range and expectations that the data has."""
    for key in _RANGE:
        with inside(key):
            bound = _read_handle(data[key], tables)
            if bound.defined() and (
                bound.node.dtype.lanes > 1 or bound.node.has(ir.Var, ir.FuncAccess, ir.ImageAccess)
            ):
                raise Malformed("a range is about numbers and Params only")
            setattr(ref, key, bound)


def fields(data: Json, *names: str, optional: tuple[str, ...] = ()) -> None:
    """Raises Malformed unless the data is an object of these fields."""
    given = expect(data, dict).keys()
    for name in names:
        if name not in given:
            raise Malformed(f"`{name}` is missing")
    for name in given:
        if name not in names and name not in optional:
            raise Malformed(f"`{name[:40]}` is no field here", accepted=", ".join((*names, *optional)))


def _require_one_lane(dtype: DType) -> None:
    if dtype.lanes != 1:
        raise Malformed(f"inputs have single values, not {dtype!r}")


# -- images ------------------------------------------------------------------------------------------------------------


def write_image(ref: ImageRef, places: Places) -> Json:
    """An input, an output buffer, or a Buffer with its elements."""
    head = {"name": ref.name, "type": _TYPE.write(ref.dtype, places), "rank": ref.rank}
    if isinstance(ref.constant, BufferContents):
        return head | {"constant": _write_constant(ref.constant)}
    if not isinstance(ref, ImageParamRef):
        raise SerializationError(f"the image `{ref.name}` is no input")
    if ref.output is not None:
        head["output"] = [places.place("function", ref.output[0]), ref.output[1]]
    constraints = [[*key, places.place("node", value)] for key, value in ref.constraints.items()]
    estimates = [[*key, _write_handle(value, places)] for key, value in ref.estimates.items()]
    return head | {
        "constraints": constraints,
        "estimates": estimates,
        "any_stride": ref.any_stride,
        "host_alignment": ref.host_alignment,
        "is_traced": ref.is_traced,
        "memory": ref.memory.name,
    }


_PROMISES = ("constraints", "estimates", "any_stride", "host_alignment", "is_traced", "memory")


def read_image(data: Json, tables: Tables) -> ImageRef:
    """The image without its promises, which may be about other inputs (`read_promises`)."""
    expect(data, dict)
    if "constant" in data:
        fields(data, "name", "type", "rank", "constant")
    else:
        fields(data, "name", "type", "rank", *_PROMISES, optional=("output",))
    name, dtype, rank = text(data["name"]), _TYPE.read(data["type"], tables), expect(data["rank"], int)
    _require_one_lane(dtype)
    if not 0 <= rank <= _MOST_DIMENSIONS:
        raise Malformed(f"an image of {rank} dimensions")
    if "constant" in data:
        with inside("constant"):
            return _read_constant(data["constant"], name, dtype, rank).image
    return ImageParamRef(name, dtype, rank, _read_output(data.get("output"), tables))


def _read_output(data: Json, tables: Tables) -> tuple[Any, int] | None:
    if data is None:
        return None
    if len(expect(data, list)) != 2:
        raise Malformed("an output is a Func and the number of its value")
    return tables.at("function", expect(data[0], int)), expect(data[1], int)


def read_promises(ref: ImageParamRef, data: Mapping[str, Json], tables: Tables) -> None:
    """Give the image the promises and expectations that the data has."""
    for key in ("constraints", "estimates"):
        with inside(key):
            for at, row in enumerate(expect(data[key], list)):
                with inside(at):
                    _read_promise(ref, key, row, tables)
    ref.any_stride, ref.is_traced = expect(data["any_stride"], bool), expect(data["is_traced"], bool)
    ref.memory = codec(MemoryType).read(data["memory"], tables)
    with inside("host_alignment"):
        ref.align(min(expect(data["host_alignment"], int), 1 << 31))


def _read_promise(ref: ImageParamRef, key: str, row: Json, tables: Tables) -> None:
    if len(expect(row, list)) != 3 or row[0] not in _PROPERTIES or type(row[1]) is not int:
        raise Malformed("a promise is min, extent or stride, the number of a dimension, and a value")
    ref.check_dimension(row[1])
    value = _read_handle(row[2], tables)
    if key == "estimates":
        ref.estimates[row[0], row[1]] = value
    else:
        ref.constraints[row[0], row[1]] = size_expression(f"{ref.name}.dim({row[1]}).set_{row[0]}(...)", value)


# -- Buffers -----------------------------------------------------------------------------------------------------------


def _write_constant(contents: BufferContents) -> Json:
    array = contents.read()
    little = np.ascontiguousarray(array).view()
    raw = little.astype(little.dtype.newbyteorder("<"), copy=False).tobytes()
    return {
        "mins": list(map(int, contents.mins)),
        "extents": list(map(int, array.shape[::-1])),
        "strides": list(contents.raw.strides) if _is_compact(array.shape[::-1], contents.raw.strides) else None,
        "data": base64.b64encode(raw).decode("ascii"),
    }


def _is_compact(extents: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    """Whether no two elements share memory, and at most half of the memory is between them."""
    reach = 1
    for stride, extent in sorted(zip(strides, extents, strict=True)):
        if stride < reach:
            return False
        reach = stride * (extent - 1) + reach
    return 0 < reach <= 2 * math.prod(extents)


def _read_constant(data: Json, name: str, dtype: DType, rank: int) -> BufferContents:
    fields(data, "mins", "extents", "strides", "data")
    mins, extents = (_coordinates(data, key, rank) for key in ("mins", "extents"))
    if any(extent < 0 or low + extent - 1 > INT32.max for low, extent in zip(mins, extents, strict=True)):
        raise Malformed("the region leaves the int32 coordinates")
    element = dtype.to_numpy()
    try:
        raw = base64.b64decode(expect(data["data"], str), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed(f"the elements are not base64: {error}") from None
    if len(raw) != math.prod(extents) * element.itemsize:
        raise Malformed(f"{len(raw)} bytes are not the elements of {extents}")
    if dtype.is_bool and raw.strip(b"\0\1"):
        raise Malformed("a boolean that is neither 0 nor 1")
    array = _strided(data["strides"], extents, dtype, rank, data)
    array[...] = np.frombuffer(raw, element.newbyteorder("<")).reshape(extents[::-1])
    return BufferContents(array, dtype, mins, name)


def _strided(strides: Json, extents: tuple[int, ...], dtype: DType, rank: int, data: Json) -> Array:
    """Memory of the shape and layout; dense where no layout is given."""
    if strides is None or 0 in extents:
        if max(extents, default=0) * max(1, math.prod(e for e in extents if e)) > 1 << 40:
            raise Malformed(f"extents of {extents}")
        return allocate(dtype, extents)
    steps = _coordinates(data, "strides", rank)
    if not _is_compact(extents, steps):
        raise Malformed("elements that share memory, or are far apart")
    memory = allocate(dtype, [1 + sum((e - 1) * s for e, s in zip(extents, steps, strict=True))])
    memory[...] = 0
    return np.lib.stride_tricks.as_strided(memory, extents[::-1], [s * memory.itemsize for s in reversed(steps)])


def _coordinates(data: Json, key: str, rank: int) -> tuple[int, ...]:
    found = expect(data[key], list)
    if len(found) != rank or not all(type(n) is int and INT32.min <= n <= INT32.max for n in found):
        raise Malformed(f"`{key}` are not {rank} int32 numbers")
    return tuple(found)
