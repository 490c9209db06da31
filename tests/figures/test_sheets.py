"""Sheets show every image where it belongs, inverted as ink, and fit into the repository."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from limner.figures import plots, sheets
from limner.figures.layouts import Curves, Dots
from limner.figures.results import Results
from limner.figures.sheets import GAP, MARGIN, Panel


@pytest.mark.parametrize(("colour", "shown"), [(False, 0.25), (True, 0.75)])
def test_images_stand_in_rows_and_columns(colour: bool, shown: float) -> None:
    cells = torch.zeros(2, 3, 1, 4, 4)
    cells[1, 2] = 0.75
    pixels = np.asarray(sheets.compose([Panel("", cells, colour=colour)], 1, side=8).convert("L")).astype(float)
    pitch = 8 + GAP
    below = pixels.shape[0] - MARGIN
    right = pixels.shape[1] - MARGIN if pixels.shape[1] < 150 else MARGIN + 3 * pitch + GAP
    last = pixels[below - pitch : below - GAP, right - pitch : right - GAP]
    first = pixels[below - 2 * pitch : below - pitch - GAP, MARGIN + GAP : MARGIN + GAP + 8]
    assert last.shape == first.shape == (8, 8)
    assert np.allclose(last, 255 * shown, atol=1)
    assert np.allclose(first, 0 if colour else 255)


def test_panels_are_as_many_across_as_asked_for() -> None:
    panel = Panel("a title", torch.rand(1, 5, 1, 28, 28), ["1", "2", "3", "4", "x"], ["row"])
    one, two, four = (sheets.compose([panel] * 4, across, 28) for across in (1, 2, 4))
    assert one.width < two.width < four.width
    assert one.height > two.height > four.height
    assert sheets.compose([panel], 1, 56).width > one.width


def test_a_picture_is_shrunk_until_it_fits(tmp_path: Path) -> None:
    torch.manual_seed(0)
    noise = Image.fromarray((torch.rand(1500, 1500, 3) * 255).byte().numpy())
    sheets.save(noise, tmp_path / "noise.png")
    assert 100_000 < (tmp_path / "noise.png").stat().st_size <= sheets.MOST
    with Image.open(tmp_path / "noise.png") as small:
        assert 300 < small.width == small.height < 1500
    plain = Image.new("RGB", (30, 20), (200, 10, 30))
    sheets.save(plain, tmp_path / "plain.png")
    with Image.open(tmp_path / "plain.png") as same:
        assert same.convert("RGB").getcolors() == [(600, (200, 10, 30))]


def curve(level: float) -> dict[str, list[float]]:
    return {"mean": [4 * level, 2 * level, level], "std": [level / 4] * 3}


def test_curves_and_dots_are_drawn() -> None:
    runs = [
        {"variant": name, "seed": seed, "train": {"mse": level}, "test": {"mse": level}, "curve": curve(level)}
        for name, level in (("a", 1.0), ("b", 2.0))
        for seed in (0, 1)
    ]
    results = Results(runs)
    for picture in (
        plots.curves(Curves((("both", ("a", "b")), ("one", ("a",))), drop=150), results),
        plots.dots(Dots(("mse", "iou")), results),
    ):
        assert picture.mode == "RGB"
        assert len(picture.getcolors(2**20) or []) > 10
        assert min(picture.size) > 100
