"""The reference: transforming masks and updating the canvas in plain PyTorch, as the equations stand.

Any device, any dtype, differentiable to any order. `kernels` computes the same functions faster.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

from limner.geometry import canvas_points, prefilter_levels
from limner.pyramid import BORDER, Pyramid

Canvas = Float[Tensor, "batch channel height width"]
Mask = Float[Tensor, "batch height width"]


def transform_mask(
    template: Float[Tensor, "batch texel"],
    pyramid: Pyramid,
    where: Float[Tensor, "batch 2 3"],
    size: tuple[int, int],
    samples: int = 1,
) -> Mask:
    """Bilinear samples of a template, one value in all its sizes per image, under every pixel (eq. 2.20, 2.21).

    samples: along each axis of a pixel, whose mean is its mask.
    """
    level = prefilter_levels(where, size, pyramid.side, len(pyramid.sizes), samples)
    size = size[0] * samples, size[1] * samples
    texels = pyramid.sizes[level]
    start = pyramid.offsets[level[:, 1], level[:, 0]]
    points = template_points(where, size)
    n = texels[:, None, None, :].to(where)
    position = (((points + 1) * n - 1) / 2 + BORDER).clamp(min=torch.zeros_like(n), max=n + BORDER)
    cell = position.detach().floor().nan_to_num()
    u, v = (position - cell).unbind(-1)
    column, row = cell.long().unbind(-1)
    stride = texels[:, :1, None] + 2 * BORDER
    first = start[:, None, None] + row * stride + column
    nearest = (first, first + 1, first + stride, first + stride + 1)
    a, b, c, d = (template.gather(1, index.flatten(1)).view_as(u) for index in nearest)
    upper, lower = a * (1 - u) + b * u, c * (1 - u) + d * u
    return avg_pool2d((upper * (1 - v) + lower * v)[:, None], samples)[:, 0]


def template_points(where: Float[Tensor, "batch 2 3"], size: tuple[int, int]) -> Float[Tensor, "batch height width 2"]:
    """The template point under every pixel (eq. 2.20)."""
    points = canvas_points(*size, dtype=where.dtype, device=where.device)
    return torch.einsum("hwk,bpk->bhwp", points, where)


def colour_field(
    what: Float[Tensor, "batch channel"],
    slope: Float[Tensor, "batch channel 2"] | None,
    where: Float[Tensor, "batch 2 3"],
    size: tuple[int, int],
    samples: int = 1,
) -> Float[Tensor, "batch channel height_or_1 width_or_1"]:
    """Colour of a stamp at every pixel: what, or what + slope p at template point p for a gradient fill.

    With several samples a pixel, its centre can be far outside of a thin stamp, so that beyond its range within the
    template the fill is that of a corner.
    """
    flat = what[..., None, None]
    if slope is None:
        return flat
    tilt = torch.einsum("bhwp,bcp->bchw", template_points(where, size), slope).nan_to_num()
    if samples > 1:
        reach = slope.abs().sum(-1)[..., None, None]
        tilt = torch.where(tilt.abs() <= reach, tilt, reach * tilt.detach().sign())
    return flat + tilt


def additive(canvas: Canvas, mask: Mask, colour: Tensor) -> Canvas:
    """Eq. 3.3: the coloured mask is added."""
    return canvas + colour * mask[:, None]


def over(canvas: Canvas, mask: Mask, colour: Tensor) -> Canvas:
    """Eq. 3.4, 3.5: the coloured mask covers what is below it."""
    return canvas * (1 - mask[:, None]) + colour * mask[:, None]


def soft_depth(
    canvas: Canvas,
    masks: Float[Tensor, "batch move height width"],
    colours: list[Tensor],
    depth: Float[Tensor, "batch move"],
    temperature: float,
) -> Canvas:
    """All moves at once, each seen as far as nearer ones let it through: `over` in depth order as temperature -> 0.

    w_t = m_t prod_{s != t} (1 - m_s sigmoid((z_s - z_t) / temperature)), rescaled so that the weights sum to the
    coverage A = 1 - prod (1 - m_s): an opaque pile hides the canvas whatever its depths.
    """
    moves = masks.shape[1]
    if moves == 0:
        return canvas
    weights = []
    for t in range(moves):
        nearer = torch.sigmoid((depth - depth[:, t : t + 1]) / temperature)
        nearer = nearer * (torch.arange(moves, device=depth.device) != t)
        weights.append(masks[:, t] * (1 - masks * nearer[..., None, None]).prod(1))
    coverage = 1 - (1 - masks).prod(1)
    weights = torch.stack(weights)
    largest = weights.detach().amax(0).clamp(min=torch.finfo(weights.dtype).tiny)
    weights = weights / largest  # or else squares of small ones, in the gradient, would be zero
    total = weights.sum(0)
    share = coverage / torch.where(total < 1, 1, total)  # `clamp` has no gradient at 1 from torch 2.14 on
    paint = sum(weight[:, None] * colour for weight, colour in zip(weights, colours, strict=True))
    return canvas * (1 - coverage[:, None]) + paint * share[:, None]


def depth_order(depth: Float[Tensor, "batch move"], temperature: float) -> Float[Tensor, "two batch move move"]:
    """As numbers: [0, b, t, s] is how far s is nearer than t, zero where s = t, and [1, b, t, s] is one minus that."""
    difference = (depth[:, None] - depth[:, :, None]).detach() / temperature
    order = torch.stack([difference, -difference]).sigmoid().contiguous()
    order[0].diagonal(dim1=1, dim2=2).fill_(0)
    order[1].diagonal(dim1=1, dim2=2).fill_(1)
    return order
