"""Writers: the last layer of a painter, from features to the scores of its moves (thesis 3.5, 5.1)."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from limner.models.settings import Model
from limner.models.uses import learns_order
from limner.shapes import SIDE
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import TemplateWriter


def widths(settings: Model, channels: int) -> dict[str, int]:
    """How many scores each component of a move is made of."""
    return {
        "where": settings.where_numbers,
        "what": channels,
        "which": settings.which_numbers,
        "depth": int(learns_order(settings)),
    }


def parts(settings: Model, channels: int) -> list[int]:
    """How many scores each part has of the moves that are set `apart`: each move, or each component of each."""
    each = [width for width in widths(settings, channels).values() if width]
    return (each if settings.apart == "components" else [sum(each)]) * settings.moves


class Apart(nn.ModuleList):
    """Linear layers side by side, each of its share of the features."""

    def __init__(self, features: int, parts: list[int]) -> None:
        super().__init__(nn.Linear(features // len(parts), scores) for scores in parts)

    def forward(self, features: Float[Tensor, "batch features"]) -> Float[Tensor, "batch scores"]:
        """The scores of all, one after the other."""
        shares = features.chunk(len(self), 1)
        return torch.cat([layer(share) for layer, share in zip(self, shares, strict=True)], 1)


class Writers(nn.Module):
    """`count` template writers side by side: one linear layer gives where, what, which and depth of every move.

    features: numbers that each image is described by.  count: moves.  channels: 1 or 3.
    Moves, or their components, that are set `apart` have a layer and features of their own.
    """

    def __init__(self, settings: Model, features: int, count: int, channels: int) -> None:
        super().__init__()
        self.count = count
        self.writer = template_writer(settings, settings.phi0)
        self.widths = widths(settings, channels)
        if settings.apart == "no":
            self.scores = nn.Linear(features, count * sum(self.widths.values()))
        else:
            self.scores = Apart(features, parts(settings, channels))

    @property
    def bank(self) -> TemplateBank:
        """The templates."""
        return self.writer.bank

    def forward(self, features: Float[Tensor, "batch features"]) -> Strokes:
        """The moves that features stand for."""
        scores = self.scores(features).unflatten(1, (self.count, -1)).split(list(self.widths.values()), -1)
        where, what, which, depth = scores
        optional = {"depth": depth[..., 0]} if self.widths["depth"] else {}
        return self.writer.strokes(h_where(where), h_which(which), what, **optional)


def template_writer(settings: Model, phi0: float) -> TemplateWriter:
    """Algorithm 1 with the bank, sharpening and noise that `settings` asks for."""
    bank, learnable = drawn_bank(settings), settings.learn_templates != "no"
    if settings.learn_templates == "random":
        bank = replace(bank, masks=torch.rand_like(bank.masks))
    gamma, noise, gamma_test = settings.gamma, settings.noise, settings.gamma_test
    return TemplateWriter(bank, phi0=phi0, gamma=gamma, noise=noise, gamma_test=gamma_test, learnable=learnable)


def drawn_bank(settings: Model) -> TemplateBank:
    """The templates as they are drawn, of as many texels as models have."""
    return TemplateBank.load(settings.templates, SIDE)


def h_where(numbers: Float[Tensor, "*moves four_or_six"]) -> Float[Tensor, "*moves 2 3"]:
    """h of Phi from its six numbers, or from width and shift along x, then along y: Phi12 = Phi21 = 0 (thesis 5.2)."""
    if numbers.shape[-1] == 4:
        a, c, e, f = numbers.unbind(-1)
        zero = torch.zeros_like(a)
        numbers = torch.stack([a, zero, c, zero, e, f], -1)
    return numbers.unflatten(-1, (2, 3))


def h_which(scores: Float[Tensor, "*moves scores"]) -> Float[Tensor, "*moves template"]:
    """Scores of templates: one of 0 where there is no choice, and so no score."""
    return scores if scores.shape[-1] else scores.new_zeros(*scores.shape[:-1], 1)
