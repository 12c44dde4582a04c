"""The matrix product by SciPy's OpenBLAS, alpha and beta included."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import blas

from apps.cases import Array, Value
from apps.rivals import Prepared


def prepare(inputs: Sequence[Value], output: Array, threads: int) -> Prepared:  # noqa: ARG001
    """OpenBLAS has columns first, so the transposed product is asked for. It overwrites C, which is copied before."""
    a, b, c, alpha, beta = inputs
    assert isinstance(a, np.ndarray) and isinstance(b, np.ndarray), "matrices come first"

    def call() -> None:
        np.copyto(output, c)
        blas.sgemm(alpha, b.T, a.T, beta, output.T, overwrite_c=1)

    return Prepared(call, output)
