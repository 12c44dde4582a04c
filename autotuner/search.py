"""What is tried next: first what is known, then plans made by rule, then changes of the best plans so far.

All of it follows from the finished trials and a seed, so a search that was interrupted goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from autotuner.plan import INLINE, ROOT, FuncPlan, Plan, StagePlan, as_data, from_data
from autotuner.records import Trial, digest
from autotuner.rescale import rescaled
from autotuner.seeds import seeds
from autotuner.space import Space

Json = Any
Candidate = Mapping[str, Json]
_PARENTS = 8
_RANDOM = 0.12  # of the proposals are nobody's children
_RESCALED = 0.35  # are known schedules with other numbers, where these are among the best
_NEAR = 1.25  # times the best's time is near it
_TRIES = 200  # until one is new


class Search:
    """Proposes candidates; `known` are those to begin with, the first of them what others are compared with."""

    def __init__(self, space: Space, known: Sequence[Candidate], seed: int) -> None:
        self.space, self.seed = space, seed
        self.first: list[tuple[Candidate, str]] = [(c, str(c.get("given", "known elsewhere"))) for c in known]
        for name, plan in seeds(space).items():
            self.first.append((self.candidate(plan), name))

    def candidate(self, plan: Plan) -> Candidate:
        """The plan, made possible."""
        return {"plan": as_data(self.space.accepted(self.space.repaired(plan)))}

    def propose(
        self, finished: Sequence[Trial], running: Sequence[Candidate], count: int
    ) -> list[tuple[Candidate, str]]:
        """So many candidates that are new, each with where it comes from."""
        taken = {digest(t.candidate) for t in finished} | {digest(c) for c in running}
        random = Random(f"{self.seed} {len(finished)}")
        found: list[tuple[Candidate, str]] = []
        for candidate, origin in self._proposals(finished, random):
            if digest(candidate) not in taken:
                taken.add(digest(candidate))
                found.append((candidate, origin))
            if len(found) == count:
                break
        return found

    def _proposals(self, finished: Sequence[Trial], random: Random) -> Iterator[tuple[Candidate, str]]:
        yield from self.first
        scored = sorted((t for t in finished if t.score is not None and "plan" in t.candidate), key=_score)
        parents = [from_data(t.candidate["plan"]) for t in scored[:_PARENTS]]
        written = self._written(finished)
        for _ in range(_TRIES):
            if written and random.random() < _RESCALED:
                text = rescaled(random.choice(written), random)
                if text is not None:
                    yield {"schedule": text}, "rescaled"
                continue
            if not parents or random.random() < _RANDOM:
                yield self.candidate(self.space.random(random)), "random"
                continue
            at = min(int(random.expovariate(0.5)), len(parents) - 1)
            if len(parents) > 1 and random.random() < 0.2:
                yield self.candidate(self.crossed(parents[at], random.choice(parents), random)), "crossed"
            else:
                yield self.candidate(self.changed(parents[at], random)), "changed"

    def _written(self, finished: Sequence[Trial]) -> list[str]:
        """Schedules that somebody wrote, or halopy chose, and their changes, as far as they are among the best."""
        scored = sorted((t for t in finished if t.score is not None), key=_score)
        best = [t for t in scored if _score(t) <= _NEAR * _score(scored[0])][:_PARENTS]
        return [t.schedule for t in best if t.schedule is not None and "plan" not in t.candidate]

    def crossed(self, one: Plan, other: Plan, random: Random) -> Plan:
        """A Func with all its producers from the other."""
        below = self.below(random.choice(self.space.names))
        return {name: (other if name in below else one)[name] for name in self.space.names}

    def below(self, name: str) -> set[str]:
        """A Func and all that it is made of."""
        found, todo = {name}, [name]
        while todo:
            for read in self.space.reads[todo.pop()]:
                todo += [producer for producer in read if producer not in found]
                found |= read.keys()
        return found

    def changed(self, plan: Plan, random: Random) -> Plan:
        """One or a few changes: a place, a factor, a loop; or a whole subtree anew."""
        made = dict(plan)
        for _ in range(1 + int(random.expovariate(1.2))):
            name = random.choice(self.space.names)
            kind = random.random()
            if kind < 0.1:
                made = self.anew(made, name, random)
            elif kind < 0.4:
                made[name] = self.moved(made, name, random)
            else:
                made[name] = self.recut(made, name, random)
            made = self.space.repaired(made)
        return made

    def anew(self, plan: Plan, name: str, random: Random) -> dict[str, FuncPlan]:
        """A Func and all that it is made of planned by chance."""
        below, made = self.below(name), {}
        for each in self.space.names:
            if each in below:
                made[each] = self.space.random_func(made, each, random)
            else:
                made[each] = self.space.repaired_one(made, each, plan[each])
        return made

    def moved(self, plan: Plan, name: str, random: Random) -> FuncPlan:
        """Another place for a Func, keeping its loops where it has some."""
        other, mine = self.space.random_func(plan, name, random), plan[name]
        return replace(other, stages=mine.stages) if mine.stages and other.place not in (INLINE, ROOT) else other

    def recut(self, plan: Plan, name: str, random: Random) -> FuncPlan:
        """Other factors for a Func's loops, or other loops."""
        mine = plan[name]
        if not mine.stages:
            return mine
        at = random.randrange(len(mine.stages))
        cut = [d for d, factors in mine.stages[at].cuts.items() if factors]
        if cut and random.random() < 0.6:
            stage = self._scaled(name, mine.stages[at], random.choice(cut), random)
        else:
            stage = self.space.random_stage(name, at, random, outermost=mine.place == ROOT)
        return replace(mine, stages=(*mine.stages[:at], stage, *mine.stages[at + 1 :]))

    def _scaled(self, name: str, stage: StagePlan, dimension: str, random: Random) -> StagePlan:
        factors = list(stage.cuts[dimension])
        at = random.randrange(len(factors))
        is_vector = stage.vector is not None and at == 0 and dimension == self.space.shapes[name].args[0]
        change = random.choice((0.5, 2.0) if is_vector else (0.5, 0.67, 0.75, 1.25, 1.5, 2.0))
        factors[at] = max(2, min(1024, round(factors[at] * change)))
        fitting = self.space.fitting(self.space.shapes[name], dimension, factors)
        return replace(stage, cuts={**stage.cuts, dimension: fitting}) if len(fitting) == len(factors) else stage


def _score(trial: Trial) -> float:
    assert trial.score is not None, "asked of those that have one"
    return trial.score
