"""One pipeline with its schedule, compiled to C text or verified, in a process of its own.

    python -m apps.rivals.proof CASE|chain:root|sliding|strips:STAGES compile|verify

Of what is verified, a list of the statuses is printed as JSON; who compiles, asks with `HALOPY_TIME=1`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import halopy as hl
from apps.cases import case_named, named

TILE, STRIP = 32, 64


def main() -> None:
    inputs, output = _pipeline(sys.argv[1])
    if sys.argv[2] == "verify":
        print(json.dumps([obligation.status for obligation in output.verify().obligations]))
        return
    with TemporaryDirectory(prefix="halopy-proof-") as folder:
        output.compile_to_c(str(Path(folder) / "pipeline.c"), list(inputs), "pipeline")


def _pipeline(name: str) -> tuple[tuple[hl.ImageParam, ...], hl.Func]:
    if name.startswith("chain:"):
        _, kind, stages = name.split(":")
        return _chain(kind, int(stages))
    case = case_named(name)
    algorithm = named(case.algorithm)()
    named(case.schedules["hand"])(**algorithm.stages)
    return algorithm.inputs, algorithm.output


def _chain(kind: str, stages: int) -> tuple[tuple[hl.ImageParam, ...], hl.Func]:
    """Three-tap stencils, each of the one before."""
    image = hl.ImageParam(hl.Float(32), 2, "image")
    x, y, xi, yi, strip = (hl.Var(name) for name in ("x", "y", "xi", "yi", "strip"))
    funcs: list[hl.Func] = []
    for stage in range(stages):
        before = funcs[-1] if funcs else image
        funcs.append(hl.Func(f"stage_{stage}"))
        funcs[-1][x, y] = (before[x - 1, y] + before[x, y] * 2.0 + before[x + 1, y + 1]) * 0.25
    last = funcs[-1]
    if kind == "root":
        for func in funcs:
            func.compute_root().tile(x, y, xi, yi, TILE, TILE)
    elif kind == "sliding":
        for func in funcs[:-1]:
            func.store_root().compute_at(last, y)
    else:
        last.split(y, strip, y, STRIP).parallel(strip)
        for func in funcs[:-1]:
            func.store_at(last, strip).compute_at(last, y)
    return (image,), last


if __name__ == "__main__":
    main()
