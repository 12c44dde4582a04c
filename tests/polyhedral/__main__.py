"""Random pairs of pipelines and schedules, as many as one likes; the suite runs a few of each kind.

    python -m tests.polyhedral 5000                    all kinds, for seeds 0 to 4999
    python -m tests.polyhedral 5000 folds in_place     some kinds
    python -m tests.polyhedral 5000 --first 100000     other seeds

    updates        directives on updates: the verdict is that of running all iterations, pair by pair
    folds          folds of what slides: the verdict is that of running the loops
    in_place       outputs in the memory of inputs: what is accepted gives what a run apart gives
    shared_loops   compute_with: what is accepted gives what the oracle gives
    pipelines      several stages, with places, folds, tails and loops of all kinds together: the verdict is that of
                   running the loops on elements

What is claimed wrongly is printed with its seed, and makes the exit status 1; so does refusing more than one in a
hundred of what is legal.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import Counter
from collections.abc import Callable

import halopy as hl

from ..test_random_in_place import outcome as in_place
from .random_pipelines import outcome as pipelines
from .random_shared_loops import outcome as shared_loops
from .random_updates import random_update
from .test_random_folds import outcome as folds
from .test_random_legality import follow

MOST_NEEDLESS = 0.01


def updates(seed: int) -> Counter[str]:
    counts = {"accepted": 0, "refused": 0, "needless": 0}
    follow(seed, random_update(seed), counts)
    return Counter(counts)


KINDS: dict[str, Callable[[int], str | Counter[str]]] = {
    "updates": updates,
    "folds": folds,
    "in_place": in_place,
    "shared_loops": shared_loops,
    "pipelines": pipelines,
}


def run(kind: str, seeds: range) -> bool:
    """Whether all went well."""
    counts = Counter[str]()
    for seed in seeds:
        try:
            found = KINDS[kind](seed)
        except (AssertionError, hl.HalideError) as wrong:
            counts["wrong"] += 1
            print(f"{kind}, seed {seed}: {type(wrong).__name__}: {wrong}", flush=True)
            continue
        counts.update(found if isinstance(found, Counter) else [found])
    print(f"{kind}: {dict(counts)}", flush=True)
    return not counts["wrong"] and counts["needless"] <= MOST_NEEDLESS * (counts["accepted"] + counts["needless"])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.polyhedral", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("count", type=int, help="how many seeds of each kind")
    parser.add_argument("kinds", nargs="*", metavar="kind", help=", ".join(KINDS))
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    options = parser.parse_intermixed_args()
    unknown = [kind for kind in options.kinds if kind not in KINDS]
    if unknown:
        parser.error(f"there is no kind {unknown[0]}: {', '.join(KINDS)}")
    warnings.simplefilter("ignore")
    seeds = range(options.first, options.first + options.count)
    went_well = {kind: run(kind, seeds) for kind in options.kinds or KINDS}
    return 0 if all(went_well.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
