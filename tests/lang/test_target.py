"""Targets: read from text, asked for features, and what a run makes of them."""

from __future__ import annotations

import numpy as np
import pytest

import halopy as hl

F = hl.TargetFeature
TEXTS = [
    "", "host", "host-opencl", "host-avx-tune_generic", "host-32", "host-trace_all", "host-vector_bits_512",
    "x86-64-linux", "x86-32-windows-sse41", "x86-64-linux-hvx", "x86-64-osx-metal-jit-debug",
    "x86-64-linux-trace_all-user_context", "x86-64-linux-trace_loads-trace_stores", "linux-x86-64-avx",
    "arm-64-linux-sve2-vector_bits_256", "arm-32-android-cuda-debug-jit-opencl", "arm-64-ios-no_neon",
    "wasm-32-wasmrt-wasm_simd128", "riscv-64-linux-rvv-vector_bits_128", "riscv-64-noos", "hexagon-32-qurt-hvx",
    "powerpc-64-linux-vsx", "x86-64-linux-tune_znver4-avx512_zen4",
]  # fmt: skip
NO_TEXTS = [
    "-", "x86", "x86-64", "avx", "linux", "64", "x86-23", "x86-0", "host-unknowntoken", "opencl-host",
    "x86-64-x86-linux", "x86-64-linux-windows", "x86-64-linux-tune_k8-tune_k8", "x86-64-linux-", "x86-64-linux-AVX",
    "0-arch_unknown-os_unknown", "0-arch_unknown-os_unknown-sse41", "arch_unknown-0-os_unknown",
]  # fmt: skip
TYPES = [("UInt", 1), ("UInt", 8), ("Int", 16), ("UInt", 32), ("Int", 64), ("Float", 16), ("Float", 32), ("Float", 64)]


def same_type(module, kind, bits):
    return getattr(module, kind)(bits)


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_means_what_it_means_to_halide(text):
    halide = pytest.importorskip("halide")
    ours, theirs = hl.Target(text), halide.Target(text)
    assert ours.to_string() == str(ours) == theirs.to_string()
    assert repr(ours) == repr(theirs).replace("halide", "halopy")
    assert hl.Target.validate_target_string(text) == halide.Target.validate_target_string(text)
    for part in ("arch", "os", "processor_tune"):
        assert str(getattr(ours, part)) == str(getattr(theirs, part))
    assert ours.bits == theirs.bits
    for name, feature in hl.TargetFeature.__members__.items():
        assert ours.has_feature(feature) == theirs.has_feature(getattr(halide.TargetFeature, name)), name
    assert ours.maximum_buffer_size() == theirs.maximum_buffer_size()


@pytest.mark.parametrize("text", TEXTS)
def test_types_and_devices_of_a_target_are_those_of_halide(text):
    halide = pytest.importorskip("halide")
    for base in (text, f"{text}-metal", f"{text}-opencl-cl_doubles", f"{text}-vulkan-vk_int8-vk_v13"):
        if not text:
            continue
        ours, theirs = hl.Target(base), halide.Target(base)
        devices = [(hl.DeviceAPI[n], getattr(halide.DeviceAPI, n)) for n in hl.DeviceAPI.__members__]
        for kind, bits in TYPES:
            mine, other = same_type(hl, kind, bits), same_type(halide, kind, bits)
            assert ours.natural_vector_size(mine) == theirs.natural_vector_size(other)
            assert ours.supports_type(mine) == theirs.supports_type(other)
            for device, their_device in devices:
                assert ours.supports_type(mine, device) == theirs.supports_type(other, their_device), (base, device)
        for device, their_device in devices:
            assert ours.supports_device_api(device) == theirs.supports_device_api(their_device)


@pytest.mark.parametrize("text", NO_TEXTS)
def test_what_halide_does_not_understand_is_refused(text):
    halide = pytest.importorskip("halide")
    with pytest.raises(halide.HalideError):
        halide.Target(text)
    with pytest.raises(hl.UnsupportedTarget, match="Did not understand Halide target"):
        hl.Target(text)
    assert hl.Target.validate_target_string(text) == halide.Target.validate_target_string(text) is False


def test_enumerations_are_those_of_halide():
    halide = pytest.importorskip("halide")
    for name in ("TargetArch", "TargetOS", "TargetFeature", "TargetProcessorTune", "DeviceAPI"):
        ours, theirs = getattr(hl, name), getattr(halide, name)
        for member, value in theirs.__members__.items():
            assert int(ours[member]) == int(value), (name, member)
            assert str(ours[member]) == str(value)


def test_unknown_words_are_refused(golden):
    with pytest.raises(hl.UnsupportedTarget) as refused:
        hl.Target("x86-64-linux-warp9")
    assert str(refused.value) == golden


def test_features_of_another_architecture_are_refused():
    with pytest.raises(hl.UnsupportedTarget, match="sve is incompatible with the Target's architecture"):
        hl.Target("x86-64-linux-sve")
    with pytest.raises(hl.UnsupportedTarget, match="avx2 is incompatible"):
        hl.Target(hl.TargetOS.Linux, hl.TargetArch.ARM, 64, [F.AVX2])
    assert hl.Target("arm-64-linux-sve").has_feature(F.SVE)


def test_an_undecided_target_has_no_parts():
    t = hl.Target()
    assert str(t) == "arch_unknown-0-os_unknown"
    assert (t.arch, t.bits, t.os) == (hl.TargetArch.ArchUnknown, 0, hl.TargetOS.OSUnknown)
    with pytest.raises(hl.UnsupportedTarget, match="natural_vector_size cannot be used on a Target with Unknown"):
        t.natural_vector_size(hl.UInt(8))


def test_a_target_can_be_made_from_its_parts():
    parts = (hl.TargetOS.Linux, hl.TargetArch.X86, 64)
    assert str(hl.Target(*parts)) == "x86-64-linux"
    assert str(hl.Target(*parts, [F.SSE41, F.AVX])) == "x86-64-linux-avx-sse41"
    assert str(hl.Target(*parts, hl.TargetProcessorTune.TuneZnVer3)) == "x86-64-linux-tune_znver3"
    assert str(hl.Target(*parts, hl.TargetProcessorTune.TuneK8, [F.JIT])) == "x86-64-linux-tune_k8-jit"
    for wrong in (parts[:2], (*parts, ["sse41"]), (*parts, [F.SSE41], [F.AVX]), (7,)):
        with pytest.raises(TypeError, match="incompatible constructor arguments"):
            hl.Target(*wrong)


def test_parts_can_be_changed():
    t = hl.Target("x86-64-linux")
    t.os, t.bits, t.processor_tune = hl.TargetOS.Windows, 32, hl.TargetProcessorTune.TuneBtVer2
    t.arch = hl.TargetArch.POWERPC
    assert t == hl.Target("powerpc-32-windows-tune_btver2")
    t.vector_bits = 128
    assert str(t).endswith("-vector_bits_128") and t == hl.Target("powerpc-32-windows-tune_btver2")


def test_host_takes_further_features():
    host = hl.get_host_target()
    assert hl.Target("host") == hl.Target("") == host
    assert host.supported()
    with_gpu = hl.Target("host-opencl")
    assert with_gpu.has_gpu_feature() and not host.has_gpu_feature()
    assert with_gpu.without_feature(F.OpenCL) == host
    assert with_gpu != host
    assert hl.host_supports_target_device(host) and not hl.host_supports_target_device(with_gpu)


def test_features_can_be_set():
    t = hl.Target("x86-64-linux")
    t.set_features([F.AVX, F.AVX2])
    assert t.features_all_of([F.AVX, F.AVX2])
    t.set_feature(F.AVX2, False)
    assert not t.features_any_of([F.AVX2, F.OpenCL])
    assert t.features_any_of([F.AVX2, F.AVX])
    t.set_feature(F.FeatureEnd)
    assert t == hl.Target("x86-64-linux-avx")
    assert t.has_feature(F.FeatureEnd)


def test_natural_vectors_of_this_machine():
    assert hl.natural_vector_size(hl.UInt(8)) == hl.get_host_target().natural_vector_size(hl.UInt(8)) >= 8


def test_devices_have_features():
    assert hl.target_feature_for_device_api(hl.DeviceAPI.OpenCL) is F.OpenCL
    assert hl.target_feature_for_device_api(hl.DeviceAPI.Hexagon) is F.HVX
    assert hl.target_feature_for_device_api(hl.DeviceAPI.Host) is F.FeatureEnd


def test_the_environment_chooses_targets(monkeypatch):
    monkeypatch.delenv("HL_TARGET", raising=False)
    monkeypatch.delenv("HL_JIT_TARGET", raising=False)
    host = hl.get_host_target()
    assert hl.get_target_from_environment() == host
    assert hl.get_jit_target_from_environment() == host.with_feature(F.JIT)
    monkeypatch.setenv("HL_TARGET", "arm-64-android")
    monkeypatch.setenv("HL_JIT_TARGET", "host-debug")
    assert hl.get_target_from_environment() == hl.Target("arm-64-android")
    assert hl.get_jit_target_from_environment() == host.with_feature(F.JIT).with_feature(F.Debug)
    monkeypatch.setenv("HL_JIT_TARGET", "arm-32-android")
    with pytest.raises(hl.UnsupportedTarget, match="HL_JIT_TARGET must match the host OS"):
        hl.get_jit_target_from_environment()
    with pytest.raises(hl.UnsupportedTarget, match="HL_JIT_TARGET"):
        ramp().realize([4])


def ramp():
    x = hl.Var("x")
    f = hl.Func("f")
    f[x] = x
    return f


@pytest.mark.parametrize("text", ["arm-32-android", "x86-64-windows", "host-no_bounds_query", "host-asan"])
def test_a_run_for_another_machine_is_refused(text):
    f = ramp()
    with pytest.raises(hl.UnsupportedTarget) as refused:
        f.realize([4], hl.Target(text))
    assert text.removeprefix("host-") in str(refused.value)
    assert np.array_equal(f.realize([4], hl.Target("host-debug")), range(4))
    assert np.array_equal(f.realize([4], hl.Target()), range(4))


def test_facts_about_the_target_are_known_when_a_pipeline_is_compiled():
    x = hl.Var("x")
    f, g = hl.Func("f"), hl.Func("g")
    f[x] = hl.select(hl.target_has_feature(F.Debug), x, -x)
    g[x] = f[x] * hl.target_bits()
    bits = hl.get_host_target().bits
    assert np.array_equal(g.realize([4], hl.Target("host-debug")), bits * np.arange(4))
    assert np.array_equal(g.realize([4], hl.Target("host")), -bits * np.arange(4))
    assert np.array_equal(g.reference([4]), -bits * np.arange(4))


def test_facts_about_the_target_serve_as_factors_of_schedules():
    x, xo, xi = hl.Var("x"), hl.Var("xo"), hl.Var("xi")
    f = hl.Func("f")
    f[x] = x * 3
    f.split(x, xo, xi, hl.target_natural_vector_size(hl.Int(32)), hl.TailStrategy.GuardWithIf)
    assert np.array_equal(f.realize([37]), 3 * np.arange(37))


def test_facts_about_the_target_can_be_evaluated():
    host = hl.get_host_target()
    assert hl.evaluate(hl.target_arch_is(host.arch)) and not hl.evaluate(hl.target_arch_is(hl.TargetArch.Hexagon))
    assert hl.evaluate(hl.target_os_is(host.os)) and not hl.evaluate(hl.target_os_is(hl.TargetOS.NoOS))
    assert hl.evaluate_may_gpu(hl.target_natural_vector_size(hl.Float(32))) == hl.natural_vector_size(hl.Float(32))


def test_reductions_may_be_as_long_as_the_target_says():
    f = hl.Func("f")
    r = hl.RDom([(0, hl.target_bits())])
    f[()] = 0
    f[()] += r.x
    bits = hl.get_host_target().bits
    assert f.realize([])[()] == bits * (bits - 1) // 2


def test_plugins_other_than_schedulers_are_refused():
    with pytest.raises(hl.UnsupportedTarget, match="the plugin `hexagon_x` cannot be loaded"):
        hl.load_plugin("hexagon_x")
    assert hl.install_dir().endswith("halopy")
