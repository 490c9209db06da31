"""Scenes to paint by every backend, and what it takes for two to agree."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

import torch
from hypothesis import strategies as st
from torch import Tensor

from limner import geometry
from limner.checks import Compositing
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import render

TIE = 1e-5
"""Texels: a float32 position this near to the border of a texel cell may be taken for one in the next cell."""


def stamp(kind: str, size: tuple[int, int]) -> Tensor:
    """One Phi of a kind, (2, 3)."""
    near = torch.randn(2, 3) * torch.tensor([1.5, 1.5, 0.5])
    if kind == "mirrored":
        return torch.tensor([[-2.0, 0, 0], [0, 2, 0]]) + 0.1 * torch.randn(2, 3)
    if kind == "sheared":
        return torch.tensor([[1.0, 5.0, 0], [0, 1, 0]]) + 0.1 * torch.randn(2, 3)
    if kind == "rank one":
        return torch.outer(torch.randn(2), torch.tensor([1.0, -0.7, 0.2]))
    if kind == "zero":
        return torch.zeros(2, 3)
    if kind == "outside":
        return near + torch.tensor([[0.0, 0, 40], [0, 0, -40]])
    if kind in ("tiny", "huge"):
        sides = torch.tensor(size[::-1])
        pixel = (2 * (torch.rand(2) * sides).long() + 1) / sides - 1
        half = 2 / size[0] * (1e-6 if kind == "tiny" else 1e6)
        return geometry.phi(pixel.double(), torch.full((2,), half).double(), torch.rand(()).double()).float()
    return near


SAMPLES = (1, 1, 2, 3, 4)
KINDS = ("near", "mirrored", "sheared", "rank one", "zero", "outside", "tiny", "huge")


@st.composite
def scenes(draw) -> dict:
    """Leaves by name, and how to render them."""
    torch.manual_seed(draw(st.integers(0, 2**30)))
    size = draw(st.tuples(st.integers(1, 40), st.integers(1, 40)) | st.just((150, 9)) | st.just((1, 1)))
    batch, moves, templates = draw(st.integers(0, 2)), draw(st.integers(0, 5)), draw(st.integers(1, 5))
    channels, side = draw(st.sampled_from((1, 3))), draw(st.integers(1, 12))
    kinds = [draw(st.sampled_from(KINDS)) for _ in range(batch * moves)]
    where = torch.stack([torch.zeros(2, 3), *(stamp(kind, size) for kind in kinds)])[1:].view(batch, moves, 2, 3)
    which = torch.randn(batch, moves, templates).softmax(-1)
    choice = draw(st.sampled_from(("soft", "hard", "some zero")))
    if choice != "soft":
        which = which * (which >= which.max(-1, keepdim=True).values * (1 if choice == "hard" else 0.5))
        which = which / which.sum(-1, keepdim=True)
    masks = torch.rand(templates, side, side)
    if draw(st.booleans()):
        masks = (masks > 0.2).float()
    leaves = {"where": where, "which": which, "what": torch.rand(batch, moves, channels), "masks": masks}
    leaves["background"] = torch.rand(batch, channels, *size)
    compositing = draw(st.sampled_from(get_args(Compositing)))
    if compositing == "depth" or draw(st.booleans()):
        leaves["depth"] = torch.rand(batch, moves)
    if draw(st.booleans()):
        leaves["opacity"] = torch.rand(batch, moves).round(decimals=draw(st.sampled_from((0, 4))))
    if draw(st.booleans()):
        leaves["slope"] = 0.3 * torch.randn(batch, moves, channels, 2)
    wanted = draw(st.sets(st.sampled_from(sorted(leaves))))
    temperature = draw(st.sampled_from((0.05, 0.5))) if compositing == "depth" else 0.0
    options = {"compositing": compositing, "temperature": temperature, "samples": draw(st.sampled_from(SAMPLES))}
    return {"leaves": leaves, "wanted": sorted(wanted), "prefilter": draw(st.booleans()), "options": options}


def paint(leaves: dict[str, Tensor], prefilter: bool, options: dict, backend: str) -> Tensor:
    strokes = Strokes(**{name: leaf for name, leaf in leaves.items() if name not in ("masks", "background")})
    bank = TemplateBank(leaves["masks"], prefilter=prefilter)
    return render(strokes, bank, background=leaves["background"], backend=backend, **options)


def gradients(
    scene: dict, backend: str, dtype: torch.dtype, cotangent: Tensor, device: str = "cpu"
) -> tuple[Tensor, dict[str, Tensor]]:
    """Canvas, and gradients to the wanted leaves, found on `device`."""
    leaves = {name: leaf.to(device, dtype, copy=True) for name, leaf in scene["leaves"].items()}
    wanted = [leaves[name].requires_grad_() for name in scene["wanted"]]
    canvas = paint(leaves, scene["prefilter"], scene["options"], backend)
    if not canvas.requires_grad:
        return canvas.cpu(), {}
    found = torch.autograd.grad(canvas, wanted, cotangent.to(device, dtype), allow_unused=True)
    return canvas.detach().cpu(), {n: g.cpu() for n, g in zip(scene["wanted"], found, strict=True) if g is not None}


def ties(scene: dict) -> tuple[bool, Tensor]:
    """Whether a level hangs on the last digit; pixels (batch, 1, H, W) that some stamp samples on the border of a cell.

    There the mask bends and has no gradient: rounding decides which of the two sides' is taken.
    """
    where, side = scene["leaves"]["where"].double(), scene["leaves"]["masks"].shape[-1]
    size, samples = tuple(scene["leaves"]["background"].shape[-2:]), scene["options"].get("samples", 1)
    level, sizes = torch.zeros(*where.shape[:-1], dtype=torch.long), torch.tensor([side])
    unsure = False
    if scene["prefilter"]:
        bank = TemplateBank(torch.ones(1, side, side))
        sizes = bank.pyramid.sizes
        nudged = [
            geometry.prefilter_levels(where * scale, size, side, len(sizes), samples) for scale in (1 - 1e-6, 1 + 1e-6)
        ]
        level, unsure = nudged[0], bool((nudged[0] != nudged[1]).any())
    texels = sizes[level][:, :, None, None]
    fine = geometry.canvas_points(size[0] * samples, size[1] * samples, dtype=torch.float64)
    points = torch.einsum("hwk,btpk->bthwp", fine, where)
    position = ((points + 1) * texels - 1) / 2
    inside = ((position > -1 - TIE) & (position < texels + TIE)).all(-1)
    bends = ((position - position.round()).abs() < TIE).any(-1) & inside
    return unsure, torch.nn.functional.max_pool2d(bends.any(1, keepdim=True).double(), samples) > 0


OPAQUE = {size: TemplateBank.named("circle", "square", "line", size=size).masks for size in (3, 9, 28)}


@st.composite
def piles(draw) -> dict:
    """Scenes of many stamps, most of them opaque, which hide much of each other."""
    torch.manual_seed(draw(st.integers(0, 2**30)))
    size = draw(st.sampled_from(((30, 25), (9, 150), (150, 9), (20, 300), (1, 64), (16, 65))))
    moves, channels = draw(st.integers(1, 15)), draw(st.sampled_from((1, 3)))
    where = torch.randn(2, moves, 2, 3) * draw(st.sampled_from((0.3, 0.7)))
    where[..., 0, 0] += draw(st.sampled_from((0.3, 1.5, 4.0)))
    where[..., 1, 1] += draw(st.sampled_from((0.3, 1.5)))
    leaves = {
        "where": where,
        "which": torch.nn.functional.one_hot(torch.randint(3, (2, moves)), 3).float(),
        "what": torch.rand(2, moves, channels),
        "masks": OPAQUE[draw(st.sampled_from(sorted(OPAQUE)))],
        "background": torch.rand(2, channels, *size),
    }
    if draw(st.booleans()):
        leaves["opacity"] = (torch.rand(2, moves) < 0.7).float().clamp(min=0.5)
    if draw(st.booleans()):
        leaves["slope"] = 0.3 * torch.randn(2, moves, channels, 2)
    wanted = draw(st.sets(st.sampled_from(sorted(leaves.keys() - {"masks"}))))
    options = {"compositing": draw(st.sampled_from(("over", *get_args(Compositing))))}
    options["samples"] = draw(st.sampled_from(SAMPLES))
    if options["compositing"] == "depth":
        leaves["depth"], options["temperature"] = torch.rand(2, moves), draw(st.sampled_from((0.0, 0.3)))
    return {"leaves": leaves, "wanted": sorted(wanted), "prefilter": draw(st.booleans()), "options": options}


def scene_of(
    compositing: str, size: tuple[int, int] = (30, 25), batch: int = 5, moves: int = 4, samples: int = 1
) -> dict:
    """Stamps all over the canvas, of three templates, and everything is learnt."""
    where = torch.stack([stamp("near", size) for _ in range(batch * moves)]).view(batch, moves, 2, 3)
    leaves = {
        "where": where,
        "which": torch.randn(batch, moves, 3).softmax(-1),
        "what": torch.rand(batch, moves, 3),
        "opacity": torch.rand(batch, moves),
        "slope": torch.randn(batch, moves, 3, 2),
        "depth": torch.rand(batch, moves),
        "masks": torch.rand(3, 9, 9),
        "background": torch.rand(batch, 3, *size),
    }
    options = {"compositing": compositing, "temperature": 0.3 if compositing == "depth" else 0.0, "samples": samples}
    return {"leaves": leaves, "wanted": sorted(leaves), "prefilter": True, "options": options}


def compare(scene: dict, device: str = "cpu") -> None:
    """Assert that the fused backend of a device finds the reference's canvas and gradients.

    The scene is one where no level hangs on the last digit.
    """
    unsure, bent = ties(scene)
    assert not unsure
    cotangent = torch.randn_like(scene["leaves"]["background"]) * ~bent
    ours = gradients(scene, "fused", torch.float32, cotangent, device)
    theirs = gradients(scene, "reference", torch.float64, cotangent)
    torch.testing.assert_close(ours[0].double(), theirs[0], rtol=0, atol=1e-5)
    assert ours[1].keys() >= theirs[1].keys()
    rounding = 1e-6 + 1e-7 * cotangent.norm().item()  # of a float32 sum over the canvas, whose terms may cancel
    for name, true in theirs[1].items():
        largest = true.abs().max().item() if true.numel() else 0.0
        torch.testing.assert_close(ours[1][name].double(), true, rtol=0, atol=1e-4 * largest + rounding)


@contextmanager
def by_default(dtype: torch.dtype) -> Iterator[None]:
    """Tensors of floating-point numbers that are not told their kind are of this one."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def axes(where: Tensor, size: tuple[int, int]) -> Tensor:
    """Half axes of stamps (..., 2, 2) as columns, in pixels of a canvas: where the corners of their templates go."""
    height, width = size
    return geometry.invert(where)[..., :2] * torch.tensor([[width / 2], [height / 2]], dtype=where.dtype)


def half_sizes(where: Tensor, size: tuple[int, int]) -> Tensor:
    """Half widths and half heights of stamps (..., 2), in pixels."""
    return axes(where, size).norm(dim=-2)
