"""Warping: what a random affine map does to pictures whose image under it is known."""

import numpy as np
import pytest
import torch

from limner.geometry import centres
from limner.training.warping import warped


def ramp(slope_x: float, slope_y: float, side: int = 64, count: int = 400) -> torch.Tensor:
    x = centres(side)
    return (0.5 + slope_x * x[None] + slope_y * x[:, None]).expand(count, 1, side, side).clone()


def coefficients(images: torch.Tensor) -> np.ndarray:
    """(batch, 3): the plane a + b x + c y through the middle of each image, which must be one."""
    side = images.shape[-1]
    middle = slice(side // 4, -side // 4)
    x = centres(side)[middle].numpy().astype(float)
    columns = np.stack([np.ones((len(x), len(x))), *np.meshgrid(x, x)], -1).reshape(-1, 3)
    values = images[:, 0, middle, middle].flatten(1).double().numpy().T
    found, residual, *_ = np.linalg.lstsq(columns, values, rcond=None)
    assert residual.max() < 1e-6
    return found.T


def test_nothing_asked_for_is_nothing_done() -> None:
    images = torch.rand(3, 1, 5, 7)
    assert warped(images, 0.0, False) is images


def test_half_of_the_images_are_mirrored() -> None:
    images = torch.rand(200, 2, 6, 9)
    found = warped(images, 0.0, True)
    same, turned = (torch.isclose(found, each, atol=1e-5).flatten(1).all(1) for each in (images, images.flip(-1)))
    assert (same ^ turned).all()
    assert 60 < int(turned.sum()) < 140


def test_a_ramp_stays_a_ramp_with_random_slopes() -> None:
    torch.manual_seed(0)
    warp = 0.05
    found = coefficients(warped(ramp(0.2, 0.1), warp, False))
    assert found.mean(0) == pytest.approx([0.5, 0.2, 0.1], abs=0.003)
    assert found.std(0) == pytest.approx([warp * np.hypot(0.2, 0.1)] * 3, rel=0.15)


def test_what_comes_in_repeats_the_border() -> None:
    assert warped(torch.full((50, 1, 8, 8), 0.7), 0.5, True) == pytest.approx(0.7)


def test_every_image_has_its_own_map() -> None:
    found = warped(ramp(0.2, 0.1, count=8), 0.05, False)
    assert len(found.flatten(1).unique(dim=0)) == 8
