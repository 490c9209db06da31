"""Runs are kept by the hash of their settings, are not trained twice, and go on where they were interrupted."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import psutil
import pytest
from jaxtyping import TypeCheckError
from safetensors import safe_open

from limner.data.settings import SYNTHETIC, Data, Recipe
from limner.errors import UserError
from limner.experiments import runs
from limner.experiments.settings import Experiment
from limner.experiments.thesis import EXPERIMENTS
from limner.figures import cache
from limner.models.settings import Model
from limner.training import record
from limner.training.settings import HARMLESS, Training

SMALL = Experiment(Data(images=60, held_out=20), Model(hidden=8), Training(iterations=12, batch=20))
SOME = (
    3,
    True,
    0.375,
    Path("x"),
    ("circle",),
    (1, 2),
    (0.5,),
    (0.5, 0.5),
    "mnist",
    "conv",
    "drawn",
    "scale",
    "soft",
    "ce",
    "mu",
    "moves",
)


def trained(experiments: list[Experiment], folder: Path, jobs: int = 1) -> list[str]:
    """The keys of what was trained without error, in the order in which it came."""
    attempts = list(cache.train(experiments, folder, jobs, quiet=True))
    assert [error for _, error in attempts] == [None] * len(attempts)
    return [cache.key(experiment) for experiment, _ in attempts]


def losses(folder: Path, experiment: Experiment) -> list[float]:
    return record.read(folder / cache.key(experiment) / "metrics.jsonl")["loss"]


def test_keys_stay_what_they_are() -> None:
    assert cache.key(Experiment()) == "80851bea950877a0"
    assert cache.key(EXPERIMENTS["faces"]()) == "120b4e2d7e3ded08"


def test_what_keys_leave_out_stays_what_it_is() -> None:
    """Defaults, and how sets are made: the results in the repository are of these."""
    model = {"kind": "simple", "moves": 2, "templates": ("square",), "hidden": 256, "layers": 1, "batch_norm": False}
    model |= {"phi0": 2.0, "affine": "full", "init": 0.05, "gamma": 1.0, "gamma_rate": 0.0, "gamma_test": 30.0}
    model |= {"noise": 0.0, "order": "fixed", "temperature": 1.0, "temperature_end": 1.0, "anneal": 0}
    model |= {"likelihood": "mse", "latent": 0, "sigma": -1.0, "sigma_start": 1.0, "latent_cost": "full", "beta": 1.0}
    model |= {"free_bits": 0.0, "input_noise": 0.0, "window": 12, "window_size": 0.0, "prior_where": 1.0}
    model |= {"margin": 1e-3, "learn_templates": "no", "moves_test": 0, "greedy": 0, "apart": "no"}
    training = {"iterations": 10_000, "batch": 100, "rate": 1e-3, "drop_at": 0, "rate_after": 1e-4, "clip": 0.0}
    training |= {"betas": (0.9, 0.999), "seed": 0, "warp": 0.0, "mirror": False}
    assert asdict(Model()) == model
    assert {name: value for name, value in asdict(Training()).items() if name not in HARMLESS} == training
    recipe = Recipe((2, 2), ("square",), False, 5.0, 14.0, 0.0, (1.0,), 0.0, True)
    sets = {
        "two-rectangles": recipe,
        "four-rectangles": replace(recipe, counts=(4, 4), min_side=4.0, max_side=10.0),
        "zero-to-two-rectangles": replace(recipe, counts=(0, 2)),
        "two-rectangles-occlusion": replace(recipe, min_side=7.0, max_side=16.0, levels=(0.5, 1.0)),
        "two-rectangles-mixed": replace(recipe, inverted=0.5),
        "two-shapes": replace(recipe, shapes=("square", "circle"), isotropic=True),
        "shapes": replace(recipe, counts=(1, 4), shapes=("square", "circle"), rotation=180.0, levels=()),
    }
    assert sets == SYNTHETIC


@pytest.mark.usefixtures("unchecked")
def test_a_key_is_of_what_the_run_holds() -> None:
    loose: dict[str, Any] = {"hidden": np.int64(8), "templates": ["square"]}
    assert cache.key(replace(SMALL, model=replace(SMALL.model, **loose))) == cache.key(SMALL)


@pytest.mark.parametrize("part", ["data", "model", "training"])
def test_every_setting_that_matters_changes_the_key(part: str) -> None:
    whole = Experiment()
    for field in fields(getattr(whole, part)):
        changed = replace(whole, **{part: another(getattr(whole, part), field.name)})
        assert (cache.key(changed) == cache.key(whole)) == (field.name in HARMLESS), field.name


def another(settings: Any, name: str) -> Any:
    """The settings with some other value of the right type."""
    for value in SOME:
        try:
            changed = replace(settings, **{name: value})
        except TypeCheckError:
            continue
        if changed != settings:
            return changed
    raise AssertionError(f"no other value for {name}")


def test_keys_tell_parts_apart() -> None:
    by_data = replace(Experiment(), data=Data(seed=3))
    by_training = replace(Experiment(), training=Training(seed=3))
    assert cache.key(by_data) != cache.key(by_training)


def test_what_is_trained_is_not_trained_again(tmp_path: Path) -> None:
    assert trained([SMALL], tmp_path) == [cache.key(SMALL)]
    files = {file: file.stat().st_mtime_ns for file in (tmp_path / cache.key(SMALL)).iterdir()}
    free = replace(SMALL, training=replace(SMALL.training, picture_every=5, threads=2))
    assert trained([SMALL, free, SMALL], tmp_path) == [cache.key(SMALL)] * 3
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / cache.key(SMALL)).iterdir()} == files


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    short = replace(SMALL, training=replace(SMALL.training, iterations=5))
    folder = tmp_path / "parts" / cache.key(SMALL)
    runs.start(short, folder, quiet=True)
    settings = (folder / "settings.json").read_text()
    (folder / "settings.json").write_text(settings.replace('"iterations": 5', '"iterations": 12'))
    assert not cache.finished(tmp_path / "parts", SMALL)
    trained([SMALL], tmp_path / "parts")
    trained([SMALL], tmp_path / "whole")
    assert losses(tmp_path / "parts", SMALL) == losses(tmp_path / "whole", SMALL)
    assert cache.finished(tmp_path / "parts", SMALL)


def test_weights_older_than_the_checkpoint_are_not_final(tmp_path: Path) -> None:
    trained([SMALL], tmp_path)
    os.utime(tmp_path / cache.key(SMALL) / "weights.safetensors", (0, 0))
    assert not cache.finished(tmp_path, SMALL)


def test_a_folder_with_another_run_is_named(tmp_path: Path) -> None:
    other = replace(SMALL, training=replace(SMALL.training, rate=0.5))
    trained([other], tmp_path)
    (tmp_path / cache.key(other)).rename(tmp_path / cache.key(SMALL))
    assert not cache.finished(tmp_path, SMALL)
    ((_, error),) = cache.train([SMALL], tmp_path, quiet=True)
    assert cache.key(SMALL) in str(error)
    assert "other settings" in str(error)


def test_a_run_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    bad = replace(SMALL, model=replace(SMALL.model, hidden=9))
    (tmp_path / cache.key(bad)).mkdir()
    (tmp_path / cache.key(bad) / "settings.json").write_text("{")
    (first, error), (second, none) = cache.train([bad, SMALL], tmp_path, quiet=True)
    assert (first, second, none) == (bad, SMALL, None)
    assert cache.key(bad) in str(error)
    assert cache.finished(tmp_path, SMALL)
    assert not cache.finished(tmp_path, bad)


def test_processes_train_the_same_runs(tmp_path: Path) -> None:
    two = [replace(SMALL, training=replace(SMALL.training, seed=seed)) for seed in (1, 2)]
    trained([two[0]], tmp_path / "one")
    assert sorted(trained(two, tmp_path / "several", jobs=2)) == sorted(map(cache.key, two))
    assert losses(tmp_path / "several", two[0]) == losses(tmp_path / "one", two[0])


def test_a_run_that_breaks_off_is_told_and_the_others_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other, start = replace(SMALL, training=replace(SMALL.training, seed=5)), runs.start

    def broken(experiment: Experiment, *given: Any, **options: Any) -> None:
        if experiment == SMALL:
            raise RuntimeError("no memory left")
        start(experiment, *given, **options)

    monkeypatch.setattr(runs, "start", broken)
    (_, error), (_, fine) = cache.train([SMALL, other], tmp_path, quiet=True)
    assert str(error) == f"{tmp_path / cache.key(SMALL)}: broke off: RuntimeError: no memory left"
    assert fine is None
    assert cache.finished(tmp_path, other)


def test_a_killed_worker_is_told(tmp_path: Path) -> None:
    endless = [replace(SMALL, training=replace(SMALL.training, iterations=10**6, seed=seed)) for seed in (0, 1)]

    def kill() -> None:
        while not (workers := [each for each in psutil.Process().children() if "spawn_main" in str(each.cmdline())]):
            time.sleep(0.05)
        workers[0].kill()

    thread = Thread(target=kill)
    thread.start()
    with pytest.raises(UserError, match="a process that trained was killed, probably for memory: give fewer --jobs"):
        list(cache.train(endless, tmp_path, jobs=2, quiet=True))
    thread.join()


ENDLESS = """
import sys
from dataclasses import replace
from pathlib import Path
from limner.data.settings import SYNTHETIC, Data, Recipe
from limner.experiments.settings import Experiment
from limner.figures import cache
from limner.training.settings import Training

if __name__ == "__main__":
    runs = [Experiment(Data(images=100), training=Training(iterations=10**6, seed=seed)) for seed in range(5)]
    list(cache.train(runs, Path(sys.argv[1]), 2, quiet=True))
"""


@contextmanager
def training(folder: Path) -> Iterator[tuple[subprocess.Popen, list[psutil.Process]]]:
    """A process whose two workers are training below a folder, and all that it has started."""
    program = folder / "program.py"
    program.write_text(ENDLESS)
    with subprocess.Popen([sys.executable, str(program), str(folder)], stderr=subprocess.PIPE, text=True) as process:
        while sum(file.stat().st_size > 0 for file in folder.glob("*/metrics.jsonl")) < 2:
            assert process.poll() is None
            time.sleep(0.05)
        yield process, psutil.Process(process.pid).children(recursive=True)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_stopping_saves_and_leaves_no_process(number: signal.Signals, tmp_path: Path) -> None:
    with training(tmp_path) as (process, children):
        process.send_signal(number)
        if number != signal.SIGKILL:
            assert "KeyboardInterrupt" in process.communicate()[1]
        _, alive = psutil.wait_procs(children, timeout=60)
    assert process.returncode
    assert not alive
    checkpoints = list(tmp_path.glob("*/checkpoint.safetensors"))
    assert len(checkpoints) == 2
    for checkpoint in checkpoints:
        with safe_open(checkpoint, "pt") as file:
            assert int(file.metadata()["iteration"]) >= 100
