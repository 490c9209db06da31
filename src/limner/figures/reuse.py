"""Scores of runs that results hold already, so that a run need not be trained only to be measured again."""

from pathlib import Path
from typing import Any

from limner.experiments.settings import Experiment
from limner.figures.cache import key
from limner.figures.figure import FULL, Figure, Scale
from limner.figures.records import read
from limner.figures.registry import FIGURES

Known = dict[tuple[str, int], dict[str, Any]]
"""Runs as `results` describes them, by the name of their folder and the samples that they were measured with."""


def known(folder: Path) -> Known:
    """The runs of all full results in a folder."""
    found: Known = {}
    for figure in FIGURES.values():
        record = read(folder, figure.name)
        if record and not record["quick"] and record["images"] == FULL.images:
            for run in record["runs"]:
                if "run" in run and "curve" not in found.get((run["run"], figure.samples), {}):
                    found[run["run"], figure.samples] = run
    return found


def again(
    runs: Known, figure: Figure, scale: Scale, variant: str, seed: int, experiment: Experiment
) -> dict[str, Any] | None:
    """A run of a figure from those that are known; None where the figure needs the run itself, or more scores."""
    if scale != FULL or figure.draws(variant, seed):
        return None
    if variant in figure.since or variant in figure.since.values():  # which `changes` runs again
        return None
    run = runs.get((key(experiment), figure.samples))
    if run is None or (figure.curve and "curve" not in run):
        return None
    if not all(score in run["train"] or score in run["test"] for score in figure.scores):
        return None
    kept = run if figure.curve else {name: value for name, value in run.items() if name != "curve"}
    return kept | {"variant": variant, "seed": seed}
