"""The matrix product as an OpenCL kernel: a thread for a vector of 16 columns of four rows, whose sums it keeps."""

from __future__ import annotations

from collections.abc import Sequence

from apps.cases import Array, Value
from apps.rivals import Prepared, arrays
from apps.rivals.kernels import Step, prepared

_TEXT = """
kernel void multiply(global const float *a, global const float *b, global const float *c, global float *result,
                     int width, int height, int depth, float alpha, float beta) {
    int x = get_global_id(0) * 16, y = get_global_id(1) * 4;
    if (x >= width || y >= height) return;
    x = min(x, width - 16);
    y = min(y, height - 4);
    float16 sums[4] = {0, 0, 0, 0};
    for (int k = 0; k < depth; k++) {
        float16 row = vload16(0, b + k * width + x);
        for (int j = 0; j < 4; j++) sums[j] = fma((float16)(a[(y + j) * depth + k]), row, sums[j]);
    }
    for (int j = 0; j < 4; j++) {
        int at = (y + j) * width + x;
        vstore16(alpha * sums[j] + beta * vload16(0, c + at), 0, result + at);
    }
}
"""


def prepare(inputs: Sequence[Value], output: Array, threads: int) -> Prepared:  # noqa: ARG001
    """For at least 16 columns and 4 rows."""
    a, b, c = arrays(inputs)
    height, width = output.shape
    alpha, beta = (float(n) for n in inputs[3:])
    numbers = (width, height, a.shape[1], alpha, beta)
    step = Step("multiply", ("a", "b", "c", "result"), numbers, (-(-width // 16), -(-height // 4)), (8, 8))
    return prepared(_TEXT, {"a": a, "b": b, "c": c, "result": output}, "result", [step])
