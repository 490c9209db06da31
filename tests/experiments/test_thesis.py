"""Every experiment, with every kind of model that can do it, builds and trains two steps."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import torch

from limner.data.images import Images
from limner.experiments.thesis import EXPERIMENTS
from limner.models.build import build
from limner.models.settings import Kind
from limner.training import record
from limner.training.loop import train

SIZES = {"omniglot": 105, "faces": 100, "cifar": 32}
WANTED = {
    "two-rectangles",
    "four-rectangles",
    "zero-to-two-rectangles",
    "occlusion",
    "mixed",
    "two-shapes",
    "mnist",
    "omniglot",
    "faces",
    "cifar",
}


def test_every_experiment_of_the_thesis_is_there() -> None:
    assert set(EXPERIMENTS) == WANTED


@pytest.mark.parametrize("kind", get_args(Kind))
@pytest.mark.parametrize("name", sorted(WANTED))
def test_builds_and_trains_two_steps(name: str, kind: str, tmp_path: Path) -> None:
    experiment = EXPERIMENTS[name]()
    side = SIZES.get(name, 28)
    images = Images(torch.randint(0, 256, (4, 1, side, side)).to(torch.uint8))
    model = build(replace(experiment.model, kind=kind, moves=min(experiment.model.moves, 3)), images.size, 1)
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    train(model, images, replace(experiment.training, iterations=2, batch=2), tmp_path, quiet=True)
    losses = record.read(tmp_path / "metrics.jsonl")["loss"]
    assert len(losses) == 2
    assert all(torch.isfinite(weight).all() for weight in model.parameters())
    assert any(not torch.equal(weight.cpu(), before[name]) for name, weight in model.named_parameters())
