"""Prefiltered sizes of a template bank, so that a stamp drawn small stays smooth.

The two axes are halved independently (a "ripmap"): level (i, j) is the template averaged down to `sizes[i]` rows and
`sizes[j]` columns. All levels lie in one flat row of texels per template, each level with a border of two zero texels,
so that a bilinear look-up anywhere outside the template finds zeros.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

BORDER = 2


@dataclass(frozen=True)
class Pyramid:
    """texels: all levels, bordered, flat.  sizes: texels a side by level.  offsets: first texel of level (y, x).

    side: the first of sizes, known without asking the device.
    """

    texels: Float[Tensor, "template texel"]
    sizes: Int[Tensor, "level"]
    offsets: Int[Tensor, "level level"]
    side: int


def build(masks: Float[Tensor, "template S S"], prefilter: bool = True) -> Pyramid:
    """The pyramid of a bank of masks, differentiable in them; level 0 alone without `prefilter`."""
    side = masks.shape[-1]
    sizes = [side]
    while prefilter and sizes[-1] > 1:
        sizes.append((sizes[-1] + 1) // 2)
    levels, offsets, end = [], [], 0
    for rows in sizes:
        shorter = _average(masks.mT, rows).mT
        for columns in sizes:
            level = _average(shorter, columns)
            level = torch.nn.functional.pad(level, (BORDER,) * 4).flatten(1)
            levels.append(level)
            offsets.append(end)
            end += level.shape[1]
    table = torch.tensor(offsets, device=masks.device).view(len(sizes), len(sizes))
    return Pyramid(torch.cat(levels, 1), torch.tensor(sizes, device=masks.device), table, side)


def _average(texels: Float[Tensor, "template rows S"], size: int) -> Float[Tensor, "template rows size"]:
    """Every row averaged over `size` equal parts, from differences of its running sum."""
    side = texels.shape[-1]
    if size == side:
        return texels
    total = torch.nn.functional.pad(texels.double().cumsum(-1), (1, 0))
    edges = torch.arange(size + 1, device=texels.device, dtype=torch.float64) * side / size
    whole = edges.long().clamp(max=side - 1)
    at_edges = torch.lerp(total[..., whole], total[..., whole + 1], edges - whole)
    return (at_edges.diff(dim=-1) * (size / side)).to(texels)
