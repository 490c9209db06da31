"""Brushes from files: outlines that are known at any size, and as many texels as their parts need."""

import io
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import resvg_py
import torch
from PIL import Image, ImageDraw

import limner
from limner.masks import read_mask
from limner.painting.brushes import FINE, TEXELS, bank_of
from limner.painting.painting import Painting
from limner.templates import TemplateBank
from limner.tracing import drawn

BAR = '<rect x="20" y="2" width="560" height="36"/>'


def svg(folder: Path, content: str, box: str = "0 0 600 40", name: str = "bar.svg") -> Path:
    file = folder / name
    file.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{content}</svg>')
    return file


def picture(side: int = 96) -> torch.Tensor:
    values = torch.rand(1, 3, 6, 6, generator=torch.Generator().manual_seed(1))
    return torch.nn.functional.interpolate(values, (side, side), mode="bicubic")[0].clamp(0, 1)


def rendered(file: Path) -> np.ndarray:
    png = resvg_py.svg_to_bytes(svg_string=file.read_text())
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")) / 255


def texels(*templates: str | Path) -> int:
    return bank_of(templates).masks.shape[-1]


def test_thin_parts_have_more_texels_than_thick_ones(tmp_path: Path) -> None:
    thin, thick = svg(tmp_path, BAR), svg(tmp_path, '<circle cx="300" cy="300" r="290"/>', "0 0 600 600", "disc.svg")
    assert [texels(file) for file in (thick, thin)] == [TEXELS, 512]
    assert bank_of([thin, thick]).masks.shape == (2, 512, 512)
    assert texels("line", thick) == TEXELS
    assert texels("line", "circle") == FINE["line"]


def test_many_masks_take_no_more_memory_than_a_few(tmp_path: Path) -> None:
    for k in range(20):
        svg(tmp_path, BAR, name=f"{k}.svg")
    assert bank_of(tmp_path).masks.shape == (20, TEXELS, TEXELS)
    assert bank_of([tmp_path] * 4).masks.shape == (80, TEXELS, TEXELS)


def test_a_small_picture_of_a_mask_is_not_enlarged_further_than_usual(tmp_path: Path) -> None:
    for side, expected in ((64, 128), (500, 128), (512, 256), (2000, 512)):
        image = Image.new("L", (side, side))
        ImageDraw.Draw(image).rectangle((0.1 * side, 0.47 * side, 0.9 * side, 0.53 * side), fill=255)
        image.save(tmp_path / f"{side}.png")
        assert texels(tmp_path / f"{side}.png") == expected


def test_corners_of_a_vector_stay_corners(tmp_path: Path) -> None:
    bank = bank_of([svg(tmp_path, BAR)])
    large = drawn(bank.outlines[0], 1024) > 0.5
    exact = torch.zeros(1024, 1024, dtype=torch.bool)
    exact[
        round(512 - 18 * 1024 / 600) : round(512 + 18 * 1024 / 600), round(20 * 1024 / 600) : round(580 * 1024 / 600)
    ] = True
    assert (large != exact).sum() < 0.02 * exact.sum()
    corner = large[round(512 - 18 * 1024 / 600) :, round(20 * 1024 / 600) :][:16, :16]
    assert corner[2:, 2:].all()
    assert (~corner).sum() <= 2


@pytest.mark.parametrize("side", [50, 200, 1200])
def test_a_mask_that_fades_has_no_path(side: int, tmp_path: Path) -> None:
    Image.radial_gradient("L").resize((side, side)).save(tmp_path / "soft.png")
    bank = bank_of([tmp_path / "soft.png"])
    assert bank.paths == (None,)
    assert not bank.scalable


def test_a_thin_brush_paints_a_png_like_its_svg(tmp_path: Path) -> None:
    painting = limner.paint(picture(), 20, templates=[svg(tmp_path, BAR)])
    painting.save(tmp_path / "a.png")
    painting.save(tmp_path / "a.svg")
    assert "<image" not in (tmp_path / "a.svg").read_text()
    apart = np.asarray(Image.open(tmp_path / "a.png")) / 255 - rendered(tmp_path / "a.svg")
    assert np.square(apart).mean() < 10**-3.7


def test_a_thin_brush_drawn_large_has_clean_edges_in_a_png(tmp_path: Path) -> None:
    painting = limner.paint(picture(240), 8, templates=[svg(tmp_path, BAR)], min_size=0.8)
    painting.save(tmp_path / "a.png")
    painting.save(tmp_path / "a.svg")
    apart = np.asarray(Image.open(tmp_path / "a.png")) / 255 - rendered(tmp_path / "a.svg")
    assert np.square(apart).mean() < 10**-3.2


def test_paths_come_back_from_a_file_and_paint_on(tmp_path: Path) -> None:
    painting = limner.paint(picture(), 6, templates=[svg(tmp_path, BAR), "circle"], time=0.3)
    painting.save(tmp_path / "a.json")
    again = Painting.load(tmp_path / "a.json")
    assert again.bank.paths == painting.bank.paths
    assert again.bank.paths[0]
    assert again.bank.outlines == painting.bank.outlines
    for each, name in ((painting, "a"), (again, "b")):
        for suffix in (".png", ".svg"):
            each.save(tmp_path / f"{name}{suffix}", longer_side=500)
    for suffix in (".png", ".svg"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    paint = partial(limner.paint, picture(), 3, time=0.1)
    more = paint(resume=tmp_path / "a.json", templates=["square"])
    assert more.bank.names == ("bar", "circle", "square")
    assert more.bank.paths == (*painting.bank.paths, None)
    for source in (painting, tmp_path / "a.json"):
        assert paint(resume=source).bank.paths == painting.bank.paths
        for brushes in ([tmp_path / "bar.svg"], ["circle", tmp_path / "bar.svg"]):
            assert paint(resume=source, templates=brushes).bank.names == ("bar", "circle")
    leaf = svg(tmp_path, '<circle cx="300" cy="300" r="200"/>', "0 0 600 600", "leaf.svg")
    more = paint(resume=painting, templates=leaf)
    assert more.bank.names == ("bar", "circle", "leaf")
    assert more.bank.paths == (*painting.bank.paths, *bank_of(leaf).paths)
    assert more.bank.paths[2]


def test_what_is_painted_on_has_as_many_texels_as_a_new_brush_needs(tmp_path: Path) -> None:
    thick = svg(tmp_path, '<circle cx="300" cy="300" r="290"/>', "0 0 600 600", "disc.svg")
    before = limner.paint(picture(), 4, templates=thick, time=0.1)
    assert before.bank.masks.shape[-1] == TEXELS
    after = limner.paint(picture(), 4, resume=before, templates=svg(tmp_path, BAR), time=0.1)
    assert after.bank.masks.shape[-1] == 512
    assert after.bank.scalable


@pytest.mark.parametrize("side", [300, 500, 1000])
def test_edges_of_black_and_white_pixels_are_no_steps(side: int, tmp_path: Path) -> None:
    image = Image.new("1", (side, side))
    ImageDraw.Draw(image).ellipse((5, 5, side - 6, side - 6), fill=1)
    image.save(tmp_path / "disc.png")
    (path,) = bank_of([tmp_path / "disc.png"]).paths
    assert path is not None
    points = np.array(path[1:-1].split(), float).reshape(-1, 2)
    along = np.roll(points, -1, 0) - points
    angles = np.angle(np.exp(1j * np.diff(np.unwrap(np.arctan2(along[:, 1], along[:, 0])))))
    assert np.abs(angles).sum() < 6 * 2 * np.pi
    assert np.abs(np.hypot(*points.T) - (side / 2 - 5) / (side / 2)).max() < 2 / side * 1.5


def test_a_path_that_is_not_that_of_the_mask_is_none(tmp_path: Path) -> None:
    bank = bank_of([svg(tmp_path, BAR)])
    disc = TemplateBank.named("circle", size=128).masks
    other = replace(bank, masks=disc, names=("own",))
    assert bank.scalable
    assert not other.scalable
    assert bank.then(bank_of("soft").redrawn(512)).scalable
    assert not bank.then(TemplateBank(torch.rand(1, 512, 512))).scalable
    assert other.outlines[0] != bank.outlines[0]
    assert (drawn(other.outlines[0], 128) - disc[0]).abs().mean() < 0.01


def test_flat_pictures_are_painted_sharp_with_brushes_from_files(tmp_path: Path) -> None:
    disc = svg(tmp_path, '<circle cx="300" cy="300" r="300"/>', "0 0 600 600", "disc.svg")
    image = read_mask(svg(tmp_path, '<circle r="60" cx="80" cy="90"/>', "0 0 200 200", "one.svg"), 400).expand(
        3, -1, -1
    )
    painting = limner.paint(image, 4, templates=[disc], opacity="opaque", background="black", size=400)
    assert painting.bank.masks.shape[-1] > TEXELS
    assert painting.psnr > 30


def test_banks_have_a_path_for_each_mask() -> None:
    with pytest.raises(ValueError, match="2 masks but 1 paths"):
        TemplateBank(torch.ones(2, 8, 8), paths=(None,))
    for path in ("M-9999999 -1 1 -1 0 1Z", "M0 0 1Z", "M0 0 1 1", '<circle r="1"/>', "M١ 1 1 1Z"):
        with pytest.raises(ValueError, match="no closed lines"):
            TemplateBank(torch.ones(1, 8, 8), paths=(path,))
