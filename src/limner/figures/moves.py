"""What the thesis' claims ask of moves and `training.metrics` does not measure: what is undone, null, bent, chosen."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from limner.data.images import Images
from limner.models.build import Network
from limner.models.code import mean_codes
from limner.models.writers import drawn_bank
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.training.matching import Pairs, Scores, pair_up
from limner.training.process import of_output
from limner.training.visibility import CONTRAST, LEAST, Masks, Seen, masks, see

WHOLE = 0.8
"""Share of a shape, or of what is beside it, that a move has to cover to count as covering it."""


def scores(model: Network, images: Images, mean: Float[Tensor, "channel height width"]) -> Iterator[Scores]:
    """Scores of one batch by a model that is being evaluated (`evaluating`), with the means of its codes.

    mse_of_mean: over images, of the `mean` image of the training set in place of a painting.
    undone: over images, the ink that all moves put on or take off, for each that the finished canvas has; at least 1.
    chosen_NAME: over moves, whether a template has the largest weight; for banks of several.
    largest: over moves, the largest weight.
    like_NAME: how a template that is learnt correlates with how it is drawn.
    Also those of `boxed`, `bent`, `overlapping` and `nulls`, for images with truth.
    """
    ink = images.ink()
    yield {"mse_of_mean": (ink - mean).square().flatten(1).mean(1)}
    with mean_codes(model):
        output = model(ink)
    steps = of_output(output, model.bank)
    if steps.shape[1] > 1:
        yield {"undone": undone(torch.cat([torch.zeros_like(steps[:, :1]), steps], 1))}
    if output.strokes is not None and model.bank is not None:
        yield chosen(output.strokes, model.bank)
        yield {"largest": output.strokes.which.amax(-1).flatten()}
        if model.settings.learn_templates != "no":
            yield likeness(model.bank, drawn_bank(model.settings))
        if images.truth is not None:
            shapes = see(images.truth, TemplateBank.named(*images.templates), images.size)
            moves = see(output.strokes, model.bank, images.size)
            yield boxed(moves, shapes)
            yield bent(moves, shapes)
            yield overlapping(moves, shapes)
            yield nulls(moves, masks(moves.strokes, model.bank, images.size), shapes)


def undone(steps: Float[Tensor, "batch step channel height width"]) -> Float[Tensor, "batch"]:
    """Sum of all changes from step to step over the change from the first to the last; images left blank count as 1."""
    changes = steps.diff(dim=1).abs().flatten(1).sum(1)
    whole = (steps[:, -1] - steps[:, 0]).abs().flatten(1).sum(1)
    return torch.where(whole >= 1, changes / whole.clamp(min=1), torch.ones_like(whole))


def chosen(strokes: Strokes, bank: TemplateBank) -> Scores:
    """Whether each template has the largest weight of a move; nothing for a bank of one."""
    if len(bank) == 1:
        return {}
    largest = strokes.which.argmax(-1).flatten()
    return {f"chosen_{name}": (largest == k).float() for k, name in enumerate(bank.names)}


def likeness(bank: TemplateBank, drawn: TemplateBank) -> Scores:
    """The correlation of the texels of each template with those of another bank's."""
    pairs = zip(bank.masks.flatten(1), drawn.masks.flatten(1), strict=True)
    found = [torch.stack(pair).corrcoef()[0, 1][None] for pair in pairs]
    return {f"like_{name}": each for name, each in zip(bank.names, found, strict=True)}


def boxed(moves: Seen, shapes: Seen) -> Scores:
    """Whether one box is put over shapes that were drawn apart; a canvas of one gray is none.

    boxed: over images of several shapes, one live move covers each of them, and not all that is beside them (`WHOLE`).
    """
    several = shapes.live.sum(1) > 1
    beside = 1 - shapes.full.amax(1, keepdim=True)
    covers = torch.stack([_share(moves.full, each[:, None]) for each in shapes.full.unbind(1)], 2) >= WHOLE
    every = (covers | ~shapes.live[:, None]).all(2)
    boxes = every & (_share(moves.full, beside) < WHOLE) & moves.live
    return {"boxed": boxes.any(1)[several].float()}


def _share(covering: Masks, covered: Float[Tensor, "batch 1 height width"]) -> Float[Tensor, "batch move"]:
    return torch.minimum(covering, covered).sum((2, 3)) / covered.sum((2, 3)).clamp(min=1e-6)


def bent(moves: Seen, shapes: Seen) -> Scores:
    """Whether colours hide a wrong order: the mean difference of colour between the shapes of a pair and their moves.

    bent_right, bent_wrong: over the pairs found (`matching.Pairs`) in the right order, and in the wrong one.
    """
    pairs = pair_up(moves, shapes)
    rows = torch.arange(len(pairs.partners))[:, None]
    off = (moves.strokes.what[rows, pairs.partners.clamp(min=0)] - shapes.strokes.what).abs().amax(2)
    each = (off[:, pairs.below] + off[:, pairs.above]) / 2
    return _by_order("bent", each, pairs)


def overlapping(moves: Seen, shapes: Seen) -> Scores:
    """In how many pixels the moves of a pair overlap, wherever that is, for each in which its shapes do.

    overlap_right, overlap_wrong: over the pairs found (`matching.Pairs`) in the right order, and in the wrong one.
    """
    pairs = pair_up(moves, shapes)
    rows = torch.arange(len(pairs.partners))[:, None]
    painted, true = (
        torch.minimum(full[:, pairs.below], full[:, pairs.above]).sum((2, 3))
        for full in (moves.full[rows, pairs.partners.clamp(min=0)], shapes.full)
    )
    return _by_order("overlap", painted / true.clamp(min=1e-6), pairs)


def _by_order(name: str, each: Float[Tensor, "batch pair"], pairs: Pairs) -> Scores:
    """A score of the pairs found, apart for those in the right order and in the wrong one."""
    return {f"{name}_right": each[pairs.found & pairs.right], f"{name}_wrong": each[pairs.found & ~pairs.right]}


def nulls(moves: Seen, whole: Masks, shapes: Seen) -> Scores:
    """Why moves are null (`visibility.Seen`), over the moves of images with shapes; `whole` are all their masks.

    On blank paper one gray box may hide another, and neither ought to be there; so such images are left out.

    null_due: it should be null, since there are fewer shapes than moves.
    null_empty: it covers less than `LEAST` pixels of the canvas.  null_white: else, it is white.
    null_hidden: else; later moves hide it, or the same ink lies there already.
    """
    some, count = shapes.live.any(1), moves.live.shape[1]
    due = torch.arange(count) < count - shapes.live.sum(1, keepdim=True)
    empty = whole.sum((2, 3)) < LEAST
    white = ~empty & (moves.strokes.what.amax(2) < CONTRAST)
    kinds = {"empty": empty, "white": white, "hidden": ~empty & ~white}
    found = {"due": due} | {name: ~moves.live & kind for name, kind in kinds.items()}
    return {f"null_{name}": each[some].flatten().float() for name, each in found.items()}
