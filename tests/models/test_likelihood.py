import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Bernoulli, Normal, kl_divergence

from limner.models.latent import Gaussian, sample
from limner.models.likelihood import EPSILON, FlipNoise, OptimalSigma, likelihood
from limner.models.settings import Model


def pair(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(seed)
    return torch.rand(4, 3, 5, 6), torch.rand(4, 3, 5, 6)


@given(st.integers(0, 100))
def test_squared_error_and_cross_entropy_are_sums_over_pixels(seed: int) -> None:
    images, canvas = pair(seed)
    assert torch.allclose(likelihood(Model(likelihood="mse"))(images, canvas), ((images - canvas) ** 2).sum((1, 2, 3)))
    ink = images.round()
    wanted = -Bernoulli(canvas.clamp(EPSILON, 1 - EPSILON)).log_prob(ink).sum((1, 2, 3))
    assert torch.allclose(likelihood(Model(likelihood="ce"))(ink, canvas), wanted, rtol=1e-4)


@pytest.mark.parametrize("margin", [0.01, 0.2])
def test_cross_entropy_sees_the_canvas_as_far_from_0_and_1_as_is_asked_for(margin: float) -> None:
    images, canvas = pair(2)
    canvas[0] = images[0].round()
    for name, seen in (
        ("ce", canvas.clamp(margin, 1 - margin)),
        ("ce-squeezed", margin + canvas * (1 - 2 * margin)),
    ):
        found = likelihood(Model(likelihood=name, margin=margin))(images.round(), canvas)
        wanted = -Bernoulli(seen).log_prob(images.round()).sum((1, 2, 3))
        assert torch.allclose(found, wanted, rtol=1e-4)
    assert type(likelihood(Model(likelihood="flip"))) is FlipNoise


def test_flip_noise_is_a_painted_pixel_that_flips_one_time_in_five() -> None:
    images, canvas = pair(0)
    ink = images.round()
    wanted = -Bernoulli(0.8 * canvas + 0.2 * (1 - canvas)).log_prob(ink).sum((1, 2, 3))
    assert torch.allclose(likelihood(Model(likelihood="flip"))(ink, canvas), wanted, rtol=1e-4)


def test_certain_pixels_cost_something_finite() -> None:
    blank, black = torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)
    for name in ("ce", "ce-squeezed", "flip"):
        assert likelihood(Model(likelihood=name))(black, blank).isfinite().all()


def test_optimal_sigma_is_the_gaussian_of_the_batch_and_its_gradient_that_of_log_mse() -> None:
    images, canvas = pair(1)
    canvas.requires_grad_()
    loss = OptimalSigma()(images, canvas)
    error = (images - canvas).square().mean()
    wanted = -Normal(canvas, error.sqrt()).log_prob(images).sum((1, 2, 3))
    assert torch.allclose(loss, wanted, rtol=1e-4)
    (ours,) = torch.autograd.grad(loss.sum(), canvas)
    (theirs,) = torch.autograd.grad(images.numel() / 2 * error.log(), canvas)
    assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_optimal_sigma_out_of_training_is_that_of_training() -> None:
    likelihood = OptimalSigma()
    images = torch.zeros(2, 1, 3, 3)
    for error in (0.1, 0.3):
        likelihood(images, torch.full_like(images, error))
    assert likelihood.variance.item() == pytest.approx((0.1**2 + 0.3**2) / 2)
    likelihood.eval()
    before = likelihood.variance.clone()
    wanted = -Normal(0.5, before.sqrt()).log_prob(images).sum((1, 2, 3))
    assert torch.allclose(likelihood(images, torch.full_like(images, 0.5)), wanted, rtol=1e-4)
    assert torch.equal(likelihood.variance, before)


@given(st.integers(0, 100), st.floats(0.1, 3.0))
def test_gaussian_codes_against_torch_distributions(seed: int, prior_sigma: float) -> None:
    torch.manual_seed(seed)
    mu, log_sigma, z = torch.randn(3, 4), 0.5 * torch.randn(3, 4), torch.randn(3, 4)
    code = Gaussian(mu, log_sigma, z, prior_sigma)
    posterior, prior = Normal(mu, log_sigma.exp()), Normal(0.0, prior_sigma)
    assert torch.allclose(code.kl(), kl_divergence(posterior, prior).sum(1), rtol=1e-4, atol=1e-4)
    ratio = (prior.log_prob(z) - posterior.log_prob(z)).sum(1)
    assert torch.allclose(code.log_ratio(), ratio, rtol=1e-3, atol=1e-3)
    fixed = Gaussian(mu, torch.full_like(mu, prior_sigma).log(), z, prior_sigma)
    assert torch.allclose(fixed.mu_cost(), fixed.kl(), rtol=1e-3, atol=1e-3)
    floor = code.kl(free_bits=0.5)
    assert torch.allclose(floor, kl_divergence(posterior, prior).clamp(min=0.5).sum(1), rtol=1e-4, atol=1e-4)


def test_samples_have_the_mean_and_deviation_asked_for() -> None:
    mu, log_sigma = torch.tensor([[1.0, -2.0]]).expand(20_000, 2), torch.tensor([[0.0, -1.0]]).expand(20_000, 2)
    z = sample(mu, log_sigma).z
    assert torch.allclose(z.mean(0), mu[0], atol=0.03)
    assert torch.allclose(z.std(0), log_sigma[0].exp(), atol=0.03)


@pytest.mark.usefixtures("any_clamp")
def test_only_the_squeezed_cross_entropy_has_a_gradient_at_paper_and_full_ink() -> None:
    ink = torch.tensor([1.0, 0.0]).view(1, 1, 1, 2)
    for name, slopes in (("ce", [0.0, 0.0]), ("ce-squeezed", [-0.998 / 0.001, 0.998 / 0.001])):
        canvas = (1 - ink).requires_grad_()
        (slope,) = torch.autograd.grad(likelihood(Model(likelihood=name))(ink, canvas).sum(), canvas)
        assert slope.flatten().tolist() == pytest.approx(slopes, rel=1e-3)


@pytest.mark.usefixtures("any_clamp")
def test_pixels_that_flip_have_a_gradient_at_paper_and_full_ink() -> None:
    """Of -log(0.2 + 0.6 c) where there is ink, and of -log(0.8 - 0.6 c) where there is none."""
    ink = torch.tensor([1.0, 0.0, 1.0, 0.0]).view(1, 1, 1, 4)
    canvas = torch.tensor([0.0, 1.0, 1.0, 0.0]).view(1, 1, 1, 4).requires_grad_()
    (slope,) = torch.autograd.grad(FlipNoise()(ink, canvas).sum(), canvas)
    assert slope.flatten().tolist() == pytest.approx([-3.0, 3.0, -0.75, 0.75])


@pytest.mark.parametrize(("logit", "flips"), [(-50.0, 0.001), (50.0, 0.499)])
def test_pixels_flip_at_times_but_less_than_half_of_them(logit: float, flips: float) -> None:
    noise = FlipNoise()
    torch.nn.init.constant_(noise.logit, logit)
    images, canvas = torch.tensor([[[[0.0]]], [[[1.0]]]]), torch.ones(2, 1, 1, 1)
    assert noise(images, canvas).tolist() == pytest.approx([-math.log(flips), -math.log(1 - flips)], rel=1e-3)


def test_the_optimal_sigma_forgets_after_a_hundred_batches_and_is_never_nothing() -> None:
    likelihood, images = OptimalSigma(), torch.rand(2, 1, 3, 3)
    assert likelihood(images, images).isfinite().all()
    assert likelihood.variance.item() == pytest.approx(1e-8)
    for batches, left in ((49.0, 0.49), (99.0, 0.495), (5000.0, 0.495)):
        likelihood.variance.fill_(0.5)
        likelihood.batches.fill_(batches)
        likelihood(images, images)
        assert likelihood.variance.item() == pytest.approx(left, rel=1e-4)
