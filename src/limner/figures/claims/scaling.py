"""Larger images, and many moves: Faces, Omniglot and CIFAR-10 (thesis 5.7)."""

from collections.abc import Callable

from limner.experiments.thesis import cifar, faces, omniglot
from limner.figures.figure import Figure, Judgement, vary
from limner.figures.judging import FAILED, GOOD, both
from limner.figures.layouts import Curves, Dots, Process, Reconstructions
from limner.figures.results import Results, number

ARCHITECTURES = {
    "simple": vary(faces(), kind="simple", layers=2),
    "recurrent": vary(faces(), kind="recurrent", layers=2, moves=30),
    "convolutional": faces(),
}
LENGTH = "the thesis tells only that the rate falls after 30,000, on Faces"
MOVES = (10, 20, 40, 80)
PLATEAU = 0.05
"""Share of the error that more moves have to save to count."""
FAR_BEHIND = 1.5
"""Ratio of final losses from which the recurrent Painter is not even close to the simple one."""
SPREAD = 0.11
"""By what share the final losses of two trainings of the convolutional Painter differ; it has to be better than another
by more. Set after the run."""
AGAIN = 0.00457
"""Where the loss of its other training ended, that of beyond-faces."""


def _architectures(results: Results) -> Judgement:
    simple, recurrent, conv = (results.mean(name, "last", "train") for name in ARCHITECTURES)
    shaky, smooth = (results.mean("convolutional", f"wobble_{when}", "train") for when in ("early", "late"))
    steady = results.mean("simple", "wobble_early", "train")
    why = (
        f"final training loss: simple {number(simple)}, recurrent {number(recurrent)}, convolutional {number(conv)}; "
        f"before the rate falls the loss wobbles by {number(shaky)} of itself (convolutional) and {number(steady)} "
        f"(simple), afterwards by {number(smooth)} (convolutional)"
    )
    best = conv < (1 - SPREAD) * simple
    if conv < simple and not best:
        why += "; the convolutional one is better by no more than two trainings of it differ, "
        why += f"and ended at {AGAIN:g} in the other"
    return both(recurrent > FAR_BEHIND * simple, best and shaky > steady and smooth < shaky / 2, why)


def _recurrent(results: Results) -> Judgement:
    explained, live = results.mean("recurrent", "explained", "train"), results.mean("recurrent", "live", "train")
    why = f"it explains {number(explained)} of the training set's variance; {number(live)} of its 30 moves leave a mark"
    return both(explained < GOOD, explained < (GOOD + FAILED) / 2, why)


def _reconstructs(good: float, words: str) -> Callable[[Results], Judgement]:
    def judge(results: Results) -> Judgement:
        train, test = (results.mean("convolutional", "explained", split) for split in ("train", "test"))
        why = f"{number(train)} of the training set's variance is explained, {number(test)} of {words}"
        return both(train >= good, test >= good, why)

    return judge


def _plateau(results: Results) -> Judgement:
    losses = {moves: results.mean(f"T={moves}", "last", "train") for moves in MOVES}
    live = {moves: moves * results.mean(f"T={moves}", "live", "train") for moves in MOVES}
    why = "final training loss " + ", ".join(f"{number(loss)} at T={moves}" for moves, loss in losses.items())
    why += "; live moves " + ", ".join(f"{count:.0f}" for count in live.values())
    flat = losses[80] > (1 - PLATEAU) * losses[40]
    return both(flat, losses[40] < (1 - PLATEAU) * losses[20], why)


def _global_only(results: Results) -> Judgement:
    explained, ssim = results.mean("convolutional", "explained"), results.mean("convolutional", "ssim")
    why = f"{number(explained)} of the variance of held-out pictures is explained, with an SSIM of {number(ssim)}; "
    why += f"{number(results.mean('convolutional', 'live'))} of the moves leave a mark"
    return both(explained >= 0.5, ssim < 0.7, why)


FIGURES = (
    Figure(
        "5.19",
        "Simple, recurrent and convolutional Painter on Faces",
        "The recurrent Painter never comes close; the convolutional one is best, though unstable until the rate falls",
        "convolutional, simple, far behind recurrent",
        "training loss of the last 1,000 iterations; standard deviation of the loss as a share of it, before and after "
        "the rate falls",
        85,
        Curves((("Loss a pixel on Faces", tuple(ARCHITECTURES)),), drop=30_000),
        _architectures,
        ("last", "wobble_early", "wobble_late", "mse"),
        ARCHITECTURES,
        quick=60,
        curve="loss",
    ),
    Figure(
        "5.20",
        "Recurrent Painter on Faces",
        "The recurrent Painter of 30 moves is stuck in a poor minimum",
        "stuck",
        "share of the variance explained",
        85,
        Process(("recurrent",), columns=15),
        _recurrent,
        ("explained", "live", "mse"),
        {"recurrent": ARCHITECTURES["recurrent"]},
        quick=100,
        revisited="beyond-recurrent",
    ),
    Figure(
        "5.21",
        "Convolutional Painter on Faces",
        "With 40 moves the convolutional Painter's faces are impressive",
        "good reconstructions",
        "share of the variance explained",
        40,
        Reconstructions("convolutional"),
        _reconstructs(GOOD, "that of held-out frames, of people partly seen"),
        ("explained", "psnr", "ssim", "mse"),
        {"convolutional": faces()},
        quick=200,
        shortened=LENGTH,
        revisited="beyond-faces",
    ),
    Figure(
        "5.21-moves",
        "Number of moves on Faces (text of 5.7)",
        "Beyond about 40 moves the reconstructions do not improve: many moves are completely overwritten",
        "plateau near 40",
        "training loss of the last 1,000 iterations",
        80,
        Dots(("mse", "live")),
        _plateau,
        ("last", "mse", "live"),
        {f"T={moves}": vary(faces(), moves=moves) for moves in MOVES},
        quick=80,
    ),
    Figure(
        "5.22",
        "Convolutional Painter on Omniglot",
        "With 40 circles characters are reconstructed with great precision",
        "hardly to be told apart",
        "share of the variance explained",
        40,
        Reconstructions("convolutional"),
        _reconstructs(0.8, "that of held-out alphabets"),
        ("explained", "psnr", "ssim", "mse"),
        {"convolutional": omniglot()},
        quick=200,
        shortened=LENGTH,
        revisited="beyond-omniglot",
    ),
    Figure(
        "5.23",
        "Convolutional Painter on CIFAR-10",
        "With 60 circles most of the global pattern is captured, and no fine detail",
        "global pattern only",
        "share of the variance explained; SSIM",
        10,
        Reconstructions("convolutional"),
        _global_only,
        ("explained", "psnr", "ssim", "live", "mse"),
        {"convolutional": cifar()},
        quick=500,
        shortened=LENGTH,
    ),
)
