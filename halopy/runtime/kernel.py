"""A kernel in memory, called on buffers and scalars."""

from __future__ import annotations

import ctypes
import struct
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from ..codegen.kernel import MOST_ERROR_ARGS, Kernel
from ..dtypes import Code
from ..errors import BufferError, HalideError, InternalError, ParamError
from ..ir.kernel import ScalarArg
from ..ir.stmt import ErrorSite
from .buffer import RawBuffer
from .checks import error_of, refusal
from .host_runs import DEVICES, after_host_run, before_host_run
from .services import DeviceCalls, Handlers, Run
from .threads import with_threads

Scalar = int | float | bool
Shape = tuple[Sequence[int], Sequence[int], Sequence[int]]  # mins, extents, strides
Explain = Callable[[HalideError, int, Sequence[int], Sequence[Shape], Sequence[Scalar]], HalideError]  # code, numbers

_NO_HANDLERS = Handlers()
_NO_NAMES: Mapping[str, str] = {}
_ERROR_NUMBERS = struct.Struct(f"{MOST_ERROR_ARGS}q")
_SLOTS = {
    (Code.INT, 8): "b7x", (Code.INT, 16): "h6x", (Code.INT, 32): "i4x", (Code.INT, 64): "q",
    (Code.UINT, 1): "?7x", (Code.UINT, 8): "B7x", (Code.UINT, 16): "H6x", (Code.UINT, 32): "I4x", (Code.UINT, 64): "Q",
    (Code.FLOAT, 16): "e6x", (Code.FLOAT, 32): "f4x", (Code.FLOAT, 64): "d",
    (Code.BFLOAT, 16): "H6x", (Code.HANDLE, 64): "Q",
}  # fmt: skip


class DeviceRun(DeviceCalls, Protocol):
    """One run on a device."""

    def finish(self) -> None: ...


class Program(Protocol):
    """Kernels on a device (`opencl.program.Program`)."""

    def run(self, raws: Sequence[RawBuffer]) -> DeviceRun: ...


class LoadedKernel:
    """A compiled kernel. May be called from several threads at once; other Python threads run meanwhile."""

    __slots__ = (
        "_bfloats",
        "_block",
        "_entry",
        "_errors_at",
        "_layout",
        "_library",
        "_program",
        "_scalars_at",
        "kernel",
    )

    def __init__(self, kernel: Kernel, library: ctypes.CDLL, program: Program | None = None) -> None:
        self.kernel = kernel
        self._program = program
        self._library = library  # keeps the code mapped
        entry = library[kernel.name]
        entry.argtypes = (ctypes.c_void_p,) * (4 if kernel.needs_services else 3)
        entry.restype = ctypes.c_int32
        self._entry = with_threads(library, entry) if kernel.needs_openmp else entry
        slots = "".join(_SLOTS[scalar.dtype.code, scalar.dtype.bits] for scalar in kernel.scalars)
        # One block per call: buffer pointers, scalar pointers, scalars in 8 bytes each, error numbers.
        self._layout = struct.Struct(f"={len(kernel.buffers) + len(kernel.scalars)}Q{slots}")
        self._scalars_at = 8 * len(kernel.buffers)
        self._errors_at = self._scalars_at + 16 * len(kernel.scalars)
        self._block = ctypes.c_char * (self._errors_at + _ERROR_NUMBERS.size)
        self._bfloats = any(scalar.dtype.code == Code.BFLOAT for scalar in kernel.scalars)

    def call(self, buffers: Sequence[RawBuffer], scalars: Sequence[Scalar] = ()) -> None:
        """Run once. Raises the user's error when a check in the kernel fails."""
        self.prepare(buffers, scalars)()

    def prepare(
        self,
        buffers: Sequence[RawBuffer],
        scalars: Sequence[Scalar] = (),
        handlers: Handlers = _NO_HANDLERS,
        names: Mapping[str, str] = _NO_NAMES,
        keep: Sequence[RawBuffer] | None = None,
        explain: Explain | None = None,
    ) -> Callable[[], None]:
        """A function that runs the kernel on these arguments; it keeps them alive and may be called many times.

        With `keep`, it keeps only these alive, and the caller sees to the others.
        `names` are the user's, for those of Funcs and images that the kernel reports. `explain` says more of a failure.
        """
        try:
            self._check_headers(buffers)
        except BufferError as error:
            if handlers.error is None:
                raise
            return partial(_tell, error, handlers)
        block, address = self._packed(buffers, scalars)
        alive = (tuple(buffers if keep is None else keep), block)
        shapes = [(buffer.mins, buffer.extents, buffer.strides) for buffer in buffers]
        values = tuple(scalars)

        def fail(code: int, numbers: Sequence[int], message: str = "") -> None:
            error = error_of(self.kernel, code, numbers, message)
            _tell(error if explain is None else explain(error, code, numbers, shapes, values), handlers)

        weakly = [weakref.ref(buffer) for buffer in buffers]  # what is kept alive is said by `keep`
        first_output = sum(not b.is_output for b in self.kernel.buffers)
        entry, scalars_at, errors_at = self._entry, address + self._scalars_at, address + self._errors_at

        def given() -> list[RawBuffer]:
            return [found for buffer in weakly if (found := buffer()) is not None]

        def run(_alive: object = alive) -> None:
            if DEVICES.are_used:
                before_host_run(given())
            code = entry(address, scalars_at, errors_at)
            if DEVICES.are_used:
                after_host_run(given()[first_output:])
            if code:
                fail(code, _ERROR_NUMBERS.unpack_from(block, self._errors_at))

        program = self._program

        def run_with_services(_alive: object = alive) -> None:
            device = None if program is None else program.run(given())
            if device is None and DEVICES.are_used:
                before_host_run(given())
            services = Run(handlers, names, device)
            with services as table:
                code = entry(address, scalars_at, errors_at, table)
            if device is not None:
                device.finish()
            elif DEVICES.are_used:
                after_host_run(given()[first_output:])
            if services.exception is not None:
                raise services.exception
            if code:
                fail(code, _ERROR_NUMBERS.unpack_from(block, self._errors_at), services.message)

        return run_with_services if self.kernel.needs_services else run

    def _packed(
        self, buffers: Sequence[RawBuffer], scalars: Sequence[Scalar]
    ) -> tuple[ctypes.Array[ctypes.c_char], int]:
        block = self._block()
        address = ctypes.addressof(block)
        pointers = [buffer.address for buffer in buffers]
        if scalars:
            values_at = address + self._scalars_at + 8 * len(scalars)
            pointers += range(values_at, values_at + 8 * len(scalars), 8)
        if self._bfloats:
            scalars = [_stored(scalar, value) for scalar, value in zip(self.kernel.scalars, scalars, strict=True)]
        try:
            self._layout.pack_into(block, 0, *pointers, *scalars)
        except (struct.error, OverflowError, TypeError):
            raise self._misfit(buffers, scalars) from None
        return block, address

    def _check_headers(self, buffers: Sequence[RawBuffer]) -> None:
        """What the kernel takes for granted: element types, ranks, and that outputs can be written."""
        for argument, buffer in zip(self.kernel.buffers, buffers, strict=False):
            if buffer.dtype is not argument.dtype:
                given, wanted = buffer.dtype, argument.dtype
                kinds = (given.code, given.bits, wanted.code, wanted.bits)
                raise refusal(self.kernel, ErrorSite.WRONG_DTYPE, (argument.name,), kinds)
            if len(buffer.extents) != argument.rank:
                ranks = (len(buffer.extents), argument.rank)
                raise refusal(self.kernel, ErrorSite.WRONG_RANK, (argument.name,), ranks)
            if argument.is_output and not buffer.writeable:
                raise BufferError(
                    f"output `{argument.name}` is a read-only array, which cannot be written",
                    accepted="an array with a.flags.writeable, such as np.empty_like(a) or a.copy()",
                )

    def _misfit(self, buffers: Sequence[RawBuffer], scalars: Sequence[Scalar]) -> Exception:
        """Why the arguments do not fit the block."""
        kernel = self.kernel
        if len(buffers) != len(kernel.buffers) or len(scalars) != len(kernel.scalars):
            return InternalError(
                f"kernel {kernel.name} takes {len(kernel.buffers)} buffers and {len(kernel.scalars)} scalars,"
                f" but was given {len(buffers)} and {len(scalars)}"
            )
        for scalar, value in zip(kernel.scalars, scalars, strict=True):
            try:
                struct.pack(f"={_SLOTS[scalar.dtype.code, scalar.dtype.bits]}", value)
            except (struct.error, OverflowError, TypeError):
                return _does_not_fit(scalar, value)
        return InternalError(f"the arguments of kernel {kernel.name} cannot be packed")


def _tell(error: HalideError, handlers: Handlers) -> None:
    if handlers.error is None:
        raise error
    handlers.error(str(error))


def _does_not_fit(scalar: ScalarArg, value: object) -> ParamError:
    dtype = scalar.dtype
    wanted = f"[{dtype.min}, {dtype.max}]" if dtype.is_integer else f"a number that {dtype} can hold"
    return ParamError(f"parameter `{scalar.name}` is {value!r}, which is no {dtype}", accepted=wanted)


def _stored(scalar: ScalarArg, value: Scalar) -> Scalar:
    return bfloat_bits(value) if scalar.dtype.code == Code.BFLOAT else value


def bfloat_bits(value: float) -> int:
    """The bits of the bfloat16 nearest to a value, ties to even."""
    if value != value:
        return 0x7FC0
    bits: int = struct.unpack("=I", struct.pack("=f", value))[0]
    return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16
