"""Calling kernels."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from halopy import dtypes
from halopy.errors import BufferError, InternalError, ParamError
from halopy.ir.stmt import ErrorSite
from halopy.runtime import RawBuffer, empty, load
from halopy.runtime.kernel import bfloat_bits

from .kernels import failing, fill, kernel, scaled

C_TYPES = {
    dtypes.BOOL: "uint8_t", dtypes.FLOAT16: "_Float16", dtypes.FLOAT32: "float", dtypes.FLOAT64: "double",
    **{d: f"{d}_t" for d in dtypes.ALL_SCALARS if d.is_integer and not d.is_bool},
}  # fmt: skip


@pytest.mark.parametrize("dtype", dtypes.ALL_SCALARS, ids=str)
def test_scalars_of_every_type_arrive(dtype):
    loaded, out = load(scaled(dtype, C_TYPES[dtype])), empty(dtype, ())
    for value in [1, 0] if dtype.is_bool else [1.5, -2.0] if dtype.is_float else [dtype.min, dtype.max]:
        loaded.call([out], [value])
        assert out.array[()] == value


@pytest.mark.parametrize(("value", "bits"), [(1.0, 0x3F80), (-2.0, 0xC000), (1.00390625, 0x3F80), (1.01171875, 0x3F82)])
def test_bfloat16_scalars_round_to_even(value, bits):
    loaded, out = load(scaled(dtypes.BFLOAT16, "uint16_t")), empty(dtypes.BFLOAT16, ())
    loaded.call([out], [value])
    assert out.array[()] == bits == bfloat_bits(value)


def test_a_nan_stays_one_in_bfloat16():
    assert bfloat_bits(float("nan")) == 0x7FC0
    assert bfloat_bits(float("-inf")) == 0xFF80


def test_a_scalar_out_of_its_type_is_named(golden):
    with pytest.raises(ParamError) as refused:
        load(scaled(dtypes.UINT8, "uint8_t")).call([empty(dtypes.UINT8, ())], [256])
    assert str(refused.value) == golden


def test_a_wrong_number_of_arguments_is_our_bug():
    with pytest.raises(InternalError, match="takes 1 buffers and 1 scalars, but was given 0 and 1"):
        load(scaled(dtypes.UINT8, "uint8_t")).call([], [1])


def test_a_prepared_call_may_be_repeated():
    out = RawBuffer(np.zeros(5, np.int32))
    run = load(fill(7)).prepare([out])
    for _ in range(3):
        out.array[:] = 0
        run()
        assert out.array.tolist() == [7] * 5


def test_a_prepared_call_keeps_its_arrays_alive():
    loaded = load(fill(8))
    runs = [loaded.prepare([empty(dtypes.INT32, [1000])]) for _ in range(50)]
    for run in runs:
        run()


def test_read_only_outputs_are_refused(golden):
    out = np.zeros(3, np.int32)
    out.flags.writeable = False
    with pytest.raises(BufferError) as refused:
        load(fill(1)).call([RawBuffer(out)])
    assert str(refused.value) == golden


def test_other_types_and_ranks_are_refused():
    loaded = load(fill(1))
    with pytest.raises(
        BufferError,
        match=r"Output buffer out has type int32 but type of the buffer passed in is uint32(.|\n)*accepted here: int32",
    ):
        loaded.call([empty(dtypes.UINT32, [3])])
    with pytest.raises(BufferError, match=r"output `out` has 2 dimensions(.|\n)*accepted here: 1 dimension$"):
        loaded.call([empty(dtypes.INT32, [3, 3])])
    loaded.call([empty(dtypes.INT32, [3])])


def test_an_unknown_result_is_our_bug():
    with pytest.raises(InternalError, match="kernel odd returned 99, which no check of it means"):
        load(kernel("odd", "return 99;")).call([])


def test_other_threads_run_during_a_call():
    """The kernel waits for a flag that another Python thread sets."""
    body = "volatile int32_t *flag = (int32_t *)buffers[0]->host; while (!*flag) {}"
    waiting = kernel("waiting", body, buffers=fill(0).buffers)
    flag = np.zeros(1, np.int32)
    caller = threading.Thread(target=load(waiting).call, args=([RawBuffer(flag)],))
    caller.start()
    flag[0] = 1
    caller.join(timeout=20)
    assert not caller.is_alive()


def test_threads_that_share_a_kernel_get_their_own_errors():
    """Half of the callers pass an extent that the kernel refuses, and each reads back its own number."""
    body = "error_args[0] = buffers[0]->dim[0].extent; if (error_args[0] % 2) return 2;"
    parts = failing(ErrorSite.BAD_EXTENT, ("out", "0"), (0,))
    picky = load(kernel("picky", body, buffers=fill(0).buffers, asserts=parts.asserts))
    wrong: list[str] = []

    def call(extent: int) -> None:
        out = empty(dtypes.INT32, [extent])
        for _ in range(300):
            try:
                picky.call([out])
                answer = ""
            except BufferError as error:
                answer = error.summary
            expected = f"output `out` has extent {extent} in dimension 0" if extent % 2 else ""
            if answer != expected:
                wrong.append(answer)

    callers = [threading.Thread(target=call, args=(extent,)) for extent in range(1, 9)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert wrong == []
