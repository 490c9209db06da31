"""What training leaves in a run's folder: losses, pictures, checkpoints and weights, if all are still numbers."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from jaxtyping import Float
from torch import Tensor, nn

from limner.canvas import Canvas
from limner.errors import NotFinite, UserError
from limner.training.checkpoints import save_checkpoint, save_weights
from limner.training.process import painting_process, save_sheet
from limner.training.record import METRICS, Record
from limner.training.settings import CHECKPOINT, WEIGHTS


@dataclass
class Keeper:
    """Takes the losses of every iteration, and writes when it is told to; of several processes the first one does.

    run: the folder.  shown: the ink of the images in pictures.  iteration: how many are done.
    board: TensorBoard's writer, if losses are to be seen there too.
    Raises UserError where a loss, a picture or a weight is no longer a number; the last checkpoint, from before, stays.
    """

    accelerator: Accelerator
    model: nn.Module
    optimiser: torch.optim.Optimizer
    run: Path
    shown: Canvas
    iteration: int
    board: Any = None

    def __post_init__(self) -> None:
        self._record = Record(self.run / METRICS, self.iteration) if self.accelerator.is_main_process else None
        self._waiting: list[dict[str, Tensor]] = []

    def add(self, losses: dict[str, Float[Tensor, ""]]) -> None:
        """Take the losses of one more iteration, "loss" among them; they are on disk after `note`."""
        self._waiting.append({name: each.detach() for name, each in losses.items()})
        self.iteration += 1

    def note(self) -> None:
        """Check and record the losses since the last time."""
        found = self._averages()
        first = self.iteration - len(found) + 1
        self._waiting.clear()
        for place, losses in enumerate(found, first):
            if not math.isfinite(losses["loss"]):
                if self._record:
                    self._record.flush()
                raise self.broken(place)
            if self._record:
                self._record.add(place, losses)
        if self._record:
            self._record.flush()
        if self.board and found:
            for name, value in found[-1].items():
                self.board.add_scalar(name, value, self.iteration)

    def keep(self, picture: bool, everything: bool) -> None:
        """Leave a picture, everything to go on from, or both; a picture that cannot be written costs nothing else."""
        drawn, writes = None, self.accelerator.is_main_process
        if picture or everything:
            self.note()
        if picture and writes:
            try:
                drawn = painting_process(self.model, self.shown)
            except NotFinite as error:
                raise self.broken(self.iteration) from error
        if everything:
            if not all(bool(weight.isfinite().all()) for weight in self.model.parameters()):
                raise self.broken(self.iteration)
            if writes:
                save_checkpoint(self.run / CHECKPOINT, self.model, self.optimiser, self.iteration)
                save_weights(self.run / WEIGHTS, self.model)
        if drawn is not None:
            save_sheet(drawn, self.run / f"painting-{self.iteration:06d}.png")

    def broken(self, iteration: int) -> UserError:
        """What to say where the numbers of an iteration are none."""
        checkpoint = self.run / CHECKPOINT
        kept = f"the checkpoint {checkpoint} from before it is kept: --resume" if checkpoint.exists() else "start again"
        return UserError(
            f"the loss is no longer a number in iteration {iteration}; {kept} with a lower --training.rate"
        )

    def _averages(self) -> list[dict[str, float]]:
        """The losses since the last time, averaged over processes."""
        if not self._waiting:
            return []
        table = torch.stack([torch.stack(list(losses.values())) for losses in self._waiting])
        if self.accelerator.num_processes > 1:
            table = self.accelerator.reduce(table, "mean")
        assert isinstance(table, Tensor)
        return [dict(zip(self._waiting[0], row, strict=True)) for row in table.tolist()]
