"""What users read when a check in a kernel fails."""

from __future__ import annotations

import struct

import pytest

from halopy.codegen.kernel import AssertSite, Kernel
from halopy.dtypes import FLOAT32, UINT8
from halopy.errors import BufferError, HalideError, ParamError, RequirementFailed, ScheduleError
from halopy.ir.kernel import BufferArg, ScalarArg
from halopy.ir.stmt import ErrorSite
from halopy.runtime import load
from halopy.runtime.checks import error_of

from .kernels import failing

BUFFERS = (BufferArg("in", UINT8, 2, False), BufferArg("out", UINT8, 2, True), BufferArg("pair.1", UINT8, 2, True))
SCALARS = (ScalarArg("k", UINT8), ScalarArg("sigma", FLOAT32))


def bits(value: float) -> int:
    return struct.unpack("=q", struct.pack("=d", value))[0]


CASES = {
    "dtype": (BufferError, ErrorSite.WRONG_DTYPE, ("in",), (2, 64, 1, 8)),
    "bool": (BufferError, ErrorSite.WRONG_DTYPE, ("out",), (1, 1, 4, 16)),
    "strange type": (BufferError, ErrorSite.WRONG_DTYPE, ("in",), (77, 3, 1, 8)),
    "rank": (BufferError, ErrorSite.WRONG_RANK, ("in",), (3, 2)),
    "rank one": (BufferError, ErrorSite.WRONG_RANK, ("pair.1",), (1, 2)),
    "no memory": (BufferError, ErrorSite.NULL_HOST, ("in",), ()),
    "input region": (BufferError, ErrorSite.REGION_TOO_SMALL, ("in", "0", "x"), (-1, 64, 0, 63)),
    "output region": (BufferError, ErrorSite.REGION_TOO_SMALL, ("out", "1"), (0, 7, 0, 3)),
    "empty input": (BufferError, ErrorSite.REGION_TOO_SMALL, ("in", "1"), (0, 7, 0, -1)),
    "stride": (BufferError, ErrorSite.WRONG_CONSTRAINT, ("in", "stride", "0"), (3, 1)),
    "property": (BufferError, ErrorSite.WRONG_CONSTRAINT, ("out", "host alignment"), (4, 32)),
    "split": (ScheduleError, ErrorSite.SPLIT_TOO_SMALL, ("blur", "x", "blur.vectorize(x, 16) at b.py:7"), (16, 5)),
    "split without rest": (ScheduleError, ErrorSite.SPLIT_TOO_SMALL, ("blur", "y", ""), (16, 37)),
    "param": (ParamError, ErrorSite.PARAM_OUT_OF_RANGE, ("k",), (300, 0, 255)),
    "float param": (ParamError, ErrorSite.PARAM_OUT_OF_RANGE, ("sigma",), (bits(-0.5), bits(0), bits(float("inf")))),
    "bound": (ScheduleError, ErrorSite.BOUND_TOO_SMALL, ("f", "c"), (0, 2, 0, 3)),
    "memory": (HalideError, ErrorSite.OUT_OF_MEMORY, ("f",), (1 << 50,)),
    "memory of nobody": (HalideError, ErrorSite.OUT_OF_MEMORY, (), (12,)),
    "fold": (ScheduleError, ErrorSite.FOLD_TOO_SMALL, ("f", "y", "f.fold_storage(y, 2)"), (2, 3)),
    "storage": (ScheduleError, ErrorSite.STORAGE_TOO_SMALL, ("f", "x", "f.bound_storage(x, 9)"), (9, 10)),
    "requirement": (RequirementFailed, ErrorSite.REQUIREMENT, ("(k > 3)",), ()),
    "specialization": (ScheduleError, ErrorSite.SPECIALIZATION_FAILED, ("f", "only for rows"), ()),
    "extent": (BufferError, ErrorSite.BAD_EXTENT, ("in", "1"), (-4,)),
    "thread": (HalideError, ErrorSite.NO_THREAD, (), ()),
    "device": (HalideError, ErrorSite.DEVICE_FAILED, ("kernel_f",), ()),
}


@pytest.mark.parametrize("case", CASES)
def test_a_failed_check_reads(case, golden):
    kind, site, names, numbers = CASES[case]
    kernel = Kernel("k", "", BUFFERS, SCALARS, (AssertSite(site, names, len(numbers)),), False, False)
    error = error_of(kernel, 1, (*numbers, *[0] * (16 - len(numbers))))
    assert type(error) is kind
    assert str(error) == golden


def test_every_check_has_a_message():
    assert {site for _, site, _, _ in CASES.values()} == set(ErrorSite)


def test_numbers_travel_from_the_kernel_to_the_message():
    with pytest.raises(BufferError, match=r"`in` is too small in dimension 1(.|\n)*\[-9, 9000000000\](.|\n)*\[0, 3\]"):
        load(failing(ErrorSite.REGION_TOO_SMALL, ("in", "1"), (-9, 9_000_000_000, 0, 3))).call([])
