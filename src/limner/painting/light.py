"""Gray pictures that say where: where the picture matters, where it is repainted."""

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor

from limner.errors import UserError
from limner.painting.pictures import Picture, fitted

UNIMPORTANT = 0.02
"""Weight of a pixel where the importance mask is black; it is 1 where it is white."""


def gray(picture: Picture, size: tuple[int, int]) -> Float[Tensor, "height width"]:
    """How light a picture is at this (height, width), in [0, 1]; what is transparent counts as black."""
    mask = fitted(picture, size)
    return mask.pixels.mean(0) if mask.alpha is None else mask.pixels.mean(0) * mask.alpha


def check_scale(name: str, picture: Picture) -> None:
    """UserError for a mask of zeros and ones where white is 255, as masks of whole numbers often are by mistake."""
    if 0 < gray(picture, picture.size).max() <= 1 / 255:
        raise UserError(f"{name}: is no lighter than 1 of 255: make it white where it should count")


def lit(name: str, picture: Picture, size: tuple[int, int], dark: float = 0.0) -> Float[Tensor, "height width"]:
    """`gray` of a picture that says where something holds; UserError if it says nowhere, being as dark as `dark`."""
    light = gray(picture, size)
    if light.max() <= dark:
        held = "nowhere lighter than half gray, so that nothing is replaced" if dark else "black everywhere"
        raise UserError(f"{name}: is {held}: make it light where it should count")
    return light


def says(masks: Mapping[str, Picture], size: tuple[int, int]) -> Float[Tensor, "height width"] | None:
    """How much of a say each pixel has in what colours suit a picture, by its masks, if there are any.

    That is its weight by `importance`, where it is light in `repaint`.
    """
    weight = weights(masks.get("importance"), size)
    if "repaint" in masks:
        light = gray(masks["repaint"], size)
        weight = light if weight is None else light * weight
    return None if weight is None or not weight.any() else weight


def weights(importance: Picture | None, size: tuple[int, int]) -> Float[Tensor, "height width"] | None:
    """Weight of each pixel, of mean 1; None for equal ones. UserError where nothing matters."""
    if importance is None:
        return None
    light = lit("importance", importance, size)
    weight = UNIMPORTANT + (1 - UNIMPORTANT) * light
    return weight / weight.mean()
