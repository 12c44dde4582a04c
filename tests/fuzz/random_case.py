"""The case of a seed: the same one each time."""

from __future__ import annotations

import random
from dataclasses import replace

from .case import Case
from .random_algorithm import random_algorithm
from .random_schedule import random_schedule


def random_case(seed: int, target: str = "") -> Case:
    rng = random.Random(seed)
    return random_schedule(rng, replace(random_algorithm(rng), target=target))
