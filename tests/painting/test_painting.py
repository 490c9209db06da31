"""Painting: what is scored is what is saved."""

import io
import math
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.JpegImagePlugin import get_sampling
from scenes import by_default
from torch import Tensor

import limner
from limner import geometry
from limner.errors import UserError
from limner.painting import raster, rendering
from limner.painting.arguments import LONGEST_SIDE
from limner.painting.films import gif
from limner.painting.options import MOST, PaintOptions
from limner.painting.painting import SUFFIXES, Painting
from limner.painting.pictures import Picture, fitted
from limner.painting.saving import told
from limner.painting.scoring import decibels, psnr
from limner.strokes import Strokes
from limner.strokes_json import dump, parse
from limner.templates import TemplateBank
from limner.writer import render

BANK = TemplateBank.named("circle", "square", size=64)
GROUND = torch.tensor([0.2, 0.5, 0.8])


def painting(transparent: bool = False, moves: int = 8, channels: int = 3, **fields) -> Painting:
    half = 0.1 + 0.4 * torch.rand(moves, 2)
    where = geometry.phi(torch.rand(moves, 2) - 0.5, half, torch.rand(moves) * 6, 4 / 3)
    which = torch.nn.functional.one_hot(torch.arange(moves) % 2, 2).float()
    strokes = Strokes(where[None], which[None], torch.rand(1, moves, channels), 0.5 + 0.5 * torch.rand(1, moves))
    smooth = torch.nn.functional.interpolate(torch.rand(1, channels, 3, 4), (48, 64), mode="bilinear")[0]
    alpha = torch.linspace(0, 1, 48 * 64).view(48, 64) if transparent else None
    target = Picture(smooth, alpha, "target")
    ground = None if transparent else GROUND[:channels]
    return replace(Painting(strokes, BANK, ground, (24, 32), target), **fields)


@pytest.mark.parametrize("transparent", [False, True])
def test_what_was_saved_is_loaded_as_it_was(transparent: bool, tmp_path: Path) -> None:
    one = painting(transparent)
    one.save(tmp_path / "a.json")
    same = Painting.load(tmp_path / "a.json")
    assert torch.equal(same.canvas, one.canvas)
    assert (same.size, same.shown_size) == (one.size, (48, 64))
    one.save(tmp_path / "a.svg")
    same.save(tmp_path / "b.svg")
    same.save(tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    with pytest.raises(ValueError, match="no target"):
        _ = same.psnr


def test_two_pictures_are_no_painting(tmp_path: Path) -> None:
    one = painting()
    two = Strokes(**{name: torch.cat([tensor, tensor]) for name, tensor in one.strokes.tensors().items()})
    dump(tmp_path / "a.json", two, one.bank, one.size)
    with pytest.raises(UserError, match=r"a\.json: holds 2 pictures, expected one"):
        Painting.load(tmp_path / "a.json")


def test_a_painting_has_the_proportions_of_its_picture(tmp_path: Path) -> None:
    one = replace(painting(), target=None, size=(1, 256), picture_size=(5, 1000))
    one.save(tmp_path / "narrow.json")
    assert Painting.load(tmp_path / "narrow.json").shown_size == (5, 1000)
    replace(one, picture_size=(1000, 5)).save(tmp_path / "a.json")
    with pytest.raises(UserError, match=r"a\.json: is 256 x 1 pixels, its picture 5 x 1000: they must have the same"):
        Painting.load(tmp_path / "a.json")


def test_strokes_alone_are_no_painting(tmp_path: Path) -> None:
    painting().strokes.save(tmp_path / "a.json")
    with pytest.raises(UserError, match=r"a\.json: holds strokes without their templates and size"):
        Painting.load(tmp_path / "a.json")


def test_in_print_a_painting_is_short() -> None:
    assert repr(painting()) == "Painting(8 strokes of circle, square on a background, 32 x 24 pixels)"


def test_notebooks_show_a_painting() -> None:
    one = painting()
    with Image.open(io.BytesIO(one._repr_png_())) as image:
        assert np.array_equal(np.asarray(image), one.render(*one.size).numpy())


@pytest.mark.parametrize(
    ("channels", "transparent", "mode"), [(1, False, "L"), (1, True, "LA"), (3, False, "RGB"), (3, True, "RGBA")]
)
def test_as_a_pillow_image(channels: int, transparent: bool, mode: str) -> None:
    one = painting(transparent, channels=channels)
    image = one.image()
    assert (image.mode, image.size) == (mode, (64, 48))
    assert np.array_equal(np.atleast_3d(np.asarray(image)), one.render(48, 64).numpy())
    assert one.image(40).size == (40, 30)
    with pytest.raises(UserError, match="longer_side: 0 pixels cannot be saved"):
        one.image(0)


def test_what_is_seen_and_scored_follows_what_is_written_to_strokes() -> None:
    one = painting()
    before = one.canvas.clone(), one.psnr
    one.strokes.what.copy_(1 - one.strokes.what)
    same = replace(one)
    assert torch.equal(one.canvas, same.canvas)
    assert one.psnr == same.psnr != before[1]
    assert not torch.equal(one.canvas, before[0])


STAR = TemplateBank((torch.arange(49).view(1, 7, 7) % 3 == 0).float(), ("star",))


@pytest.mark.parametrize("bank", [TemplateBank.named("square", "triangle", size=32), STAR.then(STAR), BANK], ids=len)
@pytest.mark.parametrize("transparent", [False, True])
@pytest.mark.parametrize("opaque", [False, True])
@pytest.mark.parametrize("channels", [(1, 1), (1, 3), (3, 1), (3, 3)], ids=str)
def test_paintings_of_other_kinds_on_top(
    bank: TemplateBank, transparent: bool, opaque: bool, channels: tuple[int, int]
) -> None:
    """Against the one rendered as a background of the other."""
    below, above = (painting(channels=each) for each in channels)
    if transparent:
        below = replace(below, background=None)
    if opaque:
        above = replace(above, strokes=replace(above.strokes, opacity=None))
    both = below.then(replace(above, bank=bank))
    assert len(both.strokes) == len(below.strokes) + len(above.strokes)
    assert both.target is below.target
    canvas = below.canvas.expand(1, max(channels), -1, -1)
    strokes = above.strokes.with_channels(max(channels))
    expected = render(strokes, bank.redrawn(64), both.size, canvas, samples=4)
    torch.testing.assert_close(both.canvas, expected, rtol=0, atol=1e-5)


def test_a_painting_of_a_smaller_canvas_is_laid_on_top_as_sharp_as_it_is_at_that_size() -> None:
    below = painting(moves=0, size=(480, 640), bank=TemplateBank.named("circle", "square", size=32))
    above = painting(size=(48, 64), bank=TemplateBank.named("circle", "square", size=32))
    above = replace(above, strokes=replace(above.strokes, opacity=None))
    shown, cover = (
        replace(above, strokes=strokes, background=torch.zeros(channels)).render(480, 640).float()
        for strokes, channels in ((above.strokes, 3), (above.strokes.white(), 1))
    )
    off = below.then(above).render(480, 640) - (shown + (1 - cover / 255) * below.render(480, 640))
    assert off.abs().max() < 4


def test_interrupts_are_told_of_what_is_laid_on_top() -> None:
    one, cut = painting(), painting(interrupted=True)
    assert (one.then(one).interrupted, one.then(cut).interrupted, cut.then(one).interrupted) == (False, True, True)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("field", ["where", "what"])
def test_numbers_out_of_range_are_not_laid_on_top(field: str) -> None:
    one = painting()
    bad = replace(one, strokes=replace(one.strokes, **{field: getattr(one.strokes, field) * math.inf}))
    with pytest.raises(UserError, match="painting: holds numbers beyond those of 32 bits"):
        bad.then(one)
    with pytest.raises(UserError, match="then: holds numbers beyond those of 32 bits"):
        one.then(bad)
    with pytest.raises(UserError, match="then: a Strokes is no painting"):
        one.then(one.strokes)  # pyright: ignore[reportArgumentType]


def test_on_top_whatever_torch_takes_by_default() -> None:
    one = painting()
    double = replace(one, strokes=one.strokes.map(Tensor.double))
    with by_default(torch.float64), torch.device("meta"):
        both = one.then(double)
    assert {(tensor.dtype, tensor.device.type) for tensor in both.strokes.tensors().values()} == {
        (torch.float32, "cpu")
    }


def test_what_cannot_be_laid_on_top() -> None:
    with pytest.raises(UserError, match="then: is 32 x 32 pixels, the painting 32 x 24: they must have the same"):
        painting().then(painting(size=(32, 32)))
    with pytest.raises(ValueError, match="templates: cannot join those of 64 and 32 texels a side: see `redrawn`"):
        BANK.then(TemplateBank.named("circle", size=32))


def test_films_are_made_with_one_thread_of_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which else spin for every small frame."""
    seen: list[int] = []
    monkeypatch.setattr(raster, "encoded", lambda *_: seen.append(torch.get_num_threads()) or b"")
    monkeypatch.setattr(gif, "save_gif", lambda path, *_, **more: seen.append(torch.get_num_threads()) or path.touch())
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        painting().save_frames(tmp_path, 1)
        painting().save(tmp_path / "a.png")
        limner.Clip([painting()], Fraction(5)).save_frames(tmp_path)
        limner.Clip([painting()], Fraction(5)).save(tmp_path / "a.gif")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert seen == [1, 1, 1, 1]


def test_films_are_not_scored(tmp_path: Path) -> None:
    painting().save(tmp_path / "a.gif")
    with pytest.raises(UserError, match="is a film"):
        painting().psnr_of(tmp_path / "a.gif")


def test_psnr_is_its_formula() -> None:
    a, b = torch.zeros(3, 4, 5), torch.full((3, 4, 5), 0.1)
    assert psnr(a, b) == pytest.approx(20)
    assert psnr(b, b) == math.inf


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"strokes": painting().strokes.map(lambda tensor: tensor.expand(2, *tensor.shape[1:]))}, "of 2 pictures"),
        ({"bank": TemplateBank.named("circle")}, "which has 2 weights, the bank 1 templates"),
        ({"bank": "circle"}, "bank is of str, expected a TemplateBank"),
        ({"size": 20}, r"size is 20, expected \(height, width\) in whole pixels"),
        ({"size": (20.0, 20.0)}, r"expected \(height, width\) in whole pixels"),
        ({"background": np.ones(3)}, "background is array.*, expected a tensor of 3 numbers"),
        ({"background": 0.5}, "background is 0.5, expected a tensor of 3 numbers, or None"),
        ({"background": torch.ones(1)}, "expected a tensor of 3 numbers"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_what_does_not_belong_together_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        painting(**change)


def test_canvas_is_a_rendering_of_sixteen_samples_a_pixel() -> None:
    opaque, clear = painting(), painting(transparent=True)
    assert torch.allclose(opaque.canvas, render(opaque.strokes, BANK, (24, 32), GROUND, samples=4), atol=1e-6)
    assert torch.allclose(clear.canvas, render(clear.strokes, BANK, (24, 32), 0.0, samples=4), atol=1e-6)


def test_what_an_svg_shows_as_pictures_takes_one_sample_a_pixel(tmp_path: Path) -> None:
    bank = TemplateBank.named("soft", "circle", size=64)
    masks = TemplateBank(torch.stack([bank.masks[0], bank.masks[0].square()]), ("soft", "own"))
    one = painting(moves=40, bank=masks)
    assert torch.allclose(one.canvas, render(one.strokes, masks, (24, 32), GROUND), atol=1e-6)
    one.save(tmp_path / "a.svg", longer_side=64)
    drawn = raster.read(tmp_path / "a.svg")[..., :3] / 255
    assert psnr(one.render(48, 64) / 255, drawn) > 40
    mixed = replace(one, bank=bank)
    assert torch.allclose(mixed.canvas, render(mixed.strokes, bank, (24, 32), GROUND, samples=4), atol=1e-6)


@pytest.mark.parametrize("slant", [0.0, 1.0])
def test_stills_have_the_edges_of_an_svg(slant: float, tmp_path: Path) -> None:
    one = painting(moves=40)
    where = one.strokes.where.clone()
    where[..., 0, :] += where[..., 1, :] * slant * torch.randn(40, 1)
    one = replace(one, strokes=replace(one.strokes, where=where))
    one.save(tmp_path / "a.svg", longer_side=64)
    drawn = raster.read(tmp_path / "a.svg")[..., :3] / 255
    rough = render(one.strokes, BANK, (48, 64), GROUND)[0].permute(1, 2, 0)
    assert psnr(one.render(48, 64) / 255, drawn) > psnr(rough, drawn) + 6
    assert psnr(one.render(48, 64) / 255, drawn) > 42


@pytest.mark.parametrize("bank", [BANK, TemplateBank(BANK.masks)], ids=["by name", "by mask"])
@pytest.mark.parametrize("side", [300, 1024])
def test_enlarged_outlines_have_the_edges_of_an_svg(tmp_path: Path, side: int, bank: TemplateBank) -> None:
    one = painting(bank=bank)
    one.save(tmp_path / "a.svg", longer_side=side)
    drawn = raster.read(tmp_path / "a.svg")[..., :3] / 255
    large = one.render(*drawn.shape[:2]) / 255
    blurred = render(one.strokes, BANK, tuple(drawn.shape[:2]), GROUND, samples=4)[0].permute(1, 2, 0)
    assert psnr(large, drawn) > psnr(blurred, drawn) + 6
    assert psnr(large, drawn) > 46
    own = TemplateBank(torch.stack([BANK.masks[0], TemplateBank.named("soft", size=64).masks[0]]), ("circle", "own"))
    one = replace(one, bank=own)
    one.save(tmp_path / "b.svg", longer_side=side)
    drawn = raster.read(tmp_path / "b.svg")[..., :3] / 255
    blurred = render(one.strokes, own, tuple(drawn.shape[:2]), GROUND, samples=4)[0].permute(1, 2, 0)
    assert psnr(one.render(*drawn.shape[:2]) / 255, drawn) > psnr(blurred, drawn) + 3


@pytest.mark.parametrize("side", [112, 448])
def test_enlarged_blends_look_the_same_in_an_svg(tmp_path: Path, side: int) -> None:
    bank = TemplateBank.named("circle", "square", size=28)
    one = painting(bank=bank, size=(28, 28), target=None)
    one = replace(one, strokes=replace(one.strokes, which=torch.full((1, 8, 2), 0.5)))
    one.save(tmp_path / "a.svg", longer_side=side)
    drawn = raster.read(tmp_path / "a.svg")[..., :3] / 255
    assert psnr(one.render(side, side) / 255, drawn) > 42


def test_what_is_redrawn_is_redrawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    one, made = painting(bank=TemplateBank.named("circle", "square", size=64)), []
    redrawn = TemplateBank.redrawn
    monkeypatch.setattr(TemplateBank, "redrawn", lambda bank, size: made.append(size) or redrawn(bank, size))
    for size in ((24, 32), (25, 33), (48, 64), (48, 64), (480, 640), (4800, 6400)):
        rendering.finer(one.bank, one.size, size)
    assert made == [128, 512]


@pytest.mark.parametrize("shape", ["circle", "line", "curve"])
def test_no_shape_is_drawn_with_edges_that_an_svg_lacks(shape: str, tmp_path: Path) -> None:
    y, x = torch.meshgrid(torch.arange(90.0), torch.arange(120.0), indexing="ij")
    waves = torch.stack([(x / 13 + y / 31).sin(), (x / 29 - y / 11).cos(), (x * y / 900).sin()]) / 2 + 0.5
    painting = limner.paint(waves, 20, templates=shape)
    png, svg = tmp_path / "a.png", tmp_path / "a.svg"
    painting.save(png)
    painting.save(svg)
    assert painting.psnr_of(svg) > painting.psnr_of(png) - 0.6


def test_depth_is_respected() -> None:
    one = painting()
    depth = torch.randperm(8)
    deep = replace(one, strokes=replace(one.strokes, depth=depth.float()[None]))
    assert torch.equal(deep.canvas, replace(one, strokes=one.strokes[:, depth.argsort()]).canvas)
    assert not torch.equal(deep.canvas, one.canvas)


def test_depths_that_only_double_precision_tells_apart() -> None:
    where = torch.tensor([[1.5, 0, 0], [0, 1.5, 0]]).double().expand(1, 2, 2, 3)
    what, depth = torch.tensor([[[1.0, 0, 0], [0, 0, 1]]]).double(), torch.tensor([[1 + 1e-9, 1]], dtype=torch.float64)
    strokes = Strokes(where, torch.ones(1, 2, 1).double(), what, depth=depth)
    one = Painting(strokes, TemplateBank.named("square"), torch.ones(3).double(), (9, 9))
    assert one.render(9, 9)[4, 4].tolist() == [255, 0, 0]


@pytest.mark.parametrize("channels", [1, 3])
def test_png_holds_rounded_values(channels: int, tmp_path: Path) -> None:
    one = painting(channels=channels)
    one.save(tmp_path / "a.PNG", longer_side=32)
    with Image.open(tmp_path / "a.PNG") as file:
        assert file.mode == ("L" if channels == 1 else "RGB")
        pixels = np.asarray(file).reshape(24, 32, channels)
    assert np.array_equal(pixels, (one.canvas[0] * 255).round().permute(1, 2, 0).numpy().astype(np.uint8))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("transparent", [False, True])
def test_what_is_scored_is_what_is_saved(transparent: bool, channels: int, tmp_path: Path) -> None:
    one = painting(transparent, channels=channels)
    one.save(tmp_path / "work.png", longer_side=32)
    assert one.psnr_of(tmp_path / "work.png") == pytest.approx(one.psnr, abs=1e-9)
    one.save(tmp_path / "full.png")
    with Image.open(tmp_path / "full.png") as file:
        assert file.size == (64, 48)
    full = one.psnr_of(tmp_path / "full.png")
    names = ["full.webp", "full.svg", *([] if transparent else ["full.jpg"])]
    for name in names:
        one.save(tmp_path / name)
        assert one.psnr_of(tmp_path / name) == pytest.approx(full, abs=0.1), name


@pytest.mark.parametrize("together", [1, 500, 2**18])
def test_score_is_that_of_premultiplied_colours_and_alpha(
    together: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = painting(transparent=True)
    whole = one.render(48, 64)
    monkeypatch.setattr(limner.painting.raster, "TOGETHER", together)
    one.save(tmp_path / "a.png")
    assert torch.equal(raster.read(tmp_path / "a.png"), whole)
    with Image.open(tmp_path / "a.png") as file:
        values = torch.from_numpy(np.asarray(file).copy()).permute(2, 0, 1) / 255
    target = one.target
    assert target is not None
    assert target.alpha is not None
    theirs = torch.cat([target.pixels * target.alpha, target.alpha[None]])
    ours = torch.cat([values[:3] * values[3:], values[3:]])
    assert one.psnr_of(tmp_path / "a.png") == pytest.approx(psnr(ours, theirs), abs=1e-4)


def test_colours_of_half_covered_pixels_are_those_of_the_strokes() -> None:
    one = painting(transparent=True, moves=1)
    pixels = one.render(48, 64)
    covered = pixels[pixels[..., 3] > 60]
    assert (covered[:, 3] < 255).any()
    assert (covered[:, :3] - (one.strokes.what[0, 0] * 255)).abs().max() <= 1
    assert (pixels[..., 3] == 0).any()


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".webp"])
def test_compressed_pictures_look_the_same(suffix: str, tmp_path: Path) -> None:
    one = painting()
    one.save(tmp_path / f"a{suffix}", longer_side=320)
    with Image.open(tmp_path / f"a{suffix}") as file:
        theirs = torch.from_numpy(np.asarray(file.convert("RGB")).copy()) / 255
    assert psnr(theirs, one.render(240, 320) / 255) > 37


def test_jpeg_keeps_colours_at_full_resolution(tmp_path: Path) -> None:
    painting().save(tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as file:
        assert get_sampling(file) == 0


def test_gradient_fill_does_not_change_the_coverage() -> None:
    flat = painting(transparent=True)
    slope = torch.rand(1, 8, 3, 1) @ torch.rand(1, 8, 1, 2)
    tilted = replace(flat, strokes=replace(flat.strokes, slope=slope))
    assert torch.equal(flat.render(24, 32)[..., 3], tilted.render(24, 32)[..., 3])
    assert not torch.equal(flat.render(24, 32), tilted.render(24, 32))


def test_a_target_with_alpha_may_have_an_opaque_background() -> None:
    clear = painting(transparent=True)
    one = replace(clear, background=GROUND)
    assert clear.target is not None
    small = fitted(clear.target, (24, 32))
    assert small.alpha is not None
    wanted = small.pixels * small.alpha + GROUND[:, None, None] * (1 - small.alpha)
    shown = (one.canvas[0] * 255).round() / 255
    assert one.psnr == pytest.approx(psnr(shown, wanted), abs=1e-4)


def test_jpeg_of_a_transparent_painting_is_on_white(tmp_path: Path) -> None:
    one = painting(transparent=True, moves=0)
    one.save(tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as file:
        assert file.getextrema() == ((255, 255),) * 3
    assert one.psnr_of(tmp_path / "a.jpg") > 0


def test_any_size_shows_the_same_painting() -> None:
    one = painting()
    large = one.render(240, 320).permute(2, 0, 1).float() / 255
    shrunk = torch.nn.functional.avg_pool2d(large, 10)
    assert psnr(shrunk, one.canvas[0]) > 30


def test_longer_side_keeps_the_aspect(tmp_path: Path) -> None:
    painting().save(tmp_path / "a.webp", longer_side=100)
    with Image.open(tmp_path / "a.webp") as file:
        assert file.size == (100, 75)
    replace(painting(), target=None).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as file:
        assert file.size == (32, 24)


def test_svg_has_the_size_of_the_png(tmp_path: Path) -> None:
    painting().save(tmp_path / "a.svg")
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert (root.get("width"), root.get("height")) == ("64", "48")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_what_is_saved_is_the_same_whatever_numbers_torch_makes_by_default(dtype: torch.dtype, tmp_path: Path) -> None:
    triangle = TemplateBank.named("triangle", size=64).masks
    bank = TemplateBank(torch.cat([triangle, TemplateBank.named("circle", size=64).masks]), ("own", "circle"))
    limner.paint(torch.rand(3, 20, 30), 4, templates=bank).save(tmp_path / "a.json")
    for kind in (torch.float32, dtype):
        with by_default(kind):
            loaded = Painting.load(tmp_path / "a.json")
            for suffix in (".png", ".svg", ".json"):
                loaded.save(tmp_path / f"{kind!s}{suffix}", longer_side=90)
    for suffix in (".png", ".svg", ".json"):
        assert (tmp_path / f"{dtype}{suffix}").read_bytes() == (tmp_path / f"torch.float32{suffix}").read_bytes()


def test_json_is_read_back(tmp_path: Path) -> None:
    one = painting()
    one.save(tmp_path / "a.json")
    document = parse(tmp_path / "a.json")
    assert torch.equal(document.strokes.where, one.strokes.where)
    assert document.size == (24, 32)
    assert document.background is not None
    assert torch.equal(document.background, GROUND)


def test_stages_grow_into_the_painting() -> None:
    for one in (painting(), painting(transparent=True)):
        first, middle, last = one.stages([0, 4, 8], (24, 32))
        assert torch.equal(last, one.render(24, 32))
        assert not torch.equal(middle, last)
        assert len(first.flatten(0, 1).unique(dim=0)) == 1


@pytest.mark.parametrize("transparent", [False, True])
@pytest.mark.parametrize("look", ["free", "opaque", "deep", "faded", "none"])
def test_rendered_some_after_the_others(look: str, transparent: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    one = painting(transparent, moves=20)
    if look == "opaque":
        one = replace(one, strokes=replace(one.strokes, opacity=None))
    if look == "deep":
        one = replace(one, strokes=replace(one.strokes, depth=torch.rand(1, 20)))
    if look == "faded":
        one = replace(one, bank=TemplateBank(torch.rand(2, 40, 40)))
    if look == "none":
        one = replace(one, strokes=one.strokes[:, :0])
    whole = one.render(96, 128)
    sizes: list[int] = []

    def noted(strokes: Strokes, *arguments: Any, **options: Any) -> torch.Tensor:
        sizes.append(len(strokes))
        return render(strokes, *arguments, **options)

    monkeypatch.setattr(rendering, "render", noted)
    monkeypatch.setattr(rendering, "ROWS", 96 * 7)
    assert torch.equal(one.render(96, 128), whole)
    assert sizes[0] == min(7, len(one.strokes))
    assert sum(sizes) == len(one.strokes) * (2 if transparent else 1)


def test_where_an_svg_is_scored_smaller_than_it_is_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raster, "PICTURED", 40)
    for bank, words in ((TemplateBank(torch.rand(2, 40, 40)), " dB at 40 px"), (BANK, " dB")):
        one = painting(bank=bank)
        one.save(tmp_path / "a.svg")
        assert told(one, tmp_path / "a.svg", PaintOptions(("photo.png",))) == [
            f"{one.psnr_of(tmp_path / 'a.svg'):.1f}{words}"
        ]


def test_gifs_are_smaller_than_other_files() -> None:
    assert raster.saved_size(Path("a.gif"), (2160, 3840), 3840) == (2160, 3840)
    assert raster.saved_size(Path("a.mp4"), (4000, 6000), 6000) == (4000, 6000)
    with pytest.raises(UserError, match=r"6000 x 4000 pixels are too many for a GIF: .* or \.mp4"):
        raster.saved_size(Path("a.gif"), (4000, 6000), 6000)


def test_frames_folder(tmp_path: Path) -> None:
    one = painting()
    assert one.save_frames(tmp_path / "new" / "frames", 5) == 5
    files = sorted((tmp_path / "new" / "frames").iterdir())
    assert [file.name for file in files] == [f"frame-000{i}.png" for i in range(5)]
    with Image.open(files[-1]) as file:
        assert np.array_equal(np.asarray(file), one.render(48, 64).numpy())
    assert one.save_frames(tmp_path / "many", 1000, longer_side=16) == 9
    assert len(list((tmp_path / "many").iterdir())) == 9
    (tmp_path / "many" / "frame-0099.png").mkdir()
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "many").iterdir()}
    one.save_frames(tmp_path / "many", 3, longer_side=16)
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "many").iterdir()}
    assert before.keys() == after.keys()
    assert {name for name in before if before[name] != after[name]} == {f"frame-000{i}.png" for i in range(3)}


@pytest.fixture
def blocked(tmp_path: Path) -> Iterator[Path]:
    """A file where a folder is wanted."""
    (tmp_path / "file").write_text("")
    yield tmp_path / "file"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_cannot_be_saved(blocked: Path) -> None:
    one, folder = painting(), blocked.parent
    for name in ("a.bmp", "a", "a.svgz"):
        with pytest.raises(UserError, match=r"choose \.png, \.jpg"):
            one.save(folder / name)
    for side in (0, -5, 100_000):
        with pytest.raises(UserError, match=f"longer_side: {side} pixels cannot be saved: choose 1 to 16384"):
            one.save(folder / "a.png", longer_side=side)
    with pytest.raises(UserError, match="16384 x 12288 pixels are too many"):
        one.save(folder / "a.png", longer_side=16384)
    with pytest.raises(UserError, match="cannot be written"):
        one.save(blocked / "a.png")
    with pytest.raises(UserError, match="cannot be written"):
        one.save(folder / "none" / "a.svg")
    with pytest.raises(UserError, match="not a number from 1"):
        one.save_frames(folder / "frames", 0)
    with pytest.raises(UserError, match="frames: cannot be made: its folder is a file"):
        one.save_frames(blocked / "frames", 3)


@pytest.mark.parametrize(("name", "most"), [("a.webp", 16383), ("a.JPG", 65500), ("a.jpeg", 65500)])
def test_some_kinds_have_a_largest_side(name: str, most: int, blocked: Path) -> None:
    thin = replace(painting(), size=(2, most + 1), target=None)
    with pytest.raises(UserError, match=f"ends at {most} pixels a side"):
        thin.save(blocked.parent / name)


def test_films_of_the_largest_pictures_are_small(tmp_path: Path) -> None:
    one = replace(painting(), target=None, picture_size=(12_000, 16_000))
    with pytest.raises(UserError, match="16000 x 12000 pixels are too many"):
        one.save(tmp_path / "a.png")
    one.save(tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as film:
        assert film.size == (480, 360)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16, torch.float64])
def test_strokes_of_other_kinds_are_shown(kind: torch.dtype, tmp_path: Path) -> None:
    one = painting()
    other = replace(one, strokes=one.strokes.map(lambda tensor: tensor.to(kind)))
    other.save(tmp_path / "a.json")
    same = Painting.load(tmp_path / "a.json")
    assert same.strokes.where.dtype == kind
    assert same.background is not None
    plain = replace(same, strokes=same.strokes.map(torch.Tensor.float), background=same.background.float())
    assert torch.equal(same.render(24, 32), plain.render(24, 32))


@contextmanager
def no_room() -> Iterator[None]:
    """Files end after 700 bytes, as on a full disk."""
    most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (700, most[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_nothing_is_saved_cut_short(suffix: str, tmp_path: Path) -> None:
    path, kept = tmp_path / f"a{suffix}", painting(moves=20)
    kept.save(path)
    before = path.read_bytes()
    with pytest.raises(UserError, match="cannot be written"), no_room():
        kept.save(path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == before


def test_json_has_no_longer_side(tmp_path: Path) -> None:
    painting().save(tmp_path / "a.json", longer_side=0)
    assert parse(tmp_path / "a.json").size == (24, 32)


def test_sides_are_those_of_the_command() -> None:
    assert MOST["output_size"] == LONGEST_SIDE


def test_what_cannot_be_scored(tmp_path: Path) -> None:
    one = painting()
    one.save(tmp_path / "a.json")
    (tmp_path / "a.svg").write_text("<svg")
    for name, words in (("none.png", "no such file"), ("a.json", "is not a picture"), ("a.svg", "is damaged")):
        with pytest.raises(UserError, match=words):
            one.psnr_of(tmp_path / name)


def test_large_files_are_scored_in_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    painting().save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 48 * 64 - 1)
    assert painting().psnr_of(tmp_path / "a.png") > 0


def test_any_name_is_saved_and_scored(tmp_path: Path) -> None:
    one = painting()
    for suffix in SUFFIXES:
        path = tmp_path / f"a\udcff{suffix}"
        one.save(path, longer_side=32)
        assert path.stat().st_size
        if suffix in (".png", ".svg"):
            assert one.psnr_of(path) > 0


def test_without_a_target_there_is_no_score() -> None:
    with pytest.raises(ValueError, match="no target"):
        _ = replace(painting(), target=None).psnr


def test_ink_becomes_the_negative_on_white_paper() -> None:
    one = painting()
    ink = replace(one.strokes, slope=None)
    shown = Painting.of_ink(ink, BANK, (24, 32)).canvas
    assert torch.allclose(shown, 1 - render(ink, BANK, (24, 32), 0.0, samples=4), atol=1e-5)


def test_several_outlines_are_redrawn_in_no_more_texels_than_one() -> None:
    sides = [
        rendering.finer(TemplateBank.named(*names), (24, 32), (4800, 6400)).masks.shape[-1]
        for names in (["circle"], ["circle"] * 4)
    ]
    assert sides == [1024, 512]


@pytest.mark.parametrize("suffix", [".png", ".svg", ".json", ".gif"])
@pytest.mark.parametrize(("name", "beyond"), [("what", 1.5), ("which", 1.1), ("opacity", -0.1), ("where", math.nan)])
def test_what_is_out_of_range_is_not_saved(suffix: str, name: str, beyond: float, tmp_path: Path) -> None:
    one = painting()
    values = one.strokes.tensors()[name].clone()
    values[0, 3] = beyond
    bad = replace(one, strokes=replace(one.strokes, **{name: values}))
    with pytest.raises(UserError, match=rf"a\{suffix}: (stroke 3: {name} is|stroke 3: sum of|holds numbers beyond)"):
        bad.save(tmp_path / f"a{suffix}")
    with pytest.raises(UserError, match="frames: "):
        bad.save_frames(tmp_path / "frames", 3)
    assert list(tmp_path.iterdir()) == []
    if name != "where":
        replace(bad, strokes=bad.strokes.held()).save(tmp_path / f"a{suffix}")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_numbers_of_any_kind_are_saved(dtype: torch.dtype, tmp_path: Path) -> None:
    """Weights of 16 bits, which do not sum to one exactly, and weights of nothing."""
    bank = TemplateBank.named("circle", "square", "line", "triangle", size=32)
    one = painting(moves=40)
    which = torch.randn(1, 40, 4).softmax(-1)
    which[0, 7] = 0
    strokes = replace(one.strokes, which=which).map(lambda tensor: tensor.to(dtype))
    for some in (strokes, strokes.held()):
        for suffix in (".png", ".svg", ".json"):
            replace(one, strokes=some, bank=bank).save(tmp_path / f"a{suffix}")
    assert len(Painting.load(tmp_path / "a.json").strokes) == 40


def test_a_painting_is_scored_against_any_picture_of_its_shape(tmp_path: Path) -> None:
    one = painting()
    one.save(tmp_path / "a.json")
    loaded = Painting.load(tmp_path / "a.json")
    with pytest.raises(ValueError, match="no target is known: see `against`"):
        _ = loaded.wanted
    assert one.target is not None
    Image.fromarray((one.target.pixels * 255).round().byte().movedim(0, -1).numpy()).save(tmp_path / "target.png")
    scored = loaded.against(tmp_path / "target.png")
    assert scored.psnr == pytest.approx(one.psnr, abs=0.01)
    assert scored.shown_size == (48, 64)
    with pytest.raises(UserError, match="painting: is 32 x 24 pixels, the picture 9 x 3: they must have the same"):
        loaded.against(torch.rand(3, 9))
    object.__setattr__(one, "target", str(tmp_path / "target.png"))  # since the suite checks types before
    with pytest.raises(ValueError, match="target is of str, expected a picture: see `against`"):
        one.__post_init__()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("transparent", [False, True])
def test_wanted_is_what_the_canvas_should_be(transparent: bool, channels: int) -> None:
    one = painting(transparent, channels=channels)
    assert one.target is not None
    alpha = torch.rand(24, 32)
    one = replace(one, target=Picture(torch.rand(channels, 24, 32), alpha, "small"))
    assert one.target is not None
    if transparent:
        expected = torch.cat([one.target.pixels * alpha, alpha[None]])
    else:
        expected = one.target.pixels * alpha + GROUND[:channels, None, None] * (1 - alpha)
    assert torch.allclose(one.wanted[0], expected, atol=1e-6)
    if channels == 1:
        coloured = replace(one, target=Picture(torch.cat([one.target.pixels + d for d in (-0.1, 0, 0.1)]), alpha, "c"))
        assert torch.allclose(coloured.wanted, one.wanted, atol=1e-6)
    error = (one.wanted[:, :channels] - one.canvas).square().mean().item()
    assert transparent or one.psnr == pytest.approx(decibels(error), abs=0.1)


def test_a_large_svg_of_pictures_is_read_smaller(tmp_path: Path) -> None:
    """As resvg draws it at that size; one of outlines, and what is small, at their own."""
    soft, sharp = TemplateBank.named("soft", "soft"), BANK
    for bank, side, expected in ((soft, 1500, (768, 1024)), (sharp, 1500, (1125, 1500)), (soft, 100, (75, 100))):
        replace(painting(moves=2), bank=bank).save(tmp_path / "a.svg", side)
        assert raster.read(tmp_path / "a.svg").shape[:2] == expected
    tall = painting(moves=2)
    turned = tall.strokes.where[..., [1, 0, 2]]
    tall = replace(tall, strokes=replace(tall.strokes, where=turned), bank=soft, size=(32, 24), target=None)
    tall.save(tmp_path / "a.svg", 1500)
    assert raster.read(tmp_path / "a.svg").shape[:2] == (1024, 768)
