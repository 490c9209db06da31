"""Measuring the runs of a figure: training and held-out images, and the course of the loss."""

from functools import lru_cache
from itertools import chain
from math import isfinite
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

import torch

from limner.data.images import Images
from limner.data.loading import load as load_data
from limner.data.settings import Data, Split
from limner.errors import UserError
from limner.experiments import runs
from limner.experiments.settings import Experiment
from limner.figures.cache import key
from limner.figures.changes import changes
from limner.figures.figure import Figure, Scale
from limner.figures.moves import scores
from limner.figures.results import SPLITS, WINDOW
from limner.figures.reuse import Known, again
from limner.models.build import Network
from limner.models.evaluating import evaluating
from limner.training import record
from limner.training.metrics import averages, evaluate

LAST = 1000
"""Iterations at the end of training whose mean loss is `last`."""
STEADY = 5000
"""Iterations over which the wobble of the loss is measured, before and after the rate falls."""
BATCH = 100
DIGITS = 6


def measured(figure: Figure, scale: Scale, folder: Path, known: Known) -> list[dict[str, Any]]:
    """All trained runs of a figure, as `results` describes them: those `known`, and those below `folder`."""
    torch.set_num_threads(1)
    places = {(variant, seed): folder / key(experiment) for variant, seed, experiment in figure.runs(scale)}
    found = []
    for variant, seed, experiment in figure.runs(scale):
        run = again(known, figure, scale, variant, seed, experiment)
        if run is None:
            earlier = places.get((figure.since.get(variant, ""), seed))
            run = _run(figure, scale, experiment, places[variant, seed], earlier)
            run = {"variant": variant, "seed": seed, **run}
        found.append(run)
    return found


def _run(figure: Figure, scale: Scale, experiment: Experiment, folder: Path, earlier: Path | None) -> dict[str, Any]:
    model, before = runs.load(folder), earlier and runs.load(earlier)
    pixels = model.size[0] * model.size[1] * model.channels if experiment.model.likelihood == "mse" else 1
    losses = {name: [each / pixels for each in course] for name, course in record.read(folder / record.METRICS).items()}
    if len(losses.get("loss", ())) != experiment.training.iterations:
        raise UserError(f"{folder / record.METRICS}: lacks losses of some iterations: remove the folder, to train anew")
    found: dict[str, Any] = {"iterations": experiment.training.iterations, "run": folder.name}
    for split in SPLITS:
        images = images_of(experiment.data, split).spread(scale.images)
        found[split] = rounded(of_images(model, images, mean_image(experiment.data), figure.samples, before))
    found["train"] |= rounded(of_training(losses["loss"], experiment.training.drop_at))
    if figure.curve:
        means, deviations = windows(losses[figure.curve])
        found["curve"] = {"mean": [_round(each, 4) for each in means], "std": [_round(each, 3) for each in deviations]}
    return found


def of_images(
    model: Network, images: Images, mean: torch.Tensor, samples: int = 0, earlier: Network | None = None
) -> dict[str, float]:
    """All scores of a model on images: those of `evaluate`, those of `moves.scores`, `explained`, those of `changes`.

    explained: the share of the squared error of the `mean` image that painting has removed.
    """
    batches = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
    with evaluating(model):
        found = averages(chain.from_iterable(scores(model, batch, mean) for batch in batches))
        if earlier is not None:
            with evaluating(earlier):
                found |= averages(changes(model, earlier, batch) for batch in batches)
    found |= evaluate(model, images, BATCH, samples)
    return found | {"explained": 1 - found["mse"] / found["mse_of_mean"]}


def of_training(losses: list[float], drop_at: int) -> dict[str, float]:
    """What the course of the training loss shows.

    area: its mean over all iterations: the lower, the faster.  last: its mean over the last `LAST`.
    wobble_early, wobble_late: standard deviation over mean of the `STEADY` iterations before the rate falls, and of
        the last ones; only where it falls.
    """
    found = {"area": fmean(losses), "last": fmean(losses[-LAST:])}
    if drop_at:
        parts = {"early": losses[max(0, drop_at - STEADY) : drop_at], "late": losses[drop_at:][-STEADY:]}
        found |= {f"wobble_{when}": pstdev(part) / fmean(part) for when, part in parts.items()}
    return found


def windows(losses: list[float]) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of every `WINDOW` iterations; a shorter rest is left out, unless it is all."""
    ends = range(WINDOW, max(len(losses), WINDOW) + 1, WINDOW)
    parts = [losses[end - WINDOW : end] for end in ends]
    return [fmean(part) for part in parts], [pstdev(part) for part in parts]


@lru_cache(maxsize=4)
def images_of(data: Data, split: Split) -> Images:
    """The images of a split, kept while other runs use them too."""
    return load_data(data, split)


@lru_cache(maxsize=4)
def mean_image(data: Data) -> torch.Tensor:
    """The mean of all training images, as ink."""
    pixels = images_of(data, "train").pixels
    return torch.stack([part.sum(0) for part in pixels.split(BATCH)]).sum(0) / (255 * len(pixels))


def rounded(scores: dict[str, float]) -> dict[str, float]:
    """Scores with as many digits as mean something, in alphabetical order; without those that are no numbers."""
    return {name: _round(scores[name], DIGITS) for name in sorted(scores) if isfinite(scores[name])}


def _round(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")
