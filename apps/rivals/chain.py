"""How long one compiler takes for one chain of stencils, in a process of its own; prints a line of JSON.

    python -m apps.rivals.chain halopy|halide STAGES

Each stage reads three neighbours of the one before; every stage is tiled 32x32 and stored at root.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from types import ModuleType
from typing import TYPE_CHECKING

from apps.rivals import compiled

if TYPE_CHECKING:
    import halopy

TILE = 32


def chain(hl: ModuleType, stages: int) -> tuple[halopy.ImageParam, halopy.Func]:
    """The algorithm and its schedule."""
    image = hl.ImageParam(hl.Float(32), 2, "image")
    x, y, xi, yi = hl.Var("x"), hl.Var("y"), hl.Var("xi"), hl.Var("yi")
    before = image
    for stage in range(stages):
        func = hl.Func(f"stage_{stage}")
        func[x, y] = (before[x - 1, y] + before[x, y] * 2.0 + before[x + 1, y]) * 0.25
        func.compute_root().tile(x, y, xi, yi, TILE, TILE)
        before = func
    return image, before


def main() -> None:
    engine, stages = sys.argv[1], int(sys.argv[2])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    hl = compiled.load(engine)
    start = perf_counter()
    image, output = chain(hl, stages)
    built = perf_counter()
    with TemporaryDirectory(prefix="halopy-chain-") as folder:
        text = Path(folder) / "chain.c"
        output.compile_to_c(str(text), [image], "chain")
        printed = perf_counter()
        size = text.stat().st_size
    print(json.dumps({"build": built - start, "to_c": printed - built, "bytes": size}), file=answers)


if __name__ == "__main__":
    main()
