"""Over random schedules of several stages, the verdict is that of running the loops on elements."""

from __future__ import annotations

from collections import Counter

import pytest

from .loop_semantics import Nest, Producer, is_legal
from .random_pipelines import outcome


def test_the_verdict_is_that_of_running_the_loops(first: int = 0, count: int = 10) -> None:
    outcomes = Counter(map(outcome, range(first, first + count)))
    assert outcomes["accepted"] > 0
    assert outcomes["refused"] > 0
    assert outcomes["needless"] == 0


@pytest.mark.parametrize(
    ("rows", "store", "parallel", "legal"),
    [(3, 0, (), True), (2, 0, (), False), (3, 0, (0,), False), (3, 1, (0,), True), (3, 2, (), False)],
)
def test_the_judge_knows_a_blur(rows: int, store: int, parallel: tuple[int, ...], legal: bool) -> None:
    reads = [("f", lambda c, by=by: (c[0], c[1] + by)) for by in (-1, 0, 1)]
    f = Producer("f", (), compute=1, store=store, fold={1: rows})
    assert is_legal(Nest((3, 5), reads, lambda c: (c[1], c[0]), frozenset(parallel), [f])) == legal
