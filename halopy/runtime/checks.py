"""Turn a kernel's failed check into the error the user reads.

What each check puts into `names` and, as numbers, into `args`; names in brackets may be left out:

    site               names                             args
    WRONG_DTYPE        buffer                            given code, given bits, wanted code, wanted bits
    WRONG_RANK         buffer                            given, wanted
    NULL_HOST          buffer                            -
    REGION_TOO_SMALL   buffer, dimension [, variable]    needed min, needed max, given min, given max
    WRONG_CONSTRAINT   buffer, property [, dimension]    given, wanted
    SPLIT_TOO_SMALL    Func, loop [, directive]          factor, extent
    PARAM_OUT_OF_RANGE param                             value, least, greatest
    BOUND_TOO_SMALL    Func, variable                    bound min, bound max, needed min, needed max
    OUT_OF_MEMORY      [buffer]                          bytes
    FOLD_TOO_SMALL     Func, variable [, directive]      factor, needed
    STORAGE_TOO_SMALL  Func, variable [, directive]      bound, needed
    BAD_EXTENT         buffer or Func, dimension         extent

Ends of ranges are inclusive. An output of a Tuple is called `f.0`. Floating values of PARAM_OUT_OF_RANGE travel as the
bits of a double.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from ..codegen.kernel import AssertSite, Kernel
from ..dtypes import Code, DType
from ..errors import BufferError, HalideError, InternalError, ParamError, RequirementFailed, ScheduleError, UserError
from ..ir.stmt import ErrorSite

Names = Sequence[str]
Numbers = Sequence[int]


def error_of(kernel: Kernel, code: int, numbers: Numbers, message: str = "") -> HalideError:
    """The error for a kernel's non-zero result. `message` is what the kernel said where a requirement failed."""
    if not 0 < code <= len(kernel.asserts):
        return InternalError(f"kernel {kernel.name} returned {code}, which no check of it means")
    check: AssertSite = kernel.asserts[code - 1]
    if check.site is ErrorSite.REQUIREMENT:
        return RequirementFailed(
            message.rstrip("\n") or "Requirement Failed: (false)", reason=(f"required: {check.names[0]}",)
        )
    return refusal(kernel, check.site, check.names, numbers[: check.arg_count])


def refusal(kernel: Kernel, site: ErrorSite, names: Names, numbers: Numbers) -> HalideError:
    """The error for a check that failed with these names and numbers."""
    return _MESSAGES[site](kernel, names, numbers)


def _wrong_dtype(kernel: Kernel, names: Names, numbers: Numbers) -> UserError:
    given, wanted = _type_name(*numbers[:2]), _type_name(*numbers[2:])
    return BufferError(
        f"Error: {'Output' if _is_output(kernel, names[0]) else 'Input'} buffer {names[0]} has type {wanted}"
        f" but type of the buffer passed in is {given}",
        accepted=wanted,
    )


def _wrong_rank(kernel: Kernel, names: Names, numbers: Numbers) -> UserError:
    given, wanted = numbers
    return BufferError(f"{_role(kernel, names[0])} has {_dimensions(given)}", accepted=_dimensions(wanted))


def _null_host(kernel: Kernel, names: Names, _: Numbers) -> UserError:
    return BufferError(f"{_role(kernel, names[0])} has no memory", accepted="a buffer over an allocated array")


def _region_too_small(kernel: Kernel, names: Names, numbers: Numbers) -> UserError:
    needed_min, needed_max, given_min, given_max = numbers
    is_output = _is_output(kernel, names[0])
    hint = "a larger output" if is_output else "a larger input, a smaller output region, or a boundary condition"
    return BufferError(
        f"{_role(kernel, names[0])} is too small in {_dimension(names)}",
        reason=(
            f"the pipeline {'writes' if is_output else 'reads'} {_range(needed_min, needed_max)}",
            f"the buffer holds {_range(given_min, given_max)}",
        ),
        accepted=hint,
    )


def _wrong_constraint(kernel: Kernel, names: Names, numbers: Numbers) -> UserError:
    given, wanted = numbers
    where = f" of {_dimension((names[0], *names[2:]))}" if len(names) > 2 else ""
    return BufferError(
        f"{_role(kernel, names[0])} breaks a constraint: its {names[1]}{where} is {given}", accepted=str(wanted)
    )


def _split_too_small(_: Kernel, names: Names, numbers: Numbers) -> UserError:
    factor, extent = numbers
    only, wanted = ("only ", f"of at least {factor}") if extent < factor else ("", f"that is a multiple of {factor}")
    return ScheduleError(
        f"`{names[0]}` is split by {factor} in {names[1]}, which is {only}{extent} long here",
        reason=_directive(names),
        accepted=f"an extent {wanted}, another factor, or TailStrategy.GuardWithIf",
    )


def _param_out_of_range(kernel: Kernel, names: Names, numbers: Numbers) -> UserError:
    dtype = next((scalar.dtype for scalar in kernel.scalars if scalar.name == names[0]), None)
    value, least, greatest = (_number(number, dtype) for number in numbers)
    return ParamError(f"parameter `{names[0]}` is {value}", accepted=f"[{least}, {greatest}]")


def _bound_too_small(_: Kernel, names: Names, numbers: Numbers) -> UserError:
    bound_min, bound_max, needed_min, needed_max = numbers
    return ScheduleError(
        f"Error: Bounds given for {names[0]} in {names[1]} (from {bound_min} to {bound_max})"
        f" do not cover required region (from {needed_min} to {needed_max})",
        accepted=f"{names[0]}.bound({names[1]}, ...) with a range that holds {_range(needed_min, needed_max)}",
    )


def _out_of_memory(_: Kernel, names: Names, numbers: Numbers) -> HalideError:
    what = f" for `{names[0]}`" if names else ""
    return HalideError(f"out of memory: {numbers[0]} bytes{what} could not be allocated")


def _fold_too_small(_: Kernel, names: Names, numbers: Numbers) -> UserError:
    factor, needed = numbers
    return ScheduleError(
        f"`{names[0]}` is folded to {factor} in {names[1]}, but {needed} are in use at once",
        reason=_directive(names),
        accepted=f"a factor of at least {needed}",
    )


def _storage_too_small(_: Kernel, names: Names, numbers: Numbers) -> UserError:
    bound, needed = numbers
    return ScheduleError(
        f"the storage of `{names[0]}` is bounded to {bound} in {names[1]}, but {needed} are needed",
        reason=_directive(names),
        accepted=f"a bound of at least {needed}",
    )


def _bad_extent(kernel: Kernel, names: Names, numbers: Numbers) -> UserError:
    return BufferError(
        f"{_role(kernel, names[0])} has extent {numbers[0]} in {_dimension(names)}", accepted="0 or more"
    )


def _specialization_failed(_: Kernel, names: Names, __: Numbers) -> UserError:
    return ScheduleError(
        f"`{names[0]}` has no version for these arguments: {names[1]}",
        accepted="what one of its specializations is for",
    )


def _no_thread(_: Kernel, __: Names, ___: Numbers) -> HalideError:
    return HalideError("no thread could be started for an async Func", accepted="fewer threads at once")


def _device_failed(_: Kernel, names: Names, __: Numbers) -> HalideError:
    return HalideError(f"the device failed at {names[0]}")


_MESSAGES: dict[ErrorSite, Callable[[Kernel, Names, Numbers], HalideError]] = {
    ErrorSite.WRONG_DTYPE: _wrong_dtype,
    ErrorSite.WRONG_RANK: _wrong_rank,
    ErrorSite.NULL_HOST: _null_host,
    ErrorSite.REGION_TOO_SMALL: _region_too_small,
    ErrorSite.WRONG_CONSTRAINT: _wrong_constraint,
    ErrorSite.SPLIT_TOO_SMALL: _split_too_small,
    ErrorSite.PARAM_OUT_OF_RANGE: _param_out_of_range,
    ErrorSite.BOUND_TOO_SMALL: _bound_too_small,
    ErrorSite.OUT_OF_MEMORY: _out_of_memory,
    ErrorSite.FOLD_TOO_SMALL: _fold_too_small,
    ErrorSite.STORAGE_TOO_SMALL: _storage_too_small,
    ErrorSite.BAD_EXTENT: _bad_extent,
    ErrorSite.NO_THREAD: _no_thread,
    ErrorSite.SPECIALIZATION_FAILED: _specialization_failed,
    ErrorSite.DEVICE_FAILED: _device_failed,
}


def _is_output(kernel: Kernel, name: str) -> bool | None:
    """None for a name that is no argument."""
    return next((buffer.is_output for buffer in kernel.buffers if buffer.name == name), None)


def _role(kernel: Kernel, name: str) -> str:
    is_output = _is_output(kernel, name)
    return f"`{name}`" if is_output is None else f"{'output' if is_output else 'input'} `{name}`"


def _dimension(names: Names) -> str:
    return f"dimension {names[1]}" + (f" ({names[2]})" if len(names) > 2 else "")


def _dimensions(count: int) -> str:
    return f"{count} dimension" + ("" if count == 1 else "s")


def _range(low: int, high: int) -> str:
    return f"[{low}, {high}]" if low <= high else "nothing"


def _directive(names: Names) -> tuple[str, ...]:
    return (f"by {names[2]}",) if len(names) > 2 and names[2] else ()


def _number(bits: int, dtype: DType | None) -> int | float:
    if dtype is None or not dtype.is_float:
        return bits if dtype is None or dtype.is_int else bits % 2**64
    value: float = struct.unpack("=d", struct.pack("=q", bits))[0]
    return value


def _type_name(code: int, bits: int) -> str:
    try:
        return str(DType(Code(code), bits))
    except ValueError:
        return f"unknown (code {code}, {bits} bits)"
