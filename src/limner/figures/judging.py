"""When a painter counts as stuck or as having solved its task, and judgements that several figures share."""

from collections.abc import Iterable

from limner.figures.figure import Judgement
from limner.figures.results import Results, number

SOLVED, STUCK = 0.5, 0.2
"""Shares of the held-out images. A run has solved its task if every shape is found (IoU of 0.5 or more with a move of
its own) in the first or more, and is stuck below the second. One box over two rectangles finds at most one of them."""

GOOD, FAILED = 0.7, 0.3
"""Of real images: shares of the variance around the mean image that are painted (`explained`)."""

CALM = 0.8
"""Ratio of paint per ink below which one process is much less erratic than another. Set after the run of 5.6: 0.94 of
T-DRAW's is less, but not much less."""

BLANK = 0.05
"""Share of the variance below which nothing was learnt: a plain gray explains none."""

WHOLE_STAMPS = ", Φ0=0"
"""Ends the names of variants whose stamps start as the thesis' text has it: Phi near 0, many times the canvas."""


def solves(results: Results, variant: str) -> bool:
    """Whether every seed has solved its task."""
    return min(results.each(variant, "all_found")) >= SOLVED


def stuck(results: Results, variant: str) -> bool:
    """Whether every seed is stuck."""
    return max(results.each(variant, "all_found")) < STUCK


def blank(results: Results, variant: str) -> bool:
    """Whether no seed has learnt anything, so that it can be neither stuck at a box nor free."""
    return max(results.each(variant, "explained")) < BLANK


def tally(results: Results, variants: Iterable[str]) -> str:
    """How many seeds of each have solved their task: "simple 3 of 3, recurrent 2 of 3"."""
    each = {variant: results.each(variant, "all_found") for variant in variants}
    return ", ".join(
        f"{name} {sum(one >= SOLVED for one in found)} of {len(found)}"
        + (" (learns nothing, paints plain gray)" if blank(results, name) else "")
        for name, found in each.items()
    )


def all_stuck(results: Results, variants: Iterable[str]) -> Judgement:
    """The claim that `variants` are stuck, with `WHOLE_STAMPS` behind their names too, if they learn anything there."""
    ours = list(variants)
    tried = [*ours, *(name + WHOLE_STAMPS for name in ours)]
    cases = [name for name in tried if not blank(results, name)]
    free = [name for name in cases if not stuck(results, name)]
    boxed = " and ".join(number(results.mean(name, "boxed")) for name in ours)
    why = f"seeds that solve it: {tally(results, tried)}; one box lies over all in {boxed} of the images (Φ0=2)"
    if len(free) == len(cases):
        return Judgement("not confirmed", why)
    if free:
        return Judgement("confirmed with a difference", f"not stuck in every seed: {', '.join(free)}; {why}")
    return Judgement("confirmed", why)


def all_solve(results: Results, variants: Iterable[str]) -> Judgement:
    """The claim that `variants` solve their task; each was also run with `WHOLE_STAMPS` behind its name."""
    ours = list(variants)
    theirs = [name + WHOLE_STAMPS for name in ours]
    why = f"seeds that solve it: {tally(results, ours + theirs)}"
    if not all(solves(results, name) for name in ours):
        return Judgement("not confirmed", why)
    if not all(solves(results, name) for name in theirs):
        return Judgement("confirmed with a difference", f"every seed solves it only with Φ0=2: {why}")
    return Judgement("confirmed", why)


def both(first: bool, second: bool, why: str) -> Judgement:
    """Confirmed if both halves of a claim hold, with a difference if only the first, its core, does."""
    if first and second:
        return Judgement("confirmed", why)
    return Judgement("confirmed with a difference" if first else "not confirmed", why)
