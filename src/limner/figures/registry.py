"""All figures by name, in the thesis' order, then those that go beyond it. Light to import."""

from collections.abc import Sequence
from difflib import get_close_matches
from itertools import chain

from limner.errors import UserError
from limner.figures.claims import beyond, choices, drawn, occlusion, painters, pointing, scaling, unshown, variational
from limner.figures.figure import Figure


def _place(name: str) -> tuple[int, int, str]:
    chapter, _, rest = name.partition(".")
    digits = rest[:2] if rest[:2].isdigit() else rest[:1]
    return int(chapter), int(digits), rest


MODULES = (drawn, variational, painters, choices, occlusion, scaling, unshown)
THESIS = {
    figure.name: figure
    for figure in sorted(chain.from_iterable(part.FIGURES for part in MODULES), key=lambda each: _place(each.name))
}
WITHOUT_RUNS = ("2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "3.6", "5.1", "5.15")
"""The thesis' figures that show how something works, and no result."""
FIGURES: dict[str, Figure] = THESIS | {figure.name: figure for figure in (*beyond.FIGURES, *pointing.FIGURES)}


def find(names: Sequence[str]) -> list[Figure]:
    """The figures of these names, in their order, each once; "all" is every figure, the longest first.

    UserError for names that there are not, with those that are like them.
    """
    found: dict[str, Figure] = {}
    for name in names:
        if name == "all":
            found |= {each.name: each for each in sorted(FIGURES.values(), key=lambda each: -each.minutes)}
            continue
        name = name.lower().removeprefix("figure").removeprefix("fig").strip(" .")
        if name in WITHOUT_RUNS:
            raise UserError(f"figure {name}: shows no result: limner reproduce --list shows those that do")
        if name not in FIGURES:
            like = get_close_matches(name, FIGURES, 5, 0.5) or [each for each in FIGURES if name and name in each][:5]
            advice = f"there are {', '.join(like)}" if like else "limner reproduce --list shows them all"
            raise UserError(f"no figure {name}: {advice}")
        found[name] = FIGURES[name]
    return list(found.values())
