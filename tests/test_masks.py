import os
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image, ImageDraw

from limner import masks
from limner.errors import UserError
from limner.masks import mask_files, read_mask
from limner.shapes import SHAPES, draw
from limner.templates import TemplateBank
from limner.tracing import traced

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 2 2">{}</svg>'


def disc(ground: object, ink: object, mode: str = "RGB", size: tuple[int, int] = (256, 256)) -> Image.Image:
    """A disc of a quarter of the width in radius, in the middle."""
    image = Image.new(mode, size, ground)  # pyright: ignore[reportArgumentType]
    x, y, radius = size[0] / 2 - 0.5, size[1] / 2 - 0.5, size[0] / 4
    ImageDraw.Draw(image).ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)  # pyright: ignore[reportArgumentType]
    return image


def saved(folder: Path, image: Image.Image, name: str = "mask.png") -> Path:
    image.save(folder / name)
    return folder / name


@pytest.mark.parametrize(
    "image",
    [
        disc(0, 255, "L"),
        disc(255, 0, "L"),
        disc(0, 1, "1"),
        disc("white", "black"),
        disc("navy", "yellow"),
        disc((9, 9, 9, 0), (9, 9, 9, 255), "RGBA"),
        disc((0, 0), (0, 255), "LA"),
        disc("white", "black").convert("P"),
        disc(0, 65535, "I;16"),
    ],
    ids=["light", "dark", "bit", "rgb", "coloured", "alpha", "gray alpha", "palette", "deep"],
)
def test_a_disc_is_a_disc_on_any_ground(tmp_path: Path, image: Image.Image) -> None:
    mask = read_mask(saved(tmp_path, image), 32)
    assert mask.mean() == pytest.approx(torch.pi / 16, abs=0.01)
    assert mask[16, 16] == 1
    assert mask[0].max() == 0


def test_values_fit_in_8_bits(tmp_path: Path) -> None:
    mask = read_mask(saved(tmp_path, disc(0, 200, "L")), 20)
    assert torch.equal(mask, (mask * 255).round().to(torch.uint8) / 255)
    assert mask.dtype == torch.float32


@pytest.mark.parametrize("name", ["circle", "square", "line", "curve"])
def test_svg_of_a_named_shape_is_that_shape(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.svg"
    path.write_text(SVG.format(SHAPES[name].svg))
    difference = read_mask(path, 32) - draw(SHAPES[name], 32)
    assert difference.abs().max() < 0.05
    assert difference.abs().mean() < 0.004


def test_svg_that_covers_half_a_wide_picture(tmp_path: Path) -> None:
    path = tmp_path / "wide.svg"
    path.write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 1"><rect width="2" height="1"/></svg>')
    mask = read_mask(path, 16)
    assert mask[4:12].min() == 1
    assert mask[:4].max() == mask[12:].max() == 0


@pytest.mark.parametrize("unit", ["mm", "cm", "in", "pt", "px", ""])
def test_svg_in_units_of_length(tmp_path: Path, unit: str) -> None:
    size = f'width="210{unit}" height="210{unit}" viewBox="-1 -1 2 2"'
    path = tmp_path / "sheet.svg"
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{SHAPES["circle"].svg}</svg>')
    assert (read_mask(path, 32) - draw(SHAPES["circle"], 32)).abs().max() < 0.05


@pytest.mark.parametrize("size", [(40, 80), (81, 40)])
def test_centred_in_a_square_of_outside(tmp_path: Path, size: tuple[int, int]) -> None:
    mask = read_mask(saved(tmp_path, disc("white", "black", size=size)), 64)
    weight = mask / mask.sum()
    middle = (torch.arange(64.0) + 0.5) / 64
    assert (weight.sum(0) @ middle).item() == pytest.approx(0.5, abs=0.01)
    assert (weight.sum(1) @ middle).item() == pytest.approx(0.5, abs=0.01)


def test_gray_corners_that_differ_are_the_mask_itself(tmp_path: Path) -> None:
    ramp = Image.linear_gradient("L")
    mask = read_mask(saved(tmp_path, ramp), 16)
    assert mask[:, 0].tolist() == pytest.approx([(i + 0.5) / 16 for i in range(16)], abs=0.01)


@pytest.mark.parametrize("mode", ["L", "RGB", "1"])
def test_white_everywhere_is_a_square(tmp_path: Path, mode: str) -> None:
    white = 1 if mode == "1" else "white"
    assert read_mask(saved(tmp_path, Image.new(mode, (9, 9), white)), 16).min() == 1
    wide = read_mask(saved(tmp_path, Image.new(mode, (32, 16), white)), 16)
    assert wide[4:12].min() == 1
    assert wide[:4].max() == wide[12:].max() == 0


@pytest.mark.parametrize("alpha", [0, 128])
def test_what_is_white_is_brush_as_far_as_it_is_opaque(tmp_path: Path, alpha: int) -> None:
    path = saved(tmp_path, Image.new("RGBA", (16, 16), (255, 255, 255, alpha)))
    if alpha:
        assert read_mask(path, 16).unique().tolist() == pytest.approx([alpha / 255])
    else:
        with pytest.raises(UserError, match="empty"):
            read_mask(path, 16)


@pytest.mark.parametrize("quality", [70, 80, 90])
def test_a_jpeg_leaves_no_specks_around_a_mask(quality: int, tmp_path: Path) -> None:
    image = disc("white", "black", size=(64, 64))
    image.save(tmp_path / "disc.JPG", quality=quality)
    mask, exact = read_mask(tmp_path / "disc.JPG", 128), read_mask(saved(tmp_path, image), 128)
    outside = torch.nn.functional.max_pool2d(exact[None], 5, 1, 2)[0] == 0
    assert (mask[outside] == 0).all()
    assert (mask - exact).abs().mean() < 0.005
    assert quality < 80 or traced(mask) is not None


def test_pixels_of_a_small_mask_stay_squares(tmp_path: Path) -> None:
    image = Image.new("1", (16, 16))
    image.paste(1, (4, 4, 12, 12))
    expected = torch.zeros(128, 128)
    expected[32:96, 32:96] = 1
    for side in (20, 30):
        stripes = Image.new("1", (side, side))
        for x in range(0, side, 2):
            stripes.paste(1, (x, 0, x + 1, side))
        ends = torch.arange(129) * side / 128  # of texels, in pixels
        covered = ends.div(2, rounding_mode="floor") + ends.remainder(2).clamp(max=1)  # by stripes, left of each end
        torch.testing.assert_close(
            read_mask(saved(tmp_path, stripes), 128)[64], covered.diff() * 128 / side, rtol=0, atol=0.01
        )
    assert torch.equal(read_mask(saved(tmp_path, image), 128), expected)
    assert traced(expected) is not None
    smooth = read_mask(saved(tmp_path, image.convert("L").resize((64, 64))), 128)
    assert ((smooth > 0) & (smooth < 1)).any()


def test_enlarged_stays_in_range(tmp_path: Path) -> None:
    mask = read_mask(saved(tmp_path, disc(0, 255, "L", (7, 7))), 50)
    assert (mask.min(), mask.max()) == (0, 1)


def test_the_farthest_colour_is_inside_however_near_and_a_faint_mask_stays_faint(tmp_path: Path) -> None:
    assert read_mask(saved(tmp_path, disc(100, 140, "L")), 16).max() == 1
    assert read_mask(saved(tmp_path, disc((9, 9, 9, 0), (9, 9, 9, 20), "RGBA")), 16).max() == pytest.approx(20 / 255)


def test_corners_are_alike_within_a_few_steps(tmp_path: Path) -> None:
    for step, alike in ((10, True), (30, False)):
        image = disc(0, 255, "L")
        image.paste(step, (0, 0, 64, 64))
        assert (read_mask(saved(tmp_path, image), 16)[0, 0] < 0.9 * step / 255) == alike


def coloured_corners() -> Image.Image:
    image = disc("white", "black")
    image.paste("red", (0, 0, 9, 9))
    return image


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (coloured_corners(), "transparent"),
        (Image.new("RGB", (9, 9), "red"), "empty"),
        (Image.new("RGBA", (9, 9), (0, 0, 0, 0)), "empty"),
        (Image.new("L", (9, 9), 0), "empty"),
        (Image.new("L", (9, 9), 128), "empty"),
    ],
    ids=["corners", "flat", "transparent", "black", "gray"],
)
def test_pictures_without_a_mask(tmp_path: Path, image: Image.Image, words: str) -> None:
    with pytest.raises(UserError, match=rf"mask\.png.*{words}"):
        read_mask(saved(tmp_path, image), 16)


@pytest.mark.parametrize("name", ["mask.png", "mask.svg"])
@pytest.mark.parametrize("content", [b"", b"not a picture", b"<svg", b"\x89PNG\r\n\x1a\n\0\0"])
def test_files_that_are_no_picture(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"mask\."):
        read_mask(path, 16)


@pytest.mark.skipif(sys.platform == "darwin", reason="has no such names")
def test_an_svg_whose_name_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"m\xe9.svg")
    path.write_text(SVG.format(SHAPES["circle"].svg))
    with pytest.raises(UserError, match="an SVG whose name is not UTF-8 cannot be drawn: rename it"):
        read_mask(path, 16)


def test_an_svg_that_draws_nothing(tmp_path: Path) -> None:
    path = tmp_path / "nothing.svg"
    path.write_text(SVG.format(""))
    with pytest.raises(UserError, match=r"nothing\.svg.*empty"):
        read_mask(path, 16)


@pytest.mark.parametrize("family", ["", "sans-serif", "serif", "monospace", "Arial, monospace"])
def test_letters_of_any_kind_of_font_are_brushes(family: str, tmp_path: Path) -> None:
    if not masks._fonts()["sans_serif_family"]:
        pytest.skip("no font is installed")
    path = tmp_path / "letter.svg"
    named = f'font-family="{family}"' if family else ""
    path.write_text(SVG.format(f'<text x="-0.6" y="0.7" font-size="1.8" {named}>B</text>'))
    mask = read_mask(path, 16)
    assert 0.03 < mask.mean() < 0.5
    assert mask.max() > 0.5


def test_text_without_a_font_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masks, "_fonts", lambda: {"skip_system_fonts": True})
    path = tmp_path / "letter.svg"
    path.write_text(SVG.format('<text y="24" font-size="30">I</text>'))
    with pytest.raises(UserError, match="and its text, if of a font that is not installed, has to be made paths"):
        read_mask(path, 16)


def test_folder_is_read_in_order_of_names(tmp_path: Path) -> None:
    saved(tmp_path, disc(0, 255, "L"), "b.png")
    saved(tmp_path, disc(0, 255, "L"), "a.tif")
    (tmp_path / "c.svg").write_text(SVG.format(SHAPES["line"].svg))
    (tmp_path / "notes.txt").write_text("text")
    (tmp_path / ".hidden.png").write_text("text")
    assert [path.name for path in mask_files(tmp_path)] == ["a.tif", "b.png", "c.svg"]
    assert mask_files([tmp_path / "c.svg", str(tmp_path / "b.png")]) == [tmp_path / "c.svg", tmp_path / "b.png"]
    bank = TemplateBank.load(tmp_path, size=16)
    assert bank.names == ("a", "b", "c")
    assert bank.masks.shape == (3, 16, 16)


def test_files_and_shapes_by_name_make_one_bank(tmp_path: Path) -> None:
    file = saved(tmp_path, disc(0, 255, "L"))
    bank = TemplateBank.load(["line", file, "transparent"], size=16)
    assert bank.names == ("line", "mask", "transparent")
    assert torch.equal(bank.masks[[0, 2]], TemplateBank.named("line", "transparent", size=16).masks)
    assert torch.equal(bank.masks[1], read_mask(file, 16))
    assert TemplateBank.load("circle").names == ("circle",)
    with pytest.raises(UserError, match=r"none.*no such"):
        TemplateBank.load(["circle", tmp_path / "none"])


def test_folders_without_masks(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("text")
    with pytest.raises(UserError, match="no PNG or SVG masks"):
        mask_files(tmp_path)
    with pytest.raises(UserError, match=r"none.*no such"):
        mask_files(tmp_path / "none")


def test_an_svg_may_be_drawn_larger_than_it_is_smoothed_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("limner.masks.FINEST", 16)
    (tmp_path / "a.svg").write_text(SVG.format(SHAPES["circle"].svg))
    assert read_mask(tmp_path / "a.svg", 32).mean() == pytest.approx(torch.pi / 4, abs=0.02)
