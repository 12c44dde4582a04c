"""Which target is meant where none is given, and whether this machine can run code for it."""

from __future__ import annotations

from ... import target as targets
from ...errors import UnsupportedTarget
from ...instrument import setting
from ...target import host_target, parse_target
from ...target_features import TargetFeature
from ..expressions.types import Type, to_dtype
from .target import Target

# What would change the kernel, and is not there.
_NOT_HERE = (
    TargetFeature.NoBoundsQuery, TargetFeature.FuzzFloatStores, TargetFeature.CheckUnsafePromises,
    TargetFeature.ASAN, TargetFeature.MSAN, TargetFeature.TSAN, TargetFeature.SanitizerCoverage,
)  # fmt: skip


def get_host_target() -> Target:
    """What this machine is."""
    return Target._of(host_target())


def get_target_from_environment() -> Target:
    """The target that files are compiled for when none is given: HL_TARGET, or the host."""
    return Target._of(parse_target(setting("HL_TARGET") or ""))


def get_jit_target_from_environment() -> Target:
    """The target that is run for when none is given: HL_JIT_TARGET, or the host. Raises UnsupportedTarget."""
    text = setting("HL_JIT_TARGET")
    value = parse_target(text or "").with_features(TargetFeature.JIT)
    return Target._of(_runnable(value, "HL_JIT_TARGET" if text else "the target"))


def jit_target(target: Target | None) -> targets.Target:
    """What to compile for before a run. Raises UnsupportedTarget where this machine could not run it."""
    if target is None or target.value.has_unknowns:
        return get_jit_target_from_environment().value
    return _runnable(target.value, "the target").with_features(TargetFeature.JIT)


def _runnable(value: targets.Target, who: str) -> targets.Target:
    host = host_target()
    if (value.arch, value.bits, value.os) != (host.arch, host.bits, host.os):
        raise UnsupportedTarget(
            f"{who} must match the host OS, architecture, and bit width: it is {value}",
            reason=[f"the host is {host}"],
            accepted=f"host, or {host.arch.text}-{host.bits}-{host.os.text} with features",
        )
    for feature in _NOT_HERE:
        if value.has(feature):
            raise UnsupportedTarget(
                f"{who} has the feature {feature.text}, which code that is run at once cannot have: it is {value}",
                accepted="the same target without it",
            )
    return value


def natural_vector_size(type: Type) -> int:
    """Elements of the type in one vector register of this machine."""
    return host_target().vector_lanes(to_dtype(type))


def host_supports_target_device(target: Target) -> bool:
    """Whether the devices that the target names can be used here."""
    return not target.has_gpu_feature()
