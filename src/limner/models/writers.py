"""Writers: the last layer of a painter, from features to the scores of its moves (thesis 3.5, 5.1)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from limner.models.settings import Model
from limner.strokes import Strokes
from limner.templates import SIDE, TemplateBank
from limner.writer import TemplateWriter


class Writers(nn.Module):
    """`count` template writers side by side: one linear layer gives where, what, which and depth of every move.

    features: numbers that each image is described by.  count: moves.  channels: 1 or 3.
    """

    def __init__(self, settings: Model, features: int, count: int, channels: int) -> None:
        super().__init__()
        self.count = count
        self.writer = template_writer(settings, settings.phi0)
        self.widths = {
            "where": settings.where_numbers,
            "what": channels,
            "which": settings.which_numbers,
            "depth": 1 if settings.order in ("soft", "straight-through") else 0,
        }
        self.scores = nn.Linear(features, count * sum(self.widths.values()))

    @property
    def bank(self) -> TemplateBank:
        """The templates."""
        return self.writer.bank

    def forward(self, features: Float[Tensor, "batch features"]) -> Strokes:
        """The moves that features stand for."""
        scores = self.scores(features).unflatten(1, (self.count, -1)).split(list(self.widths.values()), -1)
        where, what, which, depth = scores
        if self.widths["where"] == 4:
            where = unskewed(where)
        if not self.widths["which"]:
            which = torch.zeros_like(what[..., :1])
        optional = {"depth": depth[..., 0]} if self.widths["depth"] else {}
        return self.writer.strokes(where.unflatten(-1, (2, 3)), which, what, **optional)


def template_writer(settings: Model, phi0: float) -> TemplateWriter:
    """Algorithm 1 with the bank, sharpening and noise that `settings` asks for."""
    bank = TemplateBank.load(settings.templates, SIDE)
    return TemplateWriter(bank, phi0=phi0, gamma=settings.gamma, noise=settings.noise, gamma_test=settings.gamma_test)


def unskewed(numbers: Float[Tensor, "*moves 4"]) -> Float[Tensor, "*moves 6"]:
    """The six numbers of Phi from width and shift along x, then along y: Phi12 = Phi21 = 0 (thesis 5.2)."""
    a, c, e, f = numbers.unbind(-1)
    zero = torch.zeros_like(a)
    return torch.stack([a, zero, c, zero, e, f], -1)
