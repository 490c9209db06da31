"""Weights over templates: eq. 3.1, 3.2, samples, hard choices."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from limner import choose

scores_and_gamma = {
    "scores": st.lists(st.floats(-20, 20), min_size=1, max_size=6),
    "gamma": st.floats(0, 10),
}


@given(**scores_and_gamma)
def test_is_equation_3_1(scores: list[float], gamma: float) -> None:
    h = torch.tensor(scores, dtype=torch.float64)
    w = h.exp() / h.exp().sum()
    torch.testing.assert_close(choose.softmax(h, gamma), w**gamma / (w**gamma).sum())


def test_a_template_far_behind_keeps_its_weight_and_gradient() -> None:
    scores = torch.tensor([0.0, -200], requires_grad=True)
    weights = choose.softmax(scores, gamma=0.05)
    (slope,) = torch.autograd.grad(weights[1], scores)
    share = 1 / (1 + math.exp(10))  # 200 gamma
    assert weights[1].item() == pytest.approx(share, rel=1e-5)
    assert slope[1].item() == pytest.approx(0.05 * share * (1 - share), rel=1e-5)


@given(**scores_and_gamma)
def test_weights_are_convex(scores: list[float], gamma: float) -> None:
    for gumbel in (False, True):
        weights = choose.softmax(torch.tensor([scores] * 3), gamma, noise=0.5, gumbel=gumbel)
        assert (weights >= 0).all()
        torch.testing.assert_close(weights.sum(-1), torch.ones(3))


def test_a_lone_template_needs_no_gradient() -> None:
    weights = choose.softmax(torch.randn(3, 1, requires_grad=True), 2.0, noise=1.0)
    assert torch.equal(weights, torch.ones(3, 1))
    assert not weights.requires_grad


def test_large_gamma_is_a_hard_choice() -> None:
    scores = torch.tensor([[0.0, 1.0, 0.2], [3.0, 0.0, 2.0]])
    torch.testing.assert_close(choose.softmax(scores, 100.0), choose.hard(scores.softmax(-1)), rtol=0, atol=1e-6)
    torch.testing.assert_close(choose.softmax(scores, 0.0), torch.full((2, 3), 1 / 3))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 30.0, 1e30])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_any_gamma_gives_weights_and_none_to_what_is_barred(gamma: float, dtype: torch.dtype) -> None:
    scores = torch.tensor([[0.5, -torch.inf, 0.5], [-1.0, -1.0, -torch.inf]], dtype=dtype, requires_grad=True)
    weights = choose.softmax(scores, gamma)
    expected = torch.tensor([[0.5, 0, 0.5], [0.5, 0.5, 0]], dtype=dtype)
    torch.testing.assert_close(weights.detach(), expected)
    if gamma < 1e30:  # whose slope 16 bits cannot hold
        assert torch.autograd.grad(weights[0, 0], scores)[0].isfinite().all()


@pytest.mark.parametrize("options", [{"noise": 0.5}, {"gumbel": True}, {"gumbel": True, "straight_through": True}])
def test_members_of_an_ensemble_draw_apart_if_asked_to(options: dict[str, Any]) -> None:
    scores, gammas = torch.zeros(2000, 3), torch.zeros(2, 2000, 3)

    def drawn(more: torch.Tensor) -> torch.Tensor:
        return choose.softmax(scores + more, **options)

    first, second = torch.func.vmap(drawn, randomness="different")(gammas)
    assert (first - second).abs().mean() > 0.05
    for each in (first, second):
        assert (each.mean(0) - 1 / 3).abs().max() < 0.05
    one, other = torch.func.vmap(lambda _: choose.softmax(scores, **options), randomness="different")(gammas)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("gamma", [1.0, 1.5, 30.0])
def test_extreme_scores_stay_finite_both_ways(gamma: float) -> None:
    scores = torch.tensor([[1e4, -1e4, 0], [80.0, -10, 79], [-1e30, 1e30, 5], [0, 0, 0]], requires_grad=True)
    weights = choose.softmax(scores, gamma)
    assert weights.isfinite().all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(4))
    (weights * torch.randn(4, 3)).sum().backward()
    assert scores.grad is not None
    assert scores.grad.isfinite().all()


def test_gumbel_samples_follow_the_softmax() -> None:
    probabilities = torch.tensor([0.5, 0.3, 0.15, 0.05])
    count = 20_000
    samples = choose.softmax(probabilities.log().expand(count, 4), gumbel=True, straight_through=True)
    deviation = (probabilities * (1 - probabilities) / count).sqrt()
    assert ((samples.mean(0) - probabilities).abs() < 4 * deviation).all()


def test_noise_is_gaussian_on_the_scores() -> None:
    scores = torch.tensor([0.3, -0.2, 0.0]).expand(20_000, 3)
    logarithms = choose.softmax(scores, noise=0.5).log()
    contrast = logarithms[:, 0] - logarithms[:, 1]  # the softmax drops out of a difference of logarithms
    assert contrast.mean().item() == pytest.approx(0.5, abs=0.02)
    assert contrast.std().item() == pytest.approx(0.5 * 2**0.5, abs=0.02)


def test_a_generator_repeats_itself() -> None:
    def sample(seed: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        return choose.softmax(torch.zeros(5, 4), noise=1.0, gumbel=True, generator=generator)

    assert torch.equal(sample(3), sample(3))
    assert not torch.equal(sample(3), sample(4))


def test_straight_through_is_hard_forward_and_soft_backward() -> None:
    scores, weight = torch.randn(6, 4), torch.randn(6, 4)
    gradients = []
    for straight_through in (True, False):
        leaf = scores.clone().requires_grad_()
        weights = choose.softmax(leaf, 2.0, straight_through=straight_through)
        (weights * weight).sum().backward()
        gradients.append(leaf.grad)
        if straight_through:
            assert torch.equal(weights.detach(), torch.nn.functional.one_hot(scores.argmax(-1), 4).float())
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize(
    "numbers", [{"gamma": -0.1}, {"noise": -1.0}, {"gamma": math.inf}, {"noise": math.nan}, {"gamma": 1e31}]
)
def test_numbers_that_make_no_sense_are_refused(numbers: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be numbers from 0 up"):
        choose.softmax(torch.zeros(2), **numbers)


def test_no_chance_of_gumbel_noise_is_infinite_in_16_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.Tensor, "exponential_", lambda self, generator=None: self.fill_(1e-9))
    weights = choose.softmax(torch.zeros(3, 2, dtype=torch.float16), gumbel=True)
    assert weights.dtype == torch.float16
    assert torch.allclose(weights, torch.full_like(weights, 0.5))
