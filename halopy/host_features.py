"""What this machine's processor is and has, as the operating system tells it."""

from __future__ import annotations

import platform
from functools import cache

from .target_features import TargetFeature, TargetProcessorTune

# A feature stands for all the flags beside it.
_X86_FLAGS = {
    TargetFeature.SSE41: ("sse4_1",),
    TargetFeature.AVX: ("avx",),
    TargetFeature.F16C: ("f16c",),
    TargetFeature.FMA: ("fma",),
    TargetFeature.AVX2: ("avx2",),
    TargetFeature.AVX512: ("avx512f", "avx512cd"),
    TargetFeature.AVX512_KNL: ("avx512f", "avx512cd", "avx512pf", "avx512er"),
    TargetFeature.AVX512_Skylake: ("avx512f", "avx512cd", "avx512vl", "avx512bw", "avx512dq"),
    TargetFeature.AVX512_Cannonlake: ("avx512f", "avx512cd", "avx512vl", "avx512bw", "avx512dq", "avx512ifma"),
    TargetFeature.AVXVNNI: ("avx_vnni", "avx512ifma"),
    TargetFeature.AVX512_SapphireRapids: ("avx_vnni", "avx512ifma", "avx512_bf16"),
}
_ARM_FLAGS = {
    TargetFeature.ARMDotProd: ("asimddp",),
    TargetFeature.ARMFp16: ("asimdhp",),
    TargetFeature.SVE: ("sve",),
    TargetFeature.SVE2: ("sve2",),
}
_ZEN4 = frozenset(
    {
        TargetFeature.SSE41,
        TargetFeature.AVX,
        TargetFeature.F16C,
        TargetFeature.FMA,
        TargetFeature.AVX2,
        TargetFeature.AVX512,
        TargetFeature.AVX512_Skylake,
        TargetFeature.AVX512_Cannonlake,
        TargetFeature.AVX512_Zen4,
    }
)
_BY_PROCESSOR = {
    TargetProcessorTune.TuneZnVer4: _ZEN4,
    TargetProcessorTune.TuneZnVer5: _ZEN4 | {TargetFeature.AVXVNNI, TargetFeature.AVX512_Zen5},
}
# AMD's families, with the models that each row is about.
_AMD = (
    (0x10, range(0x100), TargetProcessorTune.TuneAMDFam10),
    (0x14, range(0x100), TargetProcessorTune.TuneBtVer1),
    (0x15, range(0x60, 0x80), TargetProcessorTune.TuneBdVer4),
    (0x15, range(0x30, 0x40), TargetProcessorTune.TuneBdVer3),
    (0x15, (0x02, *range(0x10, 0x20)), TargetProcessorTune.TuneBdVer2),
    (0x15, range(0x10), TargetProcessorTune.TuneBdVer1),
    (0x16, range(0x100), TargetProcessorTune.TuneBtVer2),
    (0x17, (*range(0x30, 0x40), 0x71), TargetProcessorTune.TuneZnVer2),
    (0x17, range(0x10), TargetProcessorTune.TuneZnVer1),
    (0x19, (*range(0x10), *range(0x20, 0x60)), TargetProcessorTune.TuneZnVer3),
    (0x19, (*range(0x10, 0x20), *range(0x60, 0x80), *range(0xA0, 0xB0)), TargetProcessorTune.TuneZnVer4),
    (0x1A, range(0x100), TargetProcessorTune.TuneZnVer5),
)


def host_features() -> tuple[TargetProcessorTune, frozenset[TargetFeature]]:
    """The processor to tune for, and its features."""
    about = _processor()
    tune = _tune(about)
    if tune in _BY_PROCESSOR:
        return tune, _BY_PROCESSOR[tune]
    x86, arm = set(about.get("flags", "").split()), set(about.get("Features", "").split())
    found = {feature for feature, needed in _X86_FLAGS.items() if x86.issuperset(needed)}
    return tune, frozenset(found | {feature for feature, needed in _ARM_FLAGS.items() if arm.issuperset(needed)})


@cache
def host_multiplies_and_adds_at_once() -> bool:
    """Whether it has an instruction that rounds a product and a sum once."""
    about = _processor()
    return "fma" in about.get("flags", "").split() or "Features" in about or platform.machine() in ("arm64", "aarch64")


def _processor() -> dict[str, str]:
    """What is said of the first core; nothing where nobody tells."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            core = file.read().split("\n\n", 1)[0]
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in core.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in pairs}


def _tune(about: dict[str, str]) -> TargetProcessorTune:
    numbers = (about.get("cpu family", ""), about.get("model", ""))
    if about.get("vendor_id") == "AuthenticAMD" and all(number.isdecimal() for number in numbers):
        family, model = map(int, numbers)
        for known, models, tune in _AMD:
            if family == known and model in models:
                return tune
    return TargetProcessorTune.TuneGeneric
