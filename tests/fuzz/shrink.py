"""Make a failing case smaller, as long as it fails in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from .case import Case, Definition, Term, Update
from .random_algorithm import names_read

Fails = Callable[[Case], bool]


def shrink(case: Case, fails: Fails, budget: int = 400) -> Case:
    """Greedily: each smaller case that still fails is taken, until none does or `budget` of them were tried."""
    tried = 0
    is_smaller = True
    while is_smaller:
        is_smaller = False
        for smaller in smaller_cases(case):
            tried += 1
            if tried > budget:
                return case
            if fails(smaller):
                case, is_smaller = smaller, True
                break
    return case


def smaller_cases(case: Case) -> Iterator[Case]:
    """Large steps first."""
    yield from _without_directives(case)
    for func in case.funcs[:-1]:
        yield from _as_output(case, func)
    for place, func in enumerate(case.funcs):
        for smaller in _smaller_definitions(func):
            yield _tidy(replace(case, funcs=(*case.funcs[:place], smaller, *case.funcs[place + 1 :])))
    for dim, size in enumerate(case.sizes):
        for less in sorted({1, size // 2, size - 1} - {0, size}):
            yield replace(case, sizes=(*case.sizes[:dim], less, *case.sizes[dim + 1 :]))
    for dim, low in enumerate(case.mins):
        if low:
            yield replace(case, mins=(*case.mins[:dim], 0, *case.mins[dim + 1 :]))
    yield from _simpler_arguments(case)


def _without_directives(case: Case) -> Iterator[Case]:
    count = len(case.directives)
    length = count
    while length >= 1:
        for start in range(0, count, length):
            yield replace(case, directives=case.directives[:start] + case.directives[start + length :])
        length //= 2


def _as_output(case: Case, func: Definition) -> Iterator[Case]:
    """An earlier Func becomes the output."""
    rank = len(func.args)
    place = case.funcs.index(func)
    sizes = (*case.sizes, 5, 5)[:rank]
    mins = (*case.mins, 0, 0)[:rank]
    yield _tidy(replace(case, funcs=case.funcs[: place + 1], sizes=sizes, mins=mins))


def _tidy(case: Case) -> Case:
    """Without Funcs, images and directives that nothing is left of."""
    wanted, kept = {case.output.name}, []
    for func in reversed(case.funcs):
        if func.name in wanted:
            kept.append(func)
            wanted |= names_read(func)
    names = {f.name for f in kept}
    made = {d.result for d in case.directives if d.result}
    stages = {f.name: len(f.updates) for f in kept}
    directives = tuple(d for d in case.directives if d.func in made or (d.func in names and d.stage <= stages[d.func]))
    images = tuple(i for i in case.images if i.name in wanted)
    return replace(case, funcs=tuple(kept[::-1]), images=images, directives=directives)


def _smaller_definitions(func: Definition) -> Iterator[Definition]:
    for k, update in enumerate(func.updates):
        yield replace(func, updates=func.updates[:k] + func.updates[k + 1 :])
        for smaller in _smaller_updates(update):
            yield replace(func, updates=(*func.updates[:k], smaller, *func.updates[k + 1 :]))
    for k, value in enumerate(func.values):
        for term in smaller_terms(value):
            yield replace(func, values=(*func.values[:k], term, *func.values[k + 1 :]))


def _smaller_updates(update: Update) -> Iterator[Update]:
    domain = update.domain
    if domain and domain.where:
        yield replace(update, domain=replace(domain, where=None))
        for term in smaller_terms(domain.where):
            yield replace(update, domain=replace(domain, where=term))
    for k, (low, extent) in enumerate(domain.ranges if domain else ()):
        for less in sorted({1, extent // 2, extent - 1} - {0, extent}):
            ranges = (*domain.ranges[:k], (low, less), *domain.ranges[k + 1 :])
            yield replace(update, domain=replace(domain, ranges=ranges))
    for part in ("values", "index"):
        terms = getattr(update, part)
        for k, value in enumerate(terms):
            for term in smaller_terms(value):
                yield replace(update, **{part: (*terms[:k], term, *terms[k + 1 :])})


def smaller_terms(term: Term) -> Iterator[Term]:
    """A part of the same type in its place, a number, or the same with a smaller part; nearest the root first."""
    if term.op in ("var", "rvar", "const", "param"):
        return
    for arg in term.args:
        if arg.type == term.type:
            yield arg
    yield Term("const", term.type, (), 1)
    for k, arg in enumerate(term.args):
        for smaller in smaller_terms(arg):
            yield replace(term, args=(*term.args[:k], smaller, *term.args[k + 1 :]))


def _simpler_arguments(case: Case) -> Iterator[Case]:
    for k, directive in enumerate(case.directives):
        for j, argument in enumerate(directive.args):
            if isinstance(argument, int) and not isinstance(argument, bool) and argument > 2:
                args = (*directive.args[:j], argument - 1, *directive.args[j + 1 :])
                simpler = replace(directive, args=args)
                yield replace(case, directives=(*case.directives[:k], simpler, *case.directives[k + 1 :]))
        if directive.under is not None:
            simpler = replace(directive, under=None)
            yield replace(case, directives=(*case.directives[:k], simpler, *case.directives[k + 1 :]))
