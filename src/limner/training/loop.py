"""The training loop. One process or many, any device: accelerate knows where it runs."""

import math
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor
from tqdm import tqdm

from limner.data.images import Images
from limner.errors import NotFinite, Stopped, UserError
from limner.models.build import Network
from limner.printing import on_terminal
from limner.signals import ENDING, handled
from limner.training.batches import Batches, seed_noise
from limner.training.checkpoints import load_checkpoint, save_checkpoint, save_weights
from limner.training.denormals import flushed
from limner.training.process import painting_process, save_sheet
from limner.training.record import METRICS, Record
from limner.training.settings import CHECKPOINT, WEIGHTS, Training
from limner.training.warping import warped
from limner.waiting import told

LOG_EVERY = 100
ROWS = 8


def device() -> torch.device:
    """Where to work: a GPU if there is one that knows double precision, which Apple's do not; else the CPU."""
    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return found if found and found.type != "mps" else torch.device("cpu")


def train(model: Network, images: Images, settings: Training, run: Path, quiet: bool = False) -> None:
    """Train until `settings.iterations`, going on from the checkpoint in the folder `run` if there is one.

    Leaves in `run`: metrics.jsonl (the losses of every iteration), checkpoint.safetensors, weights.safetensors and
    pictures of the painting process. Raises UserError when the loss is no longer a number; the last checkpoint, from
    before, stays. Raises Stopped after Ctrl-C, SIGTERM or SIGHUP, having saved.
    """
    accelerator = Accelerator(cpu=device().type == "cpu")
    here, process = accelerator.device, accelerator.process_index
    images = Images(images.pixels.to(here))
    model.to(here).train()
    optimiser = torch.optim.Adam(model.parameters(), settings.rate, settings.betas, fused=here.type in ("cpu", "cuda"))
    checkpoint = run / CHECKPOINT
    done = load_checkpoint(checkpoint, model, optimiser) if checkpoint.exists() else 0
    parallel, optimiser = accelerator.prepare(model, optimiser)
    batches = Batches(len(images), settings.batch, settings.seed)
    board = _board(run) if settings.tensorboard and accelerator.is_main_process else None
    record = Record(run / METRICS, done) if accelerator.is_main_process else None
    waiting: list[dict[str, Tensor]] = []

    def note(iteration: int) -> None:
        """Check and record the losses since the last time."""
        found = _averages(accelerator, waiting)
        first = iteration - len(waiting) + 1
        waiting.clear()
        for place, losses in enumerate(found, first):
            if not math.isfinite(losses["loss"]):
                if record:
                    record.flush()
                raise UserError(_not_a_number(place, checkpoint))
            if record:
                record.add(place, losses)
        if record:
            record.flush()
        if board and found:
            for name, value in found[-1].items():
                board.add_scalar(name, value, iteration)

    def keep(iteration: int, picture: bool, everything: bool) -> None:
        """Leave a picture, everything to go on from, or both; a picture that cannot be written costs nothing else."""
        drawn = None
        if picture or everything:
            note(iteration)
        if picture and accelerator.is_main_process:
            try:
                drawn = painting_process(model, images[:ROWS].ink(here))
            except NotFinite as error:
                raise UserError(_not_a_number(iteration, checkpoint)) from error
        if everything:
            if not all(bool(weight.isfinite().all()) for weight in model.parameters()):
                raise UserError(_not_a_number(iteration, checkpoint))
            if accelerator.is_main_process:
                save_checkpoint(checkpoint, model, optimiser.optimizer, iteration)
                save_weights(run / WEIGHTS, model)
        if drawn is not None:
            save_sheet(drawn, run / f"painting-{iteration:06d}.png")

    shown = accelerator.is_main_process and not quiet and on_terminal(sys.stderr)
    bar = tqdm(total=settings.iterations, initial=done, disable=not shown, unit="it")
    with bar, told(bar), board or nullcontext(), flushed(), _stop_gently() as asked, _threads(settings.threads):
        for iteration in range(done + 1, settings.iterations + 1):
            model.schedule(iteration - 1)
            seed_noise(settings.seed, iteration, process)
            for group in optimiser.param_groups:
                group["lr"] = settings.rate_at(iteration - 1)
            batch = batches[iteration - 1][process :: accelerator.num_processes]
            seen = warped(images[batch].ink(here), settings.warp, settings.mirror)
            try:
                losses = {name: each.mean() for name, each in parallel(seen).losses.items()}
            except NotFinite as error:
                note(iteration - 1)
                raise UserError(_not_a_number(iteration, checkpoint)) from error
            loss = torch.stack(list(losses.values())).sum()
            optimiser.zero_grad()
            accelerator.backward(loss)
            if settings.clip:
                accelerator.clip_grad_norm_(parallel.parameters(), settings.clip)
            optimiser.step()
            waiting.append({"loss": loss.detach(), **{name: each.detach() for name, each in losses.items()}})
            bar.update()
            if iteration % LOG_EVERY == 0:
                bar.set_postfix(loss=f"{loss.item():.4g}", refresh=False)
                note(iteration)
            if iteration == settings.iterations:
                break
            stop = _agreed(accelerator, asked, iteration)
            picture, everything = (
                _due(iteration, every) for every in (settings.picture_every, settings.checkpoint_every)
            )
            keep(iteration, stop or picture, stop or everything)
            if stop:
                raise Stopped(f"stopped after iteration {iteration} of {settings.iterations}")
        keep(settings.iterations, picture=True, everything=True)


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


def _averages(accelerator: Accelerator, waiting: list[dict[str, Tensor]]) -> list[dict[str, float]]:
    """The losses of some iterations, averaged over processes."""
    if not waiting:
        return []
    table = torch.stack([torch.stack(list(losses.values())) for losses in waiting])
    if accelerator.num_processes > 1:
        table = accelerator.reduce(table, "mean")
    assert isinstance(table, Tensor)
    return [dict(zip(waiting[0], row, strict=True)) for row in table.tolist()]


def _not_a_number(iteration: int, checkpoint: Path) -> str:
    kept = f"the checkpoint {checkpoint} from before it is kept: --resume" if checkpoint.exists() else "start again"
    return f"the loss is no longer a number in iteration {iteration}; {kept} with a lower --training.rate"


def _board(run: Path):
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(run / "tensorboard"))


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
