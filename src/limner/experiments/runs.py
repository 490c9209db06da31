"""Runs: a folder for every trained model, with its settings, weights, losses and pictures."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import torch
from accelerate import PartialState

from limner.data.loading import load as load_data
from limner.errors import UserError
from limner.experiments import shipped
from limner.experiments.settings import Experiment
from limner.files import atomic
from limner.models.build import Network, build, check
from limner.training.checkpoints import iterations_done, load_weights
from limner.training.loop import train

SETTINGS = shipped.SETTINGS
T = TypeVar("T")


@dataclass(frozen=True)
class Trained:
    """What a run's settings.json holds: the experiment, and the images it was made for."""

    experiment: Experiment
    size: tuple[int, int]
    channels: int


def start(experiment: Experiment, run: Path, resume: bool = False, quiet: bool = False) -> None:
    """Train an experiment into the folder `run`, or go on with what is there.

    Raises UserError where `run` holds another experiment, or holds this one already and `resume` is not asked for.
    """
    check(experiment.model)
    experiment.training.check()
    processes = PartialState(cpu=not torch.accelerator.is_available())
    if experiment.model.batch_norm and experiment.training.batch <= processes.num_processes:
        raise UserError("--model.batch-norm needs two images a process: give a larger --training.batch")
    if processes.is_main_process:
        _make(run, experiment, resume)
    processes.wait_for_everyone()
    with processes.local_main_process_first():  # which may download
        images = load_data(experiment.data, "train")
    torch.manual_seed(experiment.training.seed)
    model = build(experiment.model, images.size, images.channels)
    if processes.is_main_process:
        _write(run / SETTINGS, Trained(experiment, images.size, images.channels))
    train(model, images, experiment.training, run, quiet)


def load(run: str | Path) -> Network:
    """A trained model in evaluation mode; `model.settings`, `.bank`, `.size`, `.channels`.

    run: its folder, or the name of one that comes with limner: two-rectangles, mnist, omniglot, faces, cifar.
    Raises UserError naming what is missing or does not fit.
    """
    run = shipped.folder(run)
    trained = read(run)
    model = build(trained.experiment.model, trained.size, trained.channels)
    load_weights(run / "weights.safetensors", model)
    model.schedule(trained.experiment.training.iterations)
    return model.eval()


def read(run: Path) -> Trained:
    """The settings of a run, or of a model that comes with limner."""
    path = shipped.folder(run) / SETTINGS
    try:
        return restored(Trained, json.loads(path.read_text()))
    except FileNotFoundError:
        known = ", ".join(shipped.names())
        raise UserError(f"{run}: no trained model is there: expected a run's folder, or one of {known}") from None
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: not the settings of a run: {error}") from error


def restored(kind: type[T], values: dict[str, Any]) -> T:
    """A dataclass from what `asdict` and JSON made of it; fields that are not there keep their defaults."""
    hints = get_type_hints(kind)
    unknown = values.keys() - {field.name for field in fields(kind)}  # pyright: ignore[reportArgumentType]
    if unknown:
        raise ValueError(f"unknown setting {sorted(unknown)[0]}")
    return kind(**{name: _value(hints[name], value) for name, value in values.items()})


def _value(hint: Any, value: Any) -> Any:
    if is_dataclass(hint) and isinstance(hint, type):
        return restored(hint, value)
    if isinstance(value, str) and Path in get_args(hint):
        return Path(value)
    if get_origin(hint) is Literal and value not in get_args(hint):
        raise ValueError(f"{value!r} is none of {', '.join(map(str, get_args(hint)))}")
    return tuple(_value(None, each) for each in value) if isinstance(value, list) else value


def as_json(trained: Trained) -> str:
    """What `restored` reads, as text."""
    return json.dumps(asdict(trained), indent=1, default=str) + "\n"


def _write(path: Path, trained: Trained) -> None:
    with atomic(path) as temporary:
        temporary.write_text(as_json(trained))


def _make(run: Path, experiment: Experiment, resume: bool) -> None:
    """The folder, checked to be free or to hold this very experiment; what `FREE` names may be other than before."""
    try:
        run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{run}: no run can be put there: {error.strerror}") from error
    if not (run / SETTINGS).exists():
        return
    if not resume:
        raise UserError(f"{run}: a run is there already: give --resume to go on with it, or another folder")
    before = read(run).experiment
    changed = [name for name, now in _flat(experiment).items() if now != _flat(before)[name] and name not in FREE]
    if changed:
        raise UserError(f"{run}: holds a run with another --{changed[0]}: resume with the same settings")
    checkpoint, wanted = run / "checkpoint.safetensors", experiment.training.iterations
    if checkpoint.exists() and (done := iterations_done(checkpoint)) > wanted:
        raise UserError(
            f"{run}: {done} iterations are done already: expected --training.iterations of at least as many"
        )


FREE = {
    f"training.{name}"
    for name in (
        "iterations",
        "rate",
        "drop_at",
        "rate_after",
        "checkpoint_every",
        "picture_every",
        "threads",
        "tensorboard",
    )
}
"""Settings that a run may go on with other values of."""


def _flat(experiment: Experiment) -> dict[str, Any]:
    return {
        f"{part.name}.{field.name}": getattr(getattr(experiment, part.name), field.name)
        for part in fields(experiment)
        for field in fields(getattr(experiment, part.name))
    }
