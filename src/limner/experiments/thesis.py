"""The thesis' experiments, each with the settings of its chapter; every field can be overridden on the command line.

    limner train mnist --out runs/mnist --model.kind t-draw --training.iterations 2000

Iterations, moves, templates and rates are the thesis'; docs/departures.md has what differs.
"""

from collections.abc import Callable

from limner.data.settings import Data, Name
from limner.experiments.settings import Experiment
from limner.models.settings import Model
from limner.training.settings import Training


def two_rectangles() -> Experiment:
    """Two black rectangles by two squares (5.2: Fig. 5.2, 5.3, 5.8, 5.9; 4.1: Fig. 4.3)."""
    return Experiment(Data("two-rectangles"), Model(moves=2, affine="scale"))


def four_rectangles() -> Experiment:
    """Four black rectangles by four squares (5.2: Fig. 5.4)."""
    return Experiment(Data("four-rectangles"), Model(moves=4, affine="scale"))


def zero_to_two_rectangles() -> Experiment:
    """None, one or two black rectangles by two squares: null moves (5.4: Fig. 5.10, 5.11)."""
    return Experiment(Data("zero-to-two-rectangles"), Model(moves=2, affine="scale"))


def occlusion() -> Experiment:
    """Two rectangles, each black or gray, one on top: the order of moves (5.6: Fig. 5.16 to 5.18)."""
    return Experiment(Data("two-rectangles-occlusion"), Model(moves=2, affine="scale"))


def mixed() -> Experiment:
    """Black on white and white on black by three squares (5.2: Fig. 5.5)."""
    return Experiment(Data("two-rectangles-mixed"), Model(moves=3, affine="scale"))


def two_shapes() -> Experiment:
    """Squares and circles from a bank of both (5.5: Fig. 5.12 to 5.14)."""
    model = Model(moves=2, templates=("square", "circle"), affine="scale")
    return Experiment(Data("two-shapes"), model, Training(iterations=20_000))


def mnist() -> Experiment:
    """Digits by 20 circles (5.2: Fig. 5.6, 5.7; 4.1: Fig. 4.1, 4.2, 4.6)."""
    return Experiment(Data("mnist"), Model(moves=20, templates=("circle",)))


def omniglot() -> Experiment:
    """Characters of 30 alphabets by 40 circles, convolutional (5.7: Fig. 5.22)."""
    return _large("omniglot", moves=40)


def faces() -> Experiment:
    """Faces by 40 circles, convolutional; the rate falls after 30,000 iterations (5.7: Fig. 5.19 to 5.21)."""
    return _large("faces", moves=40)


def cifar() -> Experiment:
    """Natural scenes in gray by 60 circles, convolutional (5.7: Fig. 5.23)."""
    return _large("cifar", moves=60)


def _large(name: Name, moves: int) -> Experiment:
    model = Model(kind="conv", moves=moves, templates=("circle",))
    return Experiment(Data(name), model, Training(iterations=40_000, drop_at=30_000))


EXPERIMENTS: dict[str, Callable[[], Experiment]] = {
    "two-rectangles": two_rectangles,
    "four-rectangles": four_rectangles,
    "zero-to-two-rectangles": zero_to_two_rectangles,
    "occlusion": occlusion,
    "mixed": mixed,
    "two-shapes": two_shapes,
    "mnist": mnist,
    "omniglot": omniglot,
    "faces": faces,
    "cifar": cifar,
}
