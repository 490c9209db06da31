"""What a model can be asked to be; light to import, since the command line's help is made of it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from limner.flags import flag

PainterKind = Literal["simple", "recurrent", "canvas-recurrent", "conv", "pointing"]
DrawKind = Literal["draw", "t-draw"]
AirKind = Literal["air", "t-air"]
Kind = Literal[PainterKind, "autoencoder", DrawKind, AirKind]
PAINTERS, DRAW, AIR = (get_args(kinds) for kinds in (PainterKind, DrawKind, AirKind))
RECURRENT = ("recurrent", "canvas-recurrent")
IN_TURN = (*RECURRENT, "pointing")
"""Painters that give one move a step, so that they can give any number."""
MOST_MOVES = 10_000


def given(model: "Model", name: str) -> str:
    """A setting as it is given on the command line."""
    return f"{flag(f'model.{name}')} {getattr(model, name)}"


def is_mask(template: str) -> bool:
    """Whether a template is a file, which has a suffix, that is there."""
    return bool(Path(template).suffix) and os.path.isfile(template)


@dataclass(frozen=True)
class Model:
    """A model; what a kind has no use for is left at its default."""

    kind: Kind = "simple"
    """Painters: simple, recurrent, canvas-recurrent, conv, pointing. Without templates: autoencoder, draw, air."""
    moves: int = 2
    """Strokes an image (steps of draw and air)."""
    moves_test: int = 0
    """Strokes an image out of training, of painters that give one a step; 0 is as many as in training."""
    templates: tuple[str, ...] = ("square",)
    """The bank: circle, square, line, curve, triangle, bristle, soft, transparent, and mask files (PNG, SVG)."""
    learn_templates: Literal["no", "drawn", "random"] = "no"
    """Learn the masks, too, beginning with the templates as they are drawn, or with random ones of their names."""
    hidden: int = 256
    """Units of a hidden layer."""
    layers: int = 1
    """Hidden layers before the writers; a recurrent painter's last is its LSTM."""
    apart: Literal["no", "moves", "components"] = "no"
    """Of the simple painter, hidden layers of its own for each move, or each of its where, what, which and depth."""
    batch_norm: bool = False
    """Normalise the hidden layer over the batch."""
    phi0: float = 2.0
    """Phi = diag(phi0, phi0) + h: an untrained painter's stamps are 1 / phi0 as wide and high as the canvas."""
    affine: Literal["full", "scale"] = "full"
    """All six numbers of Phi, or four: no rotation and no skew."""
    init: float = 0.05
    """Standard deviation of the Gaussian that weights start from."""
    gamma: float = 1.0
    """Sharpening of the template choice in training (3.1)."""
    gamma_rate: float = 0.0
    """What gamma grows by in an iteration, up to 30."""
    gamma_test: float = 30.0
    """Sharpening out of training."""
    noise: float = 0.0
    """Standard deviation of the noise on the template scores in training (3.2)."""
    order: Literal["fixed", "soft", "straight-through", "evidence"] = "fixed"
    """Which move lies on top: the later one; by a learnt depth; by the image's evidence."""
    temperature: float = 1.0
    """Softness of a learnt order."""
    temperature_end: float = 1.0
    """Softness that it is annealed to."""
    anneal: int = 0
    """Iterations of annealing."""
    greedy: int = 0
    """Iterations in which what each move leaves counts, too, less and less; then only the last canvas does."""
    likelihood: Literal["mse", "ce", "ce-squeezed", "optimal-sigma", "flip"] = "mse"
    """Reconstruction loss: squared error; cross-entropy, the canvas clamped or squeezed into its range; Gaussian of the
    best sigma; Bernoulli with flip noise."""
    margin: float = 1e-3
    """How near to 0 and 1 cross-entropy sees the canvas, where it would be infinite."""
    latent: int = 0
    """Size of a latent code. 0 is none, and writers read the hidden layer; draw and t-draw then take 100, air 50.
    t-air's code is its moves."""
    sigma: float = -1.0
    """Noise on the code: 0 is none (deterministic), a positive number is fixed, -1 is learnt (variational)."""
    sigma_start: float = 1.0
    """Where a learnt sigma starts."""
    latent_cost: Literal["full", "mu", "none"] = "full"
    """KL(q || N(0, 1)), its term in mu only, or none."""
    beta: float = 1.0
    """Weight of the latent cost."""
    free_bits: float = 0.0
    """Nats that each latent number may cost for nothing."""
    input_noise: float = 0.0
    """Standard deviation of the noise on the input image in training."""
    window: int = 12
    """Side of the windows that draw and air read and write, in pixels."""
    window_size: float = 0.0
    """Side of air's read windows as a share of the image's, held there; 0 leaves it free."""
    prior_where: float = 1.0
    """Standard deviation of the prior of air's where around phi0."""

    @property
    def moves_out_of_training(self) -> int:
        """Strokes an image, or steps, out of training."""
        return self.moves_test or self.moves

    @property
    def where_numbers(self) -> int:
        """Numbers that a move's Phi is made of."""
        return 6 if self.affine == "full" else 4

    @property
    def which_numbers(self) -> int:
        """Scores that a move's template is chosen by; there is no choice of one."""
        return len(self.templates) if len(self.templates) > 1 else 0

    def greed_at(self, iteration: int) -> float:
        """What the canvases before the last count for in an iteration: 1 at first, then evenly less."""
        return max(0.0, 1 - iteration / self.greedy) if self.greedy else 0.0

    def gamma_at(self, iteration: int) -> float:
        """Sharpening in an iteration of training: it grows evenly, up to 30."""
        return min(self.gamma + self.gamma_rate * iteration, max(30.0, self.gamma))
