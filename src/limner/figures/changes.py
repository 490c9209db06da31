"""What training has changed since an earlier stage, on the same images."""

import torch
from jaxtyping import Float
from torch import Tensor

from limner.data.images import Images
from limner.models.build import Network
from limner.models.code import mean_codes
from limner.models.output import Steps
from limner.training.matching import Scores
from limner.training.process import of_output

Paintings = Float[Tensor, "batch channel height width"]


def changes(model: Network, earlier: Network, images: Images) -> Scores:
    """Scores of one batch by a model and by what it was earlier, both being evaluated, with the means of their codes.

    kept, alike: over images, how far the painting overlaps with that of the earlier stage, and with the image.
    updated: over images, that of `updated`.
    """
    ink = images.ink()
    with mean_codes(model), mean_codes(earlier):
        after, before = (of_output(each(ink), each.bank) for each in (model, earlier))
    painted = after[:, -1]
    return {"kept": overlap(painted, before[:, -1]), "alike": overlap(painted, ink), "updated": updated(before, after)}


def overlap(one: Paintings, other: Paintings) -> Float[Tensor, "batch"]:
    """The ink that both have over the ink that either has; blank ones overlap in full."""
    both, either = (pick(one, other).flatten(1).sum(1) for pick in (torch.minimum, torch.maximum))
    return torch.where(either > 0, both / either.clamp(min=1e-12), torch.ones_like(either))


def updated(before: Steps, after: Steps) -> Float[Tensor, "batch"]:
    """The share of all moves that change, of moves that change alike: (sum of changes)^2 / (moves x sum of squares).

    A move's change is that of the ink that it puts on and takes off.  Images in which nothing changes have 0.
    """
    off = after - before
    each = torch.cat([off[:, :1], off.diff(dim=1)], 1).abs().flatten(2).sum(2)
    return each.sum(1).square() / (each.shape[1] * each.square().sum(1)).clamp(min=1e-12)
