"""What holds for every model without a painter's encoder: shapes, gradients, seeds, bounds, and learning at all."""

import math
from dataclasses import replace
from typing import get_args

import pytest
import torch
from torch import Tensor

from limner.models.build import Network, build
from limner.models.code import mean_codes
from limner.models.settings import PAINTERS, Kind, Model
from limner.writer import render

SIZE = (7, 10)
BASE = Model(moves=3, hidden=12, window=5, init=0.3, likelihood="ce")
OTHERS = [kind for kind in get_args(Kind) if kind not in PAINTERS]
CODED = {kind: replace(BASE, kind=kind, latent=4, sigma_start=0.3) for kind in OTHERS}
FIXED = {kind: replace(settings, sigma_start=1.0) for kind, settings in CODED.items()}
SHAPES = ("circle", "square", "line")
VARIANTS = CODED | {
    "autoencoder, no code": replace(BASE, kind="autoencoder", layers=2),
    "autoencoder, normalised": replace(BASE, kind="autoencoder", batch_norm=True),
    "autoencoder, denoising": replace(FIXED["autoencoder"], sigma=0.1, latent_cost="mu", input_noise=0.1),
    "draw, deterministic": replace(FIXED["draw"], sigma=0.0, latent_cost="none", likelihood="mse"),
    "draw, unskewed": replace(CODED["draw"], affine="scale"),
    "t-draw, which": replace(CODED["t-draw"], templates=SHAPES, noise=0.1),
    "t-draw, unskewed": replace(CODED["t-draw"], affine="scale", likelihood="optimal-sigma"),
    "air, held": replace(CODED["air"], window_size=0.4),
    "air, unskewed": replace(CODED["air"], affine="scale", likelihood="flip"),
    "t-air, which": replace(CODED["t-air"], templates=SHAPES),
    "t-air, held": replace(CODED["t-air"], window_size=0.4, affine="scale", prior_where=0.3),
    "t-air, noise": replace(FIXED["t-air"], sigma=0.1, latent_cost="mu", likelihood="mse"),
}
every_variant = pytest.mark.parametrize("settings", VARIANTS.values(), ids=VARIANTS)
every_kind = pytest.mark.parametrize("kind", OTHERS)


def make(settings: Model, channels: int = 1, size: tuple[int, int] = SIZE) -> Network:
    torch.manual_seed(0)
    return build(settings, size, channels)


def images(count: int = 6, channels: int = 1) -> Tensor:
    return torch.rand(count, channels, *SIZE, generator=torch.Generator().manual_seed(1))


@every_variant
@pytest.mark.parametrize("channels", [1, 3])
def test_an_output_describes_every_image(settings: Model, channels: int) -> None:
    out = make(settings, channels)(images(channels=channels))
    assert out.canvas.shape == (6, channels, *SIZE)
    assert 0 <= out.canvas.min() <= out.canvas.max() <= 1 + 1e-6
    coded = settings.latent > 0
    assert list(out.losses) == ["reconstruction", "latent"][: 1 + coded]
    assert all(loss.shape == (6,) for loss in out.losses.values())
    assert (out.log_weight is not None) == (coded and settings.sigma < 0 and settings.likelihood != "mse")


@every_variant
def test_every_parameter_gets_a_gradient(settings: Model) -> None:
    model = make(settings)
    model(images()).loss.backward()
    without = [
        name for name, parameter in model.named_parameters() if parameter.grad is None or not parameter.grad.any()
    ]
    assert without == []


@every_variant
def test_the_seed_decides(settings: Model) -> None:
    model = make(settings)
    torch.manual_seed(3)
    first, other = model(images()), model(images())
    torch.manual_seed(3)
    again = model(images())
    assert torch.equal(first.canvas, again.canvas)
    assert torch.equal(first.loss, again.loss)
    random = (settings.latent > 0 and settings.sigma != 0) or settings.input_noise > 0
    assert torch.equal(first.canvas, other.canvas) != random


@every_variant
@pytest.mark.parametrize("training", [True, False])
def test_what_is_scored_is_what_is_saved(settings: Model, training: bool) -> None:
    model = make(settings).train(training)
    out = model(images())
    if not settings.kind.startswith("t-"):
        assert model.bank is None
        assert out.strokes is None
        assert out.steps is None if settings.kind == "autoencoder" else out.steps.shape == (6, 3, 1, *SIZE)
        if out.steps is not None:
            torch.testing.assert_close(out.steps[:, -1], out.canvas)
        return
    assert model.bank is not None
    assert out.strokes is not None
    assert model.bank.names == settings.templates
    assert out.strokes.where.shape == (6, 3, 2, 3)
    torch.testing.assert_close(out.canvas, render(out.strokes, model.bank, SIZE), rtol=0, atol=1e-5)


@every_variant
def test_unskewed_strokes(settings: Model) -> None:
    strokes = make(settings)(images()).strokes
    if strokes is not None:
        skew = strokes.where[..., [0, 1], [1, 0]]
        assert (skew == 0).all() == (settings.affine == "scale")


@every_kind
def test_mean_codes_leave_nothing_to_chance(kind: str) -> None:
    model = make(CODED[kind])
    with mean_codes(model):
        assert torch.equal(model(images()).canvas, model(images()).canvas)
    assert not torch.equal(model(images()).canvas, model(images()).canvas)


@every_kind
def test_log_weight_is_the_bound_on_average(kind: str) -> None:
    model = make(CODED[kind]).eval()
    image = images(1).expand(4000, -1, -1, -1)
    with torch.no_grad():
        out = model(image)
    assert out.log_weight is not None
    error = out.log_weight + sum(out.losses.values())
    assert error.std() > 0.1
    assert error.mean().abs() < 4 * error.std() / math.sqrt(len(error))


@every_kind
def test_log_weights_and_samples_agree_on_the_probability_of_an_image(kind: str) -> None:
    """Mean of p(x, z) / q(z | x) over z ~ q, and of p(x | z) over z ~ prior, are both p(x)."""
    settings = replace(CODED[kind], latent=2, moves=2, likelihood="flip", window=3, sigma_start=0.8)
    model = make(settings, size=(4, 4)).eval()
    count = 40_000
    image = (torch.rand(1, 1, 4, 4, generator=torch.Generator().manual_seed(2)) > 0.5).float().expand(count, -1, -1, -1)
    with torch.no_grad():
        weights = model(image).log_weight
        explained = -model.likelihood(image, model.sample(count).canvas)
    assert weights is not None
    assert not torch.allclose(weights, explained)
    by_weights, by_samples = (found.logsumexp(0) - math.log(count) for found in (weights, explained))
    torch.testing.assert_close(by_weights, by_samples, rtol=0, atol=0.05)


@every_kind
def test_samples_are_paintings(kind: str) -> None:
    model = make(CODED[kind], channels=3)
    first, other = model.sample(5), model.sample(5)
    assert first.canvas.shape == (5, 3, *SIZE)
    assert not torch.equal(first.canvas, other.canvas)
    with pytest.raises(ValueError, match="what is sampled has no loss"):
        _ = first.loss
    if first.strokes is not None:
        torch.testing.assert_close(first.canvas, render(first.strokes, model.bank, SIZE), rtol=0, atol=1e-5)


@every_kind
def test_models_of_double_precision_sample_in_it(kind: str) -> None:
    assert make(CODED[kind]).double().sample(2).canvas.dtype == torch.float64


@every_kind
def test_no_images_are_no_paintings(kind: str) -> None:
    out = make(CODED[kind])(images(0))
    assert out.canvas.shape == (0, 1, *SIZE)
    assert all(loss.shape == (0,) for loss in out.losses.values())


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("kind", get_args(Kind))
@pytest.mark.parametrize("shape", [(2, 3, 14, 15), (2, 1, 15, 14), (2, 14, 15)])
def test_images_of_another_shape_are_refused(kind: Kind, shape: tuple[int, ...]) -> None:
    model = make(Model(kind=kind, hidden=8), size=(14, 15))
    with pytest.raises(ValueError, match=r"model: images have shape .*, expected \(batch, 1, 14, 15\)"):
        model(torch.rand(shape))
    assert model(images=torch.rand(2, 1, 14, 15)).canvas.shape == (2, 1, 14, 15)


@pytest.mark.parametrize("kind", get_args(Kind))
def test_bytes_are_no_ink(kind: Kind) -> None:
    model = make(Model(kind=kind, hidden=8), size=(14, 15)).eval()
    with pytest.raises(ValueError, match=r"images are up to 255, expected ink in \[0, 1\]"):
        model(torch.full((2, 1, 14, 15), 255.0))
    assert model(torch.ones(2, 1, 14, 15)).canvas.shape == (2, 1, 14, 15)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("kind", get_args(Kind))
def test_images_of_another_type_are_refused(kind: Kind) -> None:
    model = make(Model(kind=kind, hidden=8), size=(14, 15))
    for dtype in (torch.float64, torch.uint8):
        with pytest.raises(ValueError, match=rf"images are {dtype}, expected torch\.float32: ink in \[0, 1\]"):
            model(torch.zeros(2, 1, 14, 15, dtype=dtype))
    assert model.double()(torch.rand(2, 1, 14, 15).double()).canvas.dtype == torch.float64


def test_nothing_to_sample_from_without_a_code() -> None:
    with pytest.raises(ValueError, match="needs a latent code"):
        make(VARIANTS["autoencoder, no code"]).sample(2)


@pytest.mark.parametrize("kind", ["t-draw", "t-air"])
def test_schedule_sharpens_the_choice_of_templates(kind: str) -> None:
    settings = replace(CODED[kind], templates=SHAPES, gamma=1.0, gamma_rate=0.5)
    model = make(settings)
    sharpness = []
    for iteration in (0, 20, 1000):
        model.schedule(iteration)
        torch.manual_seed(0)
        sharpness.append(model(images()).strokes.which.amax(-1).mean())
    model.eval()
    torch.manual_seed(0)
    assert sharpness[0] < sharpness[1] < sharpness[2]
    torch.testing.assert_close(model(images()).strokes.which.amax(-1).mean(), sharpness[2])


@pytest.mark.parametrize("kind", ["autoencoder", "draw", "air"])
def test_schedule_changes_nothing_where_no_templates_are_chosen(kind: str) -> None:
    model, seen = make(CODED[kind]), []
    for iteration in (0, 1000):
        model.schedule(iteration)
        torch.manual_seed(0)
        seen.append(model(images()).canvas)
    assert torch.equal(*seen)


def rectangles(count: int, side: int) -> Tensor:
    """Images of two black rectangles."""
    generator = torch.Generator().manual_seed(0)
    found = torch.zeros(count, 1, side, side)
    for image in found:
        for _ in range(2):
            top, left = torch.randint(0, side - 3, (2,), generator=generator).tolist()
            height, width = torch.randint(3, side // 2 + 1, (2,), generator=generator).tolist()
            image[:, top : top + height, left : left + width] = 1
    return found


@every_kind
def test_learns_two_rectangles(kind: str) -> None:
    settings = Model(kind=kind, likelihood="ce", hidden=64, latent=8, window=6, sigma_start=0.1)
    model, seen = make(settings, size=(12, 12)), rectangles(64, 12)
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    losses = []
    for iteration in range(60):
        torch.manual_seed(iteration)
        loss = model(seen).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert sum(losses[-5:]) / 5 < 0.6 * losses[0]
