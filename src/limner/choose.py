"""The which of a move: from unbounded scores to convex weights over the templates (thesis 3.3.1)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from limner import transforms

SHARPEST = 1e30
"""Largest gamma, whose multiples 32 bits can hold."""
TINY = 1e-30
"""Least exponential number, of which there is a logarithm."""
Scores = Float[Tensor, "*stamps template"]


def softmax(
    scores: Scores,
    gamma: float = 1.0,
    noise: float = 0.0,
    gumbel: bool = False,
    straight_through: bool = False,
    generator: torch.Generator | None = None,
) -> Scores:
    """Convex weights w^gamma / sum w^gamma of w = softmax(scores + noise): eq. 3.1, 3.2.

    gamma: sharpening, from 0 up; 1 leaves the softmax, a very large one is nearly a hard choice.
    noise: standard deviation of the Gaussian noise added to the scores, before the softmax as the thesis says.
    gumbel: standard Gumbel noise instead of, or on top of, it: a sample of the choice (Jang et al. 2017).
    straight_through: one-hot forward, the gradient of the soft weights backward.
    The weight of a lone template is 1 and has no gradient.
    Raises ValueError for a gamma or noise that is negative or not finite, and for a gamma above 1e30.
    """
    check(gamma, noise)
    if scores.shape[-1] == 1:
        return torch.ones_like(scores)
    if noise:
        scores = scores + (noise * _normal(scores, generator)).to(scores)
    if gumbel:
        scores = scores - _exponential(scores, generator).log().to(scores)
    weights = scores.softmax(-1) if gamma == 1 else _sharpened(scores, gamma)
    return hard(weights) if straight_through else weights


def _sharpened(scores: Scores, gamma: float) -> Scores:
    """In 32 bits at least, where a large gamma leaves finite numbers; a template of no weight at gamma 1 has none."""
    logs = scores.log_softmax(-1, dtype=torch.promote_types(scores.dtype, torch.float32))
    return (gamma * logs).masked_fill(logs.isneginf(), -math.inf).softmax(-1).to(scores.dtype)


def check(gamma: float, noise: float) -> None:
    """ValueError for a gamma or noise that `softmax` does not take."""
    if not (0 <= gamma <= SHARPEST and 0 <= noise < math.inf):
        upper = f", gamma up to {SHARPEST:g}"
        raise ValueError(f"choose: gamma ({gamma}) and noise ({noise}) must be numbers from 0 up{upper}")


def hard(weights: Scores) -> Scores:
    """The one-hot choice of the largest weight; its gradient is that of the weights."""
    choice = torch.nn.functional.one_hot(weights.argmax(-1), weights.shape[-1]).to(weights)
    return choice + (weights - weights.detach())


def _normal(scores: Tensor, generator: torch.Generator | None) -> Tensor:
    if generator is None and transforms.under_way():  # where nothing may be filled in place
        return torch.randn_like(scores, dtype=_wide(scores))
    return torch.empty_like(scores, dtype=_wide(scores)).normal_(generator=generator)


def _exponential(scores: Tensor, generator: torch.Generator | None) -> Tensor:
    if generator is None and transforms.under_way():
        return -torch.rand_like(scores, dtype=_wide(scores)).neg().log1p().clamp(max=-TINY)
    return torch.empty_like(scores, dtype=_wide(scores)).exponential_(generator=generator)


def _wide(scores: Tensor) -> torch.dtype:
    """In 16 bits an exponential number may be 0."""
    return torch.promote_types(scores.dtype, torch.float32)
