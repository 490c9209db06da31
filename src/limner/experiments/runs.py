"""Runs: a folder for every trained model, with its settings, weights, losses and pictures."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from filelock import FileLock, Timeout

from limner.data.loading import load as load_data
from limner.data.loading import side
from limner.data.pictures import files_of
from limner.data.settings import Data
from limner.data.sources import check_apart
from limner.errors import UserError
from limner.experiments import shipped
from limner.experiments.settings import Experiment, normalised
from limner.experiments.trained import SETTINGS, Trained, as_json, read
from limner.files import make_folder, place, reason, write
from limner.flags import flag
from limner.models.build import Network, build, check, check_size
from limner.printing import say
from limner.training.checkpoints import iterations_done, load_weights
from limner.training.loop import device, train
from limner.training.record import METRICS
from limner.training.settings import CHECKPOINT, HARMLESS, WEIGHTS

FILES = (SETTINGS, CHECKPOINT, WEIGHTS, METRICS)


def start(experiment: Experiment, run: str | Path, resume: bool = False, quiet: bool = False) -> None:
    """Train an experiment into the folder `run`, or go on with what is there.

    Raises UserError where `run` holds another experiment, or holds this one already and `resume` is not asked for, and
    while another process trains there.
    """
    run, experiment = Path(run), normalised(experiment)
    check(experiment.model)
    experiment.training.check()
    experiment.data.check()
    check_size(experiment.model, (side(experiment.data), side(experiment.data)))
    check_apart("--out", run, experiment.data)
    _one_gpu_each()
    processes = PartialState(cpu=device().type == "cpu")
    batch, count = experiment.training.batch, processes.num_processes
    if batch % count:
        raise UserError(f"--training.batch {batch} cannot be shared by {count} processes")
    if experiment.model.batch_norm and batch <= count:
        raise UserError("--model.batch-norm needs two images a process: give a larger --training.batch")
    with ExitStack() as held:
        if processes.is_main_process:
            held.enter_context(_alone(run))
        before = _before(run, experiment, resume)  # which tells every process of a fault, so that none waits
        if resume and not before and (run / SETTINGS).exists() and processes.is_main_process and not quiet:
            say(f"limner: {run}: ended before its first checkpoint: begins anew, as is asked for now", sys.stderr)
        processes.wait_for_everyone()
        with processes.local_main_process_first():  # which may download
            images = load_data(experiment.data, "train")
        pictures = count_pictures(experiment.data)
        if before:
            check_images(run, before, len(images), pictures)
        held.enter_context(torch.random.fork_rng(devices=[]))
        torch.manual_seed(experiment.training.seed)
        model = build(experiment.model, images.size, images.channels)
        if processes.is_main_process:
            write(run / SETTINGS, as_json(Trained(experiment, images.size, images.channels, len(images), pictures)))
        train(model, images, experiment.training, run, quiet)


def spare(path: Path, run: str | Path) -> None:
    """UserError for an output that would replace a file of a run."""
    if place(path) in {place(shipped.folder(run) / name) for name in FILES}:
        raise UserError(f"{path}: is a file of the run: choose another name")


def count_pictures(data: Data) -> int:
    """Of a folder of pictures, all that are in it; 0 for other sets."""
    return len(files_of(data.folder)) if data.name == "folder" else 0


def check_images(run: str | Path, trained: Trained, images: int, pictures: int) -> None:
    """UserError where a run was trained on fewer or more than there are now: each may be in another split."""
    changes = []
    if trained.pictures not in (0, pictures):
        changes.append(f"its folder held {trained.pictures} pictures, and holds {pictures} now")
    if trained.images not in (0, images):
        changes.append(f"was trained on {trained.images} images, now there are {images}")
    if changes:
        raise UserError(f"{run}: {'; it '.join(changes)}: train anew")


def _one_gpu_each() -> None:
    """UserError for more processes on this machine than it has GPUs, where it has any."""
    processes, gpus = int(os.environ.get("LOCAL_WORLD_SIZE", 1)), torch.accelerator.device_count()
    if device().type != "cpu" and processes > gpus:
        advice = f"start {gpus} here, or hide the GPUs with CUDA_VISIBLE_DEVICES="
        raise UserError(f"{processes} processes cannot share {gpus} GPU{'s' * (gpus > 1)}: {advice}")


def load(run: str | Path) -> Network:
    """A trained model in evaluation mode; `model.settings`, `.bank`, `.size`, `.channels`.

    run: its folder, or the name of one that comes with limner: two-rectangles, mnist, omniglot, faces, cifar.
    Raises UserError naming what is missing or does not fit.
    """
    run = shipped.folder(run)
    trained = read(run)
    with torch.random.fork_rng(devices=[]):  # its first weights are drawn for nothing
        model = build(trained.experiment.model, trained.size, trained.channels)
    load_weights(run / WEIGHTS, model)
    model.schedule(trained.experiment.training.iterations)
    return model.eval()


@contextmanager
def _alone(run: Path) -> Iterator[None]:
    """Inside, the folder is there and no other process may train in it; it goes again if nothing comes of it."""
    made = make_folder(run)
    try:
        held = FileLock(run / ".lock", timeout=0).acquire()
    except Timeout:
        raise UserError(f"{run}: another process is training there: wait for it, or choose another folder") from None
    except OSError as error:
        raise UserError(f"{run}: no run can be put there: {reason(error)}") from error
    try:
        with held:
            try:
                yield
            finally:
                with suppress(OSError):  # Windows removes no open file, but the lock when it is let go
                    if made and os.listdir(run) == [".lock"]:
                        (run / ".lock").unlink()
    finally:
        with suppress(OSError):  # where there is more in it than the lock
            for folder in reversed(made):
                folder.rmdir()


def _before(run: Path, experiment: Experiment, resume: bool) -> Trained | None:
    """What a folder holds to go on with: this very experiment, but for what `FREE` names, or nothing.

    Settings without a checkpoint were left by a run that ended before its first, and count as nothing; with weights
    they are a trained model.
    """
    there = [name for name in FILES if (run / name).exists()]
    if there and SETTINGS not in there:
        raise UserError(f"{run}: holds a {there[0]} without {SETTINGS}: choose another folder")
    if CHECKPOINT not in there:
        if WEIGHTS in there:
            raise UserError(f"{run}: holds {WEIGHTS} without the {CHECKPOINT} to go on from: choose another folder")
        if there:
            read(run)  # settings of something else are not to be replaced
        return None
    if not resume:
        raise UserError(f"{run}: a run is there already: give --resume to go on with it, or another folder")
    before, checkpoint = read(run), run / CHECKPOINT
    then, now = _flat(before.experiment), _flat(experiment)
    changed = [name for name in now if now[name] != then[name] and name not in FREE]
    if changed:
        first, *others = changed
        held = f"{flag(first)} {_words(then[first])}, asked for {_words(now[first])}"
        more = f" ({', '.join(map(flag, others))} {'differ' if len(others) > 1 else 'differs'} too)" if others else ""
        raise UserError(f"{run}: holds {held}: resume with the same settings{more}")
    if (done := iterations_done(checkpoint)) > experiment.training.iterations:
        raise UserError(
            f"{run}: {done} iterations are done already: expected --training.iterations of at least as many"
        )
    return before


FREE = {f"training.{name}" for name in ("iterations", "rate", "drop_at", "rate_after", "clip", *HARMLESS)}
"""Settings that a run may go on with other values of."""


def _flat(experiment: Experiment) -> dict[str, Any]:
    return {
        f"{part.name}.{field.name}": getattr(getattr(experiment, part.name), field.name)
        for part in fields(experiment)
        for field in fields(getattr(experiment, part.name))
    }


def _words(value: Any) -> str:
    """A setting as it is given on the command line."""
    if value is None:
        return "left out"
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
