"""The template bank as cells, for the kernels."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limner.kernels.fixed import binary_places
from limner.kernels.mixing import MARGIN
from limner.kernels.outlines import OUTLINE, find_outlines
from limner.pyramid import BORDER, Pyramid
from limner.templates import TemplateBank


class Cells(NamedTuple):
    """A pyramid as the kernels read it: cells, and `bank` in `kernels.over`, which shares their memory."""

    cells: Float[Tensor, "template four_cells"]
    tables: tuple[np.ndarray, ...]


def cells_of(bank: TemplateBank) -> Cells:
    """Those of a bank, which keeps them."""
    return bank.kept("cells", lambda: _made(bank.pyramid))


def _made(pyramid: Pyramid) -> Cells:
    """A pyramid as cells of (a, b, c, d): the mask in a cell is a + b u + c v + d u v (`kernels.quads`)."""
    sizes, offsets = pyramid.sizes.numpy(), pyramid.offsets.numpy()
    margin = int(sizes[0]) + MARGIN
    texels = torch.nn.functional.pad(pyramid.texels.float(), (0, margin))
    widths = [np.full((n + 2 * BORDER) * (m + 2 * BORDER), m + 2 * BORDER) for n in sizes for m in sizes]
    stride = torch.from_numpy(np.concatenate([*widths, np.ones(margin, np.int64)]))
    below = texels[:, stride.add_(torch.arange(len(stride), device="cpu")).clamp_(max=len(stride) - 1)]
    right, beyond = (torch.nn.functional.pad(plane[:, 1:], (0, 1)) for plane in (texels, below))  # borders are zero
    cells = torch.stack([texels, right - texels, below - texels, beyond - below - right + texels], -1).flatten(1)
    outlines = np.empty((len(texels), len(sizes), len(sizes), OUTLINE))
    square = np.empty((sizes[0] + 4, sizes[0] + 4), np.int32)
    find_outlines(cells.detach().numpy(), sizes, offsets, texels.requires_grad, outlines, square)
    part = 0.5 ** int(binary_places.py_func(sizes[0]))
    cells = cells.view(len(texels), -1, 4).mul_(cells.new_tensor([1, part, part, part * part])).flatten(1)
    return Cells(
        cells, (cells.detach().numpy().reshape(-1), outlines, sizes, offsets, texels.detach().numpy().reshape(-1))
    )
