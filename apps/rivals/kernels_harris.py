"""Harris corners as OpenCL kernels: brightness, slopes, corners, a thread for each pixel of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from apps.cases import Array
from apps.rivals import Prepared
from apps.rivals.kernels import Step, prepared

_TEXT = """
kernel void brighten(global const float *rgb, global float *grey, int width, int height) {
    int x = get_global_id(0), y = get_global_id(1), size = width * height, at = y * width + x;
    if (x >= width || y >= height) return;
    grey[at] = 0.299f * rgb[at] + 0.587f * rgb[at + size] + 0.114f * rgb[at + 2 * size];
}

kernel void slope(global const float *grey, global float *dx, global float *dy, int width, int height, int stride) {
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) return;
    global const float *a = grey + y * stride + x, *b = a + stride, *c = b + stride;
    dy[y * width + x] = ((c[0] - a[0]) + (c[2] - a[2])) / 12 + (c[1] - a[1]) / 6;
    dx[y * width + x] = ((a[2] - a[0]) + (c[2] - c[0])) / 12 + (b[2] - b[0]) / 6;
}

kernel void find(global const float *dx, global const float *dy, global float *corners, int width, int height,
                 int stride) {
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) return;
    float xx = 0, yy = 0, xy = 0;
    for (int k = 0; k < 3; k++)
        for (int j = 0; j < 3; j++) {
            int at = (y + k) * stride + x + j;
            xx += dx[at] * dx[at];
            yy += dy[at] * dy[at];
            xy += dx[at] * dy[at];
        }
    corners[y * width + x] = (xx * yy - xy * xy) - 0.04f * (xx + yy) * (xx + yy);
}
"""
_BLOCK = (64, 4)


def prepare(inputs: Sequence[Array], output: Array, threads: int) -> Prepared:  # noqa: ARG001
    height, width = output.shape
    whole, inner = (width + 4, height + 4), (width + 2, height + 2)
    arrays = {"rgb": inputs[0], "grey": np.zeros(whole[::-1], np.float32), "corners": output}
    arrays |= {name: np.zeros(inner[::-1], np.float32) for name in ("dx", "dy")}
    steps = [
        Step("brighten", ("rgb", "grey"), whole, whole, _BLOCK),
        Step("slope", ("grey", "dx", "dy"), (*inner, whole[0]), inner, _BLOCK),
        Step("find", ("dx", "dy", "corners"), (width, height, inner[0]), (width, height), _BLOCK),
    ]
    return prepared(_TEXT, arrays, "corners", steps)
