"""What `render` refuses, in words that say what was wrong."""

import math
from numbers import Real
from operator import index
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from limner import transforms
from limner.errors import NotFinite
from limner.templates import TemplateBank

Compositing = Literal["additive", "over", "depth"]
Backend = Literal["auto", "reference", "fused"]
SAMPLES = 16
"""Most along an axis of a pixel."""
COLDEST = 1e-30
"""Least temperature that float32 can divide by, on any device."""


def check_options(compositing: str, backend: str, temperature: float, straight_through: bool, samples: int) -> None:
    """ValueError for unknown options, and for those that go with another compositing."""
    for name, value, kind in (("compositing", compositing, Compositing), ("backend", backend, Backend)):
        if value not in (known := get_args(kind)):
            raise ValueError(f'render: unknown {name} "{value}": choose {", ".join(known[:-1])} or {known[-1]}')
    if not (isinstance(temperature, Real) and 0 <= temperature < math.inf):
        raise ValueError(f"render: temperature {temperature!r} is no number from 0 up")
    if 0 < temperature < COLDEST:
        raise ValueError(f"render: temperature {temperature:g} is too small: take 0, or from {COLDEST:g} up")
    if compositing != "depth" and (temperature or straight_through):
        option = "temperature" if temperature else "straight_through"
        raise ValueError(f'render: compositing "{compositing}" has no {option}: choose "depth" for it')
    if straight_through and not temperature:
        raise ValueError("render: straight_through needs a temperature above 0 for depth to learn")
    if not (hasattr(samples, "__index__") and 1 <= index(samples) <= SAMPLES):
        raise ValueError(f"render: samples {samples!r} is no whole number from 1 to {SAMPLES}")


def check_strokes(tensors: dict[str, Tensor], bank: TemplateBank) -> None:
    """ValueError for a bank that is none, and for strokes that do not go with it or with each other."""
    if not isinstance(bank, TemplateBank):
        raise ValueError(f"render: bank is of {type(bank).__name__}, expected a TemplateBank")
    where, weights = tensors["where"], tensors["which"].shape[-1]
    if weights != len(bank):
        raise ValueError(f"render: which has {weights} weights, the bank {len(bank)} templates")
    here = where.device
    for name, tensor in tensors.items():
        if tensor.layout is not torch.strided:
            raise ValueError(f"render: {name} is sparse: take {name}.to_dense()")
        if tensor.device != here:
            raise ValueError(f"render: where is on {here}, {name} is on {tensor.device}")
        if tensor.dtype != where.dtype:
            raise ValueError(f"render: where is of {where.dtype}, {name} of {tensor.dtype}: give all in one")
    if bank.masks.device != here:
        raise ValueError(f'render: strokes are on {here}, the bank is on {bank.masks.device}: take bank.to("{here}")')


def check_finite(name: str, tensor: Float[Tensor, "batch move *numbers"]) -> None:
    """NotFinite, with picture and move, for NaN and infinity; within transforms and on meta there are no values."""
    if transforms.traced() or tensor.is_meta:
        return
    if not math.isfinite(tensor.detach().sum()) and not torch.isfinite(tensor).all():
        picture, move, *_ = torch.nonzero(~tensor.isfinite())[0].tolist()
        raise NotFinite(f"render: {name} of picture {picture}, move {move} is not finite")
