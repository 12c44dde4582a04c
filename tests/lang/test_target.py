"""Targets: read from text, asked for features."""

from __future__ import annotations

import pytest

import halopy as hl


def test_a_text_names_a_machine():
    t = hl.Target("x86-64-linux-avx2-fma")
    assert t.to_string() == str(t) == "x86-64-linux-avx2-fma"
    assert t.has_feature(hl.TargetFeature.AVX2) and not t.has_feature(hl.TargetFeature.AVX512)
    assert (t.arch, t.bits, t.os) == ("x86", 64, "linux")


def test_host_takes_further_features():
    host = hl.get_host_target()
    assert hl.Target("host") == host
    with_gpu = hl.Target("host-opencl")
    assert with_gpu.has_gpu_feature() and not host.has_gpu_feature()
    assert with_gpu.without_feature(hl.TargetFeature.OpenCL) == host


def test_features_can_be_set():
    t = hl.Target("x86-64-linux")
    t.set_features([hl.TargetFeature.AVX, hl.TargetFeature.AVX2])
    assert t.features_all_of([hl.TargetFeature.AVX, hl.TargetFeature.AVX2])
    t.set_feature(hl.TargetFeature.AVX2, False)
    assert not t.features_any_of([hl.TargetFeature.AVX2, hl.TargetFeature.OpenCL])


@pytest.mark.parametrize(
    "text",
    ["x86-64-linux", "x86-64-linux-avx", "x86-64-linux-avx2", "x86-64-linux-avx512", "x86-64-linux-avx512_skylake"],
)
@pytest.mark.parametrize("bits", [8, 16, 32, 64])
def test_vector_sizes_are_those_of_halide(text, bits):
    halide = pytest.importorskip("halide")
    for kind in ("Int", "Float")[: 1 if bits == 8 else 2]:
        ours = hl.Target(text).natural_vector_size(getattr(hl, kind)(bits))
        assert ours == halide.Target(text).natural_vector_size(getattr(halide, kind)(bits))


def test_natural_vectors_of_this_machine():
    assert hl.natural_vector_size(hl.UInt(8)) == hl.get_host_target().natural_vector_size(hl.UInt(8)) >= 8


def test_unknown_words_are_refused(golden):
    with pytest.raises(hl.UnsupportedTarget) as refused:
        hl.Target("x86-64-linux-warp9")
    assert str(refused.value) == golden
