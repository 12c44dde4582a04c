"""Random pipelines under random schedules, compared with the oracle.

    python -m tests.fuzz --seed 0 --time 600           as many cases as ten minutes allow, from seed 0 on
    python -m tests.fuzz --seed 0 --cases 1000         so many cases
    python -m tests.fuzz --seed 4711 --cases 1         one case again
    python -m tests.fuzz --target host-opencl ...      on an OpenCL device
    python -m tests.fuzz --sanitize ...                under gcc's sanitizers of addresses and undefined behaviour

Each case runs in a process that may crash or hang. One that gives other values than the oracle, fails other than by a
UserError, crashes or hangs is shrunk and printed, as a program that stands alone; the exit status is then 1.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace

from .case import Case
from .outcome import HUNG, Outcome
from .random_case import random_case
from .repair import run_repaired
from .shrink import shrink
from .worker import Worker
from .write_program import write_program

_TRIES_OF_A_HANG = 12  # each may take as long as the first


def report(worker: Worker, case: Case, found: Outcome, tries: int) -> str:
    """A small program that shows what went wrong."""

    def fails(smaller: Case) -> bool:
        return worker.run(smaller).sort == found.sort

    small = shrink(without(case, found.refused), fails, tries)
    last = worker.run(small)
    if last.sort != found.sort:
        small, last = case, found
    return f"{last.text}\n{write_program(without(small, last.refused))}\n"


def without(case: Case, refused: tuple[int, ...]) -> Case:
    """The case without the directives that were refused."""
    return replace(case, directives=tuple(d for k, d in enumerate(case.directives) if k not in refused))


def sanitizers() -> dict[str, str]:
    """The environment in which compiled pipelines end their process at a wrong address or undefined behaviour."""
    libraries = [
        subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True).stdout.strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    return {
        "HALOPY_CC": "gcc -fsanitize=address,undefined -fno-sanitize-recover=all -g",
        "LD_PRELOAD": ":".join(libraries),  # Python itself is not built with them
        "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="of the first case")
    parser.add_argument("--time", type=float, default=float("inf"), help="seconds after which no case is begun")
    parser.add_argument("--cases", type=int, help="how many cases")
    parser.add_argument("--limit", type=float, default=120, help="seconds for one case")
    parser.add_argument("--shrink", type=int, default=400, help="how many smaller cases to try")
    parser.add_argument("--target", default="", help="what to compile for, if not the host")
    parser.add_argument("--verify", default="off", help="how much each compilation is validated: off, full, or auto")
    parser.add_argument("--sanitize", action="store_true", help="have gcc watch addresses and undefined behaviour")
    options = parser.parse_args()
    if options.cases is None and options.time == float("inf"):
        options.cases = 100
    counts, start, seed = Counter[str](), time.monotonic(), options.seed
    with tempfile.TemporaryDirectory() as cache:
        os.environ.update(HALOPY_CACHE_DIR=cache, HALOPY_VERIFY=options.verify)
        if options.sanitize:
            os.environ.update(sanitizers())
        with Worker(options.limit) as worker:
            while time.monotonic() - start < options.time and (
                options.cases is None or seed < options.seed + options.cases
            ):
                case = random_case(seed, options.target)
                case, found = run_repaired(case, worker.run, random.Random(seed))
                counts[found.kind] += 1
                if found.is_bug:
                    print(f"seed {seed}: {found.kind}: {found.text}", flush=True)
                    tries = options.shrink if found.kind != HUNG else min(options.shrink, _TRIES_OF_A_HANG)
                    print(report(worker, case, found, tries), flush=True)
                seed += 1
                if seed % 20 == 0:
                    print(f"seeds {options.seed} to {seed - 1}: {dict(counts)}", file=sys.stderr, flush=True)
    print(f"seeds {options.seed} to {seed - 1}: {dict(counts)}", flush=True)
    return 1 if any(Outcome(kind).is_bug for kind in counts) else 0


if __name__ == "__main__":
    sys.exit(main())
