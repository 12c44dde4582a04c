"""Parameters: what stands behind Param and ImageParam."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl


def test_a_param_and_its_parameter_are_one():
    p = hl.Param(hl.Int(16), "p", 5)
    behind = p.parameter()
    assert (behind.name(), behind.type(), behind.is_buffer(), behind.dimensions()) == ("p", hl.Int(16), False, 0)
    assert behind.scalar() == 5 and behind.same_as(hl.Parameter(behind)) and behind.defined()
    behind.set_scalar(7)
    f = hl.Func("f")
    f[()] = p + 0
    assert f.realize([])[()] == 7
    behind.set_scalar(hl.Int(16), 9)
    assert f.realize([])[()] == hl.evaluate(behind.scalar_expr()) == 9


def test_ranges_defaults_and_estimates_of_scalars():
    p = hl.Param(hl.Float(32), "p")
    behind = p.parameter()
    assert not any(e.defined() for e in (behind.min_value(), behind.max_value(), behind.default_value()))
    p.set_range(1, 4)
    assert (hl.evaluate(behind.min_value()), hl.evaluate(behind.max_value())) == (1, 4)
    behind.set_min_value(2)
    assert hl.evaluate(p.min_value()) == 2
    p.set_estimate(3.5)
    behind.set_default_value(2.5)
    assert (hl.evaluate(behind.estimate()), hl.evaluate(behind.default_value())) == (3.5, 2.5)
    with pytest.raises(hl.DefinitionError, match="takes numbers only"):
        behind.set_estimate(p * 2)


def test_a_parameter_can_stand_for_a_buffer():
    behind = hl.Parameter(hl.UInt(8), True, 2, "image")
    assert (behind.name(), behind.is_buffer(), behind.dimensions()) == ("image", True, 2)
    assert not behind.buffer().defined()
    buffer = hl.Buffer(np.zeros((2, 3), np.uint8))
    behind.set_buffer(buffer)
    assert behind.buffer().same_as(buffer)
    with pytest.raises(hl.BufferError, match="`image` cannot be bound to a buffer of type uint8 with 1 dimensions"):
        behind.set_buffer(hl.Buffer(np.zeros(3, np.uint8)))


def test_promises_and_memory_of_a_buffer():
    image = hl.ImageParam(hl.Int(32), 2, "image")
    behind = image.parameter()
    assert hl.evaluate(behind.stride_constraint(0)) == 1  # dense, unless that is lifted
    assert not behind.stride_constraint(1).defined()
    image.dim(0).set_stride(hl.Expr())
    assert not behind.stride_constraint(0).defined()
    behind.set_min_constraint(1, 3)
    behind.set_extent_constraint(1, 5)
    behind.set_stride_constraint(1, 16)
    image.set(hl.Buffer(np.zeros((5, 16), np.int32)).translated(1, 3))
    x, y = hl.Var("x"), hl.Var("y")
    f = hl.Func("f")
    f[x, y] = image[x, y + 3]
    f.realize([16, 5])
    behind.set_min_constraint(1, hl.Expr())
    behind.set_extent_constraint(1, 6)
    with pytest.raises(hl.BufferError, match="its extent of dimension 1 is 5"):
        f.realize([16, 5])
    behind.store_in(hl.MemoryType.Heap)
    assert behind.memory_type() is hl.MemoryType.Heap
    with pytest.raises(hl.DefinitionError, match="`image` has no dimension 2"):
        behind.min_constraint(2)


def test_what_does_not_fit_a_parameter_is_refused():
    scalar, image = hl.Param(hl.Int(8), "p").parameter(), hl.ImageParam(hl.Int(8), 1, "image").parameter()
    with pytest.raises(hl.DefinitionError, match="`p` is a scalar, not a buffer"):
        scalar.buffer()
    with pytest.raises(hl.DefinitionError, match="`image` is a buffer, not a scalar"):
        image.scalar()
    with pytest.raises(hl.DefinitionError, match="has type int8, not int16"):
        scalar.set_scalar(hl.Int(16), 3)
    with pytest.raises(hl.ParamError, match="cannot be 300"):
        scalar.set_scalar(300)
    with pytest.raises(hl.DefinitionError, match="an undefined Parameter is used"):
        hl.Parameter().name()
    assert not hl.Parameter().defined()
