"""The order of moves from the image's own evidence, without parameters; learnt orders are in `canvas.soft_depth`."""

import torch
from jaxtyping import Float
from torch import Tensor

from limner.canvas import Canvas
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import move_masks


@torch.no_grad()
def by_evidence(
    images: Canvas, strokes: Strokes, bank: TemplateBank, sigma: float = 0.2
) -> Float[Tensor, "batch move"]:
    """Depths 0, 1, 2 ... that put a move above another where the image shows its colour in what both cover.

    g_t = exp(-(x - a_t)^2 / 2 sigma^2) says how well the colour a_t explains a pixel, and
    E_ts = sum over pixels of m_t m_s (g_t - g_s) whether t lies above s. The moves are then sorted greedily: the one
    with the strongest evidence for all that is left lying above it goes to the bottom.
    """
    masks = move_masks(strokes, bank, (images.shape[2], images.shape[3])).flatten(2)
    fits = explained(images, strokes.what, sigma)
    evidence = masks @ (masks * fits).transpose(1, 2)
    evidence = evidence.transpose(1, 2) - evidence
    return greedy_order(evidence)


def explained(
    images: Canvas, what: Float[Tensor, "batch move channel"], sigma: float
) -> Float[Tensor, "batch move pixel"]:
    """exp(-(x - a_t)^2 / 2 sigma^2) for every move's colour a_t and every pixel x."""
    distance = images.flatten(2)[:, None] - what[..., None]
    return (-distance.square().mean(2) / (2 * sigma**2)).exp()


def greedy_order(evidence: Float[Tensor, "batch move move"]) -> Float[Tensor, "batch move"]:
    """Ranks from bottom to top; evidence[t, s] > 0 where t lies above s. Without evidence painting order stays."""
    batch, moves, _ = evidence.shape
    rank = torch.zeros(batch, moves, dtype=evidence.dtype, device=evidence.device)
    left = torch.ones(batch, moves, dtype=torch.bool, device=evidence.device)
    rows = torch.arange(batch, device=evidence.device)
    for place in range(moves):
        covered = (evidence * left[:, :, None]).sum(1).masked_fill(~left, -torch.inf)
        lowest = (covered >= covered.amax(1, keepdim=True) - 1e-6).int().argmax(1)
        rank[rows, lowest] = place
        left[rows, lowest] = False
    return rank
