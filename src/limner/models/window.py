"""Windows: reading a part of an image, and placing a patch, by a spatial transformer (thesis 2.3.3)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from limner.models.settings import Model
from limner.models.writers import h_where

PAPER = -4.0
"""Logit of the blank canvas that patches are added to: nearly white at first, then learnt (Gregor et al. 2015)."""

Phi = Float[Tensor, "batch 2 3"]


def transform(
    images: Float[Tensor, "batch channel height width"], phi: Phi, size: tuple[int, int]
) -> Float[Tensor, "batch channel height_out width_out"]:
    """The picture of `size` (height, width) whose point p shows the image at phi p (eq. 2.20, 2.21); 0 outside.

    To read a window, phi maps its points to the image's; to place a patch on a canvas, phi is a stroke's where.
    """
    if not len(images):
        return images.new_zeros(0, images.shape[1], *size)
    grid = functional.affine_grid(phi, [len(images), 1, *size], align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)


def affine(numbers: Float[Tensor, "*moves four_or_six"], phi0: float) -> Float[Tensor, "*moves 2 3"]:
    """Phi = diag(phi0, phi0) + h, from the six numbers of h or the four without rotation and skew."""
    h = h_where(numbers)
    return h + phi0 * torch.eye(2, 3, dtype=h.dtype, device=h.device)


class Attention(nn.Linear):
    """The Phi of hidden features; untrained, it takes in the whole image."""

    def __init__(self, settings: Model, features: int) -> None:
        super().__init__(features, settings.where_numbers)

    def forward(self, input: Float[Tensor, "batch features"]) -> Phi:
        """Phi of each image."""
        return affine(super().forward(input), 1.0)
