"""The colours that strokes may take: those given, or those that suit a picture."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limner.painting.pictures import Picture

LOOKED_AT = 2**18
"""Pixels of a picture that has more, at random places."""
SHADES = 32
"""Of a channel, that are told apart at first."""
ROUNDS = 20
STARTS, CANDIDATES = 8, 3
"""Of k-means; of each colour that it starts from."""
MANY = 128
"""Colours that all starts have together; one start may have more."""

Colours = Float[np.ndarray, "colour channel"]
Centres = Float[np.ndarray, "centre channel"]
Weights = Float[np.ndarray, "colour"]


def inks_of(
    palette: int | Tensor | None,
    picture: Picture,
    ground: Float[Tensor, "channel"] | None,
    channels: int,
    weight: Float[Tensor, "height width"] | None = None,
) -> Float[Tensor, "colour channel"] | None:
    """The colours of a palette in so many channels: those given, or so many that suit the picture on its ground.

    weight: how much of a say each pixel has.  Without a ground, it has one as far as it is opaque.
    """
    if palette is None:
        return None
    if isinstance(palette, Tensor):
        return palette[:, :channels].contiguous()
    return suiting(picture, ground, palette, weight).expand(-1, channels)


def suiting(
    picture: Picture, ground: Float[Tensor, "channel"] | None, count: int, weight: Float[Tensor, "height width"] | None
) -> Float[Tensor, "colour band"]:
    """At most so many colours, of 8 bits a channel, near those of the picture in the mean of squares.

    By k-means (Lloyd 1982) from several random starts (k-means++, Arthur and Vassilvitskii 2007), the best of which is
    kept; the same for the same picture. It is looked at as it is: shrinking it makes colours that it has not.
    By numpy, since PyTorch would wake all its threads for every one of many small steps.
    """
    pixels = picture.pixels.flatten(1)
    alpha = torch.ones(pixels.shape[1]) if picture.alpha is None else picture.alpha.flatten()
    says = torch.ones(()).expand(alpha.shape) if weight is None else weight.flatten()
    if weight is not None:
        heard = says > 0
        pixels, alpha, says = pixels[:, heard], alpha[heard], says[heard]
    if len(alpha) > LOOKED_AT:
        some = torch.randint(len(alpha), (LOOKED_AT,), generator=torch.Generator().manual_seed(0))
        pixels, alpha, says = pixels[:, some], alpha[some], says[some]
    if ground is None:
        says = says * alpha
    else:
        pixels = pixels * alpha + ground[:, None] * (1 - alpha)
    colours, counts = _frequent(pixels.mT.double().numpy(), says.double().numpy())
    random = np.random.default_rng(0)
    starts = (_started(colours, counts, count, random) for _ in range(min(STARTS, 1 + MANY // count)))
    found = [_refined(colours, counts, centres) for centres in starts]
    centres = min(found, key=lambda centres: counts @ _squares(colours, centres).min(1))
    return torch.from_numpy(np.unique((centres * 255).round(), axis=0) / 255).float()


def _started(colours: Colours, weight: Weights, count: int, random: np.random.Generator) -> Centres:
    """At most so many of the colours, one after the other, each drawn by what it is off from those before.

    Of a few that are drawn the one that helps most is taken.
    """
    chosen = [int(weight.argmax())]
    off = _squares(colours, colours[chosen])[:, 0]
    while len(chosen) < min(count, len(colours)):
        odds = weight * off
        drawn = random.choice(len(colours), CANDIDATES, p=odds / odds.sum())
        left = np.minimum(off[:, None], _squares(colours, colours[drawn]))
        best = (weight @ left).argmin()
        chosen.append(int(drawn[best]))
        off = left[:, best]
    return colours[chosen]


def _refined(colours: Colours, weight: Weights, centres: Centres) -> Centres:
    """Each centre moved to the mean of the colours nearest to it, a number of times."""
    for _ in range(ROUNDS):
        means, weights = _means(colours, weight, _squares(colours, centres).argmin(1), len(centres))
        centres = np.where(weights[:, None] > 0, means, centres)
    return centres


def _squares(colours: Colours, centres: Centres) -> Float[np.ndarray, "colour centre"]:
    """Squared distances."""
    return sum((np.subtract.outer(a, b) ** 2 for a, b in zip(colours.T, centres.T, strict=True)), np.zeros(1))


def _frequent(
    pixels: Float[np.ndarray, "pixel channel"], weight: Float[np.ndarray, "pixel"]
) -> tuple[Colours, Weights]:
    """Mean and weight of the pixels of each colour, colours told apart coarsely; of one, if nothing has a weight."""
    channels = pixels.shape[1]
    kinds = (pixels * (SHADES - 1)).round().astype(int) @ SHADES ** np.arange(channels)
    colours, weights = _means(pixels, weight, kinds, SHADES**channels)
    seen = weights > 0
    return (colours[seen], weights[seen]) if seen.any() else (pixels[:1], weight[:1])


def _means(
    values: Colours, weight: Weights, which: np.ndarray, count: int
) -> tuple[Float[np.ndarray, "{count} channel"], Float[np.ndarray, "{count}"]]:
    """Weighted mean of the values of each of so many kinds, and their weight together."""
    weights = np.bincount(which, weight, count)
    sums = np.stack([np.bincount(which, weight * band, count) for band in values.T], -1)
    return sums / weights.clip(1e-12)[:, None], weights
