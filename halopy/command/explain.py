"""`halopy explain`: what a schedule makes of a pipeline, in numbers, before anything runs."""

from __future__ import annotations

import argparse
import sys

from .pipelines import SCHEDULES, wanted_pipelines
from .sizes import check_rank, sizes
from .unusable import Unusable

PURPOSE = "Print what a schedule costs: trip counts, operations, bytes and recomputation of each loop and stage."
_FURTHER = 3  # the extent of a dimension for which none is given: channels, mostly


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="APP|module:function", help="an app, or a function that makes a pipeline")
    parser.add_argument("--schedule", choices=SCHEDULES, help="that written by hand (of apps, unless told), or another")
    parser.add_argument("--sizes", type=sizes, default=(), metavar="WxH", help="of the output")


def run(options: argparse.Namespace) -> int:
    """0 where it can be said."""
    for each in wanted_pipelines(options.target, options.schedule, options.sizes):
        pipeline = each.make()
        check_rank(pipeline, options.sizes)
        known = options.sizes or each.size
        if not known:
            raise Unusable(f"--sizes must say how large the output of {each.name} is")
        rank = pipeline.outputs()[0].dimensions()
        sys.stdout.write(f"{each.name}:\n{pipeline.explain((*known, *[_FURTHER] * rank)[:rank])}\n")
    return 0
