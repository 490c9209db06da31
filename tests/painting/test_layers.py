"""A painting in layers, and as a Photoshop document, read by Pillow and psd-tools."""

import io
import struct
from dataclasses import replace
from pathlib import Path

import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PsdImagePlugin
from psd_tools import PSDImage
from scenes import KINDS, stamp

from limner import geometry
from limner.errors import UserError
from limner.painting import layers, psd, raster
from limner.painting.layers import Layer
from limner.painting.painting import Painting
from limner.painting.psd import save_psd
from limner.strokes import Strokes
from limner.templates import TemplateBank

SIZE = 31, 45


def painting(count: int = 8, background: torch.Tensor | None = None, bank: TemplateBank | None = None) -> Painting:
    """Round and square strokes all over the page, of one channel on a gray background."""
    bank = bank or TemplateBank.named("circle", "square")
    channels = 3 if background is None else len(background)
    where = torch.stack([torch.zeros(2, 3), *(stamp("near", SIZE) for _ in range(count))])[1:]
    which = torch.nn.functional.one_hot(torch.arange(count) % len(bank), len(bank)).float()
    strokes = Strokes(where[None], which[None], torch.rand(1, count, channels), 0.2 + 0.8 * torch.rand(1, count))
    return Painting(strokes, bank, background, SIZE)


def taken(made: Painting, size: tuple[int, int] = SIZE) -> list[Layer]:
    return [*layers.layers(made, size)]


def laid(stack: list[Layer], size: tuple[int, int]) -> numpy.ndarray:
    """Layers over each other, pixel by pixel in float64: premultiplied colours and alpha, from 0 to 1."""
    page = numpy.zeros((*size, 4))
    for layer in stack:
        pixels = numpy.asarray(layer.image, float) / 255
        height, width = pixels.shape[:2]
        alpha = pixels[..., 3:] if pixels.shape[-1] == 4 else numpy.ones((height, width, 1))
        alpha = alpha * layer.opacity / 255
        over = numpy.concatenate([pixels[..., :3] * alpha, alpha], -1)
        below = page[layer.top : layer.top + height, layer.left : layer.left + width]
        assert below.shape[:2] == (height, width), "a layer leaves the page"
        below[:] = over + (1 - alpha) * below
    return page


def wanted(made: Painting, size: tuple[int, int] = SIZE) -> numpy.ndarray:
    return numpy.moveaxis(raster.premultiplied(made.render(*size)).numpy(), 0, -1)


def apart(made: Painting, size: tuple[int, int] = SIZE) -> float:
    """The most by which layers, laid by another, and the painting differ, of 255."""
    true = wanted(made, size)
    return 255 * numpy.abs(laid(taken(made, size), size)[..., : true.shape[-1]] - true).max()


@given(
    kinds=st.lists(st.sampled_from(KINDS), max_size=6),
    clear=st.booleans(),
    gradient=st.booleans(),
    gray=st.booleans(),
    soft=st.booleans(),
    opacity=st.booleans(),
)
def test_layers_make_the_painting(
    kinds: list[str], clear: bool, gradient: bool, gray: bool, soft: bool, opacity: bool
) -> None:
    """Each rounds its colours and its mask to 8 bits, so that they are apart by less than a step for each of six."""
    count, channels = len(kinds), 1 if gray else 3
    where = torch.stack([torch.zeros(2, 3), *(stamp(kind, SIZE) for kind in kinds)])[1:]
    which = torch.rand(count, 2).softmax(-1) if soft else torch.eye(2)[torch.arange(count) % 2]
    strokes = Strokes(where[None], which[None], torch.rand(1, count, channels), torch.rand(1, count))
    strokes = replace(strokes, depth=torch.rand(1, count)) if opacity else replace(strokes, opacity=None)
    if gradient:
        strokes = replace(strokes, slope=0.3 * torch.randn(1, count, channels, 2)).held()
    ground = None if clear else torch.rand(channels)
    assert apart(Painting(strokes, TemplateBank.named("circle", "curve"), ground, SIZE)) < 4


def test_layers_make_the_painting_at_any_size_and_of_masks_that_fade() -> None:
    for bank in (TemplateBank(torch.rand(2, 20, 20)), TemplateBank.named("circle", "soft", size=24)):
        made = painting(background=torch.rand(3), bank=bank)
        assert apart(made, (124, 180)) < 4
        assert apart(made, (7, 10)) < 4


def test_strokes_of_a_pixel_are_whole() -> None:
    """Blurred as far as they are, they reach further beyond their templates than others."""
    count = 40
    half = (0.2 + 1.5 * torch.rand(count, 2)) * 2 / SIZE[0]
    where = geometry.phi(2 * torch.rand(count, 2) - 1, half, 6 * torch.rand(count), SIZE[1] / SIZE[0])
    one = painting(1, torch.zeros(3))
    bank = TemplateBank.named("soft", "bristle")
    which = torch.eye(2)[torch.arange(count) % 2]
    strokes = Strokes(where[None], which[None], torch.ones(1, count, 3))
    assert apart(replace(one, strokes=strokes, bank=bank)) < 2


def test_a_layer_is_a_stroke_cut_out(tmp_path: Path) -> None:
    made = painting(4, torch.tensor([1.0, 0.0, 0.0]))
    made.save(tmp_path / "a.psd", 90)
    document = PSDImage.open(tmp_path / "a.psd")
    ground, *strokes = document
    assert (ground.name, ground.bbox, ground.opacity) == ("background", (0, 0, 90, 62), 255)
    assert [layer.name for layer in strokes] == ["1 circle", "2 square", "3 circle", "4 square"]
    opacity = made.strokes.opacity
    assert opacity is not None
    assert [layer.opacity for layer in strokes] == [round(255 * value) for value in opacity[0].tolist()]
    for t, layer in enumerate(strokes):
        alone = replace(made, strokes=replace(made.strokes[:, t : t + 1], opacity=None), background=None)
        whole = raster.picture(alone.render(62, 90))
        cut = layer.topil()
        assert cut is not None
        assert layer.bbox == whole.getchannel("A").getbbox()
        assert numpy.abs(numpy.asarray(whole.crop(layer.bbox), int) - numpy.asarray(cut, int)).max() <= 1


def test_strokes_that_are_not_seen_have_no_layer() -> None:
    made = painting(5)
    opacity = made.strokes.opacity
    assert opacity is not None
    opacity[0, 1] = 0
    made.strokes.where[0, 3, 0, 2] = 1e4
    assert [layer.name for layer in taken(made)] == ["1 circle", "3 circle", "5 circle"]
    empty = TemplateBank(torch.stack([torch.zeros(9, 9), torch.ones(9, 9)]), names=("empty", "full"))
    assert [layer.name for layer in taken(painting(4, bank=empty))] == ["2 full", "4 full"]


@pytest.mark.parametrize("background", [None, torch.tensor([0.2, 0.5, 1.0]), torch.tensor([0.5])], ids=str)
def test_viewers_see_the_painting(tmp_path: Path, background: torch.Tensor | None) -> None:
    made = painting(6, background)
    made.save(tmp_path / "a.psd")
    made.save(tmp_path / "a.png")
    mode = "RGBA" if background is None else "RGB"
    with Image.open(tmp_path / "a.psd") as file, Image.open(tmp_path / "a.png") as still:
        assert isinstance(file, PsdImagePlugin.PsdImageFile)
        assert (file.mode, file.size) == (mode, (45, 31))
        white = Image.new("RGBA", still.size, "white")
        on_white = numpy.asarray(Image.alpha_composite(white, still.convert("RGBA")).convert("RGB"), int)
        assert numpy.abs(numpy.asarray(file.convert("RGB"), int) - on_white).max() <= (background is None)
        shown = PSDImage.open(tmp_path / "a.psd").topil()
        assert shown is not None
        found, wanted = (numpy.asarray(image.convert("RGBA"), float) for image in (shown, still))
        assert numpy.array_equal(found[..., 3], wanted[..., 3])
        off = numpy.abs(found - wanted)[..., :3].max(-1) * wanted[..., 3] / 255
        assert off.max() <= (1 if background is None else 0)
        there = [(name, box) for name, _, box, _ in file.layers]
    assert there == [(layer.name, layer.bbox) for layer in PSDImage.open(tmp_path / "a.psd")]
    assert len(there) == 6 + (background is not None)
    sections = io.BytesIO((tmp_path / "a.psd").read_bytes())
    sections.seek(26)
    for _ in ("colours", "resources"):
        sections.seek(*struct.unpack(">I", sections.read(4)), io.SEEK_CUR)
    (count,) = struct.unpack(">8xh", sections.read(10))
    assert count == (len(there) if mode == "RGB" else -len(there)), "the fourth band is alpha where this is below 0"


def test_a_document_without_strokes(tmp_path: Path) -> None:
    for name, background in (("clear", None), ("red", torch.tensor([1.0, 0, 0]))):
        painting(0, background).save(tmp_path / f"{name}.psd")
        document = PSDImage.open(tmp_path / f"{name}.psd")
        assert len(document) == (name == "red")
        shown = document.topil()
        assert shown is not None
        assert shown.getpixel((3, 3)) == ((255, 255, 255, 0) if name == "clear" else (255, 0, 0))


def test_layers_may_have_any_name(tmp_path: Path) -> None:
    square = Image.new("RGBA", (3, 3), "red")
    names = ["1 größe", "2 ネコ", "3 " + "long" * 80, "4 " + "ネコ" * 160]
    whole = torch.zeros(3, 3, 4, dtype=torch.uint8)
    save_psd(tmp_path / "a.psd", [Layer(name, square) for name in names], whole)
    assert [layer.name for layer in PSDImage.open(tmp_path / "a.psd")] == names
    save_psd(tmp_path / "a.psd", [Layer("1 br\udcfcsh", square)], whole)
    assert [layer.name for layer in PSDImage.open(tmp_path / "a.psd")] == ["1 br?sh"]


def test_numbers_of_16_bits_have_layers() -> None:
    made = painting(3, torch.tensor([1.0, 0.5, 0.0]))
    short = replace(made, background=torch.tensor([1.0, 0.5, 0.0], dtype=torch.bfloat16))
    assert numpy.array_equal(laid(taken(short), SIZE), laid(taken(made), SIZE))


def test_what_photoshop_has_no_room_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = painting(2, torch.rand(3))
    many = replace(many, strokes=many.strokes[:, torch.zeros(8000, dtype=torch.long)])
    with pytest.raises(UserError, match=r"a.psd: 8000 strokes are too many for Photoshop, which has 8000 layers"):
        many.save(tmp_path / "a.psd")
    with pytest.raises(UserError, match=r"a.psd: Photoshop ends at 30000 pixels a side"):
        replace(painting(1), picture_size=(10, 30001)).save(tmp_path / "a.psd")
    monkeypatch.setattr(psd, "LARGEST", 1000)
    with pytest.raises(UserError, match=r"a.psd: more than the 2 GB that Photoshop opens: choose a smaller"):
        painting(8).save(tmp_path / "a.psd", 200)
    assert [*tmp_path.iterdir()] == []
