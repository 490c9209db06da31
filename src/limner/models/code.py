"""From hidden features to a code: none, deterministic, with fixed noise, or variational (thesis 2.1, 2.2.1, 5.3)."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from limner.canvas import Canvas
from limner.models.latent import Gaussian, sample
from limner.models.output import Output
from limner.models.settings import Model


@dataclass(frozen=True)
class Code:
    """A code z, what it costs (already times beta), and q(z | x) where its sigma is learnt."""

    z: Float[Tensor, "batch size"]
    cost: Float[Tensor, "batch"]
    gaussian: Gaussian | None = None


class Coder(nn.Module):
    """The code of hidden features, as `settings` asks for it: latent, sigma, sigma_start, latent_cost, beta, free_bits.

    latent 0: the features themselves, for nothing. Else mu is linear in the features, and sigma
        0: z = mu.
        positive: z = mu + sigma * epsilon in training, mu out of it (denoising).
        -1: z ~ N(mu, sigma^2), in training and out of it, so that bounds are estimates of the bound; log sigma is
            linear in the features, from `sigma_start` prior deviations. Inside `mean_codes`, z = mu.
    The cost is KL(q || N(0, prior_sigma^2)), or its term in mu; at sigma 0, where the KL is infinite, the latter.
    size: numbers of the code, where it is not `settings.latent`.
    """

    def __init__(self, settings: Model, features: int, size: int | None = None, prior_sigma: float = 1.0) -> None:
        super().__init__()
        latent = settings.latent if size is None else size
        self.settings, self.prior_sigma, self.mean_only = settings, prior_sigma, False
        self.size = latent or features
        self.mu = nn.Linear(features, latent) if latent else None
        self.log_sigma = nn.Linear(features, latent) if latent and settings.sigma < 0 else None

    def forward(self, h: Float[Tensor, "batch features"]) -> Code:
        """The code of each image's features."""
        if self.mu is None:
            return Code(h, h.new_zeros(len(h)))
        mu = self.mu(h)
        if self.log_sigma is None:
            sigma = self.settings.sigma
            log_sigma = torch.full_like(mu, math.log(sigma) if sigma else -math.inf)
        else:
            log_sigma = self.log_sigma(h) + math.log(self.settings.sigma_start * self.prior_sigma)
        gaussian = sample(mu, log_sigma, prior_sigma=self.prior_sigma)
        learnt = self.log_sigma is not None
        z = gaussian.z if (learnt or self.training) and not self.mean_only else mu
        return Code(z, self._cost(gaussian), gaussian if learnt else None)

    def prior(self, count: int) -> Float[Tensor, "count size"]:
        """Codes drawn from the prior; ValueError where there is no latent code."""
        if self.mu is None:
            raise ValueError("sampling needs a latent code: a model with latent > 0")
        return self.prior_sigma * torch.randn(
            count, self.size, dtype=self.mu.weight.dtype, device=self.mu.weight.device
        )

    def _cost(self, gaussian: Gaussian) -> Float[Tensor, "batch"]:
        if self.settings.latent_cost == "none":
            return gaussian.mu.new_zeros(len(gaussian.mu))
        full = self.settings.latent_cost == "full" and self.settings.sigma != 0
        return self.settings.beta * (gaussian.kl(self.settings.free_bits) if full else gaussian.mu_cost())


def scored(likelihood: nn.Module, images: Canvas, painted: Output, codes: Sequence[Code]) -> Output:
    """What was painted from `codes`, none for a model without a latent code, with its losses and log_weight."""
    losses = {"reconstruction": likelihood(images, painted.canvas)}
    if codes:
        losses["latent"] = torch.stack([code.cost for code in codes]).sum(0)
    ratios = [code.gaussian.log_ratio() for code in codes if code.gaussian]
    bound = likelihood.nats and ratios
    return replace(
        painted,
        losses=losses,
        log_weight=torch.stack(ratios).sum(0) - losses["reconstruction"] if bound else None,
    )


@contextmanager
def mean_codes(model: nn.Module) -> Iterator[None]:
    """Inside, every learnt code of `model` is its mean: for pictures of reconstructions, not for bounds."""
    coders = [module for module in model.modules() if isinstance(module, Coder)]
    for coder in coders:
        coder.mean_only = True
    try:
        yield
    finally:
        for coder in coders:
            coder.mean_only = False
