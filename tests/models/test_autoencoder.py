"""The unconstrained autoencoder."""

import math

import torch

from limner.models.autoencoder import Autoencoder
from limner.models.settings import Model


def make(**settings) -> Autoencoder:
    torch.manual_seed(0)
    return Autoencoder(Model(kind="autoencoder", hidden=20, **settings), (5, 6), 3)


def test_it_is_relu_layers_and_a_sigmoid() -> None:
    model, x = make(latent=4, sigma=0.0, latent_cost="none"), torch.rand(7, 3, 5, 6)
    layers = [module for module in model.modules() if isinstance(module, torch.nn.Linear)]
    assert [layer.out_features for layer in layers] == [20, 4, 20, 90]
    down, code, up, out = layers
    expected = torch.sigmoid(out(torch.relu(up(code(torch.relu(down(x.flatten(1))))))))
    torch.testing.assert_close(model(x).canvas, expected.view(7, 3, 5, 6))


def test_input_noise_is_for_training_and_its_target_is_clean() -> None:
    model, x = make(input_noise=0.5), torch.rand(7, 3, 5, 6)
    out = model(x)
    assert not torch.equal(out.canvas, model(x).canvas)
    torch.testing.assert_close(out.losses["reconstruction"], (x - out.canvas).square().flatten(1).sum(1))
    model.eval()
    assert torch.equal(model(x).canvas, model(x).canvas)


def test_noise_on_the_code_is_for_training() -> None:
    model, x = make(latent=4, sigma=0.5, latent_cost="none"), torch.rand(7, 3, 5, 6)
    assert not torch.equal(model(x).canvas, model(x).canvas)
    model.eval()
    assert torch.equal(model(x).canvas, model(x).canvas)


def test_probability_of_an_image_by_quadrature() -> None:
    """With a code of one number p(x) is an integral: log weights average to it."""
    model = make(latent=1, likelihood="flip", init=0.2).eval()
    x = (torch.rand(1, 3, 5, 6) > 0.5).float()
    grid = torch.linspace(-8, 8, 4001)
    with torch.no_grad():
        explained = -model.likelihood(x.expand(4001, -1, -1, -1), model.decoder(grid[:, None]))
        density = explained + torch.distributions.Normal(0.0, 1.0).log_prob(grid)
        weights = model(x.expand(20_000, -1, -1, -1)).log_weight
    assert weights is not None
    assert explained.std() > 0.1
    average = weights.logsumexp(0) - math.log(20_000)
    torch.testing.assert_close(average, torch.trapezoid(density.exp(), grid).log(), rtol=0, atol=0.02)
