"""What `limner.paint` is asked for, argument by argument, and all of them together: checked before anything is read."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


def checked(given: Mapping[str, Any]) -> Asked:
    """What was asked for, by the arguments of `limner.paint`; UserError for what makes no sense, alone or together."""
    strokes = arguments.whole("strokes", arguments.count(given["strokes"], given["repaint"]))
    seed = arguments.whole("seed", given["seed"])
    shares = {name: arguments.positive(name, given[name], 1.0) for name in ("min_size", "max_size", "pen")}
    ends = {name: arguments.positive(name, given[name]) for name in ("stop_psnr", "time")}
    size = None if given["size"] is None else arguments.whole("size", given["size"], least=1)
    arguments.check_fill(given["fill"])
    background = given["background"]
    said = background if isinstance(background, str) and background in ("auto", "transparent") else None
    ground = None if said else colours.ground(background)
    opacity = arguments.fixed_opacity(given["opacity"])
    inks = None if given["palette"] is None else colours.inks(given["palette"])
    listed = brushes.listed(given["templates"])
    looks = {name: bool(given[name]) for name in ("keep_proportions", "upright", "keep_angles")}
    arguments.check_together({**given, **shares, **looks, "palette": inks, "templates": listed})
    return Asked(
        strokes=strokes,
        templates=listed,
        opacity=opacity,
        gradient=given["fill"] == "gradient",
        ground=ground,
        clear=said == "transparent",
        palette=inks,
        smallest=shares["min_size"] or 0.0,
        largest=shares["max_size"] or math.inf,
        pen=shares["pen"],
        looks=looks,
        masks={name: given[name] for name in ("importance", "repaint") if given[name] is not None},
        model=given["model"],
        resume=given["resume"],
        seed=seed,
        stop_psnr=ends["stop_psnr"],
        time=ends["time"],
        size=size,
    )
