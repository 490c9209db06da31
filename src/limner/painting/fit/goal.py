"""What a painting is fitted to: the picture at several sizes, what lies under the strokes, and where it matters."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
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
CLEAR = 0.02
"""Alpha below which a pixel has no colour."""
HOLE = 4.0
"""What coverage of a hole counts, instead of as one of the channels: on some page the other three show it, too."""
SMALLEST = 24
"""Pixels on the shorter side below which a goal is not halved."""


@dataclass(frozen=True)
class Goal:
    """pixels: the target, premultiplied where alpha is given.  weight: how much each pixel matters, mean 1.
    region: where new strokes may start, in [0, 1].
    under, under_cover: strokes painted before, as a canvas and its coverage; None where there are none.
    holes: whether to keep strokes out of where the picture is clear, and to have those that do cover it in the colours
        around it. As a picture is scored, these should be black there, and opaque strokes would be painted for that.
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
    holes: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.pixels.shape[1], self.pixels.shape[2]

    @property
    def colour_share(self) -> float:
        """What a channel counts: beside alpha, gray counts as the three channels that it is scored as."""
        return 1.0 if self.alpha is None else 3 / len(self.pixels)

    @cached_property
    def around(self) -> Float[Tensor, "channel height width"]:
        """The colours of a transparent picture, not premultiplied; where it is clear, those of the nearest pixels."""
        assert self.alpha is not None
        from scipy.ndimage import distance_transform_edt  # which takes as long to import as to paint a small picture

        clear, straight = self.alpha < CLEAR, (self.pixels / self.alpha.clamp(min=CLEAR)).clamp(max=1)
        if clear.all():
            return straight
        nearest = distance_transform_edt(clear.numpy(), return_distances=False, return_indices=True)
        y, x = torch.from_numpy(nearest).long()
        return straight[:, y, x]

    @cached_property
    def hollow(self) -> Float[Tensor, "height width"]:
        """Where there are holes, as 0 and 1."""
        assert self.alpha is not None
        return ((self.alpha < CLEAR) & self.holes).float()

    @cached_property
    def cover_weight(self) -> Float[Tensor, "height width"]:
        """What the square of what coverage is off counts at each pixel."""
        return 1 + (HOLE - 1) * self.hollow

    def wanted(self, cover: Float[Tensor, "height width"]) -> Float[Tensor, "channel height width"]:
        """The colours, premultiplied, of a canvas that covers so much; `around`, where holes are covered."""
        return torch.lerp(self.pixels, self.around * cover, self.hollow) if self.holes else self.pixels

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
        target = self.pixels
        canvas, back = painted(strokes, bank, self.below(ground).expand(1, *target.shape), self.samples, set(wanted))
        if self.alpha is None:
            off = canvas[0].sub_(target)
            pull = self.weighed(off)
            return _dot(pull, off) / off.numel(), back(pull[None]) if wanted else {}
        shared, empty = SHARED.intersection(wanted), self.below_cover().expand(1, 1, *self.size)
        cover, cover_back = painted(strokes.white(), bank, empty, self.samples, shared)
        off, cover_off = canvas[0].sub_(self.wanted(cover[0, 0])), cover[0].sub(self.alpha)
        pull, cover_pull = self.colour_share * self.weighed(off), self.weighed(self.cover_weight * cover_off)
        squares = _dot(pull, off) + _dot(cover_pull, cover_off)
        if self.holes:
            cover_pull = cover_pull - self.hollow * (pull * self.around).sum(0)
        found = back(pull[None]) if wanted else {}
        for name, more in cover_back(cover_pull[None]).items() if shared else ():
            found[name] = found[name] + more
        return squares / (self.colour_share * off.numel() + cover_off.numel()), found

    def weighed(self, planes: Tensor) -> Tensor:
        """Times the weight of each pixel."""
        return planes if self.weight is None else planes * self.weight


def _dot(a: Tensor, b: Tensor) -> float:
    return a.flatten().dot(b.flatten()).item()


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
        return Goal(pixels * alpha, alpha, holes=bool((alpha < CLEAR).any())), torch.zeros(len(pixels))
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
