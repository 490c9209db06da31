"""Named shapes against their own SVG fragments, and what a bank refuses."""

import copy
import io
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import resvg_py
import torch
from PIL import Image

from limner import shapes
from limner.errors import UserError
from limner.geometry import centres
from limner.shapes import SHAPES
from limner.templates import TemplateBank


@pytest.mark.parametrize("size", [7, 28, 64])
@pytest.mark.parametrize("name", [name for name, shape in SHAPES.items() if shape.svg is not None])
def test_mask_is_its_svg_rendered(name: str, size: int) -> None:
    # Rendered finer and averaged, since resvg itself takes only four rows of samples a pixel.
    finer = max(8, 256 // size)
    fine = finer * size
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="{fine}" height="{fine}" viewBox="-1 -1 2 2">'
    rendered = resvg_py.svg_to_bytes(svg_string=f"{svg}{SHAPES[name].svg}</svg>", skip_system_fonts=True)
    alpha = np.asarray(Image.open(io.BytesIO(rendered)).convert("RGBA"))[..., 3] / 255
    share = alpha.reshape(size, finer, size, finer).mean((1, 3))
    difference = np.abs(TemplateBank.named(name, size=size).masks[0].numpy() - share)
    assert difference.max() < 0.07  # of a texel, at the outline
    assert difference.mean() < 0.004


@pytest.mark.parametrize("size", [1, 2, 5, 28, 33, 64, 100, 127, 256])
@pytest.mark.parametrize("name", SHAPES)
def test_mask_is_its_mean_over_each_texel(name: str, size: int) -> None:
    """Of all points, not only of those near the outline."""
    y, x = torch.meshgrid(*[centres(16 * size)] * 2, indexing="ij")
    share = SHAPES[name].mask(x, y).double().view(size, 16, size, 16).mean((1, 3))
    difference = (TemplateBank.named(name, size=size).masks[0] - share).abs()
    assert difference.max() < 1.01 / 256  # one point, which lies on the outline
    assert (difference > 1e-6).sum() <= 4


def test_shapes_are_redrawn_and_masks_enlarged() -> None:
    bank = TemplateBank.named("curve", "circle", size=30, prefilter=False)
    finer = TemplateBank(bank.masks, bank.names, prefilter=False).redrawn(90)
    assert torch.equal(finer.masks, TemplateBank.named("curve", "circle", size=90).masks)
    assert (finer.names, finer.prefilter) == (bank.names, False)
    assert finer.redrawn(90) is finer
    soft = TemplateBank.named("soft", size=20).redrawn(50)
    assert torch.equal(soft.masks, TemplateBank.named("soft", size=50).masks)
    half = TemplateBank(TemplateBank.named("circle", "soft", size=20).masks.half(), ("circle", "own"))
    assert half.redrawn(40).masks.dtype == torch.float16
    mixed = TemplateBank(torch.stack([bank.masks[0], torch.rand(30, 30)]), ("curve", "own"))
    large = mixed.redrawn(240)
    assert torch.equal(large.masks[0], TemplateBank.named("curve", size=240).masks[0])
    image = Image.fromarray(mixed.masks[1].numpy()).resize((240, 240), Image.Resampling.BILINEAR)
    torch.testing.assert_close(large.masks[1], torch.from_numpy(np.array(image)), rtol=0, atol=1e-5)


def test_a_bank_is_shown_by_its_names_and_texels() -> None:
    assert repr(TemplateBank.named("circle", "square", size=32)) == "TemplateBank(circle, square: 32 x 32)"
    bank = TemplateBank(torch.ones(1, 4, 4), prefilter=False)
    assert repr(bank) == "TemplateBank(template 0: 4 x 4, not prefiltered)"


def test_areas() -> None:
    bank = TemplateBank.named(*SHAPES, size=64)
    areas = dict(zip(bank.names, bank.masks.mean((1, 2)).tolist(), strict=True))
    bar = shapes.BAR
    ring = (2**2 - (2 - 2 * bar) ** 2) * torch.pi / 4 / 4
    expected = {"circle": torch.pi / 4, "square": 1, "line": bar, "curve": ring, "triangle": 0.5, "transparent": 0}
    expected["bristle"] = sum(_hairs_height(-1 + (k + 0.5) / 500) for k in range(1000)) / 1000 / 2
    expected["soft"] = torch.pi * (1 + 0.7 + 0.7**2) / 3 / 4  # a cone without its top
    assert areas == pytest.approx(expected, abs=0.005)


def _hairs_height(x: float) -> float:
    """How much of a column a bristle brush covers, hair by hair from its top down."""
    height, covered = 0.0, -1.0
    for k, (begin, end) in enumerate(shapes.HAIRS):
        half = shapes.HALF * min((x - begin) / shapes.HEAD, (end - x) / shapes.TAIL, 1)
        if half > 0:
            middle = shapes.APART * (k - (len(shapes.HAIRS) - 1) / 2)
            height += middle + half - max(covered, middle - half)
            covered = middle + half
    return height


def test_the_line_of_the_thesis_is_three_texels_wide() -> None:
    line = TemplateBank.named("line").masks[0]
    assert line.shape == (28, 28)
    torch.testing.assert_close(line.sum(0), torch.full((28,), 3.0), rtol=0, atol=0.1)


def test_bank_keeps_names_in_order() -> None:
    bank = TemplateBank.named("line", "circle", size=9)
    assert bank.names == ("line", "circle")
    assert len(bank) == 2
    assert bank.masks.shape == (2, 9, 9)
    assert TemplateBank(torch.zeros(3, 4, 4)).names == ("template 0", "template 1", "template 2")


def test_pyramid_is_kept_unless_masks_are_learnt() -> None:
    bank = TemplateBank.named("circle")
    assert bank.pyramid is bank.pyramid
    learnt = TemplateBank(bank.masks.clone().requires_grad_())
    assert learnt.pyramid is not learnt.pyramid
    (gradient,) = torch.autograd.grad(learnt.pyramid.texels.sum(), learnt.masks)
    assert (gradient > 0).all()


def test_what_is_kept_follows_the_masks() -> None:
    bank = TemplateBank(torch.rand(1, 8, 8))
    for change in (lambda: bank.masks.zero_(), lambda: bank.masks.fill_(0.5)):
        bank.pyramid  # noqa: B018
        change()
        assert torch.equal(bank.pyramid.texels, TemplateBank(bank.masks.clone()).pyramid.texels)
    learnt = TemplateBank(torch.rand(1, 8, 8, requires_grad=True))
    learnt.pyramid  # noqa: B018
    with torch.no_grad():
        learnt.masks.mul_(0.5)
    learnt.masks.requires_grad_(False)
    assert torch.equal(learnt.pyramid.texels, TemplateBank(learnt.masks.clone()).pyramid.texels)


def test_copies_leave_behind_what_is_kept() -> None:
    bank = TemplateBank.named("circle", "line")
    size = len(pickle.dumps(bank))
    bank.pyramid  # noqa: B018
    assert len(pickle.dumps(bank)) == size
    for other in (pickle.loads(pickle.dumps(bank)), copy.deepcopy(bank)):
        assert torch.equal(other.pyramid.texels, bank.pyramid.texels)
        assert other.masks is not bank.masks


UNSEEN = {"transparent"}
"""Of no use for painting a picture."""


@pytest.mark.parametrize(
    ("file", "left_out"),
    [
        ("src/limner/templates.py", set()),
        ("src/limner/models/settings.py", set()),
        ("src/limner/painting/options.py", UNSEEN),
        ("src/limner/studio/page/index.html", UNSEEN),
        ("docs/json.md", set()),
    ],
)
def test_every_list_of_the_shapes_has_all_of_them(file: str, left_out: set[str]) -> None:
    text = (Path(__file__).parents[1] / file).read_text("utf-8")
    assert {name for name in SHAPES.keys() - left_out if not re.search(rf'[ `"]{name}[,;`"]', text)} == set()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("circle", "hexagon", "star"), "unknown template hexagon, star: choose from circle"),
        ((), r"\(none\)"),
        ((["circle"],), r"unknown template \['circle'\]: choose from circle"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_unknown_names_are_refused(names: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TemplateBank.named(*names)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("masks", "names", "message"),
    [
        (torch.zeros(2, 3, 4), (), r"shape \(2, 3, 4\)"),
        (torch.zeros(3, 3), (), r"shape \(3, 3\)"),
        (torch.zeros(0, 3, 3), (), "shape"),
        (torch.zeros(2, 3, 3), ("one",), "2 masks but 1 names"),
        (torch.full((1, 3, 3), 1.1), (), r"not numbers in \[0, 1\]"),
        (torch.full((1, 3, 3), -0.1), (), r"not numbers in \[0, 1\]"),
        (torch.ones(1, 3, 3, dtype=torch.bool), (), r"masks are of torch\.bool"),
        (torch.ones(1, 3, 3, dtype=torch.long), (), r"masks are of torch\.int64"),
        (torch.full((1, 3, 3), torch.nan), (), r"not numbers in \[0, 1\]"),
    ],
)
def test_bad_masks_are_refused(masks: torch.Tensor, names: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TemplateBank(masks, names)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("masks", [np.zeros((1, 3, 3), np.float32), torch.tensor(1.0)])
def test_masks_are_a_tensor_of_three_dimensions(masks: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"masks (are of ndarray, expected a tensor|have shape \(\))"):
        TemplateBank(masks)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("size", [0, -1, 1.5])
def test_templates_have_texels(size: int) -> None:
    for make in (lambda: TemplateBank.named("circle", size=size), lambda: TemplateBank.load("none", size=size)):
        with pytest.raises(UserError, match=f"size: templates of {size} texels"):
            make()


def test_banks_are_not_empty() -> None:
    with pytest.raises(UserError, match="none are named"):
        TemplateBank.load([])


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("templates", [5, None, [["circle"]], TemplateBank.named("circle")])
def test_templates_are_named(templates: Any) -> None:
    with pytest.raises(UserError, match="neither the name of a shape nor a path"):
        TemplateBank.load(templates)


def test_the_rim_of_a_soft_circle_fades_evenly() -> None:
    mask = TemplateBank.named("soft", size=100).masks[0]
    assert mask[50, 50] == 1
    assert mask[50, 7].item() == pytest.approx(0.5, abs=0.01)
    assert mask[50, 0].item() == pytest.approx(1 / 30, abs=0.01)
