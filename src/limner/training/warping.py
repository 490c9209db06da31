"""Training images seen a little differently each time, so that a model cannot learn a small set by heart."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample


def warped(
    images: Float[Tensor, "batch channel height width"], warp: float, mirror: bool
) -> Float[Tensor, "batch channel height width"]:
    """Each image under an affine map of its own: the identity plus `warp` times Gaussian noise on its six numbers.

    mirror: half of the images, at random, also have left and right exchanged. What comes in from outside repeats the
    image's border. Without either, the images as they are.
    """
    if not warp and not mirror:
        return images
    maps = torch.eye(2, 3, device=images.device).repeat(len(images), 1, 1)
    maps += warp * torch.randn_like(maps)
    if mirror:
        maps[:, :, 0] *= 1 - 2 * torch.randint(2, (len(images), 1), device=images.device)
    grid = affine_grid(maps, list(images.shape), align_corners=False)
    return grid_sample(images, grid, padding_mode="border", align_corners=False)
