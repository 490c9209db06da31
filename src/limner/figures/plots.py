"""Curves of the loss, and dots for every seed, by matplotlib."""

import warnings
from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Plot
from PIL import Image

from limner.data.settings import Split
from limner.figures.layouts import Curves, Dots
from limner.figures.results import SPLITS, WINDOW, WORDS, Results

DPI = 100
STYLE: dict[Split, tuple[str, float]] = {"train": ("tab:blue", -0.14), "test": ("tab:orange", 0.14)}


def curves(layout: Curves, results: Results) -> Image.Image:
    """Mean over seeds of the mean and standard deviation of every 100 iterations."""
    plot = Plot(
        figsize=(6.4 * len(layout.panels), 4.4) if len(layout.panels) < 3 else (16, 4.2), dpi=DPI, layout="tight"
    )
    for axes, (title, variants) in zip(np.ravel(plot.subplots(1, len(layout.panels))), layout.panels, strict=True):
        for variant in variants:
            found = results.curves(variant)
            mean = np.mean([each["mean"] for each in found], 0)
            spread = np.mean([each["std"] for each in found], 0)
            iterations = WINDOW * (np.arange(len(mean)) + 0.5)
            (line,) = axes.plot(iterations, mean, label=variant, linewidth=1.2, marker="o" if len(mean) == 1 else None)
            if layout.shaded:
                axes.fill_between(
                    iterations, mean - spread, mean + spread, color=line.get_color(), alpha=0.2, linewidth=0
                )
        if layout.drop and layout.drop < axes.get_xlim()[1]:
            axes.axvline(layout.drop, color="gray", linestyle=":", linewidth=1)
        _readable(axes, variants, results)
        axes.set(title=title, xlabel="iteration")
        axes.legend()
    return _image(plot)


def _readable(axes: Axes, variants: tuple[str, ...], results: Results) -> None:
    """Leave the first, steep part of the curves out of the picture."""
    means = [np.array(each["mean"]) for name in variants for each in results.curves(name)]
    later = np.concatenate([each[len(each) // 20 :] for each in means])
    low, high = later.min(), later.max()
    room = 0.08 * (high - low) or 1.0
    axes.set_ylim(low - room, high + 2 * room)


def dots(layout: Dots, results: Results) -> Image.Image:
    """A panel for each score, a row for each variant, a dot for each seed."""
    names = results.variants
    plot = Plot(figsize=(4.2 * len(layout.scores) + 1.5, 0.32 * len(names) + 1.5), dpi=DPI, layout="tight")
    for k, (axes, score) in enumerate(zip(np.ravel(plot.subplots(1, len(layout.scores))), layout.scores, strict=True)):
        for split, (colour, shift) in STYLE.items():
            places = [
                (value, row + shift) for row, name in enumerate(names) for value in _each(results, name, score, split)
            ]
            x, y = zip(*places, strict=True) if places else ((), ())
            axes.plot(x, y, "o", color=colour, label=SPLITS[split], markersize=5, alpha=0.75)
        axes.set_yticks(range(len(names)), names if k == 0 else [""] * len(names))
        axes.set(xlabel=WORDS.get(score, score), ylim=(len(names) - 0.5, -0.5))
        axes.grid(axis="both", alpha=0.3)
        if k == 0:
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(STYLE), frameon=False)
    return _image(plot)


def _each(results: Results, name: str, score: str, split: str) -> list[float]:
    return results.each(name, score, split) if results.has(name, score, split) else []


def _image(plot: Plot) -> Image.Image:
    with BytesIO() as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        plot.savefig(file, format="png")
        return Image.open(file).convert("RGB")
