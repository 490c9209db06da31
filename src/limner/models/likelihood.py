"""How well a canvas explains an image: the reconstruction losses, summed over the pixels of each image."""

import math
from functools import partial

import torch
from torch import Tensor, nn

from limner.canvas import Canvas
from limner.errors import NotFinite
from limner.models.output import PerImage
from limner.models.settings import Model

EPSILON = Model.margin
"""Cross-entropy sees the canvas in [EPSILON, 1 - EPSILON], unless told otherwise: a painted 0 or 1 would cost infinity
where it is wrong."""


class SquaredError(nn.Module):
    """||x - c||^2, the deterministic painters' loss (thesis 5.1)."""

    nats = False

    def forward(self, images: Canvas, canvas: Canvas) -> PerImage:
        """The loss of each image."""
        return (images - canvas).square().flatten(1).sum(1)


class CrossEntropy(nn.Module):
    """-log p(x | c) of Bernoulli pixels, x in [0, 1] taken as a probability (thesis 2.2.1).

    margin: how near the canvas comes to 0 and 1, to where it is clamped.
    """

    nats = True

    def __init__(self, margin: float = EPSILON) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, images: Canvas, canvas: Canvas) -> PerImage:
        """The loss of each image, in nats."""
        return bernoulli(images, canvas.clamp(self.margin, 1 - self.margin))


class Squeezed(CrossEntropy):
    """Cross-entropy of the canvas scaled into its range, not clamped, so that paper and full ink keep a gradient."""

    def forward(self, images: Canvas, canvas: Canvas) -> PerImage:
        """The loss of each image, in nats."""
        return bernoulli(images, self.margin + (1 - 2 * self.margin) * within(canvas))


class FlipNoise(nn.Module):
    """-log p(x | c) of Bernoulli pixels that flip with a learnt probability: p = e + (1 - 2 e) c, e from 0.2."""

    nats = True

    def __init__(self) -> None:
        super().__init__()
        self.logit = nn.Parameter(torch.tensor(math.log(0.2 / 0.8)))

    def forward(self, images: Canvas, canvas: Canvas) -> PerImage:
        """The loss of each image, in nats."""
        flip = self.logit.sigmoid().clamp(EPSILON, 0.5 - EPSILON)
        return bernoulli(images, flip + (1 - 2 * flip) * within(canvas))


class OptimalSigma(nn.Module):
    """-log N(x; c, sigma^2) with the sigma that suits the batch best (Rybkin et al., sigma-VAE, 2021).

    Its gradient is that of (N / 2) log(mean squared error). Out of training, sigma^2 is the running mean of training's,
    over all batches at first and over about the last hundred later.
    """

    nats = True
    variance: Tensor
    batches: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("variance", torch.tensor(1.0))
        self.register_buffer("batches", torch.tensor(0.0))

    def forward(self, images: Canvas, canvas: Canvas) -> PerImage:
        """The loss of each image, in nats."""
        error = (images - canvas).square().flatten(1)
        if self.training:
            best = error.detach().mean().clamp(min=1e-8)
            self.batches += 1
            self.variance.lerp_(best, 1 / self.batches.clamp(max=100))
        else:
            best = self.variance
        return error.sum(1) / (2 * best) + 0.5 * error.shape[1] * (2 * math.pi * best).log()


def likelihood(settings: Model) -> nn.Module:
    """The one that a model asks for."""
    kinds = {
        "mse": SquaredError,
        "ce": partial(CrossEntropy, settings.margin),
        "ce-squeezed": partial(Squeezed, settings.margin),
        "optimal-sigma": OptimalSigma,
        "flip": FlipNoise,
    }
    return kinds[settings.likelihood]()


def within(canvas: Canvas) -> Canvas:
    """The canvas in [0, 1], with its gradient at 0 and 1, where that of torch's `clamp` is zero from 2.14 on."""
    held = canvas.detach().clamp(0, 1)
    return torch.where(canvas == held, canvas, held)


def bernoulli(images: Canvas, probability: Canvas) -> PerImage:
    """Cross-entropy of Bernoulli pixels, summed over each image, in nats.

    Raises NotFinite for NaN in the probability.
    """
    if not math.isfinite(probability.detach().sum()):
        raise NotFinite("likelihood: the canvas is not finite")
    loss = nn.functional.binary_cross_entropy(probability, images, reduction="none")
    return loss.flatten(1).sum(1)
