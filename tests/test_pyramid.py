"""Prefiltered sizes: stamps drawn small against a supersampled picture of the same stamps."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from limner import geometry, pyramid
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import render

BACKENDS = ("reference", "fused")
SUPER = 16
ONES = (torch.ones(1, 1, 1), torch.ones(1, 1, 1))


def white_stamps(half: tuple[float, float], count: int = 12) -> Strokes:
    """White stamps of one size (half width, half height in canvas units), anywhere, turned any way; one a picture."""
    centre = torch.rand(count, 2) * 1.2 - 0.6
    where = geometry.phi(centre, torch.tensor([half]).expand(count, 2), torch.rand(count) * 6.3)[:, None]
    return Strokes(where, torch.ones(count, 1, 1), torch.ones(count, 1, 1))


def errors(backend: str, mask: Tensor, strokes: Strokes, size: tuple[int, int]) -> tuple[float, float]:
    """Mean absolute error per covered pixel with and without prefilter, against the mean of 16 x 16 subpixels."""
    plain = TemplateBank(mask[None], prefilter=False)
    fine = render(strokes, plain, (size[0] * SUPER, size[1] * SUPER), backend="reference")
    truth = torch.nn.functional.avg_pool2d(fine, SUPER)
    drawn = [render(strokes, bank, size, backend=backend) for bank in (TemplateBank(mask[None]), plain)]
    smooth, rough = (((canvas - truth).abs().sum() / (truth > 0).sum()).item() for canvas in drawn)
    return smooth, rough


def stripes(side: int) -> Tensor:
    return (torch.arange(side) // 2 % 2).float().expand(side, side)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("half", [0.4, 0.25, 0.15, 0.1])
def test_small_stamps_are_smooth(half: float, backend: str) -> None:
    for mask, share in ((stripes(64), 0.25), (TemplateBank.named("curve", size=64).masks[0], 0.75)):
        smooth, rough = errors(backend, mask, white_stamps((half, half)), (20, 20))
        assert smooth < share * rough


@pytest.mark.parametrize("backend", BACKENDS)
def test_long_thin_stamps_are_smooth_and_stay_sharp_along(backend: str) -> None:
    across = stripes(64)  # all of them within little more than a pixel
    smooth, rough = errors(backend, across, white_stamps((0.05, 0.9)), (24, 24))
    assert smooth < 0.25 * rough
    # Along the stamp four texels make a pixel where a filter for the thin axis would average all of a stripe away.
    blocks = (torch.arange(64) // 16 % 2).float()[:, None].expand(64, 64)
    upright = Strokes(geometry.phi(torch.zeros(1, 2), torch.tensor([[0.05, 0.9]]), torch.zeros(1))[:, None], *ONES)
    column = render(upright, TemplateBank(blocks[None]), (24, 24), backend=backend)[0, 0, :, 11]
    assert column[15:20].min() < 0.02
    assert column[8:11].max() > 0.35


@pytest.mark.parametrize("backend", BACKENDS)
def test_large_stamps_are_left_alone(backend: str) -> None:
    mask, strokes = torch.rand(16, 16), white_stamps((0.7, 0.9))
    drawn = [render(strokes, TemplateBank(mask[None], prefilter=on), (20, 20), backend=backend) for on in (True, False)]
    assert torch.equal(*drawn)


@given(
    texels=st.integers(1, 200),
    per_pixel=st.tuples(st.floats(0.01, 500), st.floats(0.01, 500)),
    angle=st.floats(0, 6.3),
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
)
def test_levels_bring_the_template_nearest_to_one_texel_a_pixel(
    texels: int, per_pixel: tuple[float, float], angle: float, size: tuple[int, int]
) -> None:
    height, width = size
    levels = len(pyramid.build(torch.zeros(1, texels, texels)).sizes)
    # A turned stamp: so many texels a pixel along its own axes, whatever the direction on the canvas.
    steps = torch.tensor(per_pixel, dtype=torch.float64)
    turn = torch.tensor(angle, dtype=torch.float64)
    rows = torch.stack([torch.stack([turn.cos(), turn.sin()]), torch.stack([-turn.sin(), turn.cos()])])
    linear = rows * steps[:, None] / texels * torch.tensor([width, height], dtype=torch.float64)
    where = torch.cat([linear, torch.zeros(2, 1, dtype=torch.float64)], 1)
    for level, step in zip(geometry.prefilter_levels(where, size, texels, levels).tolist(), per_pixel, strict=True):
        logarithm = torch.tensor(step, dtype=torch.float64).log2().item()
        assert 0 <= level < levels
        assert level == 0 or level - logarithm < 0.5 + 1e-6
        assert level == levels - 1 or logarithm - level < 0.5 + 1e-6


def test_levels_along_x_and_y_are_apart() -> None:
    where = torch.tensor([[16.0, 0, 0], [0, 2, 0]])
    assert geometry.prefilter_levels(where, (32, 32), 32, 6).tolist() == [4, 1]
    assert geometry.prefilter_levels(where, (64, 32), 32, 6).tolist() == [4, 0]
    assert geometry.prefilter_levels(where, (32, 32), 32, 6, samples=2).tolist() == [2, 0]


@pytest.mark.parametrize("side", [1, 2, 7, 28, 32])
def test_every_level_keeps_the_mean_and_lies_in_zeros(side: int) -> None:
    masks = torch.rand(2, side, side)
    built = pyramid.build(masks)
    sizes = built.sizes.tolist()
    assert sizes[0] == side
    assert sizes[-1] == 1
    for i, rows in enumerate(sizes):
        for j, columns in enumerate(sizes):
            shape = rows + 2 * pyramid.BORDER, columns + 2 * pyramid.BORDER
            start = int(built.offsets[i, j])
            level = built.texels[:, start : start + shape[0] * shape[1]].view(2, *shape)
            inner = level[:, pyramid.BORDER : -pyramid.BORDER, pyramid.BORDER : -pyramid.BORDER]
            torch.testing.assert_close(inner.mean((1, 2)), masks.mean((1, 2)))
            torch.testing.assert_close(level.sum((1, 2)), inner.sum((1, 2)))
            if side % rows == 0 and side % columns == 0:
                pooled = torch.nn.functional.avg_pool2d(masks, (side // rows, side // columns))
                torch.testing.assert_close(inner, pooled)


def test_without_prefilter_there_is_one_level() -> None:
    built = pyramid.build(torch.rand(1, 9, 9), prefilter=False)
    assert built.sizes.tolist() == [9]
    assert built.offsets.tolist() == [[0]]
