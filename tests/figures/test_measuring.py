"""What is measured of a run, against plain formulas."""

import statistics

import pytest
import torch

from limner.data.images import Images
from limner.data.settings import Data
from limner.figures import measuring
from limner.models.build import build
from limner.models.settings import Model


def test_windows_are_of_100_iterations() -> None:
    losses = [float(k) for k in range(250)]
    means, deviations = measuring.windows(losses)
    assert means == [49.5, 149.5]
    assert deviations == pytest.approx([statistics.pstdev(range(100))] * 2)
    assert measuring.windows(losses[:30]) == ([14.5], [statistics.pstdev(range(30))])


def test_the_course_of_the_loss() -> None:
    losses = [4.0] * 1000 + [1.0, 3.0] * 3000 + [2.0] * 4000
    assert measuring.of_training(losses, 0) == {"area": pytest.approx(24_000 / 11_000), "last": 2.0}
    found = measuring.of_training(losses, 7000)
    assert found["wobble_early"] == pytest.approx(0.5)
    assert found["wobble_late"] == 0


def test_images_are_spread_over_the_set() -> None:
    images = Images(torch.arange(10, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 2, 2))
    assert images.spread(4).pixels[:, 0, 0, 0].tolist() == [0, 3, 6, 9]
    assert len(images.spread(99)) == len(images.spread(None)) == 10


def test_the_mean_image() -> None:
    data = Data("two-rectangles", images=333)
    ink = measuring.images_of(data, "train").ink()
    assert torch.allclose(measuring.mean_image(data), ink.mean(0), atol=1e-5)


def test_explained_is_what_is_left_of_the_mean_image_s_error() -> None:
    data = Data("two-rectangles", images=150)
    images, mean = measuring.images_of(data, "train"), measuring.mean_image(data)
    model = build(Model(hidden=8), images.size, 1)
    scores = measuring.of_images(model, images, mean)
    with torch.no_grad():
        mse = (model.eval()(images.ink()).canvas - images.ink()).square().mean()
    variance = (images.ink() - mean).square().mean()
    assert scores["explained"] == pytest.approx(float(1 - mse / variance), abs=1e-5)
    assert {"mse", "psnr", "ssim", "iou", "all_found", "live", "boxed", "undone"} <= set(scores)
    assert "iwae" not in scores


def test_rounding_leaves_out_what_is_no_number() -> None:
    assert measuring.rounded({"b": 1.23456789, "a": float("nan"), "c": float("-inf")}) == {"b": 1.23457}
