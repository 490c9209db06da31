"""Going on with a painting for a loss of one's own, by the steps that strokes settle with."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from limner.errors import UserError
from limner.painting import arguments
from limner.painting.defaults import in_float32_on_cpu
from limner.painting.fit.moves import Moves, Style
from limner.painting.fit.rounds import SETTLING_RATE, falling
from limner.painting.fit.steps import FAINT, SOLID
from limner.painting.painting import Painting
from limner.painting.ranges import in_range
from limner.painting.rendering import rendered
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import in_depth_order

Loss = Callable[[Float[Tensor, "1 channel height width"]], Float[Tensor, ""]]
FREE = ("where", "what", "opacity", "background")
FAINTEST, MOST_SOLID = torch.tensor([FAINT, SOLID], dtype=torch.float32, device="cpu").sigmoid()
"""Opacities that steps can reach."""


@dataclass(frozen=True)
class Wish:
    """A loss of one's own where steps expect a `Goal`.

    clear: whether the canvas has coverage, too.  start: the strokes, whose `fixed` fields stay as they are.
    """

    loss: Loss
    size: tuple[int, int]
    clear: bool
    start: Strokes
    fixed: frozenset[str] = frozenset()

    def kept(self, strokes: Strokes) -> Strokes:
        """Strokes with all that stays as it was; so do opacities that steps do not reach, such as 0 and 1."""
        still = {name: tensor for name, tensor in self.start.tensors().items() if name in self.fixed}
        if strokes.opacity is not None and "opacity" not in self.fixed:
            before = self.start.opacity
            assert before is not None
            reached = (before >= FAINTEST) & (before <= MOST_SOLID)
            still["opacity"] = torch.where(reached, strokes.opacity, before)
        return replace(strokes, **still)

    def pulls(
        self, strokes: Strokes, bank: TemplateBank, ground: Float[Tensor, "channel"], wanted: Collection[str]
    ) -> tuple[float, dict[str, Tensor]]:
        """The loss, and its gradient to the `wanted` fields of strokes, and to the canvas below."""
        values = self.kept(strokes).tensors() | {"canvas": ground[None, :, None, None]}
        learnt = [name for name in wanted if name not in self.fixed]
        leaves = {name: values[name].detach().requires_grad_() for name in learnt}
        with torch.enable_grad():
            values |= leaves
            below = values.pop("canvas")
            canvas = painted(Strokes(**values), bank, below, self.size, self.clear)
            shown = canvas.detach().requires_grad_()
            error, pull = _told(self.loss(shown), shown)
        if not learnt:
            return error, {}
        pulls = torch.autograd.grad(canvas, list(leaves.values()), pull, materialize_grads=True)
        return error, dict(zip(leaves, pulls, strict=True))


def painted(strokes: Strokes, bank: TemplateBank, ground: Tensor, size: tuple[int, int], clear: bool) -> Tensor:
    """The canvas (1, channel, height, width) that is saved; if it is clear, with how far it is covered behind."""
    canvas = rendered(strokes, bank, size, ground)
    if not clear:
        return canvas
    return torch.cat([canvas, rendered(strokes.white(), bank, size, 0.0)], 1)


def _told(loss: Any, canvas: Tensor) -> tuple[float, Tensor]:
    """A loss as a number, and its gradient to the canvas."""
    if not (isinstance(loss, Tensor) and loss.numel() == 1):
        found = f"of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else repr(loss)
        raise UserError(f"refine: the loss is {found}, expected a tensor of one number")
    if not loss.isfinite():
        raise UserError(f"refine: the loss is {loss.item():g}")
    pull = torch.autograd.grad(loss.sum(), [canvas], allow_unused=True)[0] if loss.requires_grad else None
    if pull is None:
        raise UserError("refine: the loss has no gradient to the canvas: compute it from the canvas, by torch")
    if not pull.isfinite().all():
        raise UserError("refine: the gradient of the loss to the canvas is not finite")
    return loss.item(), pull


@torch.inference_mode(False)
@in_float32_on_cpu()
def refined(painting: Painting, loss: Loss, steps: int, rate: float, fixed: Collection[str], style: Style) -> Painting:
    """The same strokes after steps of Adam; see `Painting.refine`."""
    fixed = {fixed} if isinstance(fixed, str) else set(fixed)
    if unknown := sorted(fixed - {*FREE}):
        raise UserError(f"refine: {unknown[0]!r} cannot be fixed: choose of {', '.join(FREE)}")
    steps, rate = arguments.whole("steps", steps), arguments.positive("rate", rate) or 1.0
    strokes, background = in_range("refine", in_depth_order(painting.strokes), painting.background)
    if not steps:
        return painting
    painting = replace(painting, bank=painting.bank.detach().to("cpu"))
    clear = background is None
    style = replace(
        style,
        opacity=1.0 if strokes.opacity is None else None,
        gradient=strokes.slope is not None,
        learn_ground=not clear and "background" not in fixed,
    )
    ground = torch.zeros(strokes.what.shape[-1]) if background is None else background
    moves = Moves.none(painting.bank, ground, style)
    values = {name: tensor[0] for name, tensor in strokes.tensors().items() if name != "which"}
    if strokes.opacity is not None:
        values["logit"] = values.pop("opacity").logit()
    moves.add(strokes.which[0], values)
    fixed |= {"slope"} if "what" in fixed else set()
    wish = Wish(loss, painting.size, clear, strokes, frozenset(fixed))
    interrupted = False
    try:
        for k in range(steps):
            moves.step(wish, 0.5 * rate * SETTLING_RATE * falling(k / steps))
    except KeyboardInterrupt:
        interrupted = True
    strokes, ground, _ = moves.copied()
    below = None if clear else ground
    return replace(painting, strokes=wish.kept(strokes), background=below, interrupted=interrupted)
