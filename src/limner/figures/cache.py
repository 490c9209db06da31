"""Runs by the hash of their settings: what has been trained is not trained again, what was interrupted goes on."""

import hashlib
import json
import os
from collections.abc import Generator, Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path

from limner import workers
from limner.errors import UserError
from limner.experiments.settings import Experiment, normalised
from limner.training.settings import HARMLESS

Attempt = tuple[Experiment, UserError | None]


def key(experiment: Experiment) -> str:
    """The name of an experiment's folder: 16 hexadecimal digits of SHA-256 of its settings as JSON.

    Settings at their defaults are left out, so that a new setting does not make old runs unknown. Should a default
    change, `train` finds the folder taken by another run, and says so.
    """
    settings, plain = asdict(normalised(experiment)), asdict(Experiment())
    for name in HARMLESS:
        del settings["training"][name]
    changed = {
        part: {name: value for name, value in values.items() if value != plain[part][name]}
        for part, values in settings.items()
    }
    canonical = json.dumps(changed, sort_keys=True, separators=(",", ":"), default=os.fspath)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def finished(folder: Path, experiment: Experiment) -> bool:
    """Whether an experiment has been trained to its end, its weights saved, below `folder`."""
    from limner.experiments import runs

    run = folder / key(experiment)
    checkpoint, weights = run / runs.CHECKPOINT, run / runs.WEIGHTS
    try:
        if key(runs.read(run).experiment) != key(experiment):
            return False
        if runs.iterations_done(checkpoint) < experiment.training.iterations:
            return False
        return weights.stat().st_mtime_ns >= checkpoint.stat().st_mtime_ns
    except (OSError, UserError):
        return False


def train(experiments: Iterable[Experiment], folder: Path, jobs: int = 1, quiet: bool = False) -> Generator[Attempt]:
    """Train what is not finished, each into its own folder below `folder`, and yield every one when it is there.

    A run that fails comes with its error, and the others go on. With one job, runs are trained here in turn; with more,
    each has a process with as many threads as its settings say. Ctrl-C and SIGTERM stop all, after saving.
    """
    missing: dict[str, Experiment] = {}
    for experiment in experiments:
        if finished(folder, experiment):
            yield experiment, None
        else:
            missing[key(experiment)] = experiment
    if jobs == 1 or len(missing) < 2:
        for experiment in missing.values():
            yield experiment, _attempt(experiment, folder, quiet)
    else:
        yield from workers.each(partial(_attempt, folder=folder, quiet=True), missing.values(), jobs, "trained")


def _attempt(experiment: Experiment, folder: Path, quiet: bool) -> UserError | None:
    from limner.experiments import runs

    run = folder / key(experiment)
    try:
        if (run / runs.SETTINGS).exists() and key(runs.read(run).experiment) != key(experiment):
            raise UserError(f"{run}: holds a run with other settings than its name says: remove it")
        runs.start(experiment, run, resume=True, quiet=quiet)
    except UserError as error:
        return error
    except (RuntimeError, MemoryError) as error:  # such as torch's, for memory
        return UserError(f"{run}: broke off: {type(error).__name__}: {error}")
    return None
