"""The box blurs as OpenCL kernels: a thread for each pixel."""

from __future__ import annotations

from collections.abc import Sequence

from apps.cases import Array
from apps.rivals import Prepared
from apps.rivals.kernels import Step, prepared

_GREY = """
kernel void blur(global const ushort *in, global ushort *out, int width, int height) {
    int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height) return;
    int stride = width + 2;
    ushort rows[3];
    for (int k = 0; k < 3; k++) {
        global const ushort *row = in + (y + k) * stride + x;
        rows[k] = (ushort)(row[0] + row[1] + row[2]) / 3;
    }
    out[y * width + x] = (ushort)(rows[0] + rows[1] + rows[2]) / 3;
}
"""
_RGB = """
kernel void blur(global const uchar *in, global uchar *out, int width, int height) {
    int x = get_global_id(0), y = get_global_id(1), c = get_global_id(2);
    if (x >= width || y >= height) return;
    int left = max(x - 1, 0), right = min(x + 1, width - 1);
    ushort rows[3];
    for (int k = 0; k < 3; k++) {
        global const uchar *row = in + (c * height + clamp(y + k - 1, 0, height - 1)) * width;
        rows[k] = (ushort)(row[left] + row[x] + row[right]) / 3;
    }
    out[(c * height + y) * width + x] = (ushort)(rows[0] + rows[1] + rows[2]) / 3;
}
"""
_BLOCK = (64, 4)


def prepare_grey(inputs: Sequence[Array], output: Array, threads: int) -> Prepared:  # noqa: ARG001
    height, width = output.shape
    step = Step("blur", ("in", "out"), (width, height), (width, height), _BLOCK)
    return prepared(_GREY, {"in": inputs[0], "out": output}, "out", [step])


def prepare_rgb(inputs: Sequence[Array], output: Array, threads: int) -> Prepared:  # noqa: ARG001
    channels, height, width = output.shape
    step = Step("blur", ("in", "out"), (width, height), (width, height, channels), (*_BLOCK, 1))
    return prepared(_RGB, {"in": inputs[0], "out": output}, "out", [step])
