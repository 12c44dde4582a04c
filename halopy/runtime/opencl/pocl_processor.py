"""PoCL from PyPI knows no processors younger than itself: it calls them `generic`, which its own compiler refuses.

PoCL asks its LLVM for the processor's name once, when it finds the device, and keeps the text beside the device. Where
that is `generic`, the name of a set of instructions that the processor has is put in its place. Nothing else is
touched, and nothing at all where PoCL knows the processor, is another version, or the text is not found.
"""

from __future__ import annotations

import ctypes
import os
import struct

import pyopencl as cl

from ...host_features import host_features
from ...target_features import TargetFeature

_UNKNOWN = b"generic\0"
_FARTHEST = 4096  # bytes of PoCL's device in which the pointer to the text is looked for
_VERSION = "PoCL 3.0"  # whose way to keep the text this is
_LEVELS = (
    (TargetFeature.AVX512_Skylake, b"skylake-avx512"),
    (TargetFeature.AVX2, b"haswell"),
    (TargetFeature.SSE41, b"nehalem"),
)
_kept: list[ctypes.Array[ctypes.c_char]] = []  # as long as the devices, which is as long as the process


def name_processor(device: cl.Device) -> None:
    """Let PoCL compile for a processor that it does not know."""
    if _VERSION not in device.platform.version or not device.type & cl.device_type.CPU:
        return
    _, features = host_features()
    name = next((name for feature, name in _LEVELS if feature in features), None)
    if name is None:
        return
    for place in range(device.int_ptr, device.int_ptr + _FARTHEST, 8):
        pointer = _memory(place, 8)
        if len(pointer) < 8:
            return
        if _memory(struct.unpack("=Q", pointer)[0], len(_UNKNOWN)) == _UNKNOWN:
            text = ctypes.create_string_buffer(name)
            _kept.append(text)
            ctypes.memmove(place, struct.pack("=Q", ctypes.addressof(text)), 8)


class _Part(ctypes.Structure):
    _fields_ = (("start", ctypes.c_void_p), ("size", ctypes.c_size_t))


def _memory(address: int, size: int) -> bytes:
    """What stands in this process's memory; nothing where no memory is."""
    if address < _FARTHEST:
        return b""
    text = ctypes.create_string_buffer(size)
    here, there = _Part(ctypes.addressof(text), size), _Part(address, size)
    read = ctypes.CDLL(None).process_vm_readv(os.getpid(), ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
    return text.raw if read == size else b""
