"""The same program gives the same derivatives as the Halide wheel: of Funcs, of their updates, and of inputs."""

from __future__ import annotations

import numpy as np
import pytest

import halopy

halide = pytest.importorskip("halide")


def floats(*shape):
    return np.random.default_rng(shape).uniform(0.5, 1.5, shape).astype(np.float32)


PLACES = np.array([2, 2, 1, 3], np.int32)  # kept alive: Halide reads the array's memory


def total(hl, f, width):
    r = hl.RDom([(0, width)])
    loss = hl.Func("loss")
    loss[()] = 0.0
    loss[()] += f[r.x] * f[r.x]
    return loss


def blur(hl, x, b):
    f, g = hl.Func("f"), hl.Func("g")
    f[x] = b[x] + b[x + 1]
    g[x] = f[x] + f[x + 1] * 2
    loss = total(hl, g, 5)
    return loss, {"g": (g, 5), ("f",): (f, 6), "b": (b, 7), "loss": (loss, 0)}


def edge(hl, x, b):
    f, g = hl.BoundaryConditions.repeat_edge(b), hl.Func("g")
    g[x] = f[x - 1] * f[x + 2]
    return total(hl, g, 8), {"b": (b, 8), "g": (g, 8), "f": (f, 10)}


def convolution(hl, x, b):
    k = hl.Buffer(floats(3), "k")
    r = hl.RDom([(0, 3)])
    f = hl.Func("f")
    f[x] = 0.0
    f[x] += b[x + r.x] * k[r.x]
    return total(hl, f, 6), {"b": (b, 8), "k": (k, 3), "f": (f, 6), "update": ((f, 0), 6)}


def updates(hl, x, b):
    f = hl.Func("f")
    f[x] = b[x] * 2
    f[1] = 0.0
    f[2] = 3 * f[6]
    return total(hl, f, 5), {
        "b": (b, 8), "f": (f, 5), "first": ((f, 0), 5), "second": ((f, 1), 5),
    }  # fmt: skip


def sampled(hl, x, b):
    f, g = hl.Func("f"), hl.Func("g")
    f[x] = b[x // 2]
    g[x] = f[3 * x] * f[3 * x + 1]
    return total(hl, g, 5), {"b": (b, 7), "f": (f, 14)}


def scan(hl, x, b):
    r = hl.RDom([(0, 5)])
    f, g = hl.Func("f"), hl.Func("g")
    f[x] = 0.0
    f[0] = 1.0
    f[r.x + 1] = f[r.x] * 2 + b[r.x]
    g[x] = f[x + 5]
    return total(hl, g, 1), {"b": (b, 6), "g": (g, 1), "before": ((f, 0), 6)}


def histogram(hl, x, b):
    place = hl.Buffer(PLACES)
    r = hl.RDom([(0, 4)])
    f = hl.Func("f")
    f[x] = 0.0
    f[hl.clamp(place[r.x], 0, 3)] += b[r.x]
    return total(hl, f, 4), {"b": (b, 6), "f": (f, 4), "update": ((f, 0), 4)}


def functions(hl, x, b):
    f = hl.Func("f")
    e = b[x]
    f[x] = hl.select(e > 1.0, hl.sin(e) * hl.exp(e), hl.sqrt(e)) + hl.max(e, 0.75) * hl.abs(e - 1) + hl.pow(e, 1.5)
    return total(hl, f, 8), {"b": (b, 8), "f": (f, 8)}


def pairs(hl, x, b):
    t, f = hl.Func("t"), hl.Func("f")
    t[x] = (b[x], b[x + 1])
    t[x] = (t[x][0] + 1.0, t[x][1] + 1.0)
    f[x] = t[x][0] * t[x][1]
    return total(hl, f, 5), {"b": (b, 6), "f": (f, 5), "t": (t, 5), "update": ((t, 0), 5)}


PIPELINES = [blur, edge, convolution, updates, sampled, scan, histogram, functions, pairs]


def derivatives(hl, make):
    x, b = hl.Var("x"), hl.Buffer(floats(9), "b")
    loss, asked = make(hl, x, b)
    d = hl.propagate_adjoints(loss)
    found = {}
    for name, (key, width) in asked.items():
        result = d[key].realize([width] if width else [])
        parts = result if isinstance(result, list | tuple) else [result]
        found[name] = [np.array(part) for part in parts]
    return found


@pytest.mark.parametrize("make", PIPELINES)
def test_derivatives_are_those_of_halide(make):
    ours, theirs = derivatives(halopy, make), derivatives(halide, make)
    for name, parts in theirs.items():
        for found, expected in zip(ours[name], parts, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5, err_msg=str(name))


def test_adjoints_have_the_names_of_halide():
    for hl in (halopy, halide):
        x, b = hl.Var("x"), hl.Buffer(floats(9), "b_of_names")
        f = hl.Func("f_of_names")
        f[x] = b[x]
        f[1] = 0.0
        d = hl.propagate_adjoints(total(hl, f, 4))
        assert d[f].name().split("$")[0] == "f_of_names_0_d_def__"
        assert d[f, 0].name().split("$")[0] == "f_of_names_1_d_def__"
        assert d[b].name().split("$")[0] == "b_of_names_d__"
