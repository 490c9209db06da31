"""Output: what every model returns."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import in_depth_order, render

PerImage = Float[Tensor, "batch"]
Steps = Float[Tensor, "image step channel height width"]


@dataclass(frozen=True)
class Output:
    """A batch of reconstructions.

    losses: for each image, by name; their sum is minimised. "reconstruction" is summed over pixels, "latent" over the
        numbers of the code, both in nats where the likelihood is one.  ValueError for any that is not one an image.
    strokes: the moves that `canvas` was painted with; None for models that paint without templates.
    steps: the canvas after each step, for models that paint step by step without templates.
    log_weight: log p(x, z) - log q(z | x) in nats, for models with a bound (variational, with a true likelihood).
    """

    canvas: Float[Tensor, "batch channel height width"]
    losses: dict[str, PerImage]
    strokes: Strokes | None = None
    log_weight: PerImage | None = None
    steps: Steps | None = None

    def __post_init__(self) -> None:
        for name, each in self.losses.items():
            if each.shape != self.canvas.shape[:1]:
                shape, wanted = tuple(each.shape), tuple(self.canvas.shape[:1])
                raise ValueError(f"output: the loss {name} has shape {shape}, expected {wanted}, one an image")

    @property
    def loss(self) -> Float[Tensor, ""]:
        """The mean over images of the sum of the losses; ValueError for what was painted of no image."""
        if not self.losses:
            raise ValueError("output: what is sampled has no loss")
        return sum(self.losses.values()).mean()  # pyright: ignore[reportAttributeAccessIssue]


def steps(strokes: Strokes, bank: TemplateBank, size: tuple[int, int]) -> Steps:
    """The canvas after each move."""
    strokes = in_depth_order(strokes)
    canvas = strokes.what.new_zeros(len(strokes.what), strokes.what.shape[2], *size)
    found = []
    for t in range(len(strokes)):
        canvas = render(strokes[:, t : t + 1], bank, background=canvas)
        found.append(canvas)
    return torch.stack(found, 1)
