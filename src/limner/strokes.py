"""Strokes: the one value that every part of limner exchanges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, eq=False, repr=False)
class Strokes:
    """A batch of paintings as moves, in painting order: where, which and what, and optionally opacity, depth, slope.

    where: Phi, maps a canvas point to a template point, both in [-1, 1] (`geometry`).
    which: convex weights over the templates of a bank.
    what: colour in [0, 1] at the centre of the template; channel is 1 or 3.
    opacity: in [0, 1]; None is 1.  depth: larger lies nearer the viewer and is painted later; None is painting order.
    slope: linear-gradient fill, the change of colour along template x and y; None is flat.
    Raises ValueError when the shapes do not belong together, and for tensors that are not of floating-point numbers.
    """

    where: Float[Tensor, "batch move 2 3"]
    which: Float[Tensor, "batch move template"]
    what: Float[Tensor, "batch move channel"]
    opacity: Float[Tensor, "batch move"] | None = None
    depth: Float[Tensor, "batch move"] | None = None
    slope: Float[Tensor, "batch move channel 2"] | None = None

    def __post_init__(self) -> None:
        tensors = self.tensors()
        for name, tensor in tensors.items():
            if not isinstance(tensor, Tensor):
                raise ValueError(
                    f"strokes: {name} is of {type(tensor).__name__}, expected floating-point numbers in a tensor"
                )
            if not tensor.is_floating_point():
                raise ValueError(f"strokes: {name} is of {tensor.dtype}, expected floating-point numbers")
        for name in REQUIRED:
            if name not in tensors:
                raise ValueError(f"strokes: {name} is missing")
        where, which, what = self.where.shape, self.which.shape, self.what.shape
        if len(where) != 4:
            raise ValueError(f"strokes: where has shape {tuple(where)}, expected (batch, move, 2, 3)")
        (batch, move), channel = where[:2], what[-1] if what else 0
        if len(what) == 3 and channel not in (1, 3):
            raise ValueError(f"strokes: what has {channel} channels, expected 1 (gray) or 3 (RGB)")
        numbers = shapes(channel, which[-1] if which else 0)
        for name, tensor in tensors.items():
            wanted = batch, move, *numbers[name]
            if tensor.shape != wanted:
                raise ValueError(f"strokes: {name} has shape {tuple(tensor.shape)}, expected {wanted}")

    def __repr__(self) -> str:
        return f"Strokes({', '.join(f'{name} {tuple(tensor.shape)}' for name, tensor in self.tensors().items())})"

    def tensors(self) -> dict[str, Tensor]:
        """The fields that are set, by name."""
        return {name: tensor for name, tensor in vars(self).items() if tensor is not None}

    def map(self, function: Callable[[Tensor], Tensor]) -> Strokes:
        """The same strokes with `function` applied to every tensor, for example `lambda x: x.detach()`."""
        return replace(self, **{name: function(tensor) for name, tensor in self.tensors().items()})

    def to(self, device: torch.device | str) -> Strokes:
        """The same strokes on a device."""
        return self.map(lambda tensor: tensor.to(device))

    def detach(self) -> Strokes:
        """The same strokes without gradients."""
        return self.map(Tensor.detach)

    def __getitem__(self, index) -> Strokes:
        """Index the batch and move dimensions, for example `strokes[:1]` or `strokes[:, order]`."""
        taken = {name: tensor[index] for name, tensor in self.tensors().items()}
        left = tuple(taken["where"].shape)
        if len(left) != 4:
            raise ValueError(f"strokes: [{index}] leaves where of shape {left}: take slices, as in [:1] or [:, :1]")
        return Strokes(**taken)

    def __len__(self) -> int:
        """Number of moves."""
        return self.where.shape[1]

    def then(self, later: Strokes) -> Strokes:
        """These strokes with `later` painted on top, or where their depth says; both set the same optional fields."""
        return Strokes.joined([self, later])

    @staticmethod
    def joined(parts: Sequence[Strokes]) -> Strokes:
        """All moves of several strokes in turn, which all set the same optional fields."""
        return Strokes(**_joined(parts, 1))

    @staticmethod
    def stacked(parts: Sequence[Strokes]) -> Strokes:
        """A batch of all pictures of several strokes in turn, which have as many moves and set the same fields."""
        return Strokes(**_joined(parts, 0))

    def white(self) -> Strokes:
        """The same moves in white of one channel: on a black ground, how far they cover it."""
        return replace(self, what=torch.ones_like(self.what[..., :1]), slope=None)

    def with_channels(self, count: int) -> Strokes:
        """The same moves, gray ones in so many channels."""
        slope = None if self.slope is None else self.slope.expand(-1, -1, count, -1)
        return replace(self, what=self.what.expand(-1, -1, count), slope=slope)

    def held(self) -> Strokes:
        """The same strokes with all numbers within their ranges, as paintings that are saved have them.

        Colours and opacities in [0, 1]; weights as shares (where none is above 0 they stay 0); the nearest slopes that
        one linear gradient can fill (rank one), with colours in [0, 1] everywhere. `where` and `depth` may be anything.
        """
        which, what = self.which.clamp(min=0), self.what.clamp(0, 1)
        which = which / which.sum(-1, keepdim=True).clamp(min=torch.finfo(which.dtype).tiny)
        opacity = None if self.opacity is None else self.opacity.clamp(0, 1)
        slope = None if self.slope is None else _fillable(self.slope, what)
        return replace(self, which=which, what=what, opacity=opacity, slope=slope)

    def save(self, path: str | Path) -> None:
        """Write as JSON, every float32 exactly (schema: docs/json.md)."""
        from limner.strokes_json import dump

        dump(path, self)

    @staticmethod
    def load(path: str | Path) -> Strokes:
        """Read what `save` wrote; ValueError names the file when it is not that."""
        from limner.strokes_json import parse

        return parse(path).strokes


def _joined(parts: Sequence[Strokes], dim: int) -> dict[str, Tensor]:
    """The fields of several strokes, one after the other along a dimension."""
    if not parts:
        raise ValueError("strokes: there are none to join")
    tensors = [part.tensors() for part in parts]
    for theirs in tensors[1:]:
        if theirs.keys() != tensors[0].keys():
            raise ValueError(f"strokes: cannot join fields {sorted(tensors[0])} with {sorted(theirs)}")
    for name, tensor in tensors[0].items():
        for other in (theirs[name] for theirs in tensors[1:]):
            if (other.shape[1 - dim], other.shape[2:]) != (tensor.shape[1 - dim], tensor.shape[2:]):
                both = f"{tuple(tensor.shape)} and {tuple(other.shape)}"
                raise ValueError(f"strokes: cannot join {name} of shapes {both}")
    return {name: torch.cat([part[name] for part in tensors], dim) for name in tensors[0]}


def _fillable(
    slope: Float[Tensor, "batch move channel 2"], what: Float[Tensor, "batch move channel"]
) -> Float[Tensor, "batch move channel 2"]:
    """The part of slopes along the direction in which they change most, and no more than colours have room for."""
    x, y = slope.detach().unbind(-1)
    angle = 0.5 * torch.atan2(2 * (x * y).sum(-1), (x * x - y * y).sum(-1))
    direction = torch.stack([angle.cos(), angle.sin()], -1)[..., None]
    along = (slope @ direction).squeeze(-1)
    most = along.abs() * direction.abs().sum(-2)
    room = (torch.minimum(what, 1 - what) / most.clamp(min=1e-9)).clamp(max=1)
    return (room * along)[..., None] * direction.mT


torch.serialization.add_safe_globals([Strokes])  # so that `torch.load` reads what `torch.save` wrote of them

FIELDS = tuple(field.name for field in fields(Strokes))
REQUIRED = FIELDS[:3]


def shapes(channels: int, templates: int) -> dict[str, tuple[int, ...]]:
    """What a move has of each field, behind the dimensions batch and move."""
    return {
        "where": (2, 3),
        "which": (templates,),
        "what": (channels,),
        "opacity": (),
        "depth": (),
        "slope": (channels, 2),
    }
