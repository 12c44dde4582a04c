"""Expressions that are known once the target is."""

from __future__ import annotations

from ...dtypes import BOOL, INT32
from ...ir.expr import TargetQuery
from ...target_features import TargetArch, TargetFeature, TargetOS
from ..expressions.expr import Expr
from ..expressions.types import Type, to_dtype


def target_arch_is(arch: TargetArch) -> Expr:
    """Whether the target has this architecture."""
    return Expr(TargetQuery("arch_is", arch, BOOL))


def target_os_is(os: TargetOS) -> Expr:
    """Whether the target has this operating system."""
    return Expr(TargetQuery("os_is", os, BOOL))


def target_has_feature(feature: TargetFeature) -> Expr:
    """Whether the target has the feature."""
    return Expr(TargetQuery("has_feature", feature, BOOL))


def target_bits() -> Expr:
    """Bits of an address of the target, an int32."""
    return Expr(TargetQuery("bits", None, INT32))


def target_natural_vector_size(type: Type) -> Expr:
    """Elements of the type in one vector register of the target, an int32."""
    return Expr(TargetQuery("natural_vector_size", to_dtype(type), INT32))
