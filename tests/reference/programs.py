"""Programs written directly as IR, and the same programs built with the Halide wheel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from halopy.dtypes import INT32, DType
from halopy.ir.expr import Const, Expr, Read, Var
from halopy.ir.function import Definition, Function, ReductionDomain, ReductionVar
from halopy.ir.program import Image, Program, Scalar
from halopy.ir.refs import ImageRef, ScalarRef

x, y, z = Var("x"), Var("y"), Var("z")


def i32(value: int) -> Expr:
    return Const(value, INT32)


def domain(*ranges: tuple[str, int | Expr, int | Expr], where: Expr | None = None) -> ReductionDomain:
    """A reduction domain from (name, min, extent)."""
    ends = [(n, *(e if isinstance(e, Expr) else i32(e) for e in (low, extent))) for n, low, extent in ranges]
    return ReductionDomain(tuple(ReductionVar(n, low, extent) for n, low, extent in ends), where)


def update(index: Sequence[Expr], values: Expr | Sequence[Expr], rdom: ReductionDomain | None = None) -> Definition:
    return Definition(tuple(index), (values,) if isinstance(values, Expr) else tuple(values), rdom)


def func(name: str, args: Sequence[Var], values: Expr | Sequence[Expr], *updates: Definition) -> Function:
    """A Func `name[args] = values`, then its updates."""
    pure = update(args, values)
    return Function(name, tuple(a.name for a in args), tuple(v.dtype for v in pure.values), (pure, *updates))


def read(of: Function | str, *index: Expr, element: int = 0, dtype: DType = INT32) -> Read:
    """A read of a Func, or by name of one that is being defined or of an image."""
    if isinstance(of, Function):
        return Read(of.name, index, element, of.dtypes[element])
    return Read(of, index, element, dtype)


def program(
    *functions: Function,
    outputs: Sequence[str] = (),
    images: Mapping[str, tuple[DType, int]] | None = None,
    scalars: Mapping[str, DType] | None = None,
) -> Program:
    """Funcs, producers first; the last is the output unless others are named."""
    given = {n: Image(n, d, rank, ImageRef(n, d, rank)) for n, (d, rank) in (images or {}).items()}
    params = {n: Scalar(n, d, ScalarRef(n, d)) for n, d in (scalars or {}).items()}
    by_name = {f.name: f for f in functions}
    return Program(by_name, tuple(outputs) or (functions[-1].name,), given, params, {})


def image(array: np.ndarray, *mins: int) -> tuple[np.ndarray, tuple[int, ...]]:
    return array, mins or (0,) * array.ndim
