"""Prefiltered sizes of a template bank, so that a stamp drawn small stays smooth.

The two axes are halved independently (a "ripmap"): level (i, j) is the template averaged down to `sizes[i]` rows and
`sizes[j]` columns. All levels lie in one flat row of texels per template, each level with a border of two zero texels,
so that a bilinear look-up anywhere outside the template finds zeros.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

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
    side = int(masks.shape[-1])  # which is a tensor in a trace
    smaller, order, sizes, offsets = (torch.from_numpy(table).to(masks.device) for table in _plan(side, prefilter))
    whole, edges = masks.double(), (BORDER, BORDER)
    rows = torch.cat([pad(whole, (0, 0, *edges)), smaller @ whole], 1)
    levels = torch.cat([pad(rows, edges), rows @ smaller.mT], 2)
    return Pyramid(levels.to(masks).flatten(1)[:, order], sizes, offsets, side)


def _plan(side: int, prefilter: bool) -> tuple[np.ndarray, ...]:
    """`_tables`, without compilers looking into it."""
    return _tables(side, prefilter)


# As torch.compiler.assume_constant_result would, which imports the whole compiler.
_plan._dynamo_marked_constant = True  # pyright: ignore[reportFunctionMemberAccess]


@lru_cache(maxsize=4)
def _tables(side: int, prefilter: bool) -> tuple[np.ndarray, ...]:
    """Matrix that averages an axis to all smaller sizes, each in its border; the order of texels, sizes and offsets."""
    sizes = [side]
    while prefilter and sizes[-1] > 1:
        sizes.append((sizes[-1] + 1) // 2)
    smaller = [np.pad(shares(size, side), ((BORDER, BORDER), (0, 0))) for size in sizes[1:]]
    ends = np.cumsum(sizes) + 2 * BORDER * np.arange(1, len(sizes) + 1)
    number = np.arange(ends[-1] ** 2).reshape(ends[-1], ends[-1])
    levels = [level for rows in np.split(number, ends[:-1]) for level in np.split(rows, ends[:-1], axis=1)]
    offsets = np.cumsum([0, *(level.size for level in levels)])[:-1].reshape(len(sizes), len(sizes))
    smaller = np.concatenate([np.empty((0, side)), *smaller])
    return smaller, np.concatenate([level.ravel() for level in levels]), np.array(sizes), offsets


def shares(size: int, side: int) -> np.ndarray:
    """What each of `side` texels counts in the mean over each of `size` equal parts: (size, side)."""
    edges = np.arange(size + 1)[:, None] * side / size
    return np.diff(np.clip(edges - np.arange(side), 0, 1), axis=0) * (size / side)
