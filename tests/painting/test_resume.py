"""Painting on: what was painted before stays, bit for bit."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import limner
from limner import geometry
from limner.errors import UserError
from limner.painting.painting import Painting
from limner.painting.resume import read_before
from limner.strokes import Strokes
from limner.strokes_json import dump, parse
from limner.templates import TemplateBank

HALF = TemplateBank.named("soft").masks
pytestmark = pytest.mark.usefixtures("quick")


def picture(channels: int = 3, height: int = 30, width: int = 40) -> Tensor:
    smooth = torch.nn.functional.interpolate(torch.rand(1, channels, 6, 8), (height, width), mode="bicubic")
    return smooth[0].clamp(0, 1)


@pytest.fixture(scope="module")
def first(quick: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Tensor, Painting, Path]:
    """A picture, a painting of it, and that painting's strokes as a file."""
    torch.manual_seed(0)
    image, file = picture(), tmp_path_factory.mktemp("first") / "first.json"
    painting = limner.paint(image, 12)
    painting.save(file)
    return image, painting, file


def same(one: Strokes, other: Strokes) -> bool:
    ours, theirs = one.tensors(), other.tensors()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_strokes_are_added_to_those_that_stay(first: tuple[Tensor, Painting, Path]) -> None:
    image, painting, file = first
    more = limner.paint(image, 10, resume=file)
    assert len(more.strokes) == 22
    assert same(more.strokes[:, :12], painting.strokes)
    assert torch.equal(more.background, painting.background)
    assert more.psnr > painting.psnr + 0.5
    again = limner.paint(image, 10, resume=painting)
    assert same(again.strokes, more.strokes)
    assert same(limner.paint(image, 0, resume=file).strokes, painting.strokes)


@pytest.mark.parametrize(
    "bank", [TemplateBank.named("circle", size=1040), replace(TemplateBank.named("soft"), masks=HALF.half())]
)
def test_a_painting_and_its_file_are_painted_on_alike(bank: TemplateBank, tmp_path: Path) -> None:
    image = picture()
    painting = limner.paint(image, 3, templates=bank)
    painting.save(tmp_path / "first.json")
    one, other = (limner.paint(image, 2, resume=resumed) for resumed in (painting, tmp_path / "first.json"))
    assert same(one.strokes, other.strokes)
    assert torch.equal(one.canvas, other.canvas)


def test_what_is_painted_on_looks_as_it_was_saved(first: tuple[Tensor, Painting, Path]) -> None:
    _, painting, file = first
    before = read_before(file, None)
    assert painting.background is not None
    for ground, clear in ((painting.background, False), (torch.zeros(3), True)):
        shown = replace(painting, background=None if clear else ground).render(*painting.size).permute(2, 0, 1) / 255
        canvas, cover = before.canvas(painting.size, ground, clear)
        assert (cover is None) == (not clear)
        if cover is None:
            torch.testing.assert_close(canvas, shown, rtol=0, atol=0.5 / 255 + 1e-5)
        else:
            torch.testing.assert_close(cover, shown[3], rtol=0, atol=0.5 / 255 + 1e-5)


def test_repainting_replaces_what_has_its_centre_in_the_mask(first: tuple[Tensor, Painting, Path]) -> None:
    image, painting, file = first
    mask = torch.zeros(30, 40)
    mask[:, :20] = 1
    lost = geometry.invert(painting.strokes.where)[0, :, 0, 2] < 0
    lost &= geometry.invert(painting.strokes.where)[0, :, :, 2].abs().max(1).values < 1
    assert 0 < lost.sum() < 12
    new = limner.paint(image, 3, resume=file, repaint=mask)
    kept = painting.strokes[:, ~lost]
    assert len(new.strokes) == 15
    assert same(new.strokes[:, : len(kept)], kept)
    centres = geometry.invert(new.strokes.where)[0, len(kept) :, 0, 2]
    assert (centres < 0.3).all()
    assert not same(new.strokes[:, :12], painting.strokes)
    assert len(limner.paint(image, 0, resume=file, repaint=mask).strokes) == 12
    assert len(limner.paint(image, resume=file, repaint=mask).strokes) == 12


def test_what_is_repainted_does_not_depend_on_the_canvas_worked_at(first: tuple[Tensor, Painting, Path]) -> None:
    image, painting, file = first
    large, dots = torch.nn.functional.interpolate(image[None], scale_factor=20)[0], torch.zeros(600, 800)
    centres = geometry.invert(painting.strokes.where)[0, :, :, 2]
    x, y = ((centres[5] + 1) / 2 * torch.tensor([800, 600])).long().tolist()
    dots[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2] = 1
    assert dots.any()
    new = limner.paint(large, 0, resume=file, repaint=dots, size=32)
    assert len(new.strokes) == 12
    left = [bool((new.strokes.where[0] == where).all((1, 2)).any()) for where in painting.strokes.where[0]]
    assert not left[5]
    assert sum(left) >= 9


def test_a_painting_resumed_at_a_larger_size_is_what_its_file_holds(tmp_path: Path) -> None:
    square = torch.zeros(16, 16)
    square[3:13, 5:12] = 1
    bank = TemplateBank(torch.stack([square, torch.linspace(0, 1, 16).expand(16, 16)]), ("box", "fade"))
    before = limner.paint(picture(), 6, templates=bank, size=20)
    after = limner.paint(torch.rand(3, 90, 120), 6, resume=before, max_size=0.3)
    assert after.bank.masks.shape[-1] > 16
    after.save(tmp_path / "a.json")
    again = Painting.load(tmp_path / "a.json")
    for suffix in (".png", ".svg"):
        for name, painting in (("a", after), ("b", again)):
            painting.save((tmp_path / name).with_suffix(suffix))
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_strokes_that_are_resumed_count_for_the_canvas_worked_at() -> None:
    image = torch.rand(3, 300, 400)
    strokes = Strokes(3 + torch.rand(1, 450, 2, 3), torch.ones(1, 450, 1), torch.rand(1, 450, 3))
    before = Painting(strokes, TemplateBank.named("circle"), torch.zeros(3), (48, 64))
    assert max(limner.paint(image, 0, resume=before).size) == 400
    assert max(limner.paint(image, 0, resume=replace(before, strokes=strokes[:, :9])).size) == 256


def test_a_mask_of_nothing_replaces_nothing(first: tuple[Tensor, Painting, Path]) -> None:
    image, painting, file = first
    with pytest.raises(UserError, match="repaint: is black everywhere"):
        limner.paint(image, 2, resume=file, repaint=torch.zeros(30, 40))
    assert same(limner.paint(image, 0, resume=file, repaint=torch.zeros(30, 40)).strokes, painting.strokes)


def test_a_mask_of_zeros_and_ones_in_whole_numbers_is_refused(first: tuple[Tensor, Painting, Path]) -> None:
    image, _, file = first
    left = np.zeros((30, 40), np.uint8)
    left[:, :20] = 1
    for count in (0, 2, None):
        with pytest.raises(UserError, match="repaint: is no lighter than 1 of 255"):
            limner.paint(image, count, resume=file, repaint=left)
    one, other = (limner.paint(image, 0, resume=file, repaint=mask) for mask in (255 * left, left > 0))
    assert same(one.strokes, other.strokes)


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1)])
def test_gray_and_colour_meet_in_colour(before: int, after: int) -> None:
    painting = limner.paint(picture(before), 5)
    more = limner.paint(picture(after), 4, resume=painting)
    assert more.strokes.what.shape == (1, 9, 3)
    assert torch.equal(more.strokes.what[:, :5], painting.strokes.what.expand(-1, -1, 3))
    assert more.canvas.shape[1] == 3


def test_gray_on_gray_stays_gray() -> None:
    assert limner.paint(picture(1), 4, resume=limner.paint(picture(1), 5)).strokes.what.shape == (1, 9, 1)


def test_new_brushes_paint_the_new_strokes(first: tuple[Tensor, Painting, Path]) -> None:
    image, _, file = first
    leaf = TemplateBank(torch.rand(1, 16, 16), ("leaf",))
    lines: Any = ["line", "circle"]
    for templates, names, texels in ((lines, ("circle", "line"), 512), (leaf, ("circle", "leaf"), 128)):
        more = limner.paint(image, 6, resume=file, templates=templates)
        assert more.bank.names == names
        assert torch.equal(more.strokes.which[0, :12], torch.tensor([[1.0, 0.0]]).expand(12, 2))
        assert torch.equal(more.bank.masks[:1], TemplateBank.named("circle", size=texels).masks)
    assert torch.equal(more.strokes.which[0, 12:], torch.tensor([[0.0, 1.0]]).expand(6, 2))


def test_masks_stay_as_they_are_beside_finer_brushes(first: tuple[Tensor, Painting, Path], tmp_path: Path) -> None:
    """And each is there once, whatever was painted between."""
    image, _, file = first
    masks = ((255 * torch.rand(1, side, side)).round() / 255 for side in (128, 600))
    leaf, large = (TemplateBank(mask, ("leaf",)) for mask in masks)
    for more in (leaf, "line", leaf, ["soft", "line"]):
        limner.paint(image, 3, resume=file, templates=more).save(tmp_path / "on.json")
        file = tmp_path / "on.json"
    bank = parse(file).bank
    assert bank is not None
    assert bank.names == ("circle", "leaf", "line", "soft")
    assert bank.masks.shape[-1] == 128
    beside = limner.paint(image, 3, resume=first[2], templates=large).bank
    assert beside.masks.shape[-1] == 512
    assert beside.shapes == {0: "circle"}


def test_a_learnt_bank_is_painted_on(first: tuple[Tensor, Painting, Path]) -> None:
    image, painting, _ = first
    learnt = replace(painting.bank, masks=painting.bank.masks.clone().requires_grad_())
    assert len(limner.paint(image, 2, resume=replace(painting, bank=learnt)).strokes) == 14


def test_the_same_brush_twice_is_one_brush(first: tuple[Tensor, Painting, Path]) -> None:
    image, _, file = first
    more = limner.paint(image, 3, resume=file, templates=("circle", "circle"))
    assert more.bank.names == ("circle",)
    assert torch.equal(more.strokes.which, torch.ones(1, 15, 1))


def test_what_one_side_leaves_out_is_filled_in(first: tuple[Tensor, Painting, Path]) -> None:
    image, painting, file = first
    more = limner.paint(image, 3, resume=file, opacity="opaque", fill="gradient")
    assert more.strokes.opacity is not None
    assert more.strokes.slope is not None
    assert (more.strokes.opacity[0, 12:] == 1).all()
    assert not more.strokes.slope[0, :12].any()
    assert torch.equal(more.canvas.isfinite(), torch.ones(1, 3, 30, 40, dtype=torch.bool))
    shown = replace(more, strokes=more.strokes[:, :12]).canvas
    assert torch.allclose(shown, painting.canvas, atol=1e-6)


def test_a_transparent_painting_stays_transparent() -> None:
    image = torch.cat([picture(), torch.zeros(1, 30, 40)])
    image[3, 5:25, 5:25] = 1
    painting = limner.paint(image, 8)
    more = limner.paint(image, 8, resume=painting)
    assert more.background is None
    assert more.psnr > painting.psnr


def test_depth_becomes_order() -> None:
    strokes = limner.paint(picture(), 4).strokes
    deep = replace(strokes, depth=torch.tensor([[0.3, 0.1, 0.4, 0.2]]))
    painting = Painting(deep, TemplateBank.named("circle", size=16), torch.ones(3), (30, 40))
    assert same(read_before(painting, None).strokes, strokes[:, [1, 3, 0, 2]])


def test_double_precision_is_rounded(tmp_path: Path) -> None:
    strokes = limner.paint(picture(), 4).strokes.map(lambda tensor: tensor.double())
    ground = torch.ones(3, dtype=torch.float64)
    dump(tmp_path / "a.json", strokes, TemplateBank.named("circle", size=16), (30, 40), ground)
    more = limner.paint(picture(), 2, resume=tmp_path / "a.json")
    assert more.strokes.where.dtype == torch.float32
    assert len(more.strokes) == 6


def test_centres_nowhere_are_kept() -> None:
    strokes = Strokes(torch.zeros(1, 1, 2, 3), torch.ones(1, 1, 1), torch.rand(1, 1, 3))
    painting = Painting(strokes, TemplateBank.named("circle", size=16), torch.ones(3), (30, 40))
    assert read_before(painting, None).without(torch.ones(30, 40))[1] == 0


def test_a_long_thin_picture_is_resumed(tmp_path: Path) -> None:
    image = picture(3, 10, 600)
    limner.paint(image, 3).save(tmp_path / "thin.json")
    assert len(limner.paint(image, 2, resume=tmp_path / "thin.json").strokes) == 5


def test_strokes_of_another_shape_are_refused(first: tuple[Tensor, Painting, Path]) -> None:
    _, painting, file = first
    for source in (painting, file):
        with pytest.raises(UserError, match="resume: is 40 x 30 pixels, the picture 30 x 30"):
            limner.paint(picture(3, 30, 30), 1, resume=source)


def test_numbers_beyond_single_precision_are_refused(tmp_path: Path) -> None:
    where = torch.full((1, 1, 2, 3), 1e300, dtype=torch.float64)
    strokes = Strokes(where, torch.ones(1, 1, 1), torch.ones(1, 1, 3))
    dump(tmp_path / "a.json", strokes, TemplateBank.named("circle", size=16), (30, 40))
    with pytest.raises(UserError, match=r"a\.json: holds numbers beyond"):
        limner.paint(picture(), 1, resume=tmp_path / "a.json")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("what", [0.1, -0.2, 0.3], "stroke 2: what is -0.2, expected 0 to 1"),
        ("which", [0.8], "stroke 2: sum of which is 0.8, expected 1"),
        ("which", [-1.0], "stroke 2: which is -1, expected 0 to 1"),
        ("opacity", 1e30, r"stroke 2: opacity is 1e\+30, expected 0 to 1"),
        ("background", [2.0, 0.0, 0.5], r"background is \[2.0, 0.0, 0.5\], expected 0 to 1"),
    ],
)
def test_what_no_painting_holds_is_refused(
    first: tuple[Tensor, Painting, Path], field: str, value: Any, message: str, tmp_path: Path
) -> None:
    image, _, file = first
    content = json.loads(file.read_text())
    (content if field in content else content["pictures"][0][2])[field] = value
    (tmp_path / "edited.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match=rf"edited\.json: {message}"):
        limner.paint(image, 1, resume=tmp_path / "edited.json")


def test_mask_files_are_brushes_too(first: tuple[Tensor, Painting, Path], tmp_path: Path) -> None:
    image, _, file = first
    (tmp_path / "leaf.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle r="9"/></svg>'
    )
    assert limner.paint(image, 1, resume=file, templates=tmp_path / "leaf.svg").bank.names == ("circle", "leaf")


def test_what_cannot_be_painted_on(first: tuple[Tensor, Painting, Path], tmp_path: Path) -> None:
    image, painting, file = first
    painting.strokes.save(tmp_path / "bare.json")
    two = painting.strokes.map(lambda tensor: torch.cat([tensor, tensor]))
    dump(tmp_path / "two.json", two, painting.bank, (30, 40))
    with pytest.raises(UserError, match=r"bare\.json: does not hold its templates"):
        limner.paint(image, 3, resume=tmp_path / "bare.json")
    with pytest.raises(UserError, match=r"two\.json: holds 2 pictures, expected one"):
        limner.paint(image, 3, resume=tmp_path / "two.json")
    with pytest.raises(UserError, match="blob: is no template"):
        limner.paint(image, 3, resume=file, templates=["blob"])
    with pytest.raises(UserError, match="they have theirs"):
        limner.paint(image, 3, resume=file, background="red")
    with pytest.raises(UserError, match="repaint: a mask needs strokes to repaint: give resume, too"):
        limner.paint(image, 3, repaint=torch.ones(30, 40))


def test_strokes_stay_as_they_are_on_a_larger_canvas() -> None:
    image = torch.rand(3, 240, 320)
    before = limner.paint(image, 20, size=48)
    after = limner.paint(image, 0, resume=before, size=320)
    assert torch.equal(before.render(240, 320), after.render(240, 320))


@pytest.mark.parametrize(("light", "left"), [(0.45, 1), (0.55, 0)])
def test_strokes_are_repainted_where_a_mask_is_lighter_than_half_gray(light: float, left: int) -> None:
    where = geometry.phi(torch.zeros(1, 2), torch.full((1, 2), 0.2), torch.zeros(1))[None]
    strokes = Strokes(where, torch.ones(1, 1, 1), torch.ones(1, 1, 3))
    before = read_before(Painting(strokes, TemplateBank.named("circle"), torch.zeros(3), (30, 40)))
    kept, dropped = before.without(torch.full((30, 40), light))
    assert (len(kept.strokes), dropped) == (left, 1 - left)


def test_templates_that_are_there_are_used_again() -> None:
    where = geometry.phi(torch.zeros(1, 2), torch.full((1, 2), 0.2), torch.zeros(1))[None]
    strokes = Strokes(where, torch.eye(3)[None, :1], torch.ones(1, 1, 3))
    bank = TemplateBank.named("circle", "line", "square", size=128)
    before = read_before(Painting(strokes, bank, torch.zeros(3), (30, 40)), ["line", "curve"])
    assert before.bank.names == ("circle", "line", "square", "curve")
    assert before.brushes.names == ("line", "curve")
