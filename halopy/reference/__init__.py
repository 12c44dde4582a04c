"""The oracle: evaluates a program without its schedule, slowly and obviously right."""

from .evaluate import Region, evaluate
from .inputs import ImageArgument

__all__ = ["ImageArgument", "Region", "evaluate"]
