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
    """texels: all levels, bordered, flat.  sizes: texels a side by level.  offsets: first texel of level (y, x)."""

    texels: Float[Tensor, "template texel"]
    sizes: Int[Tensor, "level"]
    offsets: Int[Tensor, "level level"]


def build(masks: Float[Tensor, "template S S"], prefilter: bool = True) -> Pyramid:
    """The pyramid of a bank of masks, differentiable in them; level 0 alone without `prefilter`."""
    side = masks.shape[-1]
    sizes = [side]
    while prefilter and sizes[-1] > 1:
        sizes.append((sizes[-1] + 1) // 2)
    shrink = [_averaging(side, size).to(masks) for size in sizes]
    levels, offsets, end = [], [], 0
    for rows in shrink:
        for columns in shrink:
            level = rows @ masks @ columns.T if prefilter else masks
            level = torch.nn.functional.pad(level, (BORDER,) * 4).flatten(1)
            levels.append(level)
            offsets.append(end)
            end += level.shape[1]
    table = torch.tensor(offsets, device=masks.device).view(len(sizes), len(sizes))
    return Pyramid(torch.cat(levels, 1), torch.tensor(sizes, device=masks.device), table)


def _averaging(side: int, size: int) -> Float[Tensor, "size side"]:
    """Row r averages the r-th of `size` equal parts of `side` texels."""
    edges = torch.arange(size + 1, dtype=torch.float64) * side / size
    texel = torch.arange(side, dtype=torch.float64)
    covered = torch.minimum(edges[1:, None], texel + 1) - torch.maximum(edges[:-1, None], texel)
    return covered.clamp(min=0) * size / side
