"""The Painter on the tasks that T-DRAW and T-AIR fail, and on numbers of shapes that vary (thesis 5.2, 5.4)."""

from limner.experiments.thesis import four_rectangles, mixed, mnist, two_rectangles, zero_to_two_rectangles
from limner.figures.claims.variational import T_DRAW, with_whole_stamps
from limner.figures.figure import Figure, Judgement, vary
from limner.figures.judging import CALM, SOLVED, all_solve, both, solves
from limner.figures.layouts import Curves, Process, Progress
from limner.figures.results import Results, number

KINDS = ("simple", "recurrent", "canvas-recurrent")
THREE = {kind: vary(two_rectangles(), kind=kind) for kind in KINDS}
NORMALISED = {"without": two_rectangles(), "with batch norm": vary(two_rectangles(), batch_norm=True)}
EARLY = (50, 100, 200, 500, 1000)
FIRST = (1, 20, 50, 100, 200)
SLOWER = 1.05
"""Ratio of mean training losses from which one course is slower than another."""


def _speeds(results: Results) -> Judgement:
    simple, recurrent, canvas = (results.mean(kind, "area", "train") for kind in KINDS)
    order = " < ".join(sorted(KINDS, key=lambda kind: results.mean(kind, "area", "train")))
    why = f"mean training loss: {order} (simple {number(simple)}, recurrent {number(recurrent)}, "
    why += f"canvas-recurrent {number(canvas)})"
    return both(min(recurrent, canvas) < simple, canvas < recurrent < simple, why)


def _normalised(results: Results) -> Judgement:
    plain, normalised = (results.mean(name, "area", "train") for name in NORMALISED)
    found = all(solves(results, name) for name in NORMALISED)
    why = f"{'every seed solves' if found else 'not every seed solves'} the task; mean training loss {number(plain)} "
    return both(found, normalised > SLOWER * plain, f"{why}without and {number(normalised)} with batch normalisation")


def _four(results: Results) -> Judgement:
    placed, found = results.mean("Painter", "template"), results.mean("Painter", "all_found")
    why = f"{number(placed)} of the rectangles have a move within 4 px; all are found in {number(found)} of the images"
    return both(placed >= 0.6, found < SOLVED, why)


def _black_first(results: Results) -> Judgement:
    found, order, count = (results.mean("Painter", score) for score in ("all_found", "order_found", "count"))
    every = results.mean("Painter", "order")
    why = (
        f"everything, black canvases included, is found in {number(found)} of the images, the black lies under the "
        f"white in {number(every)} of all pairs ({number(order)} of those found, since it hides the white otherwise), "
        f"and the number of live moves is right in {number(count)}"
    )
    return both(found >= SOLVED and order >= 0.9 and not every < 0.9, count >= SOLVED, why)


def _digits(results: Results) -> Judgement:
    good = results.mean("Painter", "explained") >= results.mean("T-DRAW", "explained") - 0.05
    calm = results.mean("Painter", "undone") < CALM * results.mean("T-DRAW", "undone")
    why = "; ".join(
        f"{name} explains {number(results.mean(name, 'explained'))} of the variance and moves "
        f"{number(results.mean(name, 'undone'))} ink for each that stays"
        for name in ("Painter", "T-DRAW")
    )
    return both(good, calm, why)


def _quickly(results: Results) -> Judgement:
    early, late = results.mean("500", "explained"), results.mean("T-DRAW, 2000", "explained")
    same = results.mean("T-DRAW, 500", "explained")
    why = (
        f"explained of the variance: the Painter {number(early)} after 500 iterations, T-DRAW {number(same)} after 500 "
    )
    return both(early > same, early >= late, f"{why}and {number(late)} after 2,000")


def _null(results: Results, name: str) -> tuple[float, str]:
    """White and overpainted moves of a variant, for each null move that there should be; and all kinds in words."""
    kinds = {"white": "white", "hidden": "overpainted", "empty": "of no size"}
    shares = {words: results.mean(name, f"null_{kind}") for kind, words in kinds.items()}
    due = results.mean(name, "null_due")
    words = f"of the moves of images with rectangles {number(due)} should be null, and "
    words += ", ".join(f"{number(share)} are {kind}" for kind, share in shares.items())
    return (shares["white"] + shares["overpainted"]) / due if due else 0.0, words


def _lengths(results: Results) -> Judgement:
    plain, words = _null(results, "Painter")
    found, count = results.mean("Painter", "all_found"), results.mean("Painter", "count")
    why = (
        f"all rectangles are found in {number(found)} of the images with rectangles, and their number is right in "
        f"{number(count)} of all; {words}: {number(plain)} white or overpainted for each that should be null, so that "
        "a lone rectangle is often painted by two moves"
    )
    return both(found >= SOLVED and count >= SOLVED and plain >= 0.5, plain >= 0.9, why)


def _null_early(results: Results) -> Judgement:
    plain, words = _null(results, "200")
    return both(plain >= 0.5, plain >= 0.9, f"after 200 iterations: {words}")


FIGURES = (
    Figure(
        "5.2",
        "Simple, recurrent and canvas-recurrent Painter on 2-Rectangles",
        "All three deterministic Painters find both rectangles and leave the one-box minimum",
        "all solve it",
        "images in which both rectangles are found",
        23,
        Process(KINDS, columns=2),
        lambda results: all_solve(results, KINDS),
        ("all_found", "mse"),
        with_whole_stamps(THREE),
        revisited="beyond-phi0",
    ),
    Figure(
        "5.3a",
        "Learning speed of the three Painters",
        "The recurrent Painter learns slightly faster than the simple one, the canvas-recurrent one faster still",
        "canvas-recurrent, recurrent, simple",
        "mean loss over the whole training",
        11,
        Curves((("Loss a pixel on 2-Rectangles", KINDS),)),
        _speeds,
        ("area", "mse"),
        THREE,
        curve="loss",
    ),
    Figure(
        "5.3b",
        "Batch normalisation",
        "With batch normalisation the task is solved, significantly more slowly",
        "solved, slower",
        "mean loss over the whole training",
        2,
        Curves((("Loss a pixel of the simple Painter on 2-Rectangles", tuple(NORMALISED)),)),
        _normalised,
        ("area", "all_found", "mse"),
        NORMALISED,
        curve="loss",
    ),
    Figure(
        "5.4",
        "4-Rectangles",
        "With four moves the rectangles' places are roughly right, their details are not",
        "right places, wrong details",
        "rectangles with a move within 4 pixels; images in which all four are found",
        1,
        Process(("Painter",), columns=4),
        _four,
        ("template", "all_found", "mse"),
        {"Painter": four_rectangles()},
        revisited="beyond-pointing",
    ),
    Figure(
        "5.5",
        "2-Rectangles-Mixed",
        "For white on black the first move paints the canvas black; for black on white one move is not used",
        "optimal strategy",
        "images in which everything is found; pairs with the black below",
        1,
        Process(("Painter",), columns=3),
        _black_first,
        ("all_found", "order", "count", "mse"),
        {"Painter": mixed()},
        revisited="beyond-layers",
    ),
    Figure(
        "5.6",
        "Painter on MNIST",
        "With 20 moves reconstructions are as good as T-DRAW's, and the process is much less erratic",
        "as good, less erratic",
        "share of the variance explained; ink put on and taken off for each that stays (paint per ink)",
        70,
        Process(("Painter",)),
        _digits,
        ("explained", "undone", "mse"),
        {"Painter": mnist(), "T-DRAW": T_DRAW},
        quick=60,
        shortened="the Painter 10,000, T-DRAW 20,000",
    ),
    Figure(
        "5.7",
        "Painter's first iterations on MNIST",
        "The Painter's digits are plausible after a few hundred iterations, T-DRAW's after several thousand",
        "hundreds against thousands",
        "share of the variance explained",
        8,
        Progress(tuple(map(str, EARLY)), images=3, across=1),
        _quickly,
        ("explained", "live"),
        {str(count): vary(mnist(), count) for count in EARLY}
        | {f"T-DRAW, {count}": vary(T_DRAW, count) for count in (500, 2000)},
        quick=50,
    ),
    Figure(
        "5.10",
        "0to2-Rectangles",
        "The Painter copes with numbers that vary: null moves are white, or overpainted",
        "white or overpainted null moves",
        "images in which all is found; white and overpainted moves for each null move due",
        1,
        Process(("Painter",), columns=2),
        _lengths,
        ("all_found", "count", "null_due", "null_white", "null_hidden", "mse"),
        {"Painter": zero_to_two_rectangles()},
    ),
    Figure(
        "5.11",
        "First 200 iterations on 0to2-Rectangles",
        "The first iterations show how null moves come about: white, or overpainted",
        "white or overpainted null moves",
        "white and overpainted moves for each null move due",
        0,
        Progress(tuple(map(str, FIRST)), images=12, across=6),
        _null_early,
        ("null_due", "null_white", "null_hidden", "null_empty", "live"),
        {str(count): vary(zero_to_two_rectangles(), count) for count in FIRST},
        quick=200,
    ),
)
