"""`limner.paint`: arguments and picture in, a painting out."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from limner.kernels.threads import for_kernels_only
from limner.models.build import Network
from limner.painting import arguments, brushes, colours, light, raster, sides
from limner.painting.fitting import Progress, fit
from limner.painting.goal import Goal, goal_and_ground, page
from limner.painting.moves import Style
from limner.painting.painting import Painting
from limner.painting.palette import inks_of
from limner.painting.pictures import Picture, Source, read_picture, resized
from limner.painting.progress import bar
from limner.painting.resume import as_written, read_before
from limner.templates import TemplateBank


@contextmanager
def in_float32_on_cpu() -> Iterator[None]:
    """New tensors are such inside, whatever torch's defaults are, since a photograph's kernels take no other."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        here = nullcontext() if torch.get_default_device().type == "cpu" else torch.device("cpu")
        with here, torch.autocast("cpu", enabled=False):
            yield
    finally:
        torch.set_default_dtype(before)


@torch.inference_mode(False)
@in_float32_on_cpu()
def paint(
    image: Source,
    strokes: int | None = None,
    *,
    templates: TemplateBank | str | Path | Iterable[str | Path] | None = None,
    opacity: Literal["free", "opaque"] | float = "free",
    fill: Literal["flat", "gradient"] = "flat",
    background: str | Sequence | np.ndarray | Tensor = "auto",
    palette: int | str | Path | Sequence | np.ndarray | Tensor | None = None,
    min_size: float | None = None,
    max_size: float | None = None,
    keep_proportions: bool = False,
    upright: bool = False,
    keep_angles: bool = False,
    importance: Source | None = None,
    model: str | Path | Network | None = None,
    resume: str | Path | Painting | None = None,
    repaint: Source | None = None,
    seed: int = 0,
    stop_psnr: float | None = None,
    time: float | None = None,
    size: int | None = None,
    progress: bool | str | Callable[[Progress], None] = False,
) -> Painting:
    """Paint a picture with exactly so many strokes (500, or with `repaint` as many as it replaces).

    image: a path, "-" for standard input, bytes, a PIL image, an array or a tensor (`pictures.read_picture`).
    templates: a bank, or one or several of: the name of a shape, a mask file, a folder of them; the default is the
        circle, or the templates of what is resumed.
    opacity: "free" (chosen for each stroke), "opaque", or one number in (0, 1].  fill: one colour or a linear gradient.
    background: "auto" (the colour that suits best; a transparent image stays transparent), "transparent", or a colour:
        by name, as #rrggbb, or as three numbers in [0, 1].
    palette: strokes take only these colours: so many chosen from the image, or from where its masks are light; or one
        or a list of them by name or as #rrggbb, or a file of them, or (colour, 3) numbers in [0, 1].
    min_size, max_size: of a stroke, as a share of the image's longer side; half a pixel is the least that can be seen.
    keep_proportions, upright, keep_angles: templates are not stretched, not turned, not slanted; the first two allow no
        slant either, and go together.
    importance: a gray picture, light where the image matters.
    model: a trained painter, the folder of its run, or the name of one that comes with limner (two-rectangles, mnist,
        omniglot, faces, cifar), whose strokes are the first; its templates are used.
    resume: strokes to paint on, which stay as they are, with their background; as many as asked for are added.
    repaint: a gray picture; the resumed strokes with their centre where it is light are replaced, and those added
    start there too, none unless `strokes` says so.
    seed: the same seed gives the same strokes on the same machine, unless `time` is set.
    stop_psnr: at most so many strokes, as few as reach this quality, in dB at the picture's size (or 2048 pixels); with
        a `model`, the first that do.  size: longer side of the canvas worked at.
    time: seconds to take, or at most with `stop_psnr`; fewer strokes where that is too short for so many.
    progress: whether standard error is to show a bar, or what to call it; or a function, which is called after every
        round with the share of the work that is `done`, and `strokes` and `psnr` (dB, at the size worked at, weighed by
        `importance`) so far.
    Masks, and strokes that are resumed, have the proportions of the image. Numbers may be numpy's.
    Raises UserError for arguments that make no sense. Ctrl-C ends the fit and returns what there is; KeyboardInterrupt
    where there is no stroke yet. So does a function of progress that raises KeyboardInterrupt.
    """
    strokes = arguments.whole("strokes", arguments.count(strokes, repaint))
    seed = arguments.whole("seed", seed)
    min_size, max_size = arguments.positive("min_size", min_size, 1.0), arguments.positive("max_size", max_size, 1.0)
    stop_psnr, time = arguments.positive("stop_psnr", stop_psnr), arguments.positive("time", time)
    size = None if size is None else arguments.whole("size", size, least=1)
    arguments.check_fill(fill)
    chosen = not (isinstance(background, str) and background in ("auto", "transparent"))
    given = colours.ground(background) if chosen else None
    fixed = arguments.fixed_opacity(opacity)
    palette = None if palette is None else colours.inks(palette)
    smallest, largest = min_size or 0.0, max_size or math.inf
    templates = brushes.listed(templates)
    looks = {"keep_proportions": keep_proportions, "upright": upright, "keep_angles": keep_angles}
    kept = {name: bool(value) for name, value in looks.items()}
    together = {
        "min_size": min_size,
        "max_size": max_size,
        "palette": palette,
        "fill": fill,
        "repaint": repaint,
        "resume": resume,
        "model": model,
        "templates": templates,
        **kept,
        "background": background,
    }
    arguments.check_together(together)
    picture = read_picture(image)
    masks = {"importance": importance, "repaint": repaint}
    masks = {name: read_picture(mask) for name, mask in masks.items() if mask is not None}
    for name, mask in masks.items():
        sides.check_shape(name, mask.size, "the picture", picture.size)
    before = None if resume is None else read_before(resume, templates)
    many = strokes + (len(before.strokes) if before else 0)
    small = resized(picture, sides.chosen_side(picture, size, many, stop_psnr))
    sides.check_seen(max_size, max(small.size))
    clear = not chosen and (background == "transparent" or picture.alpha is not None)
    if before:
        if before.size:
            sides.check_shape("resume", before.size, "the picture", picture.size)
            before = replace(before, bank=raster.finer(before.bank, before.size, small.size))
        before = replace(before, bank=as_written(before.bank))
        clear, given = before.background is None, before.background
    if not (chosen or clear or before or palette is not None):
        given = page(small.pixels)
    coloured = colours.coloured(palette) or colours.coloured(given) or (before is not None and before.coloured)
    channels = 3 if coloured else len(picture.pixels)
    given = None if given is None else given.expand(3)[:channels]
    says = light.says(masks, picture.size) if isinstance(palette, int) else None
    inks = inks_of(palette, picture, given, channels, says)

    def goal_of(picture: Picture) -> tuple[Goal, Tensor]:
        pixels = picture.pixels.expand(channels, -1, -1)
        return goal_and_ground(pixels, picture.alpha, "clear" if clear else given, inks)

    goal, ground = goal_of(small)
    goal = replace(goal, weight=light.weights(masks.get("importance"), goal.size))
    large = sides.judged(picture) if stop_psnr else small
    judged = goal_of(large)[0] if large.size != small.size else None
    count, start = strokes, None
    if model is not None:
        from limner.painting import by_model

        painter = by_model.read_model(model)
        bank = by_model.brushes(painter)
        seen = goal.pixels if goal.alpha is None else goal.pixels + 1 - goal.alpha
        start = by_model.proposed(painter, seen, count)
    elif before:
        region, dropped = None, 0
        if repainted := masks.get("repaint"):
            region = light.lit("repaint", repainted, goal.size) if strokes else light.gray(repainted, goal.size)
            before, dropped = before.without(light.gray(repainted, repainted.size))
        under, cover = before.canvas(goal.size, ground, clear)
        goal = replace(goal, region=region, under=under, under_cover=cover)
        if judged:
            larger = replace(before, bank=raster.finer(before.bank, goal.size, judged.size))
            under, cover = larger.canvas(judged.size, ground, clear)
            judged = replace(judged, under=under, under_cover=cover)
        bank, count = before.brushes, strokes + dropped
    else:
        bank = brushes.bank_of(templates)
    if count:
        brushes.check_visible(bank)
    goal = replace(goal, saved=raster.samples(before.bank if before else bank))
    style = Style(
        opacity=fixed,
        gradient=fill == "gradient",
        palette=inks,
        smallest=smallest / 2,
        largest=largest / 2,
        learn_ground=not clear and given is None and inks is None,
        **kept,
    )
    with for_kernels_only(), bar(progress) as show:
        stop = math.inf if stop_psnr is None else stop_psnr
        painted, ground, drawn = fit(
            goal, bank, count, ground, style, seed, seconds=time, watch=show, stop_psnr=stop, start=start, judged=judged
        )
    if before:
        painted, drawn = before.then(painted), before.bank
    return Painting(painted, drawn, None if clear else ground, goal.size, picture)
