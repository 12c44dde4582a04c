"""Arrays described as halide_buffer_t."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from halopy.dtypes import BFLOAT16, BOOL, FLOAT16, FLOAT32, UINT8
from halopy.errors import BufferError, TypeMismatch
from halopy.runtime import RawBuffer, empty, load

from .kernels import describe


def as_seen_in_c(buffer: RawBuffer) -> list[int]:
    rank = len(buffer.extents)
    out = np.full(7 + 4 * rank, -1, np.int64)
    load(describe(rank, buffer.dtype)).call([buffer, RawBuffer(out)])
    return out.tolist()


def address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def test_dimension_zero_is_the_last_axis():
    a = np.zeros((3, 5), np.uint16)
    assert as_seen_in_c(RawBuffer(a)) == [address(a), 0, 0, 1, 16, 1, 2, 0, 5, 1, 0, 0, 3, 5, 0]


def test_mins_leave_the_host_pointer_at_the_first_element():
    a = np.zeros((3, 5), np.float32)
    assert as_seen_in_c(RawBuffer(a, (-2, 7))) == [address(a), 0, 0, 2, 32, 1, 2, -2, 5, 1, 0, 7, 3, 5, 0]


def test_negative_and_sparse_strides_count_elements():
    a = np.zeros((6, 10), np.int32)[::-2, ::3]
    assert as_seen_in_c(RawBuffer(a))[7:] == [0, 4, 3, 0, 0, 3, -20, 0]
    assert as_seen_in_c(RawBuffer(a))[0] == address(a)


def test_strides_that_are_never_taken_are_dense():
    assert RawBuffer(np.zeros((0, 4, 3), np.int32)).strides == (1, 3, 12)
    assert RawBuffer(np.zeros((1, 5), np.int32).T).strides == (1, 1)
    assert RawBuffer(np.zeros((5, 9), np.int32)[:, 3:4]).strides == (1, 9)


def test_a_broadcast_array_has_stride_zero():
    assert RawBuffer(np.broadcast_to(np.arange(4, dtype=np.int32), (3, 4))).strides == (1, 0)


def test_no_dimensions_and_no_elements_are_buffers():
    assert as_seen_in_c(RawBuffer(np.array(3.0)))[3:] == [2, 64, 1, 0]
    assert as_seen_in_c(RawBuffer(np.zeros((0, 4), np.uint8)))[7:] == [0, 4, 1, 0, 0, 0, 4, 0]


@pytest.mark.parametrize(
    ("dtype", "code", "bits"), [(BOOL, 1, 1), (FLOAT16, 2, 16), (BFLOAT16, 4, 16), (UINT8, 1, 8), (FLOAT32, 2, 32)]
)
def test_types_have_halides_codes(dtype, code, bits):
    assert as_seen_in_c(empty(dtype, [2]))[3:6] == [code, bits, 1]


def test_bfloat16_travels_in_uint16_only():
    assert RawBuffer(np.zeros(2, np.uint16), dtype=BFLOAT16).dtype is BFLOAT16
    with pytest.raises(TypeMismatch, match="bfloat16 elements live in arrays of type uint16, not float32"):
        RawBuffer(np.zeros(2, np.float32), dtype=BFLOAT16)


@pytest.mark.parametrize("array", [np.zeros(2, ">i4"), np.zeros(2, object), np.zeros(2, complex)])
def test_types_without_equal_are_refused(array):
    with pytest.raises(TypeMismatch, match="cannot be used"):
        RawBuffer(array)


def test_a_stride_between_elements_is_refused(golden):
    fields = np.zeros(4, [("tag", np.uint8), ("value", np.float32)])
    with pytest.raises(BufferError) as refused:
        RawBuffer(fields["value"])
    assert str(refused.value) == golden


def test_an_odd_stride_of_a_single_element_is_of_no_consequence():
    fields = np.zeros(1, [("value", np.float32), ("tag", np.uint8)])
    assert RawBuffer(fields["value"]).extents == (1,)


def test_unaligned_elements_are_refused():
    unaligned = np.frombuffer(bytearray(41), np.float32, 10, offset=1)
    with pytest.raises(BufferError, match=r"not aligned to 4 bytes; pass np.require\(a, requirements='A'\)"):
        RawBuffer(unaligned)


def test_what_does_not_fit_in_32_bits_is_refused(golden):
    huge = np.broadcast_to(np.uint8(0), (2, 2**31))
    with pytest.raises(BufferError) as refused:
        RawBuffer(huge)
    assert str(refused.value) == golden


def test_mins_must_match_the_rank():
    with pytest.raises(BufferError, match="a buffer of 2 dimensions was given 1 mins"):
        RawBuffer(np.zeros((2, 2)), (0,))


def test_read_only_arrays_are_buffers():
    a = np.zeros(3, np.uint16)
    a.flags.writeable = False
    assert not RawBuffer(a).writeable
    assert as_seen_in_c(RawBuffer(a))[0] == address(a)


def test_a_buffer_keeps_its_array_alive():
    a = np.zeros(1000, np.uint16)
    alive = weakref.ref(a)
    buffer = RawBuffer(a)
    del a
    gc.collect()
    assert alive() is buffer.array
    del buffer
    gc.collect()
    assert alive() is None
