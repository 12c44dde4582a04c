"""`Target`: the machine that code is made for, as the user names it."""

from __future__ import annotations

from collections.abc import Sequence

from .. import target as targets
from ..target import TargetFeature, host_target, parse_target
from .types import Type, to_dtype


class Target:
    """`Target("host-opencl")`; without a text, undecided: the host when something is compiled for it."""

    __slots__ = ("_value",)

    def __init__(self, text: str | Target | None = None) -> None:
        self._value: targets.Target | None = None
        if text is not None:
            self._value = text._value if isinstance(text, Target) else parse_target(text)

    @classmethod
    def _of(cls, value: targets.Target) -> Target:
        made = cls()
        made._value = value
        return made

    @property
    def value(self) -> targets.Target:
        """The target meant."""
        return self._value or host_target()

    @property
    def arch(self) -> str:
        return self.value.arch

    @property
    def os(self) -> str:
        return self.value.os

    @property
    def bits(self) -> int:
        return self.value.bits

    def has_feature(self, feature: TargetFeature) -> bool:
        return self.value.has(feature)

    def features_any_of(self, features: Sequence[TargetFeature]) -> bool:
        return any(map(self.value.has, features))

    def features_all_of(self, features: Sequence[TargetFeature]) -> bool:
        return self.value.has(*features)

    def has_gpu_feature(self) -> bool:
        return self.value.has_gpu

    def with_feature(self, feature: TargetFeature) -> Target:
        return Target._of(self.value.with_features(feature))

    def without_feature(self, feature: TargetFeature) -> Target:
        return Target._of(self.value.without_features(feature))

    def set_feature(self, feature: TargetFeature, value: bool = True) -> None:
        self._value = (self.with_feature(feature) if value else self.without_feature(feature))._value

    def set_features(self, features: Sequence[TargetFeature], value: bool = True) -> None:
        for feature in features:
            self.set_feature(feature, value)

    def natural_vector_size(self, type: Type) -> int:
        """Elements of the type in one vector register."""
        return self.value.vector_lanes(to_dtype(type))

    def to_string(self) -> str:
        return str(self.value)

    def __str__(self) -> str:
        return self.to_string()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Target) and self.value == other.value

    def __hash__(self) -> int:
        return hash(self.value)

    def __repr__(self) -> str:
        return f"<halopy.Target {self.to_string()}>"


def get_host_target() -> Target:
    """What this machine is."""
    return Target._of(host_target())


def get_jit_target_from_environment() -> Target:
    """The target that `realize` compiles for when none is given."""
    return get_host_target()


def natural_vector_size(type: Type) -> int:
    """Elements of the type in one vector register of this machine."""
    return host_target().vector_lanes(to_dtype(type))
