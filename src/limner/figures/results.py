"""The numbers of a figure's runs, as its JSON holds them; light to import.

A run is {"variant", "seed", "iterations", "run": its folder's name, "train": {score: number}, "test": {score: number},
"curve": {"mean": [...], "std": [...]} of every 100 iterations}. A picture of the engine has one run, without training,
whose scores are "test". Scores are those of `training.metrics.evaluate`, `moves.scores`,
`changes.changes` and `measuring.of_training`.
"""

import math
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from limner.data.settings import Split

WINDOW = 100
SPLITS: dict[Split, str] = {"train": "training set", "test": "held out"}
"""What runs are measured on, in words."""

WORDS = {
    "additive": "error of additive",
    "additive_best": "error of additive in the best colours",
    "alike": "overlap with the image",
    "all_found": "all found",
    "area": "mean training loss",
    "area_error": "error of the area",
    "bent_right": "colour off, right order",
    "bent_wrong": "colour off, wrong order",
    "boxed": "one box over all",
    "chosen_circle": "circle chosen",
    "chosen_curve": "curve chosen",
    "chosen_line": "line chosen",
    "chosen_transparent": "transparent chosen",
    "colour_error": "error of the colour",
    "count": "count right",
    "elbo": "bound (nats)",
    "explained": "explained",
    "found": "shapes found",
    "iou": "IoU",
    "iwae": "IWAE bound (nats)",
    "kept": "overlap with 100 iterations before",
    "largest": "largest weight",
    "last": "last training loss",
    "like_circle": "like a circle",
    "latent": "latent cost",
    "live": "live moves",
    "mse": "MSE",
    "null_due": "null moves due",
    "null_empty": "null moves of no size",
    "null_hidden": "null moves hidden",
    "null_white": "null moves white",
    "order": "order right",
    "order_found": "order right where found",
    "over": "error of over",
    "overlap_right": "overlap painted, right order",
    "overlap_wrong": "overlap painted, wrong order",
    "partial": "covered in part",
    "psnr": "PSNR (dB)",
    "purple": "red and blue where they meet",
    "right_order": "error, blue first",
    "ssim": "SSIM",
    "template": "in place",
    "template_any": "template and place of one right",
    "template_images": "template and place right",
    "undone": "paint per ink",
    "updated": "moves updated",
    "weight_1": "weight at γ = 1",
    "weight_30": "weight at γ = 30",
    "wobble_early": "wobble at 1e-3",
    "wobble_late": "wobble at 1e-4",
    "wrong_order": "error, red first",
}


@dataclass(frozen=True)
class Results:
    """All runs of a figure."""

    runs: list[dict[str, Any]]

    @property
    def variants(self) -> list[str]:
        """Their names, in the figure's order."""
        return list(dict.fromkeys(run["variant"] for run in self.runs))

    def each(self, variant: str, score: str, split: str = "test") -> list[float]:
        """A score of a variant, for every seed that has it; KeyError where there is no such variant."""
        if variant not in self.variants:
            raise KeyError(variant)
        return [run[split][score] for run in self.runs if run["variant"] == variant and score in run[split]]

    def mean(self, variant: str, score: str, split: str = "test") -> float:
        """The mean of a score over the seeds of a variant; NaN, which confirms nothing, where none has it."""
        found = self.each(variant, score, split)
        return fmean(found) if found else math.nan

    def curves(self, variant: str) -> list[dict[str, list[float]]]:
        """The course of the loss of every seed."""
        return [run["curve"] for run in self.runs if run["variant"] == variant]

    def has(self, variant: str, score: str, split: str) -> bool:
        """Whether it was measured."""
        return all(score in run.get(split, {}) for run in self.runs if run["variant"] == variant)

    def seeds(self, variant: str) -> int:
        """How many runs there are of a variant."""
        return sum(run["variant"] == variant for run in self.runs)


def number(value: float) -> str:
    """Three significant digits, without needless zeros or powers of ten; NaN is none."""
    if math.isnan(value):
        return "none"
    digits = f"{value:.3g}"
    return f"{value:.0f}" if "e+" in digits else f"{value:.5f}" if "e" in digits else digits
