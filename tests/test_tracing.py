"""Outlines of masks, against areas by the shoelace formula and masks that Pillow draws."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from torch import Tensor

from limner.masks import read_mask
from limner.painting.svg import to_svg
from limner.shapes import SHAPES, draw
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.tracing import drawn, thickness, traced

SIDE = 32
STAR = "M12 1L15 9L23 9L17 14L19 22L12 17L5 22L7 14L1 9L9 9Z"


def mask_of(*polygons: list[tuple[float, float]], side: int = SIDE, finer: int = 16) -> Tensor:
    """Polygons in [0, 1], each one filled with the opposite of what it lies on."""
    image = np.zeros((side * finer, side * finer), bool)
    for polygon in polygons:
        layer = Image.new("1", image.shape)
        ImageDraw.Draw(layer).polygon([(x * side * finer, y * side * finer) for x, y in polygon], fill=1)
        image ^= np.asarray(layer)
    return torch.from_numpy(image.reshape(side, finer, side, finer).mean((1, 3))).float()


def rings(outline: str) -> list[np.ndarray]:
    return [np.array(ring.split(), float).reshape(-1, 2) for ring in re.findall("M([^Z]*)Z", outline)]


def area(ring: np.ndarray) -> float:
    x, y = ring.T
    return abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2


def polygon(corners: int, radius: float, turn: float = 0.0) -> list[tuple[float, float]]:
    angles = turn + np.arange(corners) * 2 * np.pi / corners
    return [(0.5 + radius * np.cos(a), 0.5 + radius * np.sin(a)) for a in angles]


@given(st.integers(3, 9), st.floats(0.25, 0.49), st.floats(0, 6.3), st.floats(0, 0.6))
def test_what_an_outline_encloses_is_what_the_mask_holds(corners: int, radius: float, turn: float, hole: float) -> None:
    inner = [polygon(40, hole * radius * 0.5)] if hole > 0.4 else []
    mask = mask_of(polygon(corners, radius, turn), *inner)
    outline = traced(mask)
    assert outline is not None
    outer, *holes = sorted(map(area, rings(outline)), reverse=True)
    assert len(holes) == len(inner)
    assert outer - sum(holes) == pytest.approx(mask.sum().item() * (2 / SIDE) ** 2, rel=0.05)
    assert (drawn(outline, SIDE) - mask).abs().mean() < 0.01


def test_an_outline_reaches_the_border_of_the_template() -> None:
    outline = traced(torch.ones(SIDE, SIDE))
    assert outline is not None
    (ring,) = rings(outline)
    assert np.abs(ring).max() == 1
    assert len(ring) < 12
    assert area(ring) == pytest.approx(4, rel=1e-3)


@pytest.mark.parametrize("name", [name for name, shape in SHAPES.items() if shape.svg])
def test_shapes_are_traced_as_they_are_drawn(name: str) -> None:
    side = 128 if name == "bristle" else 64  # its hairs are as thin as a texel or two of 64
    outline = traced(draw(SHAPES[name], side))
    assert outline is not None
    assert (drawn(outline, side) - drawn(SHAPES[name].svg, side)).abs().mean() < 0.01


@pytest.mark.parametrize(
    "mask",
    [
        draw(SHAPES["soft"], 64),
        torch.zeros(SIDE, SIDE),
        torch.full((SIDE, SIDE), 0.7),
        0.95 * draw(SHAPES["circle"], 64),
        draw(SHAPES["circle"], 64) * torch.tensor([1.0] * 30 + [0.75] * 4 + [1.0] * 30),
        torch.rand(SIDE, SIDE, generator=torch.Generator().manual_seed(0)),
        mask_of([(0.1, 0.5), (0.9, 0.5), (0.9, 0.51), (0.1, 0.51)]),
        mask_of([(0.2, 0.2), (0.6, 0.2), (0.6, 0.6), (0.2, 0.6)], [(0.7, 0.1), (0.71, 0.1), (0.71, 0.95), (0.7, 0.95)]),
    ],
    ids=["fading", "empty", "gray", "nearly opaque", "striped", "noise", "hair", "a hair beside a square"],
)
def test_what_an_outline_would_not_be_like_has_none(mask: Tensor) -> None:
    assert traced(mask) is None


@pytest.mark.parametrize(("width", "height"), [(0.8, 0.1), (0.5, 0.5), (1.0, 0.03)])
def test_a_bar_is_as_thick_as_its_area_and_edge_say(width: float, height: float) -> None:
    left, top = (1 - width) / 2, (1 - height) / 2
    bar = [(left, top), (1 - left, top), (1 - left, 1 - top), (left, 1 - top)]
    mask = mask_of(bar, side=200, finer=4)
    assert thickness(mask) == pytest.approx(width * height / (width + height), rel=0.05)


def test_a_disc_is_half_as_thick_as_wide() -> None:
    assert thickness(draw(SHAPES["circle"], 256)) == pytest.approx(0.5, rel=0.08)


def test_a_comb_of_many_teeth_is_traced() -> None:
    mask = torch.zeros(1024, 1024)
    for tooth in range(340):
        mask[: 30 + 2 * tooth, 3 * tooth + 1 : 3 * tooth + 3] = 1
    outline = traced(mask)
    assert outline is not None
    assert sum(map(len, rings(outline))) > 3 * 340


def test_masks_that_are_learnt_are_traced_once_for_an_svg(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr("limner.tracing.traced", lambda mask: made.append(mask) or traced(mask))
    bank = TemplateBank(draw(SHAPES["circle"], 32)[None].requires_grad_())
    strokes = Strokes(2 + torch.rand(1, 9, 2, 3), torch.ones(1, 9, 1), torch.rand(1, 9, 3))
    assert to_svg(strokes, bank, (20, 20), None).count("<path") == 1
    assert len(made) == 1


def test_masks_with_hard_edges_are_redrawn_sharp(tmp_path: Path) -> None:
    path = tmp_path / "star.svg"
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="{STAR}"/></svg>')
    bank = TemplateBank.load(path)
    assert list(bank.outlines) == [0]
    assert bank.redrawn(512).outlines == bank.outlines
    larger, exact = bank.redrawn(512).masks[0], read_mask(path, 512)
    assert (larger - exact).abs().mean() < 0.006
    gray = ((larger > 0.1) & (larger < 0.9)).float().mean()
    assert gray < 1.5 * ((exact > 0.1) & (exact < 0.9)).float().mean()
