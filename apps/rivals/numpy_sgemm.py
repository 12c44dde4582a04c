"""The matrix product by NumPy's OpenBLAS; alpha and beta take a pass of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from apps.cases import Array, Value
from apps.rivals import Prepared


def prepare(inputs: Sequence[Value], output: Array, threads: int) -> Prepared:  # noqa: ARG001
    a, b, c, alpha, beta = inputs

    def call() -> None:
        np.matmul(a, b, out=output)
        if alpha != 1:
            np.multiply(output, np.float32(alpha), out=output)
        np.add(output, c if beta == 1 else np.float32(beta) * c, out=output)

    return Prepared(call, output)
