"""What the numbers of a painting may be, whoever made them."""

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from limner.errors import UserError
from limner.strokes import Strokes

ROUNDING = 1e-3
"""How far beyond their ranges numbers may be that were rounded, by other programs too; in 16 bits, more."""


def in_range(
    name: str | Path, strokes: Strokes, background: Float[Tensor, "channel"] | None
) -> tuple[Strokes, Float[Tensor, "channel"] | None]:
    """Strokes and background in 32 bits.

    Raises UserError for what no painting holds: numbers beyond those, colours and opacities outside of [0, 1], weights
    that are no shares, nor all 0. `Strokes.held` brings all but the first into their ranges.
    """
    rounding = max(ROUNDING, 4 * torch.finfo(strokes.which.dtype).eps)
    strokes = strokes.map(lambda tensor: tensor.detach().cpu().float())
    background = None if background is None else background.detach().cpu().float()
    if not all(tensor.isfinite().all() for tensor in strokes.tensors().values()):
        raise UserError(f"{name}: holds numbers beyond those of 32 bits")
    ranges = {"which": (strokes.which, 0, 1), "what": (strokes.what, 0, 1)}
    shares = strokes.which.sum(-1)
    ranges |= {"sum of which": (torch.where(strokes.which.any(-1), shares, 1.0), 1, 1)}
    ranges |= {} if strokes.opacity is None else {"opacity": (strokes.opacity, 0, 1)}
    ranges |= {} if strokes.slope is None else {"slope": (strokes.slope, -1, 1)}
    for field, (tensor, least, most) in ranges.items():
        beyond = (tensor < least - rounding) | (tensor > most + rounding)
        if beyond.any():
            stroke, held = int(torch.nonzero(beyond)[0, 1]), tensor[beyond][0].item()
            wanted = f"{least} to {most}" if least < most else f"{most}"
            raise UserError(f"{name}: stroke {stroke}: {field} is {held:g}, expected {wanted}")
    if background is not None and not ((background >= -rounding) & (background <= 1 + rounding)).all():
        raise UserError(f"{name}: background is {[round(value, 4) for value in background.tolist()]}, expected 0 to 1")
    return strokes, background
