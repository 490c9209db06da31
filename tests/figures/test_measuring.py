"""What is measured of a run, against plain formulas."""

import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from limner.data.images import Images
from limner.data.loading import load
from limner.data.settings import Data
from limner.experiments import runs
from limner.experiments.settings import Experiment
from limner.figures import measuring
from limner.figures.cache import key
from limner.figures.figure import Figure, Judgement, Scale, seeded
from limner.figures.layouts import Dots
from limner.models.build import build
from limner.models.settings import Model
from limner.training import record
from limner.training.metrics import evaluate
from limner.training.settings import Training


def test_windows_are_of_100_iterations() -> None:
    losses = [float(k) for k in range(250)]
    means, deviations = measuring.windows(losses)
    assert means == [49.5, 149.5]
    assert deviations == pytest.approx([statistics.pstdev(range(100))] * 2)
    assert measuring.windows(losses[:30]) == ([14.5], [statistics.pstdev(range(30))])


def test_the_course_of_the_loss() -> None:
    losses = [4.0] * 1000 + [1.0, 3.0] * 3000 + [2.0] * 4000
    assert measuring.of_training(losses, 0) == {"area": pytest.approx(24_000 / 11_000), "last": 2.0}
    found = measuring.of_training(losses, 7000)
    assert found["wobble_early"] == pytest.approx(0.5)
    assert found["wobble_late"] == 0


def test_the_course_is_that_of_the_last_thousand_and_of_five_thousand_around_the_fall() -> None:
    losses = [float(k) for k in range(1, 13_001)]
    found = measuring.of_training(losses, 7000)
    early, late = losses[2000:7000], losses[8000:]
    assert found == {
        "area": pytest.approx(6500.5),
        "last": pytest.approx(12_500.5),
        "wobble_early": pytest.approx(statistics.pstdev(early) / statistics.fmean(early)),
        "wobble_late": pytest.approx(statistics.pstdev(late) / statistics.fmean(late)),
    }


def test_images_are_spread_over_the_set() -> None:
    images = Images(torch.arange(10, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 2, 2))
    assert images.spread(4).pixels[:, 0, 0, 0].tolist() == [0, 3, 6, 9]
    assert len(images.spread(99)) == len(images.spread(None)) == 10


def test_the_mean_image() -> None:
    data = Data("two-rectangles", images=333)
    ink = measuring.images_of(data, "train").ink()
    assert torch.allclose(measuring.mean_image(data), ink.mean(0), atol=1e-5)


def test_explained_is_what_is_left_of_the_mean_image_s_error() -> None:
    data = Data("two-rectangles", images=150)
    images, mean = measuring.images_of(data, "train"), measuring.mean_image(data)
    model = build(Model(hidden=8), images.size, 1)
    scores = measuring.of_images(model, images, mean)
    with torch.no_grad():
        mse = (model.eval()(images.ink()).canvas - images.ink()).square().mean()
    variance = (images.ink() - mean).square().mean()
    assert scores["explained"] == pytest.approx(float(1 - mse / variance), abs=1e-5)
    assert {"mse", "psnr", "ssim", "iou", "all_found", "live", "boxed", "undone"} <= set(scores)
    assert "iwae" not in scores


@pytest.mark.parametrize("likelihood", ["mse", "ce"])
def test_a_run_is_measured_on_images_of_both_splits(likelihood: Any, tmp_path: Path) -> None:
    """Losses that are squared errors are told a pixel, others in nats an image."""
    model, pixels = Model(hidden=8, latent=3, likelihood=likelihood), 28 * 28 if likelihood == "mse" else 1
    data = Data("two-rectangles", images=60, held_out=50)
    experiment = Experiment(data, model, Training(iterations=4, batch=20, drop_at=2))
    figure = Figure(
        "", "", "", "", "", 0, Dots(()), lambda _: Judgement("confirmed", ""), (), {"Painter": experiment}, 1,
        curve="latent", samples=3,
    )  # fmt: skip
    run = tmp_path / key(experiment)
    runs.start(experiment, run, quiet=True)
    (found,) = measuring.measured(figure, Scale(images=15), tmp_path, {})
    assert [found[name] for name in ("variant", "seed", "iterations", "run")] == ["Painter", 0, 4, run.name]
    for split in ("train", "test"):
        scores = evaluate(runs.load(run), load(data, split).spread(15), samples=3)
        assert {name: found[split][name] for name in scores} == pytest.approx(scores, rel=1e-5)
        assert ("iwae" in scores) == (likelihood == "ce")
    losses = record.read(run / "metrics.jsonl")
    assert found["train"]["last"] == pytest.approx(statistics.fmean(losses["loss"]) / pixels, rel=1e-5)
    assert found["train"]["wobble_late"] > 0
    assert "last" not in found["test"]
    assert found["curve"]["mean"] == pytest.approx([statistics.fmean(losses["latent"]) / pixels], rel=1e-3)


def test_a_run_is_compared_with_an_earlier_stage(tmp_path: Path) -> None:
    data = Data("two-rectangles", images=60, held_out=50)
    stages = {str(n): Experiment(data, Model(hidden=8), Training(iterations=n, batch=20)) for n in (1, 4)}
    figure = Figure(
        "", "", "", "", "", 0, Dots(()), lambda _: Judgement("confirmed", ""), (), stages, 2, since={"4": "1"}
    )  # fmt: skip
    for _, _, experiment in figure.runs():
        runs.start(experiment, tmp_path / key(experiment), quiet=True)
    found = measuring.measured(figure, Scale(images=15), tmp_path, {})
    assert [("kept" in run["test"]) for run in found] == [False, False, True, True]
    for run in found[2:]:
        one, four = (runs.load(tmp_path / key(seeded(stages[name], run["seed"]))) for name in ("1", "4"))
        images = load(seeded(stages["4"], run["seed"]).data, "test").spread(15)
        with torch.no_grad():
            before, after = (model.eval()(images.ink()).canvas.numpy() for model in (one, four))
        kept = [float(np.minimum(a, b).sum() / np.maximum(a, b).sum()) for a, b in zip(before, after, strict=True)]
        assert run["test"]["kept"] == pytest.approx(statistics.fmean(kept), rel=1e-4)
        assert run["test"]["kept"] < 0.999


def test_rounding_leaves_out_what_is_no_number() -> None:
    assert measuring.rounded({"b": 1.23456789, "a": float("nan"), "c": float("-inf")}) == {"b": 1.23457}
