from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from limner import TemplateBank, geometry, render
from limner.data import Data, Images, load
from limner.data.settings import SPLITS, SYNTHETIC
from limner.errors import UserError
from limner.strokes import Strokes

FEW = {"images": 200, "held_out": 200}
ALL = ("square", "circle", "line", "curve")


def truth_of(images: Images) -> Strokes:
    assert images.truth is not None
    return images.truth


def half_sides(truth: Strokes, size: int) -> torch.Tensor:
    """Half width and height of every shape, in pixels, from its Phi."""
    back = geometry.invert(truth.where)[..., :2]
    return back.norm(dim=-2) * size / 2


SETS = [
    *(Data(name, **FEW) for name in SYNTHETIC),  # pyright: ignore[reportArgumentType]
    Data("shapes", shapes=ALL, counts=(1, 3), channels=3, **FEW),
    Data("two-shapes", size=50, rotation=30.0, inverted=0.3, channels=3, levels=(), **FEW),
    Data("shapes", size=40, shapes=("circle",), inverted=0.5, overlap=False, **FEW),
]


@pytest.mark.parametrize("data", SETS, ids=lambda data: f"{data.name} {data.size or ''}")
def test_the_truth_paints_the_image(data: Data) -> None:
    images = load(data)
    painted = render(truth_of(images), TemplateBank.named(*images.templates, size=64), images.size)
    error = (painted - images.ink()).square().mean((1, 2, 3))
    power = (images.ink() - images.ink().mean((2, 3), keepdim=True)).square().mean((1, 2, 3))
    assert error.mean() < 0.02 * power.mean()
    assert (error < 0.005).all()


def test_images_that_are_held_out_have_as_many_shapes_as_are_asked_for() -> None:
    data = Data("shapes", counts=(1, 2), counts_held_out=(5, 6), **FEW)
    for split, counts in (("train", {1, 2}), ("validation", {5, 6}), ("test", {5, 6})):
        shapes = truth_of(load(data, split)).opacity
        assert shapes is not None
        assert set(shapes.sum(1).tolist()) == counts


@pytest.mark.parametrize("split", SPLITS)
def test_seeds_repeat_and_nothing_else_does(split: Any) -> None:
    data = Data("shapes", **FEW)
    images = load(data, split)
    assert torch.equal(images.pixels, load(data, split).pixels)
    assert torch.equal(truth_of(images).where, truth_of(load(data, split)).where)
    others = [load(data, other) for other in SPLITS if other != split]
    others.append(load(replace(data, seed=1), split))
    mine = {image.numpy().tobytes() for image in images.pixels}
    assert all(image.numpy().tobytes() not in mine for other in others for image in other.pixels)


def test_counts_of_images() -> None:
    assert [len(load(Data("two-rectangles"), split)) for split in SPLITS] == [
        10_000,
        2_000,
        2_000,
    ]
    data = Data("two-rectangles", images=30, held_out=7)
    assert [len(load(data, split)) for split in SPLITS] == [30, 7, 7]


@pytest.mark.parametrize(
    ("name", "counts"), [("two-rectangles", {2}), ("four-rectangles", {4}), ("zero-to-two-rectangles", {0, 1, 2})]
)
def test_counts_of_shapes(name: Any, counts: set[int]) -> None:
    images = load(Data(name, images=600))
    opacity = truth_of(images).opacity
    assert opacity is not None
    assert images.templates == ("square",)
    assert truth_of(images).what[opacity == 1].eq(1).all()
    present = opacity.sum(1)
    assert set(present.tolist()) == counts
    assert all((present == count).float().mean().item() == pytest.approx(1 / len(counts), abs=0.06) for count in counts)
    assert (images.pixels[present == 0] == 0).all()


def test_rectangles_are_upright_and_inside() -> None:
    images = load(Data("two-rectangles", images=2000))
    truth = truth_of(images)
    assert (truth.where[..., 0, 1] == 0).all()
    assert (truth.where[..., 1, 0] == 0).all()
    half = half_sides(truth, 28)
    assert half.min() >= 2.5
    assert half.max() <= 7
    assert half[..., 0].sub(half[..., 1]).abs().max() > 3
    back = geometry.invert(truth.where)
    assert (back[..., 2].abs() + 2 * half / 28).max() <= 1 + 1e-5
    first, second = half.flatten(0, 1).T
    assert first.mean() == pytest.approx(4.75, abs=0.1)
    assert torch.corrcoef(torch.stack([first, second]))[0, 1].abs() < 0.1


def test_mixed_images_are_black_on_white_or_the_reverse() -> None:
    images = load(Data("two-rectangles-mixed", images=1000))
    opacity = truth_of(images).opacity
    assert opacity is not None
    assert opacity.shape == (1000, 3)
    black = opacity[:, 0] == 1
    assert black.float().mean() == pytest.approx(0.5, abs=0.05)
    corners = images.pixels[:, 0, ::27, ::27].float().flatten(1).median(1).values
    assert (corners[black] == 255).float().mean() > 0.95
    assert (corners[~black] == 0).float().mean() > 0.95
    assert (truth_of(images).what[black, 1:] == 0).all()
    assert (truth_of(images).what[~black, 1:] == 1).all()


def test_two_shapes_are_isotropic_squares_and_circles() -> None:
    images = load(Data("two-shapes", images=1000))
    half = half_sides(truth_of(images), 28)
    assert torch.allclose(half[..., 0], half[..., 1], atol=1e-4)
    assert images.templates == ("square", "circle")
    circles = truth_of(images).which[..., 1].sum(1)
    shares = [(circles == k).float().mean().item() for k in range(3)]
    assert shares == pytest.approx([0.25, 0.5, 0.25], abs=0.05)


def test_the_top_rectangle_is_seen_where_two_overlap() -> None:
    images = load(Data("two-rectangles-occlusion", images=2000))
    truth = truth_of(images)
    assert truth.what.unique().tolist() == [0.5, 1.0]
    points = geometry.canvas_points(28, 28)
    inside = torch.einsum("bmij,hwj->bmhwi", truth.where, points).abs().amax(-1) < 0.85
    both = inside.all(1)
    seen = images.ink()[:, 0]
    top = truth.what[:, 1, 0, None, None].expand_as(seen)
    assert (seen - top)[both].abs().max() < 0.01
    occluded = both.flatten(1).any(1) & (truth.what[:, 0, 0] != truth.what[:, 1, 0])
    assert occluded.float().mean() > 0.25
    assert (truth.what[:, 1, 0] == 1).float().mean() == pytest.approx(0.5, abs=0.05)


def test_pixels_are_the_shapes_by_hand() -> None:
    """One image anew, pixel by pixel, from its truth: every pixel takes the ink of the last shape over it."""
    images = load(Data("shapes", images=40, size=32, counts=(3, 3), channels=3))
    truth = truth_of(images)
    fine = 8
    for k in range(len(images)):
        canvas = torch.zeros(32 * fine, 32 * fine, 3)
        points = geometry.canvas_points(32 * fine, 32 * fine)
        for where, which, what in zip(truth.where[k], truth.which[k], truth.what[k], strict=True):
            u, v = (points @ where.T).unbind(-1)
            inside = u.hypot(v) <= 1 if which[images.templates.index("circle")] else (u.abs() <= 1) & (v.abs() <= 1)
            canvas[inside] = what
        expected = canvas.reshape(32, fine, 32, fine, 3).mean((1, 3)).permute(2, 0, 1)
        difference = (images.ink()[k] - expected).abs()
        assert difference.mean() < 0.01
        assert difference.flatten().quantile(0.98) < 0.1


@settings(max_examples=30)
@given(
    images=st.just(60),
    size=st.integers(24, 40),
    channels=st.sampled_from([1, 3]),
    seed=st.integers(0, 100),
    counts=st.tuples(st.integers(0, 2), st.integers(2, 4)),
    shapes=st.sets(st.sampled_from(ALL), min_size=1).map(lambda names: tuple(sorted(names))),
    isotropic=st.booleans(),
    min_side=st.floats(2, 6),
    max_side=st.floats(6, 10),
    rotation=st.floats(0, 180),
    levels=st.lists(st.sampled_from([0.25, 0.5, 0.75, 1.0]), max_size=3).map(tuple),
    overlap=st.booleans(),
)
def test_everything_keeps_to_its_range(**chosen: Any) -> None:
    data = Data("shapes", **chosen)
    recipe, size = data.recipe(), chosen["size"]
    images = load(data)
    truth = truth_of(images)
    assert images.pixels.shape == (60, data.channels, size, size)
    assert truth.opacity is not None
    number = truth.opacity.sum(1)
    assert (number >= recipe.counts[0]).all()
    assert (number <= recipe.counts[1]).all()
    assert (truth.which.sum(-1) == 1).all()
    assert set(truth.which.unique().tolist()) <= {0.0, 1.0}
    half = half_sides(truth, size)
    assert half.min() * 2 >= recipe.min_side - 1e-3
    assert half.max() * 2 <= recipe.max_side + 1e-3
    if recipe.isotropic:
        assert torch.allclose(half[..., 0], half[..., 1], atol=1e-3)
    if recipe.levels:
        assert set(truth.what.unique().tolist()) <= set(recipe.levels)
    assert truth.what.min() >= 0.2
    turn = torch.atan2(truth.where[..., 0, 1], truth.where[..., 0, 0]).rad2deg().abs()
    assert turn.max() <= recipe.rotation + 1e-2
    reach = geometry.invert(truth.where)
    assert (reach[..., 2].abs() + reach[..., :2].abs().sum(-1)).max() <= 1 + 1e-4
    if not recipe.overlap:
        centre, extent = reach[..., 2], reach[..., :2].abs().sum(-1)
        for a in range(recipe.counts[1]):
            for b in range(a):
                there = (truth.opacity[:, a] * truth.opacity[:, b]) == 1
                gap = (centre[:, a] - centre[:, b]).abs() - extent[:, a] - extent[:, b]
                assert (gap.amax(-1)[there] >= -1e-4).all()


@pytest.mark.parametrize(
    "data",
    [
        Data("two-rectangles", max_side=30.0),
        Data("two-rectangles", max_side=28.0, min_side=27.0, rotation=45.0),
        Data("two-rectangles", counts=(5, 5), min_side=14.0, overlap=False, images=20),
    ],
)
def test_what_does_not_fit_is_said(data: Data) -> None:
    with pytest.raises(UserError, match="fit"):
        load(data)


def test_an_ink_is_drawn_for_every_channel() -> None:
    what = truth_of(load(Data("shapes", channels=3, **FEW))).what
    assert (what[..., 0] != what[..., 1]).float().mean() > 0.9
    inks = np.histogram(what.numpy(), bins=8, range=(0.2, 1.0))[0]
    assert inks.sum() == what.numel()
    assert inks.min() > 0.8 * inks.mean()


@pytest.mark.parametrize("index", [3, -1, np.int64(3)])
def test_one_image(index: int | np.int64) -> None:
    images = load(Data("two-rectangles", **FEW), "train")
    one = images[index]
    assert torch.equal(one.pixels, images.pixels[index][None])
    assert torch.equal(truth_of(one).where, truth_of(images).where[index][None])


def test_images_end_where_they_end() -> None:
    with pytest.raises(IndexError):
        load(Data("two-rectangles", **FEW), "train")[200]


def test_ink_is_rounded_to_the_nearest_step() -> None:
    pixels = load(Data("two-rectangles-occlusion", images=50)).pixels
    assert (pixels == 128).sum() > 10 * (pixels == 127).sum()
