"""How a model is trained; light to import, since the command line's help is made of it."""

import math
from dataclasses import dataclass
from importlib.util import find_spec

from limner.errors import UserError
from limner.flags import flag, within

CHECKPOINT, WEIGHTS = "checkpoint.safetensors", "weights.safetensors"
"""Files of a run."""
SEED_MOST = 10**8
"""With a seed for every iteration and process, larger ones would not fit into 64 bits."""
HARMLESS = ("checkpoint_every", "picture_every", "threads", "tensorboard")
"""Settings that leave a run the same, threads but for rounding."""
MOST = {"iterations": 10**9, "batch": 10**6, "threads": 1024}


@dataclass(frozen=True)
class Training:
    """Adam on batches drawn without replacement, counted in iterations as the thesis counts."""

    iterations: int = 10_000
    """Batches to train on."""
    batch: int = 100
    """Images a batch, over all processes together."""
    rate: float = 1e-3
    """Adam's learning rate."""
    drop_at: int = 0
    """Iteration after which the learning rate is `rate_after`; 0 is never."""
    rate_after: float = 1e-4
    """Learning rate after the drop."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Adam's decay rates."""
    clip: float = 0.0
    """Largest norm of the gradient of all weights; a larger one is scaled down to it. 0 is no limit."""
    seed: int = 0
    """Of the weights, the order of the images and all noise."""
    warp: float = 0.0
    """Show each image under a random affine map: the identity plus Gaussian noise of this standard deviation."""
    mirror: bool = False
    """Show half of the images, at random, with left and right exchanged."""
    checkpoint_every: int = 1000
    """Iterations between checkpoints; 0 is only at the end."""
    picture_every: int = 1000
    """Iterations between pictures of the painting process; 0 is only at the end."""
    threads: int = 1
    """Threads of a process on a CPU."""
    tensorboard: bool = False
    """Also write the losses for TensorBoard, which must be installed."""

    def rate_at(self, iteration: int) -> float:
        """The learning rate of an iteration, counted from 0."""
        return self.rate_after if self.drop_at and iteration >= self.drop_at else self.rate

    def check(self) -> None:
        """Raise UserError for values that make no sense."""
        for name, most in MOST.items():
            within(f"--training.{name}", getattr(self, name), 1, most)
        for name in ("drop_at", "checkpoint_every", "picture_every", "seed", "warp", "clip"):
            if not 0 <= getattr(self, name) < math.inf:
                raise UserError(f"{flag(f'training.{name}')} {getattr(self, name)}: expected 0 or more")
        for name in ("rate", "rate_after"):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise UserError(f"{flag(f'training.{name}')} {value}: expected a number above 0 that is finite")
        if self.rate_after != Training.rate_after and not self.drop_at:
            raise UserError(f"--training.rate-after {self.rate_after:g} is of no use without --training.drop-at")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise UserError(
                f"--training.betas {self.betas[0]:g} {self.betas[1]:g}: expected two numbers from 0 to below 1"
            )
        if self.tensorboard and not find_spec("tensorboard"):
            raise UserError("--training.tensorboard needs the package tensorboard: pip install tensorboard")
        if self.seed > SEED_MOST:
            raise UserError(f"--training.seed {self.seed}: expected at most {SEED_MOST}")
