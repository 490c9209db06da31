"""What `limner.paint` is asked for, argument by argument, and all of them together: checked before anything is read."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from torch import Tensor

from limner.models.build import Network
from limner.painting import arguments, brushes, colours
from limner.painting.painting import Painting
from limner.painting.pictures import Source
from limner.templates import TemplateBank


@dataclass(frozen=True)
class Asked:
    """The arguments of `limner.paint` but for image and progress, in the form in which they are worked with.

    ground: the background where it is a colour.  clear: whether it was said to be transparent.
    opacity: of all strokes; None where each has its own.  smallest, largest, pen: shares of the longer side.
    looks: keep_proportions, upright and keep_angles.
    """

    strokes: int
    templates: TemplateBank | list[Any] | None
    opacity: float | None
    gradient: bool
    ground: Tensor | None
    clear: bool
    palette: int | Tensor | None
    smallest: float
    largest: float
    pen: float | None
    looks: dict[str, bool]
    masks: dict[str, Source]
    model: str | Path | Network | None
    resume: str | Path | Painting | None
    seed: int
    stop_psnr: float | None
    time: float | None
    size: int | None


def checked(
    strokes: int | None,
    templates: TemplateBank | str | Path | Iterable[str | Path] | None,
    opacity: Literal["free", "opaque"] | float,
    fill: Literal["flat", "gradient"],
    background: str | Sequence | np.ndarray | Tensor,
    palette: int | str | Path | Sequence | np.ndarray | Tensor | None,
    min_size: float | None,
    max_size: float | None,
    pen: float | None,
    keep_proportions: bool,
    upright: bool,
    keep_angles: bool,
    importance: Source | None,
    model: str | Path | Network | None,
    resume: str | Path | Painting | None,
    repaint: Source | None,
    seed: int,
    stop_psnr: float | None,
    time: float | None,
    size: int | None,
) -> Asked:
    """What was asked for; UserError for what makes no sense, by itself or with the rest."""
    strokes = arguments.whole("strokes", arguments.count(strokes, repaint))
    seed = arguments.whole("seed", seed)
    min_size, max_size = arguments.positive("min_size", min_size, 1.0), arguments.positive("max_size", max_size, 1.0)
    pen = arguments.positive("pen", pen, 1.0)
    stop_psnr, time = arguments.positive("stop_psnr", stop_psnr), arguments.positive("time", time)
    size = None if size is None else arguments.whole("size", size, least=1)
    arguments.check_fill(fill)
    said = background if isinstance(background, str) and background in ("auto", "transparent") else None
    ground = None if said else colours.ground(background)
    fixed = arguments.fixed_opacity(opacity)
    inks = None if palette is None else colours.inks(palette)
    listed = brushes.listed(templates)
    looks = {"keep_proportions": keep_proportions, "upright": upright, "keep_angles": keep_angles}
    looks = {name: bool(value) for name, value in looks.items()}
    together = {"min_size": min_size, "max_size": max_size, "pen": pen, "palette": inks, "fill": fill}
    together |= {"repaint": repaint, "resume": resume, "model": model, "templates": listed}
    together |= looks | {"background": background}
    arguments.check_together(together)
    masks = {name: mask for name, mask in (("importance", importance), ("repaint", repaint)) if mask is not None}
    return Asked(
        strokes=strokes,
        templates=listed,
        opacity=fixed,
        gradient=fill == "gradient",
        ground=ground,
        clear=said == "transparent",
        palette=inks,
        smallest=min_size or 0.0,
        largest=max_size or math.inf,
        pen=pen,
        looks=looks,
        masks=masks,
        model=model,
        resume=resume,
        seed=seed,
        stop_psnr=stop_psnr,
        time=time,
        size=size,
    )
