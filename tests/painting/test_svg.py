"""SVG, rendered by resvg, against limner.render; tolerances are mean absolute differences of values in [0, 1]."""

import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
import resvg_py
import torch
from PIL import Image
from torch import Tensor

from limner import geometry
from limner.errors import NotFinite, UserError
from limner.painting.svg import to_svg
from limner.shapes import SHAPES
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import render

SIZE = (72, 96)
GROUND = torch.tensor([0.9, 0.8, 0.7])
NAMESPACE = "{http://www.w3.org/2000/svg}"


def random_strokes(count: int, templates: int, smallest: float = 0.1, channels: int = 3) -> Strokes:
    """Stamps of every size and angle, some slanted, half transparent on the average; each chooses one template."""
    half = smallest * (0.6 / smallest) ** torch.rand(count, 2)
    where = geometry.phi(torch.rand(count, 2) * 2 - 1, half, torch.rand(count) * 6.3, SIZE[1] / SIZE[0])
    where[::2, 0] += where[::2, 1] * torch.rand(len(where[::2]), 1)  # slanted
    which = torch.nn.functional.one_hot(torch.arange(count) % templates, templates).float()
    opacity = 0.2 + 0.8 * torch.rand(1, count)
    return Strokes(where[None], which[None], 0.2 + 0.6 * torch.rand(1, count, channels), opacity)


def with_fields(strokes: Strokes, **fields: Tensor) -> Strokes:
    return Strokes(**{**strokes.tensors(), **fields})


def gradient_of_rank_one(count: int, channels: int = 3) -> Tensor:
    return 0.3 * (torch.rand(1, count, channels, 1) - 0.5) @ (torch.rand(1, count, 1, 2) * 2 - 1)


def rendered(svg: str) -> Tensor:
    """Premultiplied RGBA (4, height, width) of what resvg makes of it."""
    png = resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True)
    rgba = torch.from_numpy(np.asarray(Image.open(io.BytesIO(png)).convert("RGBA")).copy()).permute(2, 0, 1) / 255
    return torch.cat([rgba[:3] * rgba[3:], rgba[3:]])


def uses(svg: str) -> list[ElementTree.Element]:
    return ElementTree.fromstring(svg).findall(f"{NAMESPACE}use")


def difference(strokes: Strokes, bank: TemplateBank, background: Tensor | None = GROUND, **options) -> float:
    svg = to_svg(strokes, bank, SIZE, background)
    ours = render(strokes, bank, SIZE, 0.0 if background is None else background, **options)[0].expand(3, -1, -1)
    theirs = rendered(svg)
    assert theirs.shape[1:] == SIZE
    if background is not None:
        assert (theirs[3] == 1).all()
    return (theirs[:3] - ours).abs().mean().item()


@pytest.mark.parametrize("fill", ["flat", "gradient"])
@pytest.mark.parametrize("name", [name for name, shape in SHAPES.items() if shape.svg])
def test_named_shapes(name: str, fill: str) -> None:
    strokes, bank = random_strokes(20, 1), TemplateBank.named(name, size=64)
    if fill == "gradient":
        strokes = with_fields(strokes, slope=gradient_of_rank_one(20))
    assert difference(strokes, bank) < 0.008  # outlines are sharper than texels
    svg = to_svg(strokes, bank, SIZE, GROUND)
    assert len(uses(svg)) == 20
    assert svg.count("<symbol") == 1
    assert svg.count("<linearGradient") == (20 if fill == "gradient" else 0)
    assert "<mask" not in svg


@pytest.mark.parametrize("template", ["circle", "soft", "blend"])
def test_two_paintings_go_into_one_document(template: str) -> None:
    bank = TemplateBank.named("line", "curve") if template == "blend" else TemplateBank.named(template, size=64)
    both = []
    for _ in range(2):
        strokes = with_fields(random_strokes(20, len(bank)), slope=gradient_of_rank_one(20))
        if template == "blend":
            bank = TemplateBank(torch.rand(2, 16, 16))
            strokes = with_fields(strokes, which=torch.full_like(strokes.which, 0.5))
        both.append(to_svg(strokes, bank, SIZE, GROUND))
    height, width = SIZE
    second = both[1].replace("<svg ", f'<svg x="{width}" ', 1)
    page = f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * width}" height="{height}">{both[0]}{second}</svg>'
    assert (rendered(page) - torch.cat([rendered(svg) for svg in both], 2)).abs().mean() < 0.001
    assert both[0] != both[1]


@pytest.mark.parametrize("smallest", [0.3, 0.02])
def test_a_soft_circle_is_a_picture(smallest: float) -> None:
    strokes, bank = random_strokes(40, 1, smallest), TemplateBank.named("soft", size=64)
    assert difference(strokes, bank) < 0.004
    assert "<mask" in to_svg(strokes, bank, SIZE, GROUND)


@pytest.mark.parametrize("smallest", [0.3, 0.02])
def test_custom_masks(smallest: float) -> None:
    y, x = torch.meshgrid(geometry.centres(48), geometry.centres(48), indexing="ij")
    bristles = ((y.abs() < 0.6) & (x.abs() < 0.9)) * (0.4 + 0.6 * torch.rand(48, 1))
    bank = TemplateBank(torch.stack([bristles, torch.exp(-4 * (x**2 + y**2))]))
    strokes = random_strokes(40, 2, smallest)
    assert difference(strokes, bank) < 0.004  # of 8 bits: these are the same texels
    svg = to_svg(strokes, bank, SIZE, GROUND)
    assert len(uses(svg)) == 40
    assert len({use.get("href") for use in uses(svg)}) == svg.count("<symbol") == svg.count("<mask")


@pytest.mark.parametrize("smallest", [0.3, 0.02])
def test_masks_with_hard_edges_are_outlines(smallest: float) -> None:
    bank = TemplateBank(TemplateBank.named("curve", "square", "transparent", size=64).masks)
    strokes = random_strokes(30, 3, smallest)
    assert difference(strokes, bank, samples=4) < 0.008
    svg = to_svg(strokes, bank, SIZE, GROUND)
    assert len(uses(svg)) == 20
    assert svg.count("<symbol") == svg.count("<path") == 2
    assert "<mask" not in svg
    assert "" not in svg.splitlines()


def test_masks_reach_half_a_texel_past_the_template() -> None:
    bank = TemplateBank(torch.ones(1, 2, 2), ("patch",))
    where = geometry.phi(torch.zeros(1, 2), torch.tensor([[0.5, 0.5]]), torch.zeros(1), SIZE[1] / SIZE[0])
    strokes = Strokes(where[None], torch.ones(1, 1, 1), torch.ones(1, 1, 3))
    assert difference(strokes, bank, torch.zeros(3)) < 0.002


def test_a_name_alone_makes_no_outline() -> None:
    bank = TemplateBank(torch.rand(1, 16, 16), ("circle",))
    assert "<mask" in to_svg(random_strokes(3, 1), bank, SIZE, None)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mask", ["outline", "picture"])
def test_transparent_background(mask: str, channels: int) -> None:
    names = ("circle", "square") if mask == "outline" else ("soft", "soft")
    bank = TemplateBank.named(*names, size=64)
    strokes = random_strokes(12, 2, channels=channels)
    assert difference(strokes, bank, None) < 0.008
    svg = to_svg(strokes, bank, SIZE, None)
    cover = render(with_fields(strokes, what=torch.ones(1, 12, 1)), bank, SIZE)[0, 0]
    assert (rendered(svg)[3] - cover).abs().mean() < 0.008
    assert not ElementTree.fromstring(svg).findall(f"{NAMESPACE}rect")


def test_gray_strokes_and_background() -> None:
    strokes, bank = random_strokes(8, 1, channels=1), TemplateBank.named("square", size=64)
    strokes = with_fields(strokes, slope=gradient_of_rank_one(8, 1))
    assert difference(strokes, bank, torch.tensor([0.3])) < 0.008


def test_depth_decides_the_order() -> None:
    strokes, bank = random_strokes(15, 1, 0.5), TemplateBank.named("square", size=64)
    strokes = with_fields(strokes, depth=torch.randperm(15).float()[None])
    assert difference(strokes, bank, compositing="depth") < 0.008
    assert difference(strokes, bank, compositing="over") < 0.008
    listed = Strokes(**{name: tensor for name, tensor in strokes.tensors().items() if name != "depth"})
    assert (render(listed, bank, SIZE, GROUND) - render(strokes, bank, SIZE, GROUND)).abs().mean() > 0.02


def test_blends_share_a_symbol() -> None:
    bank = TemplateBank.named("circle", "square", "line", size=32)
    strokes = random_strokes(9, 3, 0.4)
    blends = torch.tensor([[0.5, 0.5, 0], [0.2, 0.3, 0.5], [0.005, 0.995, 0]]).repeat(3, 1)[None]
    strokes = with_fields(strokes, which=blends)
    assert difference(strokes, bank) < 0.006
    named = [use.get("href") for use in uses(to_svg(strokes, bank, SIZE, GROUND))]
    assert len(named) == 9
    assert named.count("#square") == 3
    assert len({name for name in named if name and name.startswith("#blend")}) >= 2


def test_what_cannot_be_seen_is_left_out() -> None:
    bank = TemplateBank.named("circle", "transparent", size=16)
    bank = TemplateBank(torch.cat([bank.masks, torch.zeros(1, 16, 16)]), (*bank.names, "empty"))
    strokes = random_strokes(6, 3)
    opacity = torch.ones(1, 6)
    opacity[0, 3] = 0
    svg = to_svg(with_fields(strokes, opacity=opacity), bank, SIZE, None)
    assert [use.get("href") for use in uses(svg)] == ["#circle"]
    empty = to_svg(strokes[:, :0], bank, SIZE, GROUND)
    assert uses(empty) == []
    torch.testing.assert_close(rendered(empty)[:3, 0, 0], GROUND, rtol=0, atol=0.002)


def test_strokes_off_the_canvas_are_kept() -> None:
    where = geometry.phi(torch.tensor([[50.0, 0], [0, -9]]), torch.full((2, 2), 0.1), torch.zeros(2))
    strokes = Strokes(where[None], torch.ones(1, 2, 1), torch.ones(1, 2, 3))
    svg = to_svg(strokes, TemplateBank.named("circle"), SIZE, None)
    assert len(uses(svg)) == 2
    assert not rendered(svg).any()


@pytest.mark.parametrize(
    "linear",
    [
        [[0.0, 0], [0, 0]],
        [[2.0, 0], [0, 0]],
        [[2.0, 1], [4, 2]],
        [[1e-6, 0], [0, 3]],
        [[-2.0, 0], [0, 1.5]],
        [[9e4, 0], [0, 9e4]],
    ],
    ids=["all canvas", "stripe", "slanted stripe", "endless stripe", "mirrored", "speck"],
)
def test_degenerate_and_mirrored_phi(linear: list[list[float]]) -> None:
    where = torch.cat([torch.tensor(linear), torch.tensor([[0.1], [-0.2]])], 1)[None, None]
    strokes = Strokes(where, torch.ones(1, 1, 1), torch.tensor([[[0.2, 0.4, 0.6]]]))
    bank = TemplateBank.named("curve", "circle", size=64)
    strokes = with_fields(strokes, which=torch.tensor([[[0.0, 1.0]]]))
    assert difference(strokes, bank) < 0.01
    assert len(uses(to_svg(strokes, bank, SIZE, GROUND))) == 1


def test_gradient_leaves_the_range_of_colours_where_it_should() -> None:
    where = torch.tensor([[[[1.0, 0, 0], [0, 1.0, 0]]]])
    slope = torch.tensor([[[[2.0, 0], [0, 0], [-1, 0]]]])
    strokes = Strokes(where, torch.ones(1, 1, 1), torch.tensor([[[0.5, 0.5, 0.5]]]), slope=slope)
    bank = TemplateBank.named("square", size=64)
    ours = render(strokes, bank, SIZE)[0].clamp(0, 1)
    theirs = rendered(to_svg(strokes, bank, SIZE, torch.zeros(3)))[:3]
    assert (ours - theirs)[:, 2:-2, 2:-2].abs().max() < 0.02


def test_strokes_that_are_not_finite_are_refused() -> None:
    strokes = random_strokes(3, 1)
    strokes.where[0, 2, 1, 0] = torch.nan
    with pytest.raises(NotFinite, match="where of picture 0, move 2 is not finite"):
        to_svg(strokes, TemplateBank.named("circle"), SIZE, None)


def test_gradient_along_two_axes_is_refused() -> None:
    slope = torch.tensor([[0.3, 0], [0, 0.3], [0, 0]]).expand(1, 2, 3, 2)
    strokes = with_fields(random_strokes(2, 1), slope=slope)
    with pytest.raises(UserError, match="fill of stroke 0 changes along both axes"):
        to_svg(strokes, TemplateBank.named("circle"), SIZE, None)


def test_numbers_are_compact() -> None:
    svg = to_svg(random_strokes(30, 1), TemplateBank.named("circle"), SIZE, GROUND)
    numbers = re.findall(r"-?\d+\.\d+", " ".join(use.get("transform", "") for use in uses(svg)))
    assert max(len(number.split(".")[1]) for number in numbers) <= 3
    assert len(svg) < 150 * 30 + 400


def test_a_gradient_that_does_not_change_is_a_colour() -> None:
    strokes = with_fields(random_strokes(2, 1), slope=torch.zeros(1, 2, 3, 2))
    colours = (strokes.what[0] * 255).round().int().tolist()
    svg = to_svg(strokes, TemplateBank.named("circle"), SIZE, None)
    assert [use.get("fill") for use in uses(svg)] == ["#{:02x}{:02x}{:02x}".format(*colour) for colour in colours]


def test_a_gradient_of_few_steps_of_8_bits_is_one() -> None:
    slope = torch.tensor([[2 / 255, 0], [0, 0], [0, 0]]).expand(1, 1, 3, 2)
    svg = to_svg(with_fields(random_strokes(1, 1), slope=slope), TemplateBank.named("circle"), SIZE, None)
    assert svg.count("<linearGradient") == 1


def test_a_gradient_along_two_axes_by_few_steps_of_8_bits_is_refused() -> None:
    slope = torch.tensor([[0.3, 0], [0, 4 / 255], [0, 0]]).expand(1, 1, 3, 2)
    with pytest.raises(UserError, match="fill of stroke 0 changes along both axes"):
        to_svg(with_fields(random_strokes(1, 1), slope=slope), TemplateBank.named("circle"), SIZE, None)


def test_opacity_that_rounds_to_nothing_is_left_out() -> None:
    strokes = with_fields(random_strokes(2, 1), opacity=torch.tensor([[1e-5, 1e-4]]))
    svg = to_svg(strokes, TemplateBank.named("circle"), SIZE, None)
    assert [use.get("fill-opacity") for use in uses(svg)] == ["0.0001"]


def test_stamps_stand_to_a_thousandth_of_a_pixel() -> None:
    strokes = random_strokes(10, 1)
    height, width = SIZE
    for use, phi in zip(uses(to_svg(strokes, TemplateBank.named("circle"), SIZE, None)), strokes.where[0], strict=True):
        a, b, c, d, e, f = map(float, re.findall(r"-?[\d.]+", use.get("transform", "")))
        corner = torch.tensor([[a, c, e], [b, d, f]]) @ torch.tensor([1.0, -1, 1])
        canvas = torch.stack([2 * corner[0] / width - 1, 2 * corner[1] / height - 1, torch.tensor(1.0)])
        off = (
            torch.linalg.inv(phi[:, :2]) @ (phi @ canvas - torch.tensor([1.0, -1])) * torch.tensor([width, height]) / 2
        )
        assert off.abs().max() < 0.002


def test_masks_of_thin_stamps_reach_half_a_texel_past_the_template_along_each_axis() -> None:
    gray = TemplateBank(torch.full((1, 16, 16), 0.5))
    where = geometry.phi(torch.tensor([[0, 0.02]]), torch.tensor([[1.2, 0.08]]), torch.zeros(1), SIZE[1] / SIZE[0])
    strokes = Strokes(where[None], torch.ones(1, 1, 1), torch.ones(1, 1, 3))
    ours = render(strokes, gray, SIZE)[0]
    theirs = rendered(to_svg(strokes, gray, SIZE, torch.zeros(3)))[:3]
    assert (theirs - ours).abs().max() < 0.03
