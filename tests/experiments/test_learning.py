"""Models learn: short trainings, measured on images held out from them."""

from dataclasses import replace
from pathlib import Path

import torch

from limner.data import load
from limner.experiments.settings import Experiment
from limner.experiments.thesis import EXPERIMENTS
from limner.models.build import Network, build
from limner.training.loop import train
from limner.training.metrics import evaluate

SAMPLE = Path(__file__).parents[1] / "data/sample"


def learnt(experiment: Experiment, iterations: int, run: Path) -> Network:
    images = load(experiment.data, "train")
    torch.manual_seed(0)
    model = build(experiment.model, images.size, images.channels)
    train(model, images, replace(experiment.training, iterations=iterations, picture_every=0), run, quiet=True)
    return model.eval()


def test_two_rectangles_are_found_in_most_images(tmp_path: Path) -> None:
    experiment = EXPERIMENTS["two-rectangles"]()
    model = learnt(experiment, 1500, tmp_path)
    scores = evaluate(model, load(experiment.data, "test")[:500])
    assert scores["all_found"] > 0.5


def test_twenty_circles_beat_the_mean_digit(tmp_path: Path, data: Path | None) -> None:
    experiment = EXPERIMENTS["mnist"]()
    experiment = replace(experiment, data=replace(experiment.data, folder=data or SAMPLE))
    model = learnt(experiment, 300, tmp_path)
    train_images = load(experiment.data, "train")
    judged = load(experiment.data, "test")[:500] if data else train_images  # the sample is too small to generalise from
    of_mean = (judged.ink() - train_images.ink().mean(0)).square().mean()
    assert evaluate(model, judged)["mse"] < 0.75 * of_mean
