"""Multiply matrices of 32-bit floats: alpha * op(A) * op(B) + beta * C, where op may transpose.

python -m apps.sgemm A.npy B.npy [C.npy] --out product.npy
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

import halopy as hl
from apps import arrays, command
from apps.algorithm import Algorithm
from apps.arrays import Array
from schedules import sgemm as schedules

_USUAL = (1024, 1024, 1024)
_EPILOG = """\
Matrices are two-dimensional NumPy arrays; what they hold is taken as 32-bit floats. Without files, matrices of normally
distributed numbers are made, the same ones each time, of the shape that --size says.

schedules (they change how fast the product is made, never what it is, but for rounding):
  hand   written for this app by a person, in schedules/sgemm.py
  auto   found by halopy, which is told the size of the matrices
  none   the algorithm as it stands: plain loops, one thread

On --target opencl, which is a GPU or whatever HALOPY_OPENCL_DEVICE names, hand is another one, for such devices.

examples:
  python -m apps.sgemm --size 512 512 512
  python -m apps.sgemm A.npy B.npy --transpose-b --alpha 0.5 --out product.npy
"""


def sgemm(*, transpose_a: bool = False, transpose_b: bool = False) -> Algorithm:
    """x counts columns and y rows, as in NumPy's result[y, x]."""
    a, b, c = (hl.ImageParam(hl.Float(32), 2, name) for name in ("a", "b", "c"))
    alpha, beta = (hl.Param(hl.Float(32), name) for name in ("alpha", "beta"))
    x, y = hl.Var("x"), hl.Var("y")
    k = hl.RDom([(0, a.height() if transpose_a else a.width())], "k")
    left, right, product, result = (hl.Func(name) for name in ("left", "right", "product", "result"))

    left[x, y] = a[y, x] if transpose_a else a[x, y]
    right[x, y] = b[y, x] if transpose_b else b[x, y]
    product[x, y] += left[k, y] * right[x, k]
    result[x, y] = alpha * product[x, y] + beta * c[x, y]
    return Algorithm((a, b, c, alpha, beta), {"left": left, "right": right, "product": product, "result": result})


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    if options.out:
        arrays.check_writable(options.out)
    a, b, c = _matrices(options)
    rows, depth, columns = _shape(options, a, b, c)
    result = np.zeros((rows, columns), np.float32)
    c = result.copy() if c is None else c
    build = partial(sgemm, transpose_a=options.transpose_a, transpose_b=options.transpose_b)
    values = [a, b, c, options.alpha, options.beta]
    timed = command.fill(options, build, schedules.sgemm, values, result, opencl=schedules.sgemm_opencl)
    seconds = median(timed.further)
    print(
        f"sgemm: {rows}x{depth} by {depth}x{columns}, {options.schedule} schedule: first call {timed.first:.3f} s"
        f" (with compiling), then {seconds * 1e3:.3f} ms = {2 * rows * depth * columns / seconds / 1e9:.3g} GFLOP/s"
        f" (median of {len(timed.further)} calls)"
    )
    if options.out:
        arrays.save(options.out, result)
        print(f"wrote {options.out}")


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m apps.sgemm",
        description="Multiply two matrices: alpha * A * B + beta * C.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.set_defaults(app="sgemm")
    made.add_argument("files", nargs="*", type=Path, metavar="FILE", help="A.npy B.npy, or A.npy B.npy C.npy")
    made.add_argument("--out", "-o", type=Path, help="write the result to this .npy file")
    made.add_argument("--transpose-a", action="store_true", help="take the columns of A as its rows")
    made.add_argument("--transpose-b", action="store_true", help="take the columns of B as its rows")
    made.add_argument("--alpha", type=float, default=1.0, metavar="NUMBER", help="times the product (%(default)s)")
    made.add_argument("--beta", type=float, default=1.0, metavar="NUMBER", help="times C, 0 if none (%(default)s)")
    made.add_argument("--schedule", choices=("hand", "auto", "none"), default="hand", help="see below (%(default)s)")
    command.add_target(made)
    made.add_argument(
        "--size", type=_count, nargs=3, default=_USUAL, metavar=("ROWS", "DEPTH", "COLUMNS"),
        help="without files: rows of the result, columns of A, columns of the result (1024 each)",
    )  # fmt: skip
    return made


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1 << 15:
        raise argparse.ArgumentTypeError(f"{text} is no whole number from 1 to {1 << 15}")
    return int(text)


def _matrices(options: argparse.Namespace) -> tuple[Array, Array, Array | None]:
    """A and B as given, and C if there is one."""
    if not options.files:
        rows, depth, columns = options.size
        made = np.random.default_rng(0)
        a = made.standard_normal((depth, rows) if options.transpose_a else (rows, depth), np.float32)
        b = made.standard_normal((columns, depth) if options.transpose_b else (depth, columns), np.float32)
        return a, b, None
    if not 2 <= len(options.files) <= 3:
        raise SystemExit(f"sgemm: two or three files are needed (A.npy B.npy [C.npy]), not {len(options.files)}")
    a, b, *c = (arrays.load(path, rank=2) for path in options.files)
    return a, b, c[0] if c else None


def _shape(options: argparse.Namespace, a: Array, b: Array, c: Array | None) -> tuple[int, int, int]:
    """Rows, depth and columns of the product. Ends the program where the matrices do not fit together."""
    rows, depth = reversed(a.shape) if options.transpose_a else a.shape
    depth_of_b, columns = reversed(b.shape) if options.transpose_b else b.shape
    if depth != depth_of_b:
        of_a, of_b = ("the transpose of " * flag for flag in (options.transpose_a, options.transpose_b))
        raise SystemExit(
            f"sgemm: {of_a}A has {depth} columns ({arrays.described(a)}), but {of_b}B has {depth_of_b} rows"
            f" ({arrays.described(b)}); they must be as many"
        )
    if c is not None and c.shape != (rows, columns):
        raise SystemExit(f"sgemm: C is {arrays.described(c)}, but the product is {rows}x{columns}")
    return rows, depth, columns


if __name__ == "__main__":
    main()
