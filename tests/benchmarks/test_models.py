"""The bench of all models: a line for each, with the scores that it has."""

from dataclasses import replace
from typing import get_args

import pytest

from limner.cli import bench
from limner.experiments.thesis import EXPERIMENTS
from limner.models.settings import Kind

models = bench("models")


def test_every_kind_is_there() -> None:
    assert {options["kind"] for options in models.KINDS.values()} == set(get_args(Kind))


@pytest.mark.parametrize("label", ["simple, variational", "autoencoder"])
def test_a_row_has_the_scores_of_its_model(label: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "SAMPLES", 2)
    experiment = EXPERIMENTS["two-rectangles"]()
    experiment = replace(
        experiment,
        data=replace(experiment.data, images=40, held_out=20),
        model=replace(experiment.model, hidden=8, **models.KINDS[label]),
        training=replace(experiment.training, iterations=2, batch=10),
    )
    row = models.row("two-rectangles", label, experiment)
    assert ("iou" in row) == (label != "autoencoder")
    assert ("iwae" in row) == ("variational" in label)
    assert row["parameters"] > 1000
    assert row["step_ms"] > 0
    found = {"rows": [row]}
    head, rule, line = models.table(found).splitlines()
    assert head.count("|") == rule.count("|") == line.count("|")
    assert f"{row['mse']:.4f}" in line
