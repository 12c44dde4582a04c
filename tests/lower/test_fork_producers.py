"""Where async Funcs part from their consumers, and what each half does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import halopy as hl
from halopy.ir.linear import difference
from halopy.ir.node import find
from halopy.ir.stmt import Await, For, Fork, Produce, Provide, Publish, Stmt
from halopy.ir.verify import verify
from halopy.lower.fork_producers import fork_producers
from halopy.lower.run_ahead import run_ahead

from .pipelines import nests

x, y, yo, yi = map(hl.Var, ("x", "y", "yo", "yi"))


def forked(out: hl.Func) -> Stmt:
    built = nests(out)
    result = fork_producers(built.stmt, run_ahead(built.regions))
    verify(result)
    return result


def forks(out: hl.Func) -> list[Fork]:
    return find(forked(out), Fork)


def names(stmt: Stmt, kind: type[Produce] | type[Provide]) -> set[str]:
    return {node.name for node in find(stmt, kind)}


def pair() -> tuple[hl.Func, hl.Func]:
    g, f = hl.Func("g"), hl.Func("f")
    g[x, y] = x + y
    f[x, y] = g[x, y - 1] + g[x, y + 1]
    return g, f


def test_each_half_has_the_loop_and_what_it_computes():
    g, f = pair()
    g.store_root().compute_at(f, y).fold_storage(y, 8).async_()
    (fork,) = forks(f)
    assert fork.counters == ("g.made", "g.used")
    assert isinstance(fork.producer, For)
    assert isinstance(fork.consumer, For)
    assert fork.producer.name == fork.consumer.name == "f.s0.y"
    assert names(fork.producer, Provide) == {"g"}
    assert names(fork.consumer, Provide) == {"f"}
    assert [str(s).strip() for s in find(fork.producer, Await)] == ["await g.used (f.s0.y + -6)"]
    assert [str(s).strip() for s in find(fork.producer, Publish)] == ["publish g.made"]
    assert [str(s).strip() for s in find(fork.consumer, Publish)] == ["publish g.used (f.s0.y + -1)"]
    assert [str(s).strip() for s in find(fork.consumer, Await)] == ["await g.made"]


def test_one_that_uses_another_tells_it_of_a_counter_of_its_own():
    a, b, f = (hl.Func(name) for name in "abf")
    a[x, y] = x + y
    b[x, y] = a[x, y - 1] + a[x, y + 1]
    f[x, y] = b[x, y - 1] + b[x, y + 1]
    for producer in (a, b):
        producer.store_root().compute_at(f, y).async_()
    outer = next(fork for fork in forks(f) if fork.name == "a")
    assert outer.counters == ("a.made", "a.used", "a.used.b")
    assert {wait.counter for wait in find(outer.producer, Await)} == {"a.used", "a.used.b"}
    (inner,) = find(outer.consumer, Fork)
    assert {wait.counter for wait in find(inner.producer, Await)} == {"a.made", "b.used"}
    assert {publish.counter for publish in find(inner.producer, Publish)} == {"a.used.b", "b.made"}


def test_a_producer_is_awaited_only_where_it_is_read():
    a, b, f = (hl.Func(name) for name in "abf")
    a[x] = x
    b[x] = x * 2
    f[x] = a[x] + b[x]
    a.compute_root().async_()
    b.compute_root().async_()
    (fork,) = forks(f)  # the other is computed by the consumer's thread: nothing else could run meanwhile
    (other,) = {"a", "b"} - names(fork.producer, Provide)
    text = str(fork.consumer)
    assert text.index(f"produce {other}") < text.index(f"await {fork.name}.made") < text.index("f(f.s0.x)")


ALONE: dict[str, Callable[[hl.Func, hl.Func], object]] = {
    "computed where it is read at once": lambda g, f: g.compute_root(),
    "a ring of one": lambda g, f: g.compute_at(f, y).hoist_storage_root().ring_buffer(1),
    "folded to what is in use": lambda g, f: g.store_root().compute_at(f, y).fold_storage(y, 3),
    "computed anew by split loops": lambda g, f: g.store_root().compute_at(f, y).split(y, yo, yi, 2),
    "inside a vectorized loop": lambda g, f: (f.vectorize(y, 4), g.compute_at(f, y)),
}


@pytest.mark.parametrize("how", ALONE)
def test_nothing_forks_where_nothing_can_run_meanwhile(how: str):
    g, f = pair()
    ALONE[how](g, f)
    g.async_()
    assert forks(f) == []


@pytest.mark.parametrize("slots", [2, 5])
def test_a_ring_forks_around_the_loop_that_uses_its_parts(slots: int):
    g, f = pair()
    g.compute_at(f, y).hoist_storage_root().ring_buffer(slots).async_()
    (fork,) = forks(f)
    (wait,) = find(fork.producer, Await)
    (publish,) = find(fork.consumer, Publish)
    assert wait.value is not None
    assert publish.value is not None
    assert difference(publish.value, wait.value) == slots - 1


def test_an_async_func_that_nothing_folds_is_never_kept_waiting():
    below = hl.Param(hl.Int(32), "below")
    g, f = hl.Func("g"), hl.Func("f")
    g[x, y] = x + y
    f[x, y] = g[x, y] + g[x, y + below]
    g.store_root().compute_at(f, y).async_()
    (fork,) = forks(f)
    assert fork.counters == ("g.made",)
    assert not find(fork.producer, Await)
