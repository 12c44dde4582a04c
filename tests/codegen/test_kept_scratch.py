"""Scratch memory is kept from call to call: right for any sizes and threads, and touched for the first time once."""

import resource
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import halopy as hl

x, y = hl.Var("x"), hl.Var("y")


def pipeline():
    """Sums of neighbours in a whole plane kept in between, and in rows of each thread."""
    image, total, row, out = hl.ImageParam(hl.Int(32), 2, "image"), hl.Func("total"), hl.Func("row"), hl.Func("out")
    total[x, y] = image[x, y] + image[x + 1, y]
    row[x, y] = total[x, y] * 3
    out[x, y] = row[x, y] + row[x + 1, y]
    total.compute_root().vectorize(x, 16, hl.TailStrategy.GuardWithIf)
    row.compute_at(out, y)
    out.parallel(y)
    return image, out


def check(image, out, height, width):
    array = np.random.default_rng(height).integers(0, 1000, (height, width + 2)).astype(np.int32)
    image.set(hl.Buffer(array))
    result = np.asarray(out.realize([width, height]))
    total = array[:, :-1] + array[:, 1:]
    np.testing.assert_array_equal(result, (total[:, :-1] + total[:, 1:]) * 3)


def test_sizes_may_change_from_call_to_call():
    image, out = pipeline()
    for height, width in [(3, 40_000), (400, 500), (2, 70_000), (700, 900), (1, 1), (400, 500), (5, 30_000)] * 3:
        check(image, out, height, width)


def test_threads_may_call_at_once():
    def calls(number):
        image, out = pipeline()
        for _ in range(10):
            check(image, out, 100 + number, 600)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(calls, range(4)))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is kept on Linux")
def test_further_calls_touch_no_new_memory():
    image, out = pipeline()
    image.set(hl.Buffer(np.ones((3200, 3202), np.int32)))
    result = hl.Buffer(np.zeros((3200, 3200), np.int32))
    for _ in range(2):
        out.realize(result)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        out.realize(result)
    touched = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    assert touched < 5 * 19, "the plane of 40 MB was new in each call, in 19 or more pages"
