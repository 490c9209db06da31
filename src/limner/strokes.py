"""Strokes: the one value that every part of limner exchanges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, eq=False)
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
            if not (isinstance(tensor, Tensor) and tensor.is_floating_point()):
                kind = tensor.dtype if isinstance(tensor, Tensor) else type(tensor).__name__
                raise ValueError(f"strokes: {name} is of {kind}, expected floating-point numbers")
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
        if not parts:
            raise ValueError("strokes: there are none to join")
        tensors = [part.tensors() for part in parts]
        for theirs in tensors[1:]:
            if theirs.keys() != tensors[0].keys():
                raise ValueError(f"strokes: cannot join fields {sorted(tensors[0])} with {sorted(theirs)}")
        for name, tensor in tensors[0].items():
            for other in (theirs[name] for theirs in tensors[1:]):
                if (other.shape[0], other.shape[2:]) != (tensor.shape[0], tensor.shape[2:]):
                    shapes = f"{tuple(tensor.shape)} and {tuple(other.shape)}"
                    raise ValueError(f"strokes: cannot join {name} of shapes {shapes}")
        return Strokes(**{name: torch.cat([part[name] for part in tensors], 1) for name in tensors[0]})

    def white(self) -> Strokes:
        """The same moves in white of one channel: on a black ground, how far they cover it."""
        return replace(self, what=torch.ones_like(self.what[..., :1]), slope=None)

    def with_channels(self, count: int) -> Strokes:
        """The same moves, gray ones in so many channels."""
        slope = None if self.slope is None else self.slope.expand(-1, -1, count, -1)
        return replace(self, what=self.what.expand(-1, -1, count), slope=slope)

    def save(self, path: str | Path) -> None:
        """Write as JSON, every float32 exactly (schema: docs/json.md)."""
        from limner.strokes_json import dump

        dump(path, self)

    @staticmethod
    def load(path: str | Path) -> Strokes:
        """Read what `save` wrote; ValueError names the file when it is not that."""
        from limner.strokes_json import parse

        return parse(path).strokes


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
