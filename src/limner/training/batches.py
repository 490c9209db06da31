"""Which images an iteration trains on: a pure function of seed and iteration, so that there is nothing to save."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Int
from torch import Tensor

PROCESSES_MOST = 1024


@dataclass
class Batches:
    """Every image once in each pass over the data, in an order drawn anew for every pass.

    count: images there are.  batch: images an iteration.
    """

    count: int
    batch: int
    seed: int
    _passes: dict[int, Tensor] = field(default_factory=dict)

    def __getitem__(self, iteration: int) -> Int[Tensor, "batch"]:
        """Indices of the images of an iteration, counted from 0."""
        places = torch.arange(iteration * self.batch, (iteration + 1) * self.batch)
        passes = (places // self.count).unique().tolist()
        kept, self._passes = self._passes, {}
        for number in passes:
            self._passes[number] = kept[number] if number in kept else self._order(number)
        orders = torch.stack(list(self._passes.values()))
        return orders[places // self.count - passes[0], places % self.count]

    def _order(self, number: int) -> Int[Tensor, "image"]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + number)
        return torch.randperm(self.count, generator=generator)


def seed_noise(seed: int, iteration: int, process: int = 0) -> None:
    """Start all noise of an iteration from its own seed, so that a resumed run draws what it would have drawn."""
    number = (seed * 10_000_019 + iteration) * PROCESSES_MOST + process
    if torch.accelerator.is_available():
        torch.manual_seed(number)
    else:
        torch.default_generator.manual_seed(number)  # the same, without asking for devices in every iteration
