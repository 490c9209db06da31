"""Which of two rectangles lies on top (thesis 5.6)."""

from limner.experiments.thesis import occlusion
from limner.figures.figure import Figure, Judgement, vary
from limner.figures.judging import both
from limner.figures.layouts import Process, Progress
from limner.figures.results import Results, number

FIRST = (20, 50, 100, 200, 500)
WITHOUT, WITH = occlusion(), vary(occlusion(), order="soft")
RIGHT = 0.95
"""Share of the pairs from which occlusion counts as understood."""
GUESSED = 0.8
"""Share of the pairs below which it is often wrong; tossing a coin gives 0.5."""

BENT = 1.25
"""Ratio of the errors of colour in pairs of the wrong order and of the right one, from which colours are bent."""


def _without(results: Results) -> Judgement:
    order, (bent, words) = results.mean("no sorter", "order_found"), _bent(results, "no sorter")
    return both(order < GUESSED, bent, f"{number(order)} of the pairs found are in the right order; {words}")


def _with(results: Results) -> Judgement:
    none, some = (results.mean(name, "order_found") for name in ("no sorter", "sorter"))
    whole = {name: results.mean(name, "order") for name in ("no sorter", "sorter")}
    why = (
        f"of the pairs found {number(some)} are in the right order with the sorter and {number(none)} without; "
        f"of all pairs {number(whole['sorter'])} and {number(whole['no sorter'])}"
    )
    return both(some > none + 0.1 and some >= GUESSED, some >= RIGHT, why)


def _early(results: Results) -> Judgement:
    early, late = results.mean("500", "order_found"), results.mean("10000", "order_found")
    errors = results.mean("500", "mse"), results.mean("10000", "mse")
    bent, words = _bent(results, "10000")
    why = (
        f"from 500 to 10,000 iterations the error falls from {number(errors[0])} to {number(errors[1])}, and the share "
        f"of pairs in the right order goes from {number(early)} to {number(late)}; then {words}"
    )
    return both(errors[1] < 0.8 * errors[0] and late < RIGHT and late - early < 0.1, bent, why)


def _bent(results: Results, variant: str) -> tuple[bool, str]:
    """Whether colours are bent to hide a wrong order, and by how much in words, also on training images."""
    right, wrong = (results.mean(variant, f"bent_{each}") for each in ("right", "wrong"))
    theirs = (results.mean(variant, f"bent_{each}", "train") for each in ("wrong", "right"))
    words = (
        f"colours are off by {number(wrong)} in pairs of the wrong order and by {number(right)} in those of the right "
        f"(of training images, which the thesis shows, by {' and '.join(map(number, theirs))})"
    )
    return wrong > BENT * right, words


FIGURES = (
    Figure(
        "5.16",
        "2-Rectangles-Occlusion without sorter",
        "With a fixed order of moves many occlusions are wrong, and colours are bent to hide it",
        "many wrong",
        "pairs in the right order, of those found; errors of colour in pairs of either order",
        1,
        Process(("no sorter",), columns=2),
        _without,
        ("order_found", "order", "bent_right", "bent_wrong", "all_found", "mse"),
        {"no sorter": WITHOUT},
        revisited="beyond-order",
    ),
    Figure(
        "5.17",
        "2-Rectangles-Occlusion with sorter",
        "With a sorter all occlusions are solved",
        "all right",
        "pairs in the right order, of those found",
        2,
        Process(("no sorter", "sorter"), columns=2, unsorted=("sorter",)),
        _with,
        ("order_found", "order", "all_found", "mse"),
        {"no sorter": WITHOUT, "sorter": WITH},
        revisited="beyond-order",
    ),
    Figure(
        "5.18",
        "First 500 iterations without sorter",
        "Once the rectangles are found the order is stuck: colours are bent instead",
        "stuck order",
        "pairs in the right order, of those found; errors of colour in pairs of either order",
        1,
        Progress(tuple(map(str, FIRST)), images=6, across=6),
        _early,
        ("order_found", "bent_right", "bent_wrong", "mse"),
        {str(count): vary(WITHOUT, count) for count in (*FIRST, WITHOUT.training.iterations)},
        quick=500,
    ),
)
