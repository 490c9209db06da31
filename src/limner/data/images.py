"""Images: a data set in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from limner.strokes import Strokes


@dataclass(frozen=True)
class Images:
    """Images held as ink, 255 is black and 0 is paper, with what is known of each.

    labels: the class of each image.
    truth: the shapes that a synthetic image was drawn from, in painting order; a shape that is not there has opacity 0.
    templates: the names of the templates that `truth.which` weighs.
    """

    pixels: UInt8[Tensor, "image channel height width"]
    labels: Int[Tensor, "image"] | None = None
    truth: Strokes | None = None
    templates: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Number of images."""
        return len(self.pixels)

    def __getitem__(self, index) -> Images:
        """The images of a slice, of a tensor of indices, or of one index."""
        index = [int(index)] if isinstance(index, int | np.integer) else index
        labels = None if self.labels is None else self.labels[index]
        truth = None if self.truth is None else self.truth[index]
        return Images(self.pixels[index], labels, truth, self.templates)

    def spread(self, count: int | None) -> Images:
        """So many images or all there are, evenly chosen: sets come sorted by person or alphabet."""
        if count is None or count >= len(self):
            return self
        return self[torch.linspace(0, len(self) - 1, count).round().long()]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.pixels.shape[2], self.pixels.shape[3]

    @property
    def channels(self) -> int:
        """1 (gray) or 3 (RGB)."""
        return self.pixels.shape[1]

    def ink(self, device: torch.device | str = "cpu") -> Float[Tensor, "image channel height width"]:
        """The images as floats in [0, 1]."""
        return self.pixels.to(device).float() / 255
