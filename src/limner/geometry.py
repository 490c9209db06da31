"""Every axis and direction convention of limner; nothing else restates them.

A canvas point (x, y) lies in [-1, 1]^2, x to the right, y downwards, and pixel (row j, column i) of an H x W canvas has
its centre at ((2 i + 1) / W - 1, (2 j + 1) / H - 1): the pixel-centre grid of `affine_grid(align_corners=False)`.
Phi maps a canvas point to a template point, p = Phi (x, y, 1), also in [-1, 1]^2, with texel (row v, column u) of an
n x m template centred at ((2 u + 1) / m - 1, (2 v + 1) / n - 1). A large Phi is therefore a small stamp.
Angles turn the stamp clockwise on the screen.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def centres(count: int, **kind) -> Float[Tensor, "count"]:
    """Pixel centres along an axis of `count` pixels, in [-1, 1]."""
    return (2 * torch.arange(count, **kind) + 1) / count - 1


def canvas_points(height: int, width: int, **kind) -> Float[Tensor, "height width 3"]:
    """Homogeneous canvas points (x, y, 1) of all pixel centres."""
    y, x = torch.meshgrid(centres(height, **kind), centres(width, **kind), indexing="ij")
    return torch.stack([x, y, torch.ones_like(x)], -1)


def phi(
    centre: Float[Tensor, "*stamps 2"],
    half_size: Float[Tensor, "*stamps 2"],
    angle: Float[Tensor, "*stamps"],
    aspect: float = 1.0,
) -> Float[Tensor, "*stamps 2 3"]:
    """Phi of a stamp of given centre (canvas units), half width and height (in canvas heights / 2), and angle (rad).

    `aspect` is canvas width / height: on a canvas that is not square a rotation happens in pixels, not in canvas units.
    """
    cos, sin = angle.cos(), angle.sin()
    rows = torch.stack([torch.stack([cos, sin], -1), torch.stack([-sin, cos], -1)], -2) / half_size[..., None]
    linear = rows * torch.tensor([aspect, 1.0], dtype=rows.dtype, device=rows.device)
    return torch.cat([linear, -(linear @ centre[..., None])], -1)


def moved(where: Float[Tensor, "*stamps 2 3"], by: Float[Tensor, "*stamps 2"]) -> Float[Tensor, "*stamps 2 3"]:
    """Phi of the same stamp, moved `by` (x, y) in canvas units."""
    linear, shift = where.split([2, 1], -1)
    return torch.cat([linear, shift - linear @ by[..., None]], -1)


def cropped(
    where: Float[Tensor, "*stamps 2 3"], window: tuple[int, int, int, int], size: tuple[int, int]
) -> Float[Tensor, "*stamps 2 3"]:
    """Phi of the same stamp on a part of a canvas of `size` (height, width): left, top, right and bottom, in pixels."""
    (left, top, right, bottom), (height, width) = window, size
    stretch = where.new_tensor([(right - left) / width, (bottom - top) / height])
    shift = where.new_tensor([[(left + right) / width - 1], [(top + bottom) / height - 1]])
    linear, start = where.split([2, 1], -1)
    return torch.cat([linear * stretch, start + linear @ shift], -1)


def invert(where: Float[Tensor, "*stamps 2 3"], least: float = 0.0) -> Float[Tensor, "*stamps 2 3"]:
    """The affine map back, from template points to canvas points; degenerate Phi gives inf or nan.

    A determinant nearer to 0 than `least` is taken for `least`, of its sign: nothing is then degenerate.
    """
    (a, b, c), (d, e, f) = (row.unbind(-1) for row in where.unbind(-2))
    det = a * e - b * d
    if least:
        det = torch.where(det.abs() < least, torch.full_like(det, least).copysign(det.detach()), det)
    rows = [torch.stack([e, -b, b * f - c * e], -1), torch.stack([-d, a, c * d - a * f], -1)]
    return torch.stack(rows, -2) / det[..., None, None]


def sharpness(samples: int) -> int:
    """Texels to a look-up that a prefiltered template should have, where each pixel is the mean of samples x samples.

    A mean smooths, too, so that the template may be sharper.
    """
    return 1 if samples == 1 else 2


def prefilter_levels(
    where: Float[Tensor, "*stamps 2 3"], size: tuple[int, int], texels: int, levels: int, samples: int = 1
) -> Int[Tensor, "*stamps 2"]:
    """Level of prefiltering along template x and y: halvings that bring the template nearest to one texel a look-up.

    With several samples a pixel it is two texels (`sharpness`). A template of `texels` texels a side, on a canvas of
    `size` (height, width). The two axes are chosen apart, since a long thin stamp shrinks one axis only.
    """
    look_ups = [side * samples * sharpness(samples) for side in reversed(size)]
    per_pixel = where.detach().double()[..., :2] * (texels / torch.tensor(look_ups, device=where.device).double())
    squared = per_pixel.square().sum(-1)
    steps = 2.0 * 4.0 ** torch.arange(levels - 1, device=where.device, dtype=torch.float64)
    return (squared[..., None] > steps).sum(-1)
