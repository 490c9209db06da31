"""From settings to a model."""

import math
from typing import Literal, get_args, get_origin, get_type_hints

from torch import Tensor

from limner import transforms
from limner.checks import COLDEST
from limner.errors import UserError
from limner.flags import within
from limner.models.air import Air
from limner.models.autoencoder import Autoencoder
from limner.models.draw import Draw
from limner.models.painter import Painter
from limner.models.settings import AIR, DRAW, MOST_MOVES, PAINTERS, Model, given, is_mask
from limner.models.uses import check_uses, learns_order
from limner.shapes import SHAPES

Network = Painter | Autoencoder | Draw | Air

KINDS: dict[str, type[Network]] = {
    **dict.fromkeys(PAINTERS, Painter),
    "autoencoder": Autoencoder,
    **dict.fromkeys(DRAW, Draw),
    **dict.fromkeys(AIR, Air),
}

CONV_LEAST = 13
"""Least side in pixels that leaves something after two 5 x 5 convolutions of stride 2."""
BLACK = 1.01
"""Most ink that a pixel may have, rounding included."""
MOST_ORDERED = 128
"""Moves of a learnt order: the weights of more than these, at one depth in a pixel, are less than float32 can hold."""
MOST = {"moves": MOST_MOVES, "hidden": 100_000, "layers": 100, "window": 8192}


def build(settings: Model, size: tuple[int, int], channels: int) -> Network:
    """The model that `settings` asks for, for images of `size` (height, width); UserError where it makes no sense."""
    check(settings)
    check_size(settings, size)
    model = KINDS[settings.kind](settings, size, channels)
    model.register_forward_pre_hook(_check_images, with_kwargs=True)
    return model


def _check_images(model: Network, given: tuple[Tensor, ...], named: dict[str, Tensor]) -> None:
    wanted, dtype = (model.channels, *model.size), next(model.parameters()).dtype
    for images in (*given, *named.values())[:1]:
        if tuple(images.shape[1:]) != wanted:
            expected = ", ".join(map(str, wanted))
            raise ValueError(f"model: images have shape {tuple(images.shape)}, expected (batch, {expected})")
        if images.dtype != dtype:
            raise ValueError(f"model: images are {images.dtype}, expected {dtype}: ink in [0, 1], where 1 is black")
        if not (model.training or transforms.traced() or images.is_meta) and images.numel() and images.max() > BLACK:
            found = f"up to {images.max():g}"
            raise ValueError(f"model: images are {found}, expected ink in [0, 1], as Images.ink() makes it of bytes")


def check_size(settings: Model, size: tuple[int, int]) -> None:
    """Raise UserError for images of `size` (height, width) that are too small for a model."""
    if settings.kind == "conv" and min(size) < CONV_LEAST:
        raise UserError(f"--model.kind conv needs images of at least {CONV_LEAST} pixels a side, not {min(size)}")


def check(settings: Model) -> None:
    """Raise UserError for settings that contradict each other."""
    for name, hint in get_type_hints(Model).items():
        value, known = getattr(settings, name), get_args(hint)
        if get_origin(hint) is Literal and value not in known:
            raise UserError(f"{given(settings, name)}: expected one of {', '.join(known)}")
    for name, value in vars(settings).items():
        if isinstance(value, float) and not math.isfinite(value):
            raise UserError(f"{given(settings, name)}: expected a number that is finite")
    for name, most in MOST.items():
        within(f"--model.{name}", getattr(settings, name), 1, most)
    within("--model.moves-test", settings.moves_test, 0, MOST_MOVES)
    if learns_order(settings) and settings.moves > MOST_ORDERED:
        raise UserError(f"{given(settings, 'moves')}: an order of at most {MOST_ORDERED} moves can be learnt")
    for name in ("gamma", "gamma_test", "temperature", "temperature_end", "sigma_start", "prior_where", "init"):
        if not getattr(settings, name) > 0:
            raise UserError(f"{given(settings, name)}: expected a number above 0")
    for name in ("temperature", "temperature_end"):
        if getattr(settings, name) < COLDEST:
            raise UserError(f"{given(settings, name)}: expected at least {COLDEST:g}")
    for name in (
        "gamma_rate",
        "noise",
        "anneal",
        "latent",
        "beta",
        "free_bits",
        "input_noise",
        "window_size",
        "greedy",
    ):
        if not getattr(settings, name) >= 0:
            raise UserError(f"{given(settings, name)}: expected 0 or more")
    if not 0 < settings.margin < 0.5:
        raise UserError(f"{given(settings, 'margin')}: expected a number above 0 and below 0.5")
    if settings.sigma < 0 and settings.sigma != -1:
        raise UserError(f"--model.sigma {settings.sigma:g}: expected 0 or more, or -1 for one that is learnt")
    unknown = [name for name in settings.templates if name not in SHAPES and not is_mask(name)]
    if unknown or not settings.templates:
        expected = f"expected some of {', '.join(SHAPES)}, and mask files that are there"
        raise UserError(f"--model.templates {' '.join(map(str, unknown))}: {expected}")
    check_uses(settings)
