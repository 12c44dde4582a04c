"""The oracle: evaluates a program without its schedule, slowly and obviously right."""

from .evaluate import Region, evaluate
from .extern import ExternFunctions
from .inputs import ImageArgument

__all__ = ["ExternFunctions", "ImageArgument", "Region", "evaluate"]
