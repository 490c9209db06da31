"""The strokes while they are being fitted: their numbers, and small steps in them.

A stamp is moved in its own frame, so that one rate suits large and small stamps: a step (D, d) stretches, turns and
slants it by D and shifts it by d, in units of the template, and Phi becomes about (I - D)(Phi - [0 | d]). At D = d = 0
the gradient to [D | d] is -dPhi [Phi^T | e3], where dPhi is the gradient to Phi. A step is as long as the rate says in
units of the brush; it turns and slants the less the thinner that is (`steps.travel`).
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from limner.painting.fit import steps
from limner.painting.fit.goal import Goal
from limner.strokes import Strokes
from limner.templates import TemplateBank

Painted: TypeAlias = tuple[Strokes, Float[Tensor, "channel"], TemplateBank]
"""Strokes, the colour of the ground under them, and their templates."""
RATES = {"where": 1.0, "what": 0.2, "logit": 2.0, "slope": 0.2, "ground": 0.2}
"""Of each kind of number, in the order in which `steps` has them."""
START = 2.0
"""Logit of the opacity of strokes taken over."""
SPECK = 0.5
"""Least half size of a stamp in pixels, whatever its style."""


@dataclass
class Style:
    """How strokes may look: fixed opacity (None is free), gradient fill, least and largest half sizes.

    smallest, largest: half sizes in any direction, as a share of the canvas' longer side.  pen: the half size that all
    have where they are thinnest; the others are then of their length.
    palette: the colours allowed; a stroke keeps the one that it starts with.  learn_ground: whether the ground is free.
    keep_proportions, upright: whether templates are not stretched, and not turned.  keep_angles: whether they are not
    slanted, which neither of the others allows.
    """

    opacity: float | None = None
    gradient: bool = False
    palette: Float[Tensor, "colour channel"] | None = None
    smallest: float = 0.0
    largest: float = math.inf
    pen: float | None = None
    learn_ground: bool = True
    keep_proportions: bool = False
    upright: bool = False
    keep_angles: bool = False

    def half_sizes(self, size: tuple[int, int]) -> tuple[float, float]:
        """Least and largest half size in pixels of a canvas of (height, width); at least a speck if that is allowed."""
        most = self.largest * max(size)
        least = min(max(SPECK, self.smallest * max(size)), most)
        return (least, most) if self.pen is None else (max(least, self.pen * max(size)), most)

    def thinnest(self, size: tuple[int, int]) -> tuple[float, float]:
        """The same of where strokes are thinnest."""
        if self.pen is None:
            return self.half_sizes(size)
        pen = self.pen * max(size)
        return pen, pen

    @property
    def kept(self) -> tuple[bool, bool, bool]:
        """What of a template's look is kept: its proportions, which way is up, and its angles."""
        angles = self.keep_angles or self.keep_proportions or self.upright or self.pen is not None
        return self.keep_proportions, self.upright, angles

    def ink(self, what: Float[Tensor, "n channel"]) -> Float[Tensor, "n channel"]:
        """The allowed colours that are nearest."""
        if self.palette is None or not len(what):
            return what
        return self.palette[(what[:, None] - self.palette).square().sum(-1).argmin(1)]


@runtime_checkable
class Aim(Protocol):
    """What steps are taken for: a `Goal`, or anything that has an error and gradients as it has."""

    @property
    def size(self) -> tuple[int, int]: ...

    def pulls(
        self, strokes: Strokes, bank: TemplateBank, ground: Float[Tensor, "channel"], wanted: Collection[str]
    ) -> tuple[float, dict[str, Tensor]]: ...


@dataclass
class Moves:
    """n strokes as free numbers: where (n, 2, 3), what (n, channel), logit: of the opacity (n,), slope; and ground.

    reach: how far the brush of each template reaches in its box, of 1 across and down.
    first, second: running means of the gradient and its square (Adam).  age: steps each stroke has taken.
    steps: taken in all.
    """

    bank: TemplateBank
    which: Float[Tensor, "n template"]
    values: dict[str, Tensor]
    ground: Float[Tensor, "channel"]
    style: Style
    reach: Float[Tensor, "template 2"]
    first: dict[str, Tensor] = field(default_factory=dict)
    second: dict[str, Tensor] = field(default_factory=dict)
    age: Tensor = field(default_factory=lambda: torch.zeros(0))
    steps: int = 0

    def __len__(self) -> int:
        return self.which.shape[0]

    @staticmethod
    def none(bank: TemplateBank, ground: Float[Tensor, "channel"], style: Style) -> "Moves":
        """No strokes yet, on a ground."""
        channels = len(ground)
        values = {"where": torch.zeros(0, 2, 3), "what": torch.zeros(0, channels)}
        if style.opacity is None:
            values["logit"] = torch.zeros(0)
        if style.gradient:
            values["slope"] = torch.zeros(0, channels, 2)
        moves = Moves(
            bank, torch.zeros(0, len(bank)), values, ground.clone(), style, reach(bank, style.pen is not None)
        )
        moves.first = {name: torch.zeros_like(value) for name, value in values.items()}
        moves.first |= {"where": torch.zeros(0, 6), "ground": torch.zeros_like(ground)}
        moves.second = {name: torch.zeros_like(value) for name, value in moves.first.items()}
        return moves

    def add(self, which: Tensor, values: dict[str, Tensor]) -> None:
        """Paint more strokes on top."""
        self.which = torch.cat([self.which, which])
        for name, value in self.values.items():
            self.values[name] = torch.cat([value, values[name]])
            for moment in (self.first, self.second):
                moment[name] = torch.cat([moment[name], torch.zeros(len(which), *moment[name].shape[1:])])
        self.age = torch.cat([self.age, torch.zeros(len(which))])

    def begin(self, start: Strokes) -> None:
        """Take over strokes, a batch of one, flat, and nearly opaque where the style leaves that free."""
        values = {"where": start.where[0], "what": self.style.ink(start.what[0])}
        values["logit"] = torch.full((len(start),), START)
        values["slope"] = torch.zeros(*start.what[0].shape, 2)
        self.add(start.which[0], values)

    def keep(self, kept: Tensor) -> None:
        """Drop all strokes but those of a mask or of indices (in painting order)."""
        self.which, self.age = self.which[kept], self.age[kept]
        for numbers in (self.values, self.first, self.second):
            numbers.update({name: numbers[name][kept] for name in self.values})

    def strokes(self) -> Strokes:
        """As Strokes, a batch of one, which share the numbers that steps change."""
        fixed, slope = self.style.opacity, self.values.get("slope")
        if fixed is None:
            opacity = self.values["logit"].sigmoid()[None]
        else:
            opacity = None if fixed == 1 else torch.full((1, len(self)), fixed)
        slope = None if slope is None else slope[None]
        return Strokes(self.values["where"][None], self.which[None], self.values["what"][None], opacity, None, slope)

    def copied(self) -> Painted:
        """What is there now, whatever becomes of the moves."""
        return self.strokes().map(Tensor.clone), self.ground.clone(), self.bank

    def step(self, goal: Aim, rate: float) -> float:
        """One step of Adam on all strokes together; returns the error before it."""
        strokes = self.strokes()
        error, pulls = goal.pulls(strokes, self.bank, self.ground, self._free())
        if strokes.opacity is not None and "opacity" in pulls:
            pulls["logit"] = pulls["opacity"] * strokes.opacity * (1 - strokes.opacity)
        if "canvas" in pulls:
            pulls["ground"] = pulls["canvas"].sum((0, 2, 3))
        self._follow(pulls, rate, goal.size)
        return error

    def _free(self) -> list[str]:
        """What steps may change: fields of strokes, and the canvas below them."""
        free = {
            "where": True,
            "what": self.style.palette is None,
            "slope": self.style.gradient and self.style.palette is None,
            "opacity": self.style.opacity is None,
            "canvas": self.style.learn_ground,
        }
        return [name for name, is_free in free.items() if is_free]

    def error(self, goal: Goal) -> float:
        """The weighted mean squared error of the strokes as they are."""
        return goal.error(self.strokes(), self.bank, self.ground)

    def _follow(self, pulls: Mapping[str, Tensor | None], rate: float, size: tuple[int, int]) -> None:
        """Take a step against gradients, in place; these are used up."""
        self.steps += 1
        tables = self._numbers(), *(self._rows(tensors) for tensors in (pulls, self.first, self.second))
        rates = tuple(rate * share for share in RATES.values())
        steps.step(*tables, self.age.numpy(), self.steps, rates, size, *self._held(size))

    def limit(self, size: tuple[int, int]) -> None:
        """Bring all numbers back into their ranges."""
        steps.hold(self._numbers(), size, *self._held(size))

    def _held(
        self, size: tuple[int, int]
    ) -> tuple[tuple[float, float, float, float], tuple[bool, bool, bool], np.ndarray]:
        """What strokes are held to on a canvas of this size, as `steps` has it."""
        bounds = *self.style.half_sizes(size), *self.style.thinnest(size)
        return bounds, self.style.kept, (self.which @ self.reach).numpy()

    def _numbers(self) -> tuple[np.ndarray, ...]:
        return self._rows(self.values | {"ground": self.ground})

    def _rows(self, tensors: Mapping[str, Tensor | None]) -> tuple[np.ndarray, ...]:
        """The numbers of each kind as `steps` has them, which share the tensors' memory."""
        rows, strokes = [], len(self)
        for name in RATES:
            tensor, count = tensors.get(name), 1 if name == "ground" else strokes
            values = np.zeros((count, 0), np.float32) if tensor is None else tensor.numpy()
            assert values.flags.c_contiguous  # else the numbers would be a copy's
            rows.append(values.reshape(count, values.size // count if count else 0))
        return tuple(rows)


def reach(bank: TemplateBank, exact: bool = False) -> Float[Tensor, "template 2"]:
    """How much of its box each template's brush takes up, across and down; all of it where there is none.

    exact: of the texels at its ends count what they are covered, as for a pen, whose width is to be just so.
    """
    found = torch.ones(len(bank), 2)
    for k, mask in enumerate(bank.masks):
        for axis in (0, 1):
            along = mask.amax(axis)
            if len(places := along.nonzero()):
                first, last = int(places[0]), int(places[-1])
                covered = float(along[first] + along[last]) if exact and last > first else 2.0
                found[k, axis] = (last - first - 1 + covered) / len(mask)
    return found
