"""The machine that code is made for, as Halide writes it: `arch-bits-os-feature-feature...`.

Code for the CPU is compiled with `-march=native`, so of the features the ones that matter are those that
say how wide a vector register is.
"""

from __future__ import annotations

import platform
import struct
from dataclasses import dataclass, replace
from functools import cache

from .dtypes import DType
from .errors import UnsupportedTarget
from .host_features import host_features
from .target_features import TargetArch, TargetFeature, TargetOS, TargetProcessorTune

_ARCHITECTURES = {arch.text: arch for arch in TargetArch}
_SYSTEMS = {os.text: os for os in TargetOS}
_PROCESSORS = {tune.text: tune for tune in TargetProcessorTune}
_END = TargetFeature.FeatureEnd
_FEATURES = {"hvx": TargetFeature.HVX, **{feature.text: feature for feature in TargetFeature if feature is not _END}}
_TRACES = frozenset({TargetFeature.TraceLoads, TargetFeature.TraceStores, TargetFeature.TraceRealizations})
_GPU = frozenset(
    {
        TargetFeature.CUDA,
        TargetFeature.OpenCL,
        TargetFeature.Metal,
        TargetFeature.D3D12Compute,
        TargetFeature.Vulkan,
        TargetFeature.WebGPU,
    }
)
_VECTOR_BITS = "vector_bits_"


def _named(text: str) -> frozenset[TargetFeature]:
    return frozenset(_FEATURES[word] for word in text.split())


_ARM_ONLY = _named("arm_dot_prod arm_fp16 armv7s armv81a no_neon sve sve2")
_X86_ONLY = _named(
    "sse41 avx avx2 avxvnni fma fma4 f16c avx512 avx512_knl avx512_skylake avx512_cannonlake avx512_sapphirerapids"
    " avx512_zen4 avx512_zen5"
)
_WASM_ONLY = _named("wasm_bulk_memory wasm_mvponly wasm_simd128 wasm_threads")
_OTHERS_ONLY = _named("power_arch_2_07 rvv vsx")
_FOREIGN = {  # what cannot be true of an architecture
    TargetArch.X86: _ARM_ONLY | _WASM_ONLY | _OTHERS_ONLY,
    TargetArch.ARM: _X86_ONLY | _WASM_ONLY | _OTHERS_ONLY,
    TargetArch.WebAssembly: _ARM_ONLY | _X86_ONLY | _OTHERS_ONLY | _named("hvx_128 hvx_v62 hvx_v65 hvx_v66 hvx_v68"),
}
# The first AVX-512 has 64-byte vectors of floats only.
_AVX512_INTEGERS = _named("avx512_skylake avx512_cannonlake avx512_sapphirerapids avx512_zen4 avx512_zen5")
_AVX512 = _named("avx512 avx512_knl")


@dataclass(frozen=True, slots=True)
class Target:
    """An architecture, its bits and operating system, and features. `parse_target("host-opencl")` reads a text."""

    arch: TargetArch = TargetArch.ArchUnknown
    bits: int = 0
    os: TargetOS = TargetOS.OSUnknown
    features: frozenset[TargetFeature] = frozenset()
    tune: TargetProcessorTune = TargetProcessorTune.TuneGeneric
    vector_bits: int = 0  # of registers whose width is not told by the features; 0 is unknown

    def __str__(self) -> str:
        features = sorted(text for text, feature in _FEATURES.items() if feature in self.features)
        words = [self.arch.text, str(self.bits), self.os.text, *features]
        if self.tune is not TargetProcessorTune.TuneGeneric:
            words.insert(3, self.tune.text)
        if self.features >= _TRACES:
            words = [w for w in words if w not in ("trace_realizations", "trace_stores")]
            words[words.index("trace_loads")] = "trace_all"
        return "-".join(words) + (f"-{_VECTOR_BITS}{self.vector_bits}" if self.vector_bits else "")

    def has(self, *features: TargetFeature) -> bool:
        return all(feature is _END or feature in self.features for feature in features)

    @property
    def has_unknowns(self) -> bool:
        """Whether architecture, bits or operating system are not told."""
        return self.arch is TargetArch.ArchUnknown or self.os is TargetOS.OSUnknown or self.bits == 0

    @property
    def has_gpu(self) -> bool:
        return not _GPU.isdisjoint(self.features)

    def with_features(self, *features: TargetFeature) -> Target:
        return replace(self, features=self.features.union(features) - {_END})

    def without_features(self, *features: TargetFeature) -> Target:
        return replace(self, features=self.features.difference(features))

    def checked(self) -> Target:
        """Itself. Raises UnsupportedTarget for features that its architecture cannot have."""
        foreign = sorted(f.text for f in self.features & _FOREIGN.get(self.arch, frozenset()))
        if foreign:
            raise UnsupportedTarget(
                f"Target feature {foreign[0]} is incompatible with the Target's architecture. (target({self}))"
            )
        return self

    def vector_lanes(self, dtype: DType) -> int:
        """Elements of the type in one vector register."""
        return max(1, self._vector_bytes(dtype) // dtype.bytes)

    def _vector_bytes(self, dtype: DType) -> int:
        match self.arch:
            case TargetArch.X86:
                return self._x86_bytes(is_float=not dtype.is_integer)
            case TargetArch.ARM:
                scalable = self.has(TargetFeature.SVE2) or (dtype.is_float and self.has(TargetFeature.SVE))
                return self.vector_bits // 8 if self.vector_bits and scalable else 16
            case TargetArch.RISCV:
                return self.vector_bits // 8 if self.has(TargetFeature.RVV) else 1
            case TargetArch.WebAssembly:
                return 16 if self.has(TargetFeature.WasmSimd128) else 1
            case TargetArch.Hexagon:
                return self._hexagon_bytes() if dtype.is_integer else 1
        return 16

    def _hexagon_bytes(self) -> int:
        if not self.has(TargetFeature.HVX):
            raise UnsupportedTarget(f"{self} has no integer vectors", accepted="a Hexagon with the feature hvx")
        return 128

    def _x86_bytes(self, *, is_float: bool) -> int:
        features = self.features
        if features & _AVX512_INTEGERS or (is_float and features & _AVX512):
            return 64
        if TargetFeature.AVX2 in features or features & _AVX512 or (is_float and TargetFeature.AVX in features):
            return 32
        return 16


def parse_target(text: str) -> Target:
    """The target that a text such as `host`, `host-opencl` or `x86-64-linux-avx2` names; the host for an empty one.

    Raises UnsupportedTarget for words that mean nothing, or where architecture, bits or operating system are missing.
    """
    if not text:
        return host_target()
    found = _parsed(text)
    if isinstance(found, str):
        raise UnsupportedTarget(
            f"Did not understand Halide target {text}",
            reason=[
                found,
                f"architectures are {' '.join(_ARCHITECTURES)}",
                f"operating systems are {' '.join(_SYSTEMS)}",
                f"processors are {' '.join(_PROCESSORS)}",
                f"features are {' '.join(sorted(_FEATURES))}",
            ],
            accepted="host, or arch-bits-os-processor-feature1-feature2-..., such as x86-64-linux-avx2-fma",
        )
    return found.checked()


def is_target_text(text: str) -> bool:
    """Whether `parse_target` understands the text."""
    return isinstance(_parsed(text), Target)


def _parsed(text: str) -> Target | str:
    """The target, or why there is none."""
    found, told = Target(), set()
    for place, word in enumerate(text.split("-")):
        if word == "host":
            if place:
                return "`host` stands at the beginning only"
            found = host_target()
            continue
        change = _change(word)
        if change is None:
            return f"`{word}` is no architecture, number of bits, operating system, processor or feature"
        kind, value = change
        if kind in told and kind not in ("features", "vector_bits"):
            return f"`{word}` is a second word for `{kind}`"
        told.add(kind)
        new = found.features | value if isinstance(value, frozenset) else value
        found = replace(found, **{kind: new})  # type: ignore[arg-type]  # the field that the word is about
    if "arch" in told and "bits" not in told:
        return f"the number of bits of {found.arch.text} is missing"
    return "architecture, bits or operating system are missing" if found.has_unknowns else found


def _change(word: str) -> tuple[str, object] | None:
    """The field of a Target that a word is about, and its value."""
    if word in ("0", "32", "64"):
        return "bits", int(word)
    if word == "trace_all":
        return "features", _TRACES
    if word in _FEATURES:
        return "features", frozenset({_FEATURES[word]})
    if word.startswith(_VECTOR_BITS) and word.removeprefix(_VECTOR_BITS).isdecimal():
        return "vector_bits", int(word.removeprefix(_VECTOR_BITS))
    tables: dict[str, dict[str, object]] = {"arch": {**_ARCHITECTURES}, "os": {**_SYSTEMS}, "tune": {**_PROCESSORS}}
    return next(((kind, table[word]) for kind, table in tables.items() if word in table), None)


@cache
def host_target() -> Target:
    """What this machine is."""
    machine, system = platform.machine().lower(), platform.system().lower()
    arch = {
        "x86_64": TargetArch.X86, "amd64": TargetArch.X86, "i686": TargetArch.X86, "aarch64": TargetArch.ARM,
        "arm64": TargetArch.ARM, "riscv64": TargetArch.RISCV, "ppc64le": TargetArch.POWERPC,
    }.get(machine, TargetArch.ArchUnknown)  # fmt: skip
    os = {"linux": TargetOS.Linux, "darwin": TargetOS.OSX, "windows": TargetOS.Windows}.get(system, TargetOS.OSUnknown)
    tune, features = host_features()
    return Target(arch, 8 * struct.calcsize("P"), os, features, tune)
