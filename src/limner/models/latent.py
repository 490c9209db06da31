"""Gaussian codes: sampling by reparametrisation, and what they cost."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

Numbers = Float[Tensor, "batch *latent"]


@dataclass(frozen=True)
class Gaussian:
    """q(z | x) = N(mu, sigma^2), a sample z of it, and the prior N(0, prior_sigma^2)."""

    mu: Numbers
    log_sigma: Numbers
    z: Numbers
    prior_sigma: float = 1.0

    def kl(self, free_bits: float = 0.0) -> Float[Tensor, "batch"]:
        """KL(q || prior) in nats in closed form (eq. 2.4), each number costing at least `free_bits`."""
        log_ratio = self.log_sigma - math.log(self.prior_sigma)
        distance = self.mu / self.prior_sigma
        each = 0.5 * (distance.square() + (2 * log_ratio).exp() - 1) - log_ratio
        return each.clamp(min=free_bits).flatten(1).sum(1) if free_bits else each.flatten(1).sum(1)

    def mu_cost(self) -> Float[Tensor, "batch"]:
        """The term of the KL in mu alone: L2 regularisation (thesis 5.3)."""
        return 0.5 * (self.mu / self.prior_sigma).square().flatten(1).sum(1)

    def log_ratio(self) -> Float[Tensor, "batch"]:
        """log prior(z) - log q(z | x) of the sample, for importance-weighted bounds."""
        prior = -0.5 * (self.z / self.prior_sigma).square() - math.log(self.prior_sigma)
        posterior = -0.5 * ((self.z - self.mu) / self.log_sigma.exp()).square() - self.log_sigma
        return (prior - posterior).flatten(1).sum(1)


def sample(mu: Numbers, log_sigma: Numbers, prior_sigma: float = 1.0) -> Gaussian:
    """z = mu + sigma * epsilon, epsilon ~ N(0, 1)."""
    return Gaussian(mu, log_sigma, mu + log_sigma.exp() * torch.randn_like(mu), prior_sigma)
