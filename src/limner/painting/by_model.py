"""Strokes to start from, proposed by a trained painter: one look at the picture, or one at each patch of a grid."""

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from limner.errors import UserError
from limner.experiments.runs import load
from limner.geometry import canvas_points
from limner.models.build import Network
from limner.models.code import mean_codes
from limner.models.evaluating import evaluating
from limner.painting.brushes import texels_of
from limner.painting.pictures import Planes
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import in_depth_order

FLAT = 0.05
"""Least determinant of Phi of a stroke that is taken over: stamps of twenty canvases."""


def read_model(source: str | Path | Network) -> Network:
    """The painter of a run's folder, or itself; UserError if it paints without templates."""
    model = load(source) if isinstance(source, str | Path) else source
    if not isinstance(model, Network):
        raise UserError(f"model: a {type(model).__name__} is no painter: give one, or the folder of a run")
    if model.bank is None:
        called = source if isinstance(source, str | Path) else "model"
        raise UserError(f"{called}: a model of kind {model.settings.kind} paints without strokes: choose a painter")
    return model


def brushes(model: Network) -> TemplateBank:
    """The painter's templates at a resolution for large canvases."""
    assert model.bank is not None
    bank = TemplateBank(model.bank.masks.detach().cpu().float(), model.bank.names)
    return bank.redrawn(texels_of(list(bank.names)))


def proposed(model: Network, pixels: Planes, count: int) -> Strokes:
    """At most `count` strokes for a picture of brightness, a batch of one in painting order.

    The picture is cut into the finest grid of 2^k x 2^k patches that the count allows, and every patch is painted as if
    it were one of the images that the model was trained on; the strokes are then placed where their patch lies.
    """
    cells = 1
    while model.settings.moves_out_of_training * (2 * cells) ** 2 <= count:
        cells *= 2
    patches = cut(pixels.mean(0, keepdim=True) if model.channels == 1 else pixels.expand(3, -1, -1), cells, model.size)
    with evaluating(model), mean_codes(model):
        strokes = model((1 - patches).to(next(model.parameters()))).strokes
    assert strokes is not None
    strokes = in_depth_order(strokes).map(lambda tensor: tensor.cpu().float())
    what = 1 - strokes.what.expand(-1, -1, len(pixels)) if len(pixels) > 1 else 1 - strokes.what.mean(-1, keepdim=True)
    where = strokes.where @ patch_frames(cells)[:, None]
    turns = [each.transpose(0, 1).flatten(0, 1)[None] for each in (where, strokes.which, what)]
    painted = Strokes(*turns)
    return painted[:, torch.linalg.det(painted.where[0, :, :, :2]).abs() > FLAT][:, :count]


def cut(pixels: Planes, cells: int, size: tuple[int, int]) -> Float[Tensor, "patch channel tall wide"]:
    """The patches of a grid of cells x cells, row by row, each at `size`."""
    whole = (cells * size[0], cells * size[1])
    fitted = interpolate(pixels[None], whole, mode="bilinear", antialias=True, align_corners=False)[0].clamp(0, 1)
    rows = fitted.unflatten(1, (cells, size[0])).unflatten(3, (cells, size[1]))
    return rows.permute(1, 3, 0, 2, 4).flatten(0, 1)


def patch_frames(cells: int) -> Float[Tensor, "patch 3 3"]:
    """For every patch of the grid, the affine map from canvas points to points of the patch."""
    frames = torch.diag(torch.tensor([cells, cells, 1.0])).repeat(cells**2, 1, 1)
    frames[:, :2, 2] = -cells * canvas_points(cells, cells).flatten(0, 1)[:, :2]
    return frames
