"""Codes against torch.distributions, and what each setting of the noise does."""

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from limner.models.code import Code, Coder, mean_codes
from limner.models.settings import Model


def coder(size: int | None = None, prior_sigma: float = 1.0, **settings) -> Coder:
    torch.manual_seed(0)
    return Coder(Model(**{"latent": 4, **settings}), 6, size, prior_sigma)


def features() -> Tensor:
    return torch.randn(3, 6, generator=torch.Generator().manual_seed(1))


def posterior(code: Code) -> Normal:
    assert code.gaussian is not None
    return Normal(code.gaussian.mu, code.gaussian.log_sigma.exp())


def test_no_code_is_the_features() -> None:
    h = features()
    code = coder(latent=0)(h)
    assert code.z is h
    assert coder(latent=0).size == 6
    assert code.cost.tolist() == [0, 0, 0]
    assert code.gaussian is None
    assert list(coder(latent=0).parameters()) == []


def test_size_may_be_another_than_latent() -> None:
    assert coder(size=2).size == 2
    assert coder(size=2)(features()).z.shape == (3, 2)


@pytest.mark.parametrize("prior_sigma", [1.0, 0.2])
def test_full_cost_is_the_kl(prior_sigma: float) -> None:
    code = coder(prior_sigma=prior_sigma, beta=2.0)(features())
    expected = kl_divergence(posterior(code), Normal(0.0, prior_sigma)).sum(1)
    torch.testing.assert_close(code.cost, 2 * expected)


def test_log_ratio_is_that_of_the_densities() -> None:
    code = coder(prior_sigma=0.3)(features())
    assert code.gaussian is not None
    expected = Normal(0.0, 0.3).log_prob(code.z) - posterior(code).log_prob(code.z)
    torch.testing.assert_close(code.gaussian.log_ratio(), expected.sum(1))


def test_free_bits_are_the_least_a_number_costs() -> None:
    code = coder(free_bits=0.5)(features())
    expected = kl_divergence(posterior(code), Normal(0.0, 1.0))
    assert (expected < 0.5).any()
    torch.testing.assert_close(code.cost, expected.clamp(min=0.5).sum(1))


@pytest.mark.parametrize("sigma", [0.0, 0.1])
def test_a_cost_in_mu_is_half_its_square(sigma: float) -> None:
    coded = coder(sigma=sigma, latent_cost="mu")
    assert coded.mu is not None
    torch.testing.assert_close(coded(features()).cost, coded.mu(features()).square().sum(1) / 2)


def test_a_fixed_sigma_adds_a_constant_to_the_cost() -> None:
    coded = coder(sigma=0.1)
    assert coded.mu is not None
    expected = kl_divergence(Normal(coded.mu(features()), 0.1), Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(coded(features()).cost, expected)


def test_no_cost() -> None:
    assert coder(latent_cost="none")(features()).cost.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("sigma", "in_training", "in_test"), [(0.0, False, False), (0.1, True, False), (-1.0, True, True)]
)
def test_when_a_code_is_noisy(sigma: float, in_training: bool, in_test: bool) -> None:
    coded, h = coder(sigma=sigma, latent_cost="mu"), features()
    assert coded.mu is not None
    for training, noisy in ((True, in_training), (False, in_test)):
        coded.train(training)
        z = coded(h).z
        assert torch.equal(z, coded.mu(h)) != noisy
        assert torch.equal(z, coded(h).z) != noisy
        with mean_codes(torch.nn.Sequential(coded)):
            assert torch.equal(coded(h).z, coded.mu(h))


def test_noise_has_the_deviation_asked_for() -> None:
    coded, h = coder(sigma=0.25), features()[:1].expand(20_000, -1)
    torch.testing.assert_close(coded(h).z.std(0), torch.full((4,), 0.25), rtol=0.03, atol=0)


def test_a_learnt_sigma_starts_where_asked() -> None:
    coded = coder(sigma_start=0.05, prior_sigma=0.2)
    code = coded(torch.zeros(1, 6))
    assert coded.log_sigma is not None
    torch.testing.assert_close(posterior(code).scale.log(), coded.log_sigma.bias[None] + torch.tensor(0.01).log())


@pytest.mark.parametrize("sigma", [0.0, 0.1, -1.0])
def test_every_parameter_gets_a_gradient(sigma: float) -> None:
    coded = coder(sigma=sigma, latent_cost="mu")
    code = coded(features())
    (code.z.square().sum(1) + code.cost).mean().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in coded.parameters())
