"""The rasteriser, against counting samples by each shape's definition and against Pillow."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from limner.data import raster

NAMES = ("square", "circle", "line", "curve")
SIZE = 20
FINE = 32
BAR = 3 / 28

INSIDE = {
    "square": lambda u, v: (abs(u) <= 1) & (abs(v) <= 1),
    "circle": lambda u, v: u**2 + v**2 <= 1,
    "line": lambda u, v: (abs(u) <= 1) & (abs(v) <= BAR),
    "curve": lambda u, v: (abs(u) <= 1) & (abs(v) <= 1) & (abs(np.hypot(u + 1, v + 1) - 2 + BAR) <= BAR),
}
AREA = {
    "square": lambda a, b: 4 * a * b,
    "circle": lambda a, b: math.pi * a * b,
    "line": lambda a, b: 4 * a * b * BAR,
}

boxes = st.tuples(
    st.floats(5, 15), st.floats(5, 15), st.floats(1.5, 5), st.floats(1.5, 5), st.floats(-math.pi, math.pi)
)


def cover(name: str, box: tuple[float, ...], size: int = SIZE) -> np.ndarray:
    return raster.cover(np.array([NAMES.index(name)]), np.array([box]), NAMES, size)[0]


def counted(name: str, box: tuple[float, ...]) -> np.ndarray:
    """The share of the sample points of each pixel that lie inside, by the shape's definition."""
    x, y, half_width, half_height, angle = box
    fine = (np.arange(SIZE * FINE) + 0.5) / FINE
    right, down = fine[None] - x, fine[:, None] - y
    u = (math.cos(angle) * right + math.sin(angle) * down) / half_width
    v = (-math.sin(angle) * right + math.cos(angle) * down) / half_height
    return INSIDE[name](u, v).reshape(SIZE, FINE, SIZE, FINE).mean((1, 3))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25)
@given(box=boxes)
def test_covers_what_lies_inside(name: str, box: tuple[float, ...]) -> None:
    assert np.abs(cover(name, box) - counted(name, box)).max() < 0.08
    assert np.abs(cover(name, box) - counted(name, box)).mean() < 2e-3


@pytest.mark.parametrize("angle", [0.0, math.pi / 2, math.pi, 1e-9])
@pytest.mark.parametrize("name", NAMES)
def test_right_angles_are_no_trouble(name: str, angle: float) -> None:
    box = (9.3, 10.6, 4.7, 3.2, angle)
    assert np.abs(cover(name, box) - counted(name, box)).max() < 0.08


@pytest.mark.parametrize("name", AREA)
@given(box=boxes)
def test_area(name: str, box: tuple[float, ...]) -> None:
    """Edges along x are off by half the distance of two lines, at most."""
    _, _, a, b, angle = box
    assert cover(name, (10.0, 10.0, a, b, angle)).sum() == pytest.approx(
        AREA[name](a, b), abs=2 * max(a, b) / raster.SCANS
    )


@given(box=boxes)
def test_upright_rectangles_are_exact(box: tuple[float, ...]) -> None:
    x, y, a, b, _ = box
    along_x = [max(0.0, min(k + 1, x + a) - max(k, x - a)) for k in range(SIZE)]
    along_y = [max(0.0, min(k + 1, y + b) - max(k, y - b)) for k in range(SIZE)]
    assert np.allclose(cover("square", (*box[:4], 0.0)), np.outer(along_y, along_x), atol=1e-5)


@settings(max_examples=25)
@given(box=boxes)
def test_turned_rectangles_are_those_of_pillow(box: tuple[float, ...]) -> None:
    x, y, a, b, angle = box
    cos, sin = math.cos(angle), math.sin(angle)
    corners = [
        (x + cos * u * a - sin * v * b, y + sin * u * a + cos * v * b) for u, v in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
    large = Image.new("L", (SIZE * 16, SIZE * 16))
    ImageDraw.Draw(large).polygon([(16 * right - 0.5, 16 * down - 0.5) for right, down in corners], fill=255)
    drawn = np.asarray(large.reduce(16)) / 255
    assert np.abs(cover("square", box) - drawn).max() < 0.13
    assert np.abs(cover("square", box) - drawn).mean() < 0.01


def test_many_shapes_are_drawn_as_each_alone() -> None:
    rng = np.random.default_rng(0)
    many = np.column_stack([rng.uniform(5, 15, (150, 2)), rng.uniform(1, 5, (150, 2)), rng.uniform(-3, 3, 150)])
    many[::3, 4] = 0
    kinds = rng.integers(0, len(NAMES), 150)
    alone = [cover(NAMES[kind], tuple(box)) for kind, box in zip(kinds, many, strict=True)]
    assert np.array_equal(raster.cover(kinds, many, NAMES, SIZE), np.stack(alone))
