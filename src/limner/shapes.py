"""Named shapes: each a formula, drawn as a mask at any size, and an outline that says the same in SVG."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import max_pool2d

from limner.geometry import centres

SIDE = 28
"""Texels a side unless told otherwise: as many as the small images of the thesis have pixels."""
BAR = 3 / SIDE
INNER = 2 - 2 * BAR
RIM = 0.3
"""Of the radius, over which a soft circle fades."""
HAIRS = (
    (-0.83, 0.5),
    (-0.9, 0.72),
    (-0.92, 0.38),
    (-0.96, 0.87),
    (-0.97, 0.6),
    (-0.99, 0.95),
    (-0.98, 0.46),
    (-1, 1),
    (-0.99, 0.66),
    (-1, 0.91),
    (-0.97, 0.43),
    (-0.96, 0.8),
    (-0.94, 0.55),
    (-0.89, 0.76),
    (-0.82, 0.4),
)
"""Where each hair of a bristle brush begins and ends, from its top down."""
APART, HALF, HEAD, TAIL = 0.0437, 0.0334, 0.091, 0.293
"""Of hairs: how far apart they lie, half of how wide they are, and how long they take to begin and to end in a tip."""
FINEST = 1024
"""Texels a side up to which a shape is drawn anew for a large picture, and is told by its name alone."""
SUBSAMPLES = 16
TOGETHER = 2**14
"""Texels that are sampled at once, in some tens of megabytes."""
COARSE = 32
"""Texels a side, up to which a thin part may pass between the corners of a texel."""
TIP = 5
"""Texels from one that an outline is seen to cross, up to which the tip of a hair, or of a gap, may go on unseen."""
PLAIN: dict[str, Any] = {"dtype": torch.float32, "device": "cpu"}


class Shape(NamedTuple):
    """One shape, twice: mask(x, y) on [-1, 1]^2, and its outline as an SVG fragment, None for one that has none."""

    mask: Callable[[Tensor, Tensor], Tensor]
    svg: str | None


def _bristle(x: Tensor, y: Tensor) -> Tensor:
    begins, ends = torch.tensor(HAIRS).T
    inside = torch.zeros_like(x + y, dtype=torch.bool)
    place = y / APART + (len(HAIRS) - 1) / 2
    for near in (place.floor(), place.ceil()):
        hair = near.clamp(0, len(HAIRS) - 1).long()
        share = torch.minimum((x - begins[hair]) / HEAD, (ends[hair] - x) / TAIL).clamp(max=1)
        inside |= (place - hair).abs() * APART <= HALF * share
    return inside


def _bristle_path() -> str:
    middles = [APART * (k - (len(HAIRS) - 1) / 2) for k in range(len(HAIRS))]
    return "".join(
        f"M{begin} {y:.4f}L{begin + HEAD:.4f} {y - HALF:.4f}H{end - TAIL:.4f}L{end} {y:.4f}"
        f"L{end - TAIL:.4f} {y + HALF:.4f}H{begin + HEAD:.4f}Z"
        for y, (begin, end) in zip(middles, HAIRS, strict=True)
    )


SHAPES = {
    "circle": Shape(lambda x, y: x**2 + y**2 <= 1, '<circle r="1"/>'),
    "square": Shape(lambda x, y: torch.ones_like(x, dtype=torch.bool), '<path d="M-1-1H1V1H-1Z"/>'),
    "line": Shape(lambda x, y: y.abs() <= BAR, f'<path d="M-1-{BAR:.6f}H1V{BAR:.6f}H-1Z"/>'),
    "curve": Shape(
        lambda x, y: ((x + 1).hypot(y + 1) <= 2) & ((x + 1).hypot(y + 1) >= INNER),
        f'<path d="M1-1A2 2 0 0 1-1 1V{INNER - 1:.6f}A{INNER:.6f} {INNER:.6f} 0 0 0 {INNER - 1:.6f}-1Z"/>',
    ),
    "triangle": Shape(lambda x, y: 2 * x.abs() <= y + 1, '<path d="M0-1L1 1H-1Z"/>'),
    "bristle": Shape(_bristle, f'<path d="{_bristle_path()}"/>'),
    "soft": Shape(lambda x, y: ((1 - x.hypot(y)) / RIM).clamp(0, 1), None),
    "transparent": Shape(lambda x, y: torch.zeros_like(x, dtype=torch.bool), ""),
}


def draw(shape: Shape, size: int) -> Float[Tensor, "S S"]:
    """The mask of a shape: its mean over each texel, from points where an outline can pass, else from its middle.

    On the CPU and in 32 bits, whatever torch's defaults are.
    """
    middle = centres(size, **PLAIN)
    mask = shape.mask(*torch.meshgrid(middle, middle, indexing="xy")).float()
    points = (torch.arange(SUBSAMPLES, **PLAIN) + 0.5) * 2 / (SUBSAMPLES * size) - 1 / size
    down, across = (at.flatten() for at in torch.meshgrid(points, points, indexing="ij"))
    for some in _mixed(shape, mask).nonzero().split(TOGETHER):
        y, x = some[:, :1], some[:, 1:]
        found = shape.mask(middle[x] + across, middle[y] + down)
        mask[y[:, 0], x[:, 0]] = found.float().mean(1)
    return mask


def _mixed(shape: Shape, mask: Float[Tensor, "S S"]) -> Bool[Tensor, "S S"]:
    """Texels whose corners and middle are not all the same; all texels where these are too coarse to tell."""
    if len(mask) <= COARSE:
        return torch.ones_like(mask, dtype=torch.bool)
    edges = torch.arange(len(mask) + 1, **PLAIN) * 2 / len(mask) - 1
    corners = shape.mask(*torch.meshgrid(edges, edges, indexing="xy")).float()
    corners = torch.stack([corners[:-1, :-1], corners[:-1, 1:], corners[1:, :-1], corners[1:, 1:]])
    found = (corners != mask).any(0)
    return max_pool2d(found[None].float(), 2 * TIP + 1, 1, TIP)[0] > 0
