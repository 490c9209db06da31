"""What the thesis says in its text, of experiments that it shows no figure of."""

from limner.experiments.settings import Experiment
from limner.experiments.thesis import mnist, occlusion, two_rectangles, two_shapes
from limner.figures.claims import choices
from limner.figures.claims.choices import CHARACTERS, RATES, on_characters
from limner.figures.claims.occlusion import RIGHT
from limner.figures.claims.painters import KINDS, THREE
from limner.figures.claims.variational import LENGTH, T_DRAW
from limner.figures.figure import Figure, Judgement, vary
from limner.figures.judging import GOOD, SOLVED, both, solves, stuck, tally
from limner.figures.layouts import Dots, Masks, Process, Progress
from limner.figures.results import Results, number

UNITS = 256
"""Of all hidden layers of a painter together."""
SMALL = 1.25
"""Ratio of errors up to which a loss of performance counts as small."""


WORDS = {"no": "together", "moves": "moves apart", "components": "components apart"}


def _apart(task: str, experiment: Experiment) -> dict[str, Experiment]:
    """The simple painter with one hidden layer, one for each move, and one for each component of each move."""
    components = 3 if len(experiment.model.templates) > 1 else 2
    parts = {"no": 1, "moves": experiment.model.moves, "components": components * experiment.model.moves}
    return {f"{task}, {WORDS[how]}": vary(experiment, apart=how, hidden=UNITS // parts[how]) for how in parts}


APART = _apart("2-Rectangles", two_rectangles()) | _apart("2-Shapes", two_shapes())
DECIDED = 0.9
"""The mean of the largest weights from which a choice counts as discrete."""
LESS, EXCLUSIVE = 0.75, 0.5
"""Of the true overlap of a pair: what is less than in pairs of the right order, and what hardly overlaps any more."""
CHOOSING = {
    **{f"2-Shapes, {count}": vary(two_shapes(), count, gamma_test=1.0) for count in (500, 2000, 20_000)},
    "Omniglot, 10000": vary(on_characters(0.0), gamma_test=1.0),
}
FREE = {kind: vary(experiment, affine="full") for kind, experiment in THREE.items()}
ORDERED = {
    name: vary(occlusion(), kind=kind, likelihood="ce") for name, kind in (("T-DRAW", "t-draw"), ("T-AIR", "t-air"))
}
STARTS, STAGES = {"a circle": "drawn", "noise": "random"}, (1, 1000, 10_000)
"""What a template that is learnt begins with, and iterations."""
LEARNT = {
    f"{start}, {count}": vary(mnist(), count, learn_templates=kind)
    for start, kind in STARTS.items()
    for count in STAGES
}
WINDOWS = {"300": "200", "600": "500", "1100": "1000", "2000": "1900"}
"""Iterations, and those that they are compared with."""
SAME, SOME = 2 / 3, 0.5
"""The overlap from which a painting is another one deformed, and the share of moves below which some are updated."""
STAYS, OTHER = 0.9, 0.5
"""Correlations with a circle, from which a template is still one, and below which it is something else."""
DIGITS = {kind: vary(mnist(), kind=kind) for kind in KINDS[1:]}


def _apart_found(results: Results) -> Judgement:
    def ratio(name: str, split: str) -> float:
        """Its error, as a share of that with one hidden layer for all."""
        together = f"{name.partition(',')[0]}, {WORDS['no']}"
        return results.mean(name, "mse", split) / results.mean(together, "mse", split)

    ratios = {name: (ratio(name, "test"), ratio(name, "train")) for name in APART if not name.endswith(WORDS["no"])}
    solved = [name for name in APART if name.startswith("2-Rectangles")]
    each = ", ".join(f"{held_out:.2f} and {train:.2f} ({name})" for name, (held_out, train) in ratios.items())
    why = f"of the error with one hidden layer for all, held out and in training, they have {each}; "
    why += f"seeds that solve it: {tally(results, APART)}"
    return both(all(solves(results, name) for name in solved), max(map(max, ratios.values())) <= SMALL, why)


def _decided(results: Results) -> Judgement:
    weights = {name: results.mean(name, "largest") for name in CHOOSING}
    *_, shapes, characters = weights.values()
    found = ", ".join(f"{number(each)} ({name})" for name, each in weights.items())
    return both(shapes >= DECIDED, characters >= DECIDED, f"the largest weights, unsharpened, are {found} in the mean")


def _exclusive(results: Results) -> Judgement:
    right, wrong = (results.mean("no sorter", f"overlap_{each}") for each in ("right", "wrong"))
    theirs = (results.mean("no sorter", f"overlap_{each}", "train") for each in ("wrong", "right"))
    why = (
        f"moves overlap in {number(wrong)} times as many pixels as their two rectangles where their order is wrong, "
        f"and in {number(right)} times where it is right (of training images {' and '.join(map(number, theirs))})"
    )
    return both(wrong < LESS * right, wrong < EXCLUSIVE, why)


def _free(results: Results) -> Judgement:
    why = f"seeds that solve it: {tally(results, KINDS)}"
    return both(any(solves(results, kind) for kind in KINDS), all(solves(results, kind) for kind in KINDS), why)


def _ordered(results: Results) -> Judgement:
    def fails(name: str) -> bool:
        """In no seed are the rectangles found and in order."""
        each = zip(results.each(name, "all_found"), results.each(name, "order"), strict=True)
        return not any(found >= SOLVED and order >= RIGHT for found, order in each)

    names = results.variants
    orders = ", ".join(f"{name} {number(results.mean(name, 'order'))}" for name in names)
    why = f"pairs in the right order: {orders}; seeds that find all rectangles: {tally(results, names)}"
    return both(all(map(fails, names)), all(stuck(results, name) for name in names), why)


def _digits(results: Results) -> Judgement:
    explained = {kind: results.mean(kind, "explained") for kind in DIGITS}
    why = ", ".join(f"{kind} explains {number(share)} of the variance" for kind, share in explained.items())
    return both(max(explained.values()) >= GOOD, min(explained.values()) >= GOOD, why)


def _versatile(results: Results) -> Judgement:
    def most(name: str) -> bool:
        return all(results.mean(name, f"chosen_{other}") < circle[name] for other in ("line", "curve", "transparent"))

    circle = {name: results.mean(name, "chosen_circle") for name in CHARACTERS}
    why = (
        f"the circle has the largest weight in {', '.join(map(number, circle.values()))} of the moves of held-out "
        f"images, most of all "
        f"at {', '.join(f'{rate:g}' for rate, name in zip(RATES, CHARACTERS, strict=True) if most(name)) or 'none'} "
        f"(γ rates {', '.join(f'{rate:g}' for rate in RATES)})"
    )
    return both(most(next(iter(CHARACTERS))), all(map(most, CHARACTERS)), why)


def _learnt(results: Results) -> Judgement:
    start, last = STAGES[0], STAGES[-1]
    like = {name: [results.mean(f"{name}, {count}", "like_circle") for count in (start, last)] for name in STARTS}
    explained = {name: results.mean(f"{name}, {last}", "explained") for name in STARTS}
    why = "; ".join(
        f"what begins as {name} correlates with a circle by {number(before)} at first and {number(after)} in the end, "
        f"and explains {number(explained[name])} of the variance"
        for name, (before, after) in like.items()
    )
    why += f"; a circle that is not learnt {number(results.mean('not learnt', 'explained'))}"
    return both(like["a circle"][1] >= STAYS, abs(like["noise"][1]) < OTHER, why)


def _deformed(results: Results) -> Judgement:
    kept, alike, updated = ([results.mean(name, score) for name in WINDOWS] for score in ("kept", "alike", "updated"))
    why = (
        f"after {', '.join(WINDOWS)} iterations paintings overlap by {', '.join(map(number, kept))} with those of 100 "
        f"iterations before, and by {', '.join(map(number, alike))} with the digits; the changes "
        f"are spread as over {', '.join(map(number, updated))} of the moves"
    )
    continuous = all(one >= SAME and one > other for one, other in zip(kept, alike, strict=True))
    return both(continuous, updated[0] < SOME and updated[0] < updated[-1], why)


FIGURES = (
    Figure(
        "4.6-deformed",
        "What T-DRAW changes in 100 iterations (text of 4.3)",
        "T-DRAW learns digits by nearly continuous deformation of what it painted before; at first only some moves are "
        "updated, and the others once these are right",
        "deformed; some moves, then more",
        "overlap of paintings with those of 100 iterations before; share of the moves that change",
        16,
        Progress(tuple(name for window in WINDOWS.items() for name in reversed(window)), images=3, across=1),
        _deformed,
        ("kept", "alike", "updated", "live", "explained"),
        {name: vary(T_DRAW, int(name)) for window in WINDOWS.items() for name in reversed(window)},
        quick=50,
        since=WINDOWS,
    ),
    Figure(
        "5.1-apart",
        "Moves that share nothing (text of 5.1)",
        "Moves need no features that they share, and neither do the components of a move: the loss of performance is "
        "small",
        "small loss",
        "images in which every shape is found; error, as a share of that with one hidden layer for all",
        10,
        Dots(("all_found", "mse")),
        _apart_found,
        ("all_found", "mse"),
        APART,
    ),
    Figure(
        "5.5-discrete",
        "Choice of templates, unsharpened (text of 5.5)",
        "Without sharpening, the network comes to choose templates discretely on its own",
        "discrete",
        "the largest weight of a move at γ = 1, mean of the moves",
        8,
        Dots(("largest",)),
        _decided,
        ("largest", "mse"),
        CHOOSING,
        quick=60,
        shortened="10,000 iterations on Omniglot",
    ),
    Figure(
        "5.18-exclusive",
        "Overlaps of pairs in the wrong order (text of 5.6)",
        "Where the order is stuck, rectangles are also made mutually exclusive",
        "mutually exclusive",
        "overlap of a pair's moves, as a share of the rectangles' own, in pairs of the wrong order that were found",
        1,
        Process(("no sorter",), columns=2),
        _exclusive,
        ("overlap_right", "overlap_wrong", "order_found", "mse"),
        {"no sorter": occlusion()},
        revisited="beyond-order",
    ),
    Figure(
        "5.2-affine",
        "2-Rectangles with all six numbers of Phi (text of 5.2)",
        "With all six numbers of Φ free, all three Painters solve 2-Rectangles as well",
        "the same conclusions",
        "images in which both rectangles are found",
        12,
        Process(KINDS, columns=2),
        _free,
        ("all_found", "mse"),
        FREE,
    ),
    Figure(
        "5.16-ordered",
        "T-DRAW and T-AIR on 2-Rectangles-Occlusion (text of 5.6)",
        "T-DRAW and T-AIR, which are stuck where nothing lies on anything, cannot handle an ordered task either",
        "fail",
        "pairs in the right order; images in which both rectangles are found",
        15,
        Process(tuple(ORDERED), columns=2),
        _ordered,
        ("order", "order_found", "all_found", "mse"),
        ORDERED,
        shortened=LENGTH,
    ),
    Figure(
        "5.20-mnist",
        "Recurrent Painters on MNIST (text of 5.7)",
        "Recurrent Painters can model MNIST",
        "good reconstructions",
        "share of the variance explained",
        30,
        Process(tuple(DIGITS), across=1),
        _digits,
        ("explained", "undone", "live", "mse"),
        DIGITS,
        quick=60,
    ),
    Figure(
        "6.1-circle",
        "Which templates are used on Omniglot (text of 6.1)",
        "Where images are not made of the templates, the most versatile one is used most, generally the circle",
        "the circle",
        "moves whose largest weight is that of the circle",
        13,
        Dots(("chosen_circle", "chosen_line", "chosen_curve", "chosen_transparent")),
        _versatile,
        ("chosen_circle", "chosen_line", "chosen_curve", "chosen_transparent", "mse"),
        CHARACTERS,
        quick=60,
        shortened=choices.LENGTH,
    ),
    Figure(
        "6.2-templates",
        "Templates that are learnt (text of 6.2)",
        "A template that is learnt stays nearly what it began as: a circle a circle, a random one square-like",
        "as at first",
        "correlation of the template with a circle",
        12,
        Masks(tuple(STARTS), tuple(map(str, STAGES))),
        _learnt,
        ("like_circle", "explained", "mse"),
        LEARNT | {"not learnt": mnist()},
        quick=60,
        shortened="the thesis tells neither data nor length",
    ),
)
