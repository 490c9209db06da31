"""The training loop. One process or many, any device: accelerate knows where it runs."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn

from limner.data.images import Images
from limner.errors import NotFinite, Stopped
from limner.files import make_folder
from limner.printing import on_terminal
from limner.signals import ENDING, handled
from limner.training.batches import Batches, seed_noise
from limner.training.checkpoints import load_checkpoint
from limner.training.denormals import flushed
from limner.training.keeping import Keeper
from limner.training.settings import CHECKPOINT, Training
from limner.training.warping import warped
from limner.waiting import Bar, told

LOG_EVERY = 100
ROWS = 8


def device() -> torch.device:
    """Where to work: a GPU if there is one that knows double precision, which Apple's do not; else the CPU."""
    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return found if found and found.type != "mps" else torch.device("cpu")


def train(model: nn.Module, images: Images, settings: Training, run: Path, quiet: bool = False) -> None:
    """Train until `settings.iterations`, going on from the checkpoint in the folder `run` if there is one.

    model: any that makes an `Output` of ink, (batch, channel, height, width). If it has a `schedule`, that is called
        with the number of iterations done before each. If it has a `bank`, pictures show its moves.
    Leaves in `run`: metrics.jsonl (the losses of every iteration), checkpoint.safetensors, weights.safetensors and
    pictures of the painting process. Raises UserError when the loss is no longer a number; the last checkpoint, from
    before, stays. Raises Stopped after Ctrl-C, SIGTERM or SIGHUP, having saved.
    """
    make_folder(run)
    schedule = getattr(model, "schedule", None)
    accelerator = Accelerator(cpu=device().type == "cpu")
    here, process = accelerator.device, accelerator.process_index
    images = Images(images.pixels.to(here))
    model.to(here).train()
    optimiser = torch.optim.Adam(model.parameters(), settings.rate, settings.betas, fused=here.type in ("cpu", "cuda"))
    checkpoint = run / CHECKPOINT
    done = load_checkpoint(checkpoint, model, optimiser) if checkpoint.exists() else 0
    parallel, optimiser = accelerator.prepare(model, optimiser)
    batches = Batches(len(images), settings.batch, settings.seed)
    board = _board(run, done) if settings.tensorboard and accelerator.is_main_process else None
    keeper = Keeper(accelerator, model, optimiser.optimizer, run, images[:ROWS].ink(here), done, board)
    shown = accelerator.is_main_process and not quiet and on_terminal(sys.stderr)
    bar = Bar(total=settings.iterations, initial=done, disable=not shown, unit="it")
    with bar, told(bar), board or nullcontext(), flushed(), _stop_gently() as asked, _threads(settings.threads):
        for iteration in range(done + 1, settings.iterations + 1):
            if schedule:
                schedule(iteration - 1)
            seed_noise(settings.seed, iteration, process)
            for group in optimiser.param_groups:
                group["lr"] = settings.rate_at(iteration - 1)
            batch = batches[iteration - 1][process :: accelerator.num_processes]
            seen = warped(images[batch].ink(here), settings.warp, settings.mirror)
            try:
                losses = {name: each.mean() for name, each in parallel(seen).losses.items()}
            except NotFinite as error:
                keeper.note()
                raise keeper.broken(iteration) from error
            loss = torch.stack(list(losses.values())).sum()
            optimiser.zero_grad()
            accelerator.backward(loss)
            if settings.clip:
                accelerator.clip_grad_norm_(parallel.parameters(), settings.clip)
            optimiser.step()
            keeper.add({"loss": loss, **losses})
            bar.update()
            if iteration % LOG_EVERY == 0:
                bar.set_postfix(loss=f"{loss.item():.4g}", refresh=False)
                keeper.note()
            if iteration == settings.iterations:
                break
            stop = _agreed(accelerator, asked, iteration)
            picture, everything = (
                _due(iteration, every) for every in (settings.picture_every, settings.checkpoint_every)
            )
            keeper.keep(stop or picture, stop or everything)
            if stop:
                raise Stopped(f"stopped after iteration {iteration} of {settings.iterations}")
        keeper.keep(picture=True, everything=True)


def _agreed(accelerator: Accelerator, asked: threading.Event, iteration: int) -> bool:
    """Whether to stop; several processes ask one another, now and then, so that all stop after the same iteration."""
    if accelerator.num_processes == 1:
        return asked.is_set()
    if iteration % LOG_EVERY:
        return False
    word = torch.tensor(float(asked.is_set()), device=accelerator.device)
    return bool(accelerator.reduce(word, "sum") > 0)  # pyright: ignore[reportOperatorIssue]


def _due(iteration: int, every: int) -> bool:
    return bool(every) and iteration % every == 0


def _board(run: Path, done: int) -> Any:
    """TensorBoard's writer; what it holds of later iterations, of a run that was cut off, is shown no more."""
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(run / "tensorboard"), purge_step=done + 1)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Inside, PyTorch works on so many threads of the CPU."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _stop_gently() -> Iterator[threading.Event]:
    """Inside, Ctrl-C, SIGTERM and SIGHUP only set the event that is yielded."""
    asked = threading.Event()
    with handled(lambda *_: asked.set(), *ENDING):
        yield asked
