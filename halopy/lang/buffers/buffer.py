"""`Buffer`: a typed n-dimensional array with a min, extent and stride for each dimension."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from ...dtypes import DType, from_numpy
from ...errors import BufferError, MistypedBuffer
from ...ir import expr as nodes
from ...source import caller
from ..expressions.expr import Expr, ExprLike, Number, to_node
from ..expressions.types import Type, to_dtype
from ..image_access import image_index
from .contents import Array, BufferContents, ShapeOnly, allocate
from .device import BufferDevice, is_of_pyopencl, of_device_array
from .exchange import BufferExchange, array_of, element_of, number_of
from .shapes import BufferShapes

Place: TypeAlias = "int | ExprLike | Sequence[int | ExprLike]"


class Buffer(BufferShapes, BufferExchange, BufferDevice):
    """An image in memory. Handles made from one another share it.

    Buffer(array)                         the array's own memory; axes reversed, so b[x, y] is array[y, x]
    Buffer(cl_array)                      a pyopencl.array.Array's own memory, on its device; axes reversed
    Buffer(Type, [width, height, ...])    new memory, dimension 0 innermost
    Buffer()                              undefined
    """

    __slots__ = ("_defined",)

    def __init__(
        self,
        source: Array | Buffer | Type | object | None = None,
        sizes: Sequence[int] | str | None = None,
        storage_order: Sequence[int] | str | None = None,
        name: str = "",
        reverse_axes: bool = True,
        *,
        buffer: Array | None = None,
        type: Type | None = None,
    ) -> None:
        source = next((s for s in (source, buffer, type) if s is not None), None)
        self._defined: BufferContents | None = None
        if isinstance(source, Buffer):
            self._defined = source._defined
        elif isinstance(source, Type | DType):
            order, name = (None, storage_order) if isinstance(storage_order, str) else (storage_order, name)
            self._defined = _allocated(to_dtype(source), _sizes(sizes), order, name)
        elif is_of_pyopencl(source):
            self._defined = of_device_array(source, name)
        elif source is not None:
            # Buffer(array, name, reverse_axes)
            name, reverse = sizes if isinstance(sizes, str) else name, reverse_axes
            if isinstance(storage_order, bool):
                reverse = storage_order
            self._defined = _of_array(source, name, reverse)

    @classmethod
    def _of(cls, contents: BufferContents) -> Buffer:
        made = cls.__new__(cls)
        made._defined = contents
        return made

    @property
    def _contents(self) -> BufferContents:
        if self._defined is None:
            raise BufferError("an undefined Buffer is used", location=caller(), accepted="hl.Buffer(array)")
        return self._defined

    @staticmethod
    def make_scalar(type: Type, name: str = "") -> Buffer:
        """A buffer of no dimensions."""
        return Buffer(type, [], name=name)

    @staticmethod
    def make_interleaved(type: Type, width: int, height: int, channels: int, name: str = "") -> Buffer:
        """A picture whose channels lie beside each other; channels are still dimension 2."""
        return Buffer(type, [width, height, channels], [2, 0, 1], name=name)

    @staticmethod
    def make_bounds_query(type: Type, sizes: Sequence[int], name: str = "") -> Buffer:
        """A shape without memory: a run that is given it computes nothing, and makes it the shape that is needed."""
        return Buffer._of(ShapeOnly(to_dtype(type), _sizes(sizes), name))

    @staticmethod
    def make_with_shape_of(src: Buffer, name: str = "") -> Buffer:
        """New memory of the same shape, type and order of dimensions in memory."""
        contents = src._contents
        order = sorted(range(src.dimensions()), key=lambda d: abs(contents.raw.strides[d]))
        made = _allocated(contents.dtype, contents.raw.extents, order, name)
        made.mins = contents.mins
        return Buffer._of(made)

    def defined(self) -> bool:
        """Whether it is a buffer at all: hl.Buffer() is not."""
        return self._defined is not None

    def same_as(self, other: Buffer) -> bool:
        """Whether both are handles of one buffer."""
        return self._defined is other._defined

    def _get_raw_halide_buffer_t(self) -> int:
        """The address of its `halide_buffer_t`, which lives as long as it: compiled modules for Python ask for it."""
        return self._contents.raw.address

    def name(self) -> str:
        """What messages and expressions call it."""
        return self._contents.name

    def set_name(self, name: str) -> None:
        """Messages and expressions call it so from now on."""
        if not isinstance(name, str):
            raise MistypedBuffer(f"{name!r} is no name of a Buffer", location=caller(), accepted="a str")
        self._contents.name = name

    def type(self) -> Type:
        """The type of its elements."""
        return Type.of(self._contents.dtype)

    def _bound_to(self, name: str, dtype: DType, rank: int) -> Buffer | None:
        """Itself, None if undefined. Raises BufferError where the input called `name` is of another kind."""
        if self._defined is None:
            return None
        if self._defined.dtype is not dtype or self.dimensions() != rank:
            raise BufferError(
                f"ImageParam `{name}` cannot be bound to a buffer of type {self._defined.dtype} "
                f"with {self.dimensions()} dimensions",
                location=caller(),
                accepted=f"type {dtype}, {rank} dimensions",
            )
        return self

    def allocate(self) -> None:
        """Give this handle new memory of zeros, of the same shape: what a bounds query found, for example."""
        shape = self._contents
        self._defined = (shape if isinstance(shape, ShapeOnly) else shape.without_memory()).allocated()

    def deallocate(self) -> None:
        """This handle keeps the shape only. The memory is given back when nothing else uses it."""
        self._defined = self._contents.without_memory()

    def copy(self) -> Buffer:
        """The same elements in new memory."""
        made = Buffer.make_with_shape_of(self)
        made._contents.array[...] = self._memory()
        return made

    def copy_from(self, src: Buffer) -> None:
        """Copy elements where both regions overlap."""
        if not isinstance(src, Buffer):
            raise MistypedBuffer(f"{src!r} is no Buffer to copy from", location=caller(), accepted="a Buffer")
        if self.type() != src.type() or self.dimensions() != src.dimensions():
            raise BufferError(
                f"{src!r} cannot be copied to {self!r}",
                location=caller(),
                accepted="one type, one number of dimensions",
            )
        low = [max(a, b) for a, b in zip(self._contents.mins, src._contents.mins, strict=True)]
        high = [min(self.dim(d).max(), src.dim(d).max()) for d in range(self.dimensions())]
        if all(a <= b for a, b in zip(low, high, strict=True)):
            self._writeable()[self._box(low, high)] = src._memory()[src._box(low, high)]

    def fill(self, value: Number) -> None:
        """Every element gets the value."""
        array = self._writeable()
        array[...] = element_of(self._contents.dtype, value, self.name())

    def all_equal(self, value: Number) -> bool:
        """Whether every element has the value."""
        array = self._memory()
        return bool((array == element_of(self._contents.dtype, value, self.name())).all())

    def for_each_element(self, f: Callable[[list[int]], object]) -> None:
        """Call f with the coordinates of every element, dimension 0 fastest."""
        dims = [range(self.dim(d).min(), self.dim(d).max() + 1) for d in range(self.dimensions())]
        for place in itertools.product(*reversed(dims)):
            f(list(reversed(place)))

    def __getitem__(self, place: Place) -> int | float | bool | Expr:
        """A number at integer places; an expression where a Var or an expression is among them."""
        near = self._near(place)
        if near is not None:
            return number_of(self._contents.dtype, self._memory().item(*near))
        index = place if isinstance(place, tuple | list) else (place,)
        if any(isinstance(i, ExprLike) for i in index):
            contents = self._contents
            coordinates = image_index(f"Buffer `{contents.name}`", tuple(map(to_node, index)), self.dimensions())
            return Expr(nodes.ImageAccess(contents.image, coordinates))
        return number_of(self._contents.dtype, self._memory().item(self._place(index)))

    def __setitem__(self, place: Place, value: Number) -> None:
        index = place if isinstance(place, tuple | list) else (place,)
        array = self._writeable()
        array[self._place(index)] = element_of(self._contents.dtype, value, self.name())

    def _box(self, low: Sequence[int], high: Sequence[int]) -> tuple[slice, ...]:
        """The part of its array from one place to another, both included."""
        ends = zip(low, high, self._contents.mins, strict=True)
        return tuple(slice(a - start, b + 1 - start) for a, b, start in ends)[::-1]

    def _elements(self) -> Array:
        """Its elements, for others to keep."""
        self._memory()
        return self._contents.elements()

    def _memory(self) -> Array:
        """Its elements, to be looked at. Raises BufferError where there are none yet."""
        contents = self._contents
        if type(contents) is ShapeOnly:
            raise BufferError(
                f"Buffer `{self.name()}` is a bounds query, which has no memory",
                location=caller(),
                accepted=f"hl.Buffer({contents.dtype}, [...]) with the shape that was found",
            )
        return contents.read()

    def _writeable(self) -> Array:
        array = self._memory()
        if not array.flags.writeable:
            raise BufferError(
                f"Buffer `{self.name()}` lives in a read-only array",
                location=caller(),
                accepted="a writeable array, or buffer.copy()",
            )
        return self._contents.edited()

    def _near(self, place: Place) -> list[int] | None:
        """The array's index of an element, in one loop; None where `_place` must look closer."""
        contents = self._contents
        shape, mins = contents.array.shape, contents.mins
        if type(place) is not tuple or len(place) != len(shape):
            return None
        axis, found = len(shape), [0] * len(shape)
        for at, low in zip(place, mins):  # noqa: B905 (lengths are equal; `strict` costs time)
            axis -= 1
            if type(at) is not int or not 0 <= at - low < shape[axis]:
                return None
            found[axis] = at - low
        return found

    def _place(self, index: Sequence[object]) -> tuple[int, ...]:
        contents = self._contents
        if len(index) != contents.array.ndim:
            raise ValueError("Incorrect number of dimensions.")
        places = [operator.index(i) for i in index]  # type: ignore[arg-type]
        for axis, (at, low, extent) in enumerate(zip(places, contents.mins, contents.array.shape[::-1], strict=True)):
            if not low <= at < low + extent:
                raise IndexError(f"index {at} is out of bounds for axis {axis} with min={low}, extent={extent}")
        return tuple(at - low for at, low in zip(reversed(places), reversed(contents.mins), strict=True))

    def __repr__(self) -> str:
        if self._defined is None:
            return "<undefined halopy.Buffer>"
        raw = self._defined.raw
        shape = ",".join(f"[{a},{b},{c}]" for a, b, c in zip(raw.mins, raw.extents, raw.strides, strict=True))
        return f"<halopy.Buffer of type {self._defined.dtype} shape:[{shape}]>"


def _sizes(sizes: object) -> tuple[int, ...]:
    if isinstance(sizes, int | np.integer):
        sizes = [sizes]
    if not isinstance(sizes, Sequence) or isinstance(sizes, str):
        raise MistypedBuffer("a Buffer of a type needs sizes", location=caller(), accepted="hl.Buffer(type, [w, h])")
    for size in sizes:
        if not isinstance(size, int | np.integer):
            raise MistypedBuffer(f"{size!r} is no size of a Buffer", location=caller(), accepted="integers")
        if not 0 <= size < 1 << 31:
            raise BufferError(f"{size!r} is no size of a Buffer", location=caller(), accepted="0 to 2**31 - 1")
    return tuple(map(int, sizes))


def _allocated(dtype: DType, sizes: Sequence[int], order: Sequence[int] | str | None, name: str) -> BufferContents:
    """New memory; `order` lists the dimensions, the densest first."""
    if order is None:
        return BufferContents(allocate(dtype, sizes), dtype, name=name, is_new=True)
    if sorted(order) != list(range(len(sizes))):
        raise BufferError(
            f"the storage order {list(order)} does not list the {len(sizes)} dimensions",
            location=caller(),
            accepted="each dimension once, the densest first",
        )
    places = [int(d) for d in order]
    dense = allocate(dtype, [sizes[d] for d in places])
    axes = [len(sizes) - 1 - places.index(d) for d in reversed(range(len(sizes)))]
    return BufferContents(dense.transpose(axes), dtype, name=name, is_new=True)


def _of_array(source: object, name: str, reverse_axes: bool) -> BufferContents:
    array = array_of(source)
    dtype = from_numpy(array.dtype)
    return BufferContents(array if reverse_axes else array.transpose(), dtype, name=name)
