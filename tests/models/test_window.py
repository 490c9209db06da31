"""Windows against bilinear sampling done by hand, and reading against placing."""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from limner.geometry import canvas_points, invert
from limner.models.settings import Model
from limner.models.window import Attention, affine, transform

IDENTITY = torch.eye(2, 3)[None]


def by_hand(image: Tensor, phi: Tensor, size: tuple[int, int]) -> Tensor:
    """Eq. 2.20 and 2.21, pixel by pixel."""
    height, width = image.shape
    seen = torch.zeros(size)
    for (j, i), (x, y) in zip(
        torch.cartesian_prod(torch.arange(size[0]), torch.arange(size[1])).tolist(),
        (canvas_points(*size).flatten(0, 1) @ phi.T).tolist(),
        strict=True,
    ):
        column, row = ((x + 1) * width - 1) / 2, ((y + 1) * height - 1) / 2
        for n in range(height):
            for m in range(width):
                seen[j, i] += image[n, m] * max(0, 1 - abs(column - m)) * max(0, 1 - abs(row - n))
    return seen


@settings(max_examples=25)
@given(st.lists(st.floats(-1.5, 1.5), min_size=6, max_size=6), st.integers(0, 9))
def test_transform_is_bilinear_sampling(numbers: list[float], seed: int) -> None:
    image = torch.rand(5, 7, generator=torch.Generator().manual_seed(seed))
    phi = torch.tensor(numbers).view(1, 2, 3)
    seen = transform(image[None, None], phi, (4, 3))[0, 0]
    torch.testing.assert_close(seen, by_hand(image, phi[0], (4, 3)), rtol=0, atol=1e-5)


def test_identity_shows_the_image() -> None:
    image = torch.rand(2, 3, 5, 8)
    torch.testing.assert_close(transform(image, IDENTITY.expand(2, -1, -1), (5, 8)), image)


@given(st.integers(0, 6), st.integers(0, 4))
def test_a_window_placed_where_it_was_read_restores_that_part(left: int, top: int) -> None:
    image = torch.rand(1, 2, 12, 14, generator=torch.Generator().manual_seed(left + 7 * top))
    height, width = 8, 8
    centre = torch.tensor([(2 * left + width) / 14 - 1, (2 * top + height) / 12 - 1])
    view = torch.cat([torch.diag(torch.tensor([width / 14, height / 12])), centre[:, None]], 1)[None]
    window = transform(image, view, (height, width))
    part = image[:, :, top : top + height, left : left + width]
    torch.testing.assert_close(window, part, rtol=0, atol=1e-5)
    placed = transform(window, invert(view), (12, 14))
    expected = torch.zeros_like(image)
    expected[:, :, top : top + height, left : left + width] = part
    torch.testing.assert_close(placed, expected, rtol=0, atol=1e-4)


@given(st.lists(st.floats(-0.4, 0.4), min_size=6, max_size=6))
def test_placing_is_the_inverse_of_reading(h: list[float]) -> None:
    """A smooth picture read through a turned window and placed back is itself, well inside that window."""
    points = canvas_points(60, 60)
    image = (1 + (2 * points[..., 0] + points[..., 1]).sin())[None, None] / 2
    where = affine(torch.tensor([h]), 2.0)
    placed = transform(transform(image, invert(where), (80, 80)), where, (60, 60))
    inside = ((points @ where[0].T).abs().amax(-1) < 0.9) & (points[..., :2].abs().amax(-1) < 0.9)
    assume(transform(torch.ones_like(image), invert(where), (80, 80)).amin() > 0)
    assert inside.any()
    torch.testing.assert_close(placed[0, 0][inside], image[0, 0][inside], rtol=0, atol=0.01)


def test_affine_of_six_and_of_four() -> None:
    six = torch.arange(6.0)[None, None]
    torch.testing.assert_close(affine(six, 2.0)[0, 0], torch.tensor([[2.0, 1, 2], [3, 6, 5]]))
    four = torch.tensor([[0.1, 0.2, 0.3, 0.4]])
    torch.testing.assert_close(affine(four, 3.0)[0], torch.tensor([[3.1, 0, 0.2], [0, 3.3, 0.4]]))


@pytest.mark.parametrize("kind", ["full", "scale"])
def test_untrained_attention_takes_in_the_whole_image(kind) -> None:
    attention = Attention(Model(affine=kind), 5)
    torch.nn.init.zeros_(attention.weight)
    torch.nn.init.zeros_(attention.bias)
    torch.testing.assert_close(attention(torch.randn(3, 5)), IDENTITY.expand(3, -1, -1))


def test_invert_holds_determinants_off_zero() -> None:
    flat = torch.tensor([[[0.2, 0.1, 0.3], [0.4, 0.2, 0.1]]], requires_grad=True)
    back = invert(flat, 0.1)
    back.sum().backward()
    assert back.isfinite().all()
    assert flat.grad is not None
    assert flat.grad.isfinite().all()
    for sign in (-1.0, 1.0):
        thin = torch.tensor([[[0.2, 0, 0], [0, sign * 0.1, 0]]])
        torch.testing.assert_close(invert(thin, 0.1), torch.tensor([[[1.0, 0, 0], [0, sign * 2, 0]]]))
    usual = torch.tensor([[[2.0, 0, 0.5], [0, -3, 0.1]]])
    assert torch.equal(invert(usual, 0.1), invert(usual))
