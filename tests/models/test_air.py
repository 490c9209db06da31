"""Places of AIR and T-AIR: what is read is what is painted on."""

import math

import pytest
import torch
from torch import Tensor

from limner.models.air import LATENT, Air
from limner.models.code import mean_codes
from limner.models.settings import Model
from limner.models.window import transform

SIZE = (12, 20)


def make(kind, channels: int = 1, **settings) -> Air:
    torch.manual_seed(0)
    return Air(Model(kind=kind, hidden=8, window=8, **settings), SIZE, channels)


def square(phi: Tensor) -> Tensor:
    """The 3 x 3 matrix of an affine map."""
    return torch.cat([phi, torch.tensor([0.0, 0, 1]).expand(*phi.shape[:-2], 1, 3)], -2)


@pytest.mark.parametrize("kind", ["air", "t-air"])
@pytest.mark.parametrize("affine", ["full", "scale"])
def test_a_view_is_the_inverse_of_its_place(kind, affine) -> None:
    z = torch.rand(5, 3, 6 if affine == "full" else 4) - 0.5
    where, view = make(kind, affine=affine).places(z)
    torch.testing.assert_close(square(where) @ square(view), torch.eye(3).expand(5, 3, 3, 3), rtol=0, atol=1e-5)
    assert torch.equal(where[..., 0, 0], 2 + z[..., 0])


@pytest.mark.parametrize("kind", ["air", "t-air"])
def test_a_held_view_has_its_size_and_the_centre_of_its_place(kind) -> None:
    z = torch.rand(5, 4) - 0.5
    free, free_view = make(kind, affine="scale").places(z)
    where, view = make(kind, affine="scale", window_size=0.3).places(z)
    torch.testing.assert_close(view[..., :2], 0.3 * torch.eye(2).expand(5, 2, 2))
    torch.testing.assert_close(view[..., 2], free_view[..., 2])
    if kind == "t-air":
        assert torch.equal(where, free)
    else:
        torch.testing.assert_close(square(where) @ square(view), torch.eye(3).expand(5, 3, 3), rtol=0, atol=1e-5)


def test_degenerate_places_are_read_from_and_learnt() -> None:
    air = make("air")
    z = torch.tensor([[-2.0, 0, 0, 0, -2, 0], [-2, 0, 0.3, 0, 1, 0], [0, 2, 0, 2, 0, 0.1]], requires_grad=True)
    where, view = air.places(z)
    read = transform(torch.rand(3, 1, *SIZE), view, (8, 8))
    (transform(read, where, SIZE).sum() + view.sum()).backward()
    assert z.grad is not None
    assert z.grad.isfinite().all()


def test_a_patch_is_painted_where_its_window_was_read() -> None:
    """A window of 8 x 8 pixels, aligned with them: placed back, it is that part of the image."""
    air, image = make("air", affine="scale", latent=3), torch.rand(1, 1, *SIZE)
    top, left = 3, 7
    width, height, x, y = 8 / 20, 8 / 12, (2 * left + 8) / 20 - 1, (2 * top + 8) / 12 - 1
    z = torch.tensor([[1 / width - 2, -x / width, 1 / height - 2, -y / height]])
    where, view = air.places(z)
    read = transform(image, view, (8, 8))
    torch.testing.assert_close(read, image[..., top : top + 8, left : left + 8], rtol=0, atol=1e-5)
    torch.nn.init.zeros_(air.easel.patch.weight)
    air.easel.patch.bias.data = read.flatten()
    logits = air.easel(where[:, None], torch.zeros(1, 1, 3)).canvas.logit() - air.easel.paper
    expected = torch.zeros_like(image)
    expected[..., top : top + 8, left : left + 8] = read
    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-3)


def test_patches_add_up_and_strokes_cover() -> None:
    where = torch.eye(2, 3).expand(1, 2, 2, 3)
    air = make("air", latent=2, phi0=1.0)
    torch.nn.init.zeros_(air.easel.patch.weight)
    torch.nn.init.ones_(air.easel.patch.bias)
    out = air.easel(where, torch.zeros(1, 2, 2))
    assert out.steps is not None
    inside = [float(step[0, SIZE[0] // 2, SIZE[1] // 2].logit()) for step in out.steps[0]]
    assert inside == pytest.approx([-3, -2], abs=1e-4)
    out = make("t-air").easel(where, torch.tensor([[[4.0], [-4.0]]]))
    assert float(out.canvas[0, 0, 6, 10]) == pytest.approx(1 / (1 + math.e**4), abs=1e-6)


def test_sizes_of_codes() -> None:
    assert make("air").what.size == LATENT == 50
    assert make("air", latent=9).what.size == 9
    assert make("air", affine="scale").where.size == 4
    assert make("t-air", channels=3).what.size == 3
    assert make("t-air", channels=3, templates=("circle", "square")).what.size == 5
    assert make("t-air").where.size == 6


def test_the_prior_of_places_is_around_phi0() -> None:
    strokes = make("t-air", moves=2, affine="scale", prior_where=0.2, phi0=3.0).sample(4000).strokes
    assert strokes is not None
    scales, shifts = strokes.where[..., [0, 1], [0, 1]], strokes.where[..., 2]
    for found, mean in ((scales, 3.0), (shifts, 0.0)):
        torch.testing.assert_close(found.mean(), torch.tensor(mean), rtol=0, atol=0.01)
        torch.testing.assert_close(found.std(), torch.tensor(0.2), rtol=0.03, atol=0)


def test_the_cost_of_a_place_is_counted_from_its_prior() -> None:
    """Where every posterior is its prior, nothing is paid for."""
    air = make("air", moves=2, prior_where=0.2)
    for coder in (air.where, air.what):
        for parameter in coder.parameters():
            torch.nn.init.zeros_(parameter)
    latent = air(torch.rand(3, 1, *SIZE)).losses["latent"]
    torch.testing.assert_close(latent, torch.zeros(3), rtol=0, atol=1e-4)


@pytest.mark.parametrize("kind", ["air", "t-air"])
def test_an_object_is_coded_from_its_window_alone(kind) -> None:
    """A fixed place, the upper left quarter: pixels beyond its neighbours change nothing, those in it do."""
    air = make(kind, moves=1, init=0.3)
    torch.nn.init.zeros_(air.where.mu.weight)
    air.where.mu.bias.data = torch.tensor([0, 0, 1.0, 0, 0, 1])
    image, other = torch.rand(2, 1, 1, *SIZE)
    inside, outside = image.clone(), other.clone()
    inside[..., :6, :10] = other[..., :6, :10]
    outside[..., :7, :11] = image[..., :7, :11]
    with mean_codes(air):
        assert torch.equal(air(outside).canvas, air(image).canvas)
        assert not torch.equal(air(inside).canvas, air(image).canvas)


@pytest.mark.parametrize("kind", ["air", "t-air"])
def test_a_move_is_told_the_codes_before_it_and_teaches_them(kind) -> None:
    air, told = make(kind, moves=3), []
    air.by_codes.register_forward_pre_hook(lambda _, given: told.append(given[0]))
    with mean_codes(air):
        strokes = air(torch.rand(2, 1, *SIZE)).strokes
    assert not told[0].any()
    assert [last.requires_grad for last in told] == [False, True, True]
    if strokes is not None:
        for move in (0, 1):
            torch.testing.assert_close(air.places(told[move + 1][:, :6])[0], strokes.where[:, move])


def test_steps_add_up_to_the_canvas() -> None:
    air = make("air", moves=3, init=0.3)
    out = air(torch.rand(2, 1, *SIZE))
    assert out.steps is not None
    torch.testing.assert_close(out.steps[:, -1], out.canvas)
    changes = torch.cat([air.easel.paper.expand(2, 1, 1, *SIZE), out.steps.logit()], 1).diff(dim=1).abs().sum((2, 3, 4))
    assert (changes > 0.1).all()


def test_windows_of_up_to_ten_times_the_canvas_are_read() -> None:
    air = make("air", affine="scale")
    for scale, wide in ((0.4, 2.5), (0.2, 2.0), (-0.4, -2.5)):  # 6.25 times the area, and 25, which is too much
        _, view = air.places(torch.tensor([[scale - 2, 0, abs(scale) - 2, 0.0]]))
        assert view[0, 0, 0].item() == pytest.approx(wide, rel=1e-4)
