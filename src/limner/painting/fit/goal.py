"""What a painting is fitted to: the picture at several sizes, what lies under the strokes, and where it matters."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from limner.cpu.fused import painted
from limner.painting.pictures import laid
from limner.painting.rendering import SAMPLES
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import render

SHARED = {"where", "opacity"}
"""Fields of strokes that their coverage depends on."""
SMALLEST = 24
"""Pixels on the shorter side below which a goal is not halved."""


@dataclass(frozen=True)
class Goal:
    """pixels: the target, premultiplied where alpha is given.  weight: how much each pixel matters, mean 1.
    region: where new strokes may start, in [0, 1].
    under, under_cover: strokes painted before, as a canvas and its coverage; None where there are none.
    samples: along each axis of a pixel.  saved: the same of what is saved (`rendering.samples`), by which the fit ends.
    """

    pixels: Float[Tensor, "channel height width"]
    alpha: Float[Tensor, "height width"] | None = None
    weight: Float[Tensor, "height width"] | None = None
    region: Float[Tensor, "height width"] | None = None
    under: Float[Tensor, "channel height width"] | None = None
    under_cover: Float[Tensor, "height width"] | None = None
    samples: int = 1
    saved: int = SAMPLES

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.pixels.shape[1], self.pixels.shape[2]

    @property
    def colour_share(self) -> float:
        """What a channel counts: beside alpha, gray counts as the three channels that it is scored as."""
        return 1.0 if self.alpha is None else 3 / len(self.pixels)

    def halved(self) -> "Goal":
        """The same at half the size."""
        height, width = ((side + 1) // 2 for side in self.size)
        shrink = {"size": (height, width), "mode": "area"}

        def half(plane: Tensor | None) -> Tensor | None:
            if plane is None:
                return None
            planes = plane if plane.ndim == 3 else plane[None]
            return interpolate(planes[None], **shrink)[0].view(*plane.shape[:-2], height, width)

        planes = ("pixels", "alpha", "weight", "region", "under", "under_cover")
        return replace(self, **{name: half(getattr(self, name)) for name in planes})

    def sizes(self) -> list["Goal"]:
        """This goal, then half of it, and so on down to a small one."""
        goals: list[Goal] = [self]
        while min(goals[-1].size) >= 2 * SMALLEST:
            goals.append(goals[-1].halved())
        return goals

    def canvas(
        self, strokes: Strokes, bank: TemplateBank, ground: Float[Tensor, "channel"]
    ) -> Float[Tensor, "1 c h w"]:
        """The strokes on the ground, or on what is under them."""
        return self._painted(strokes, bank, self.below(ground))

    def below(self, ground: Float[Tensor, "channel"]) -> Float[Tensor, "1 c _ _"]:
        """What strokes are painted on: the ground, or what is under them."""
        return ground[None, :, None, None] if self.under is None else self.under[None]

    def cover(self, strokes: Strokes, bank: TemplateBank) -> Float[Tensor, "1 1 h w"]:
        """How far the strokes and what is under them cover each pixel."""
        return self._painted(strokes.white(), bank, self.below_cover())

    def below_cover(self) -> Float[Tensor, "1 1 _ _"]:
        """How far what strokes are painted on covers each pixel."""
        return torch.zeros(1, 1, 1, 1) if self.under_cover is None else self.under_cover[None, None]

    def _painted(self, strokes: Strokes, bank: TemplateBank, ground: Tensor) -> Tensor:
        return render(strokes, bank, self.size, ground, samples=self.samples)

    def error(self, strokes: Strokes, bank: TemplateBank, ground: Float[Tensor, "channel"]) -> float:
        """The weighted mean square by which the painting is off, in colour and in coverage."""
        return self.pulls(strokes, bank, ground, ())[0]

    def pulls(
        self, strokes: Strokes, bank: TemplateBank, ground: Float[Tensor, "channel"], wanted: Collection[str]
    ) -> tuple[float, dict[str, Tensor]]:
        """The error, and half the gradient of its sum to the `wanted` fields of strokes, and to the canvas below."""
        sides = [(strokes, self.below(ground), self.pixels, set(wanted), self.colour_share)]
        if self.alpha is not None:
            sides.append((strokes.white(), self.below_cover(), self.alpha[None], SHARED.intersection(wanted), 1.0))
        found: dict[str, Tensor] = {}
        squares = 0.0
        for some, below, target, names, share in sides:
            canvas, back = painted(some, bank, below.expand(1, *target.shape), self.samples, names)
            off = canvas[0].sub_(target)
            weighed = self.weighed(off) if share == 1 else share * self.weighed(off)
            squares += weighed.flatten().dot(off.flatten()).item()
            for name, pull in back(weighed[None]).items() if names else ():
                found[name] = found[name] + pull if name in found else pull
        return squares / sum(share * target.numel() for _, _, target, _, share in sides), found

    def weighed(self, planes: Tensor) -> Tensor:
        """Times the weight of each pixel."""
        return planes if self.weight is None else planes * self.weight


def goal_and_ground(
    pixels: Float[Tensor, "channel height width"],
    alpha: Float[Tensor, "height width"] | None,
    background: Float[Tensor, "channel"] | Literal["clear"] | None,
    palette: Float[Tensor, "colour channel"] | None,
) -> tuple[Goal, Float[Tensor, "channel"]]:
    """What to fit, and the ground to start from: the background, or without one the colour of the `paper`.

    On a clear background coverage is fitted too; on another a transparent picture is laid onto the ground.
    """
    if isinstance(background, str):
        alpha = torch.ones(pixels.shape[1:]) if alpha is None else alpha
        return Goal(pixels * alpha, alpha), torch.zeros(len(pixels))
    ground = background
    if ground is None:
        ground = paper(pixels, torch.ones(pixels.shape[1:]) if alpha is None else alpha)
        if palette is not None:
            ground = palette[(palette - ground).square().sum(1).argmin()]
    return Goal(pixels if alpha is None else laid(pixels, alpha, ground)), ground


def page(pixels: Float[Tensor, "channel height width"]) -> Float[Tensor, "channel"] | None:
    """The one colour, in 8 bits, that more than half of a picture has, as a drawing's paper has; None without one."""
    steps = (pixels * 255).round()
    codes = (steps.long() * 256 ** torch.arange(len(steps))[:, None, None]).sum(0)
    middle = codes == codes.flatten().median()  # which the colour of more than half is
    return steps[:, middle][:, 0] / 255 if 2 * middle.sum() > middle.numel() else None


def paper(
    pixels: Float[Tensor, "channel height width"], weight: Float[Tensor, "height width"]
) -> Float[Tensor, "channel"]:
    """The mean colour, or, where more than half of a picture is of about one colour, the mean of that."""
    about = (pixels * 15.99).long()
    place = (about * 16 ** torch.arange(len(about))[:, None, None]).sum(0)
    shares = place.flatten().bincount(weight.flatten())
    if 2 * shares.max() > shares.sum():
        weight = weight * (place == shares.argmax())
    return (pixels * weight).sum((1, 2)) / weight.sum().clamp(min=1e-6)
