"""Masks, null moves and what is seen of moves."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from limner.canvas import transform_mask
from limner.geometry import phi
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.training.visibility import CONTRAST, masks, see
from limner.writer import render

BANK = TemplateBank.named("square", "transparent")
SIZE = (28, 28)
BLACK = (0, 0, 14, 14, 1.0)


def boxes(*boxes: tuple[float, float, float, float, float]) -> Strokes:
    """One painting of squares: left, top, width, height in pixels, and ink. Sides of 7, 14 or 28 have sharp edges."""
    left, top, width, height, ink = torch.tensor(boxes).T
    centre = torch.stack([left + width / 2, top + height / 2], -1) / 14 - 1
    where = phi(centre, torch.stack([width, height], -1) / 28, torch.zeros(len(boxes)))
    which = torch.tensor([1.0, 0.0]).expand(len(boxes), 2)
    return Strokes(where[None], which[None], ink[None, :, None])


def wild(generator: torch.Generator, batch: int = 3, moves: int = 5, channels: int = 3) -> Strokes:
    """Any strokes, with every optional field."""

    def uniform(*shape: int) -> Tensor:
        return torch.rand(batch, moves, *shape, generator=generator)

    angle = uniform() * 6
    where = phi(uniform(2) * 2 - 1, uniform(2) * 0.6 + 0.05, angle)
    which = (uniform(2) * 4).softmax(-1)
    return Strokes(where, which, uniform(channels), uniform(), uniform(), uniform(channels, 2) * 0.2)


def test_masks_are_those_of_the_reference() -> None:
    strokes = wild(torch.Generator().manual_seed(0))
    found = masks(strokes, BANK, (20, 30))
    assert strokes.opacity is not None
    for t in range(len(strokes)):
        template = strokes.which[:, t] @ BANK.pyramid.texels
        expected = transform_mask(template, BANK.pyramid, strokes.where[:, t], (20, 30))
        torch.testing.assert_close(found[:, t], expected * strokes.opacity[:, t, None, None], atol=1e-5, rtol=0)


def test_a_box_is_seen_where_it_is() -> None:
    seen = see(boxes((3, 5, 7, 14, 1.0)), BANK, SIZE)
    expected = torch.zeros(28, 28)
    expected[5:19, 3:10] = 1
    torch.testing.assert_close(seen.visible[0, 0], expected)
    assert seen.live.all()


@pytest.mark.parametrize("seed", range(5))
def test_what_is_seen_paints_the_canvas(seed: int) -> None:
    strokes = replace(wild(torch.Generator().manual_seed(seed)), slope=None)
    seen = see(strokes, BANK, SIZE)
    live = replace(seen.strokes, opacity=seen.strokes.opacity * seen.live)
    painted = torch.einsum("bthw,btc->bchw", seen.visible, seen.strokes.what)
    torch.testing.assert_close(painted, render(live, BANK, SIZE, backend="reference"), atol=1e-5, rtol=0)


def test_depth_says_what_is_nearer() -> None:
    strokes = boxes(BLACK, (7, 0, 14, 14, 0.5))
    turned = see(replace(strokes, depth=torch.tensor([[2.0, -1.0]])), BANK, SIZE)
    torch.testing.assert_close(turned.strokes.what.flatten(), torch.tensor([0.5, 1.0]))
    torch.testing.assert_close(turned.visible.sum((2, 3)), torch.tensor([[98.0, 196.0]]))


def null_moves() -> dict[str, Strokes]:
    """Painted around a black box at the upper left; the first move, and the last, is the black box but where told."""
    black, gray = boxes(BLACK), boxes((7, 7, 14, 14, 0.5))
    transparent = replace(gray, which=torch.tensor([[[0.0, 1.0]]]))
    return {
        "paper on paper": black.then(boxes((14, 14, 14, 14, 0.0))),
        "almost paper": black.then(boxes((14, 14, 14, 14, 0.09))),
        "hidden": boxes((0, 0, 7, 7, 0.5)).then(black),
        "off the canvas": black.then(boxes((28, 0, 14, 14, 1.0))),
        "transparent": black.then(transparent),
        "the same colour": black.then(boxes((0, 7, 7, 7, 1.0))),
        "twice": black.then(black),
        "hidden by white": boxes((14, 14, 14, 14, 1.0), (14, 14, 14, 14, 0.0)).then(black),
        "one pixel": black.then(boxes((27, 27, 14, 14, 1.0))),
    }


@pytest.mark.parametrize("strokes", null_moves().values(), ids=null_moves().keys())
def test_null_moves(strokes: Strokes) -> None:
    seen = see(strokes, BANK, SIZE)
    assert seen.live.sum() == 1
    expected = torch.zeros(28, 28)
    expected[:14, :14] = 1
    torch.testing.assert_close(seen.visible.sum(1)[0], expected)


def test_no_opacity_is_a_null_move() -> None:
    strokes = replace(
        boxes(BLACK, (14, 14, 14, 14, 1.0), (14, 0, 14, 14, 1.0)), opacity=torch.tensor([[1.0, 0.0, 0.2]])
    )
    assert see(strokes, BANK, SIZE).live.tolist() == [[True, False, True]]


def test_white_on_black_is_live() -> None:
    assert see(boxes(BLACK, (0, 0, 7, 7, 0.0)), BANK, SIZE).live.all()


def test_two_pixels_are_live() -> None:
    assert see(boxes((26, 27, 14, 14, 1.0)), BANK, SIZE).live.all()


def test_a_gradient_is_live_where_its_middle_is_paper() -> None:
    flat = boxes((0, 0, 14, 14, 0.0))
    assert not see(flat, BANK, SIZE).live.any()
    assert see(replace(flat, slope=torch.tensor([[[[0.5, 0.0]]]])), BANK, SIZE).live.all()


@given(
    st.lists(
        st.tuples(*[st.integers(-5, 25)] * 2, *[st.sampled_from([7, 14])] * 2, st.sampled_from([0.0, 0.5, 1.0])),
        min_size=1,
        max_size=8,
    )
)
def test_without_its_null_moves_a_painting_looks_the_same(places: list[tuple[int, int, int, int, float]]) -> None:
    strokes = boxes(*[(float(x), float(y), float(w), float(h), ink) for x, y, w, h, ink in places])
    seen = see(strokes, BANK, SIZE)
    left = render(strokes[:, seen.live[0]], BANK, SIZE)
    changed = (left - render(strokes, BANK, SIZE)).abs() >= CONTRAST
    assert changed.sum() <= (~seen.live).sum()


def test_no_moves() -> None:
    seen = see(boxes(BLACK)[:, :0], BANK, SIZE)
    assert seen.visible.shape == (1, 0, 28, 28)
    assert seen.live.shape == (1, 0)
