"""How well the moves of a painting are the shapes that the image was drawn from.

Null moves, and shapes that cannot be seen, are left out on both sides (`visibility.Seen.live`). Masks are compared by
sum min(a, b) / sum max(a, b) over the pixels: the intersection over union (IoU), with edge pixels counted by coverage.
Every score is one value for each thing that was judged, so that batches are joined by concatenation, and its mean is
an accuracy over shapes, pairs or images.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from limner.geometry import invert
from limner.strokes import Strokes
from limner.training.visibility import CONTRAST, Masks, Seen

FOUND = 0.5
"""IoU from which a shape counts as found."""
NEAR = 4.0
"""Pixels from centre to centre within which a move is at the place of a shape (thesis 5.5)."""
OVERLAP = 12.0
"""Pixels of an overlap that shows which of two shapes lies on top."""

Table = Float[Tensor, "batch move shape"]
Partners = Int[Tensor, "batch shape"]
Scores = dict[str, Float[Tensor, "_"]]


def against_truth(moves: Seen, shapes: Seen, names: tuple[str, ...], true_names: tuple[str, ...]) -> Scores:
    """All scores of moves against true shapes; `names` and `true_names` are of the templates that their which weighs.

    count: over images, as many moves as shapes.
    Also what `iou_scores`, `template_scores` and `order_scores` return.
    """
    count = moves.live.sum(1) == shapes.live.sum(1)
    return {
        **iou_scores(moves, shapes),
        **template_scores(moves, shapes, names, true_names),
        **order_scores(moves, shapes),
        "count": count.float(),
    }


def iou_scores(moves: Seen, shapes: Seen) -> Scores:
    """How much of the shapes that are seen is painted by one move each, matched so that the IoUs sum to the most.

    iou: over shapes, that of the visible masks (`uncovered`).
    found: over shapes, it has an IoU of at least `FOUND`.  all_found: over images with shapes, all of them have.
    """
    table = iou(uncovered(moves), uncovered(shapes))
    matched = pick(table, assign(table))
    found = matched >= FOUND
    return {
        "iou": matched[shapes.live],
        "found": found[shapes.live].float(),
        "all_found": _of_all(found, shapes.live),
    }


def template_scores(moves: Seen, shapes: Seen, names: tuple[str, ...], true_names: tuple[str, ...]) -> Scores:
    """Shapes with a move of the same template within `NEAR` pixels, one move for each (thesis 5.5).

    A move's template is that of its largest weight; templates are the same where their names are.

    template: over shapes.
    template_images: over images with shapes, all of them are right.  template_any: one of them is, which is the letter
        of the thesis' accuracy.
    """
    size = moves.full.shape[2:]
    distance = torch.cdist(_centres(moves.strokes, size), _centres(shapes.strokes, size))
    same_name = torch.tensor([[name == wanted for wanted in true_names] for name in names])
    same = same_name[moves.strokes.which.argmax(-1)[:, :, None], shapes.strokes.which.argmax(-1)[:, None]]
    right = same & (distance <= NEAR) & moves.live[:, :, None] & shapes.live[:, None]
    correct = assign(right.float()) >= 0
    some = (correct & shapes.live).any(1)[shapes.live.any(1)].float()
    return {
        "template": correct[shapes.live].float(),
        "template_images": _of_all(correct, shapes.live),
        "template_any": some,
    }


@dataclass(frozen=True)
class Pairs:
    """Pairs of shapes, and the moves that paint them, matched by the IoU of their whole masks.

    below, above: the two shapes of each pair.  partners: the move of each shape, -1 for none.
    judged: colours differ, and at least `OVERLAP` pixels are seen where one lies on the other.
    found: judged, and both are matched with an IoU of at least `FOUND`.
    right: painted in the right order; not so where a shape has no move that meets it.
    """

    below: Int[Tensor, "pair"]
    above: Int[Tensor, "pair"]
    partners: Partners
    judged: Bool[Tensor, "batch pair"]
    found: Bool[Tensor, "batch pair"]
    right: Bool[Tensor, "batch pair"]


def order_scores(moves: Seen, shapes: Seen) -> Scores:
    """Pairs of shapes painted in the right order (`Pairs`).

    order: over judged pairs.  order_found: over those found.
    """
    pairs = pair_up(moves, shapes)
    return {"order": pairs.right[pairs.judged].float(), "order_found": pairs.right[pairs.found].float()}


def pair_up(moves: Seen, shapes: Seen) -> Pairs:
    """Every pair of shapes, and how it was painted."""
    table = iou(moves.full, shapes.full)
    partners = assign(table)
    found = pick(table, partners) >= FOUND
    below, above = torch.triu_indices(partners.shape[1], partners.shape[1], 1)
    overlap = torch.minimum(shapes.full[:, below], shapes.visible[:, above]).sum((2, 3))
    what = shapes.strokes.what
    judged = (overlap >= OVERLAP) & _differ(what[:, below], what[:, above])
    right = (partners[:, below] >= 0) & (partners[:, below] < partners[:, above])
    return Pairs(below, above, partners, judged, judged & found[:, below] & found[:, above], right)


def uncovered(seen: Seen) -> Masks:
    """Every mask without what nearer moves of another colour cover.

    Moves of one colour do not cover each other here: nobody can see which of two black rectangles lies on top.
    """
    left = seen.full.clone()
    for t in range(left.shape[1]):
        other = _differ(seen.strokes.what[:, t + 1 :], seen.strokes.what[:, t : t + 1])
        left[:, t] *= (1 - seen.full[:, t + 1 :] * other[..., None, None]).prod(1)
    return left


def iou(moves: Masks, shapes: Float[Tensor, "batch shape height width"]) -> Table:
    """sum min / sum max of every pair of masks; 0 where both are empty."""
    both = [torch.minimum(moves, shapes[:, s : s + 1]).sum((2, 3)) for s in range(shapes.shape[1])]
    shared = torch.stack(both, 2)
    either = moves.sum((2, 3))[:, :, None] + shapes.sum((2, 3))[:, None] - shared
    return shared / either.clamp(min=torch.finfo(either.dtype).tiny)


def assign(table: Table) -> Partners:
    """The move of each shape, no move twice, that makes the sum of their values largest; -1 for none above 0."""
    partners = torch.full((table.shape[0], table.shape[2]), -1)
    for image, values in enumerate(table.numpy()):
        rows, columns = linear_sum_assignment(values, maximize=True)
        kept = values[rows, columns] > 0
        partners[image, columns[kept]] = torch.from_numpy(rows[kept])
    return partners


def pick(table: Table, partners: Partners) -> Float[Tensor, "batch shape"]:
    """The value of each shape with its move; 0 without."""
    if table.shape[1] == 0:
        return table.new_zeros(partners.shape)
    return table.gather(1, partners.clamp(min=0)[:, None])[:, 0] * (partners >= 0)


def _centres(strokes: Strokes, size: tuple[int, ...]) -> Float[Tensor, "batch move 2"]:
    """Where the centres of the templates lie, in pixels; infinity or NaN, near nothing, where Phi has no inverse."""
    return invert(strokes.where.double())[..., 2] * torch.tensor([size[1] / 2, size[0] / 2])


def _differ(
    one: Float[Tensor, "batch move channel"], other: Float[Tensor, "batch #move channel"]
) -> Bool[Tensor, "batch move"]:
    """Whether colours are seen to differ."""
    return (one - other).abs().amax(-1) >= CONTRAST


def _of_all(right: Bool[Tensor, "batch shape"], there: Bool[Tensor, "batch shape"]) -> Float[Tensor, "image"]:
    """Whether all shapes are right, of the images that have any."""
    return (right | ~there).all(1)[there.any(1)].float()
