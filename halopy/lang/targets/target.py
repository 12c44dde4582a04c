"""`Target`: the machine that code is made for, as the user names it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ... import target as targets
from ...dtypes import DType
from ...errors import TypeMismatch, UnsupportedTarget
from ...source import caller
from ...target import is_target_text, parse_target
from ...target_features import DeviceAPI, TargetArch, TargetFeature, TargetOS, TargetProcessorTune
from ..expressions.types import Type, to_dtype

_NO_DEVICE = DeviceAPI["None"]
_FEATURE_OF_DEVICE = {
    DeviceAPI.CUDA: TargetFeature.CUDA,
    DeviceAPI.OpenCL: TargetFeature.OpenCL,
    DeviceAPI.Metal: TargetFeature.Metal,
    DeviceAPI.Hexagon: TargetFeature.HVX,
    DeviceAPI.Vulkan: TargetFeature.Vulkan,
}
# The device that a target means by Default_GPU: the first that it has.
_DEFAULT_DEVICES = (DeviceAPI.Metal, DeviceAPI.OpenCL, DeviceAPI.CUDA, DeviceAPI.Hexagon, DeviceAPI.Vulkan)
_WITHOUT_64_BITS = (TargetFeature.Metal, TargetFeature.D3D12Compute, TargetFeature.WebGPU)


class Target:
    """A machine: architecture, bits, operating system, processor to tune for, features.

    Target()                                         undecided: the host, or HL_JIT_TARGET, when something is run
    Target("host-opencl"), Target("x86-64-linux")    from a text; "" is the host
    Target(os, arch, bits[, processor][, features])  from its parts
    """

    __slots__ = ("_value",)

    def __init__(self, *parts: object) -> None:
        self._value = _from_parts(parts)

    @classmethod
    def _of(cls, value: targets.Target) -> Target:
        made = cls()
        made._value = value
        return made

    @property
    def value(self) -> targets.Target:
        """The target meant."""
        return self._value

    @property
    def arch(self) -> TargetArch:
        """The kind of processor."""
        return self._value.arch

    @arch.setter
    def arch(self, arch: TargetArch) -> None:
        self._value = replace(self._value, arch=arch)

    @property
    def os(self) -> TargetOS:
        """The operating system."""
        return self._value.os

    @os.setter
    def os(self, os: TargetOS) -> None:
        self._value = replace(self._value, os=os)

    @property
    def bits(self) -> int:
        """Bits of an address."""
        return self._value.bits

    @bits.setter
    def bits(self, bits: int) -> None:
        self._value = replace(self._value, bits=bits)

    @property
    def vector_bits(self) -> int:
        """The width of a register, where the features do not tell it; 0 is unknown."""
        return self._value.vector_bits

    @vector_bits.setter
    def vector_bits(self, vector_bits: int) -> None:
        self._value = replace(self._value, vector_bits=vector_bits)

    @property
    def processor_tune(self) -> TargetProcessorTune:
        """The processor to tune for."""
        return self._value.tune

    @processor_tune.setter
    def processor_tune(self, tune: TargetProcessorTune) -> None:
        self._value = replace(self._value, tune=tune)

    def has_feature(self, feature: TargetFeature) -> bool:
        """Whether it has the feature."""
        return self._value.has(_feature(feature))

    def features_any_of(self, features: Sequence[TargetFeature]) -> bool:
        """Whether it has any of these features."""
        return any(map(self.has_feature, features))

    def features_all_of(self, features: Sequence[TargetFeature]) -> bool:
        """Whether it has all of these features."""
        return all(map(self.has_feature, features))

    def has_gpu_feature(self) -> bool:
        """Whether it names a device."""
        return self._value.has_gpu

    def with_feature(self, feature: TargetFeature) -> Target:
        """The same target with the feature."""
        return Target._of(self._value.with_features(_feature(feature)))

    def without_feature(self, feature: TargetFeature) -> Target:
        """The same target without the feature."""
        return Target._of(self._value.without_features(_feature(feature)))

    def set_feature(self, f: TargetFeature, value: bool = True) -> None:
        """Add a feature, or take it away."""
        self._value = (self.with_feature(f) if value else self.without_feature(f))._value

    def set_features(self, features: Sequence[TargetFeature], value: bool = True) -> None:
        """Add features, or take them away."""
        for feature in features:
            self.set_feature(feature, value)

    def natural_vector_size(self, type: Type) -> int:
        """Elements of the type in one vector register. Raises UnsupportedTarget for an undecided target."""
        if self._value.has_unknowns:
            raise UnsupportedTarget(
                "natural_vector_size cannot be used on a Target with Unknown values",
                location=caller(),
                accepted="a target such as hl.get_host_target()",
            )
        return self._value.vector_lanes(to_dtype(type))

    def has_large_buffers(self) -> bool:
        """Whether a buffer may have 2**31 bytes or more."""
        return self._value.bits == 64 and self._value.has(TargetFeature.LargeBuffers)

    def maximum_buffer_size(self) -> int:
        """The most bytes that a buffer may have."""
        return 2**63 - 1 if self.has_large_buffers() else 2**31 - 1

    def supported(self) -> bool:
        """Whether halopy makes code for it: C for any processor, nothing for devices."""
        return not self._value.has_gpu and self._value.arch is not TargetArch.Hexagon

    def supports_type(self, type: Type, device: DeviceAPI | None = None) -> bool:
        """Whether the target, or one device of it, has values of the type."""
        dtype = to_dtype(type)
        return self._everywhere(dtype) if device is None else self._on_device(dtype, device)

    def _everywhere(self, dtype: DType) -> bool:
        if dtype.bits != 64:
            return True
        has = self._value.has
        on_vulkan = TargetFeature.VulkanFloat64 if dtype.is_float else TargetFeature.VulkanInt64
        on_opencl = not (dtype.is_float and has(TargetFeature.OpenCL)) or has(TargetFeature.CLDoubles)
        return not any(map(has, _WITHOUT_64_BITS)) and on_opencl and (not has(TargetFeature.Vulkan) or has(on_vulkan))

    def _on_device(self, dtype: DType, device: DeviceAPI) -> bool:
        has = self._value.has
        if device is DeviceAPI.Default_GPU:
            device = self._default_device()
        match device:
            case DeviceAPI.Hexagon:
                return dtype.lanes == 1 or not (dtype.is_float or dtype.bits == 64)
            case DeviceAPI.Metal:
                return dtype.bits != 64
            case DeviceAPI.OpenCL:
                return not (dtype.is_float and dtype.bits == 64) or has(TargetFeature.CLDoubles)
            case DeviceAPI.Vulkan:
                needed = TargetFeature.__members__.get(f"Vulkan{'Float' if dtype.is_float else 'Int'}{dtype.bits}")
                return needed is None or has(needed)
        return True

    def _default_device(self) -> DeviceAPI:
        is_no_device = DeviceAPI.Hexagon if self.arch is TargetArch.Hexagon else DeviceAPI.Host
        devices = (d for d in _DEFAULT_DEVICES if d is not is_no_device and self._value.has(_FEATURE_OF_DEVICE[d]))
        return next(devices, DeviceAPI.Host)

    def supports_device_api(self, device: DeviceAPI) -> bool:
        """Whether it names that device."""
        if device in (_NO_DEVICE, DeviceAPI.Host):
            return True
        return self._value.has_gpu if device is DeviceAPI.Default_GPU else self._value.has(_FEATURE_OF_DEVICE[device])

    @staticmethod
    def validate_target_string(name: str) -> bool:
        """Whether Target(name) would understand it."""
        return is_target_text(name)

    def to_string(self) -> str:
        """The text from which it can be made again."""
        return str(self._value)

    def __str__(self) -> str:
        return self.to_string()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Target):
            return NotImplemented
        # As in Halide, the width of registers makes no other target.
        return replace(self._value, vector_bits=other.vector_bits) == other._value

    __hash__ = None  # type: ignore[assignment]  # it can be changed

    def __repr__(self) -> str:
        return f"<halopy.Target {self.to_string()}>"


def _from_parts(parts: tuple[object, ...]) -> targets.Target:
    match parts:
        case ():
            return targets.Target()
        case (str(text),):
            return parse_target(text)
        case (Target() as other,):
            return other._value
        case (TargetOS() as os, TargetArch() as arch, int(bits), *rest):
            tune = TargetProcessorTune.TuneGeneric
            if rest and isinstance(rest[0], TargetProcessorTune):
                tune = rest.pop(0)  # type: ignore[assignment]
            features = rest.pop(0) if rest else ()
            if not rest and isinstance(features, Sequence) and all(isinstance(f, TargetFeature) for f in features):
                return targets.Target(arch, bits, os, tune=tune).with_features(*features).checked()
    raise TypeMismatch(
        f"Target(): incompatible constructor arguments {', '.join(map(repr, parts))}",
        location=caller(),
        accepted='Target(), Target("host-opencl"), Target(os, arch, bits[, processor][, features])',
    )


def _feature(given: object) -> TargetFeature:
    if not isinstance(given, TargetFeature):
        raise TypeMismatch(f"{given!r} is no feature", location=caller(), accepted="hl.TargetFeature.AVX2 and the like")
    return given


def target_feature_for_device_api(device: DeviceAPI) -> TargetFeature:
    """The feature that a target with such a device has; FeatureEnd where there is no such feature."""
    return _FEATURE_OF_DEVICE.get(device, TargetFeature.FeatureEnd)
