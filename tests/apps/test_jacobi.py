"""Steps in time: tiled in one pipeline, or one by one, they give what NumPy gives."""

import numpy as np
import pytest

import halopy as hl
from apps import jacobi
from apps.cases import jacobi as cases
from schedules import jacobi as schedules


def test_the_case_takes_as_many_steps_as_the_app():
    assert cases.STEPS == jacobi.STEPS


@pytest.mark.parametrize("shape", [(67, 530), (5, 3)])
def test_all_steps_have_the_bits_of_single_ones(shape):
    start = np.random.default_rng(3).integers(0, 256, shape).astype(np.float32)
    found = np.ones_like(start)
    tiled = jacobi.all_steps()
    schedules.all_steps(**tiled.stages)
    tiled.inputs[0].set(hl.Buffer(start))
    tiled.output.realize(hl.Buffer(found))
    np.testing.assert_array_equal(found, cases.stepped(start))


def test_integers_too():
    start = np.random.default_rng(3).integers(-999, 999, (70, 45)).astype(np.int32)
    single, tiled = jacobi.one_step(hl.Int(32)), jacobi.all_steps(7, hl.Int(32))
    schedules.one_step(**single.stages)
    schedules.all_steps(**tiled.stages)
    tiled.inputs[0].set(hl.Buffer(start))
    found, expected = np.ones_like(start), start
    tiled.output.realize(hl.Buffer(found))
    for _ in range(7):
        following = np.ones_like(start)
        single.inputs[0].set(hl.Buffer(expected))
        single.output.realize(hl.Buffer(following))
        expected = following
    np.testing.assert_array_equal(found, expected)
