"""The machine that code is made for, as Halide writes it: `arch-bits-os-feature-feature...`.

Code for the CPU is compiled with `-march=native`, so of the features the ones that matter are those that
say how wide a vector register is.
"""

from __future__ import annotations

import enum
import platform
from dataclasses import dataclass, replace
from functools import cache

from .dtypes import DType
from .errors import UnsupportedTarget

_ARCHITECTURES = ("x86", "arm", "riscv", "powerpc", "wasm", "arch_unknown")
_SYSTEMS = ("linux", "osx", "windows", "android", "ios", "noos", "os_unknown")


class TargetFeature(enum.Enum):
    """What a machine has, or how code is made for it; the values are those in target strings."""

    JIT = "jit"
    Debug = "debug"
    NoAsserts = "no_asserts"
    NoBoundsQuery = "no_bounds_query"
    NoRuntime = "no_runtime"
    SSE41 = "sse41"
    AVX = "avx"
    AVX2 = "avx2"
    FMA = "fma"
    FMA4 = "fma4"
    F16C = "f16c"
    AVX512 = "avx512"
    AVX512_KNL = "avx512_knl"
    AVX512_Skylake = "avx512_skylake"
    AVX512_Cannonlake = "avx512_cannonlake"
    AVX512_SapphireRapids = "avx512_sapphirerapids"
    AVX512_Zen4 = "avx512_zen4"
    AVX512_Zen5 = "avx512_zen5"
    AVXVNNI = "avxvnni"
    ARMDotProd = "arm_dot_prod"
    ARMFp16 = "arm_fp16"
    NoNEON = "no_neon"
    SVE = "sve"
    SVE2 = "sve2"
    RVV = "rvv"
    VSX = "vsx"
    OpenCL = "opencl"
    CLDoubles = "cl_doubles"
    CLHalf = "cl_half"
    CLAtomics64 = "cl_atomics64"
    CUDA = "cuda"
    Metal = "metal"
    Vulkan = "vulkan"
    WebGPU = "webgpu"
    D3D12Compute = "d3d12compute"
    LargeBuffers = "large_buffers"
    Profile = "profile"
    StrictFloat = "strict_float"
    TraceLoads = "trace_loads"
    TraceStores = "trace_stores"
    TraceRealizations = "trace_realizations"
    TracePipeline = "trace_pipeline"
    UserContext = "user_context"
    MSAN = "msan"
    ASAN = "asan"
    TSAN = "tsan"


_FEATURES = {feature.value: feature for feature in TargetFeature}
_GPU = frozenset({"opencl", "cuda", "metal", "vulkan", "webgpu", "d3d12compute"})
# The first AVX-512 has 64-byte vectors of floats only.
_AVX512_INTEGERS = frozenset(f"avx512_{name}" for name in ("skylake", "cannonlake", "sapphirerapids", "zen4", "zen5"))
_AVX512 = frozenset({"avx512", "avx512_knl"})


@dataclass(frozen=True, slots=True)
class Target:
    """An architecture, its bits and operating system, and features. `Target("host-opencl")` reads a text."""

    arch: str
    bits: int
    os: str
    features: frozenset[TargetFeature] = frozenset()

    def __str__(self) -> str:
        return "-".join((self.arch, str(self.bits), self.os, *sorted(f.value for f in self.features)))

    def has(self, *features: TargetFeature) -> bool:
        return self.features.issuperset(features)

    @property
    def has_gpu(self) -> bool:
        return any(f.value in _GPU for f in self.features)

    def with_features(self, *features: TargetFeature) -> Target:
        return replace(self, features=self.features | set(features))

    def without_features(self, *features: TargetFeature) -> Target:
        return replace(self, features=self.features - set(features))

    @property
    def vector_bytes(self) -> int:
        """Bytes in the widest vector register."""
        return self._vector_bytes(is_float=True)

    def vector_lanes(self, dtype: DType) -> int:
        """Elements of the type in one vector register."""
        return max(1, self._vector_bytes(is_float=dtype.is_float) // dtype.bytes)

    def _vector_bytes(self, *, is_float: bool) -> int:
        names = {f.value for f in self.features}
        if names & _AVX512_INTEGERS or (is_float and names & _AVX512):
            return 64
        if "avx2" in names or names & _AVX512 or (is_float and "avx" in names):
            return 32
        return 16


def parse_target(text: str) -> Target:
    """The target that a text such as `host`, `host-opencl` or `x86-64-linux-avx2` names.

    Parts left out are the host's. Raises UnsupportedTarget for words that mean nothing.
    """
    host = host_target()
    words = text.split("-") if text else ["host"]
    found = replace(host, features=frozenset())
    for place, word in enumerate(words):
        if word == "host" and place == 0:
            found = host
        elif word in _ARCHITECTURES:
            found = replace(found, arch=word)
        elif word in ("32", "64"):
            found = replace(found, bits=int(word))
        elif word in _SYSTEMS:
            found = replace(found, os=word)
        elif word in _FEATURES:
            found = found.with_features(_FEATURES[word])
        elif not word.startswith("tune_"):
            raise UnsupportedTarget(
                f"`{word}` in the target `{text}` is no architecture, operating system or feature",
                accepted="host, or arch-bits-os-features such as x86-64-linux-avx2-fma; features are "
                + " ".join(sorted(_FEATURES)),
            )
    return found


@cache
def host_target() -> Target:
    """What this machine is."""
    machine = platform.machine().lower()
    arch = {"x86_64": "x86", "amd64": "x86", "aarch64": "arm", "arm64": "arm", "riscv64": "riscv"}.get(
        machine, "arch_unknown"
    )
    os = {"linux": "linux", "darwin": "osx", "windows": "windows"}.get(platform.system().lower(), "os_unknown")
    return Target(arch, 64, os, _host_features() if arch == "x86" else frozenset())


_CPU_FLAGS = {
    "sse4_1": TargetFeature.SSE41,
    "avx": TargetFeature.AVX,
    "avx2": TargetFeature.AVX2,
    "fma": TargetFeature.FMA,
    "f16c": TargetFeature.F16C,
    "avx512f": TargetFeature.AVX512,
    "avx512bw": TargetFeature.AVX512_Skylake,
    "avx512vbmi": TargetFeature.AVX512_Cannonlake,
}


def _host_features() -> frozenset[TargetFeature]:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            flags = next((line.split(":", 1)[1].split() for line in file if line.startswith("flags")), [])
    except OSError:
        return frozenset({TargetFeature.SSE41})
    return frozenset(feature for flag, feature in _CPU_FLAGS.items() if flag in flags)
