"""Runs by the hash of their settings: what has been trained is not trained again, what was interrupted goes on."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from multiprocessing import active_children, connection, get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any

from limner.errors import UserError
from limner.experiments.settings import Experiment, normalised
from limner.signals import ENDING, handled, interrupt
from limner.training.settings import HARMLESS

Attempt = tuple[Experiment, UserError | None]

GRACE = 30
"""Seconds that workers have to save in when one of them was killed."""


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
    return hashlib.sha256(_canonical(changed).encode()).hexdigest()[:16]


def _canonical(values: Any) -> str:
    return json.dumps(values, sort_keys=True, separators=(",", ":"), default=os.fspath)


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
        yield from _by_processes(list(missing.values()), folder, jobs)


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


def _by_processes(experiments: list[Experiment], folder: Path, jobs: int) -> Iterator[Attempt]:
    """No more runs in the pool than it has processes: a worker that was told to stop must find no other."""
    waiting, running = list(reversed(experiments)), {}
    with (
        handled(interrupt, *ENDING),
        ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_follow_parent) as pool,
    ):
        try:
            while waiting or running:
                while waiting and len(running) < jobs:
                    experiment = waiting.pop()
                    try:
                        running[pool.submit(_attempt, experiment, folder, True)] = experiment
                    except OSError as error:  # its pipes are closed: another worker was killed just now
                        raise BrokenProcessPool from error
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(future), future.result()
        except BaseException as error:
            workers = active_children()
            for worker in workers:
                worker.terminate()  # training saves first
            if not isinstance(error, BrokenProcessPool):
                raise
            for worker in workers:  # a pool that breaks forgets to stop one that it was just starting
                worker.join(GRACE)
                worker.kill()
            raise UserError("a process that trained was killed, probably for memory: give fewer --jobs") from error


def _follow_parent() -> None:
    """Ctrl-C reaches all processes of a terminal, but it is the parent that stops its workers, or whose end does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()

    def end(sentinel: int) -> None:
        connection.wait([sentinel])
        while True:  # the first makes training save
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)

    if parent:
        Thread(target=end, args=[parent.sentinel], daemon=True).start()
