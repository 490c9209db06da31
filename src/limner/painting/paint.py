"""`limner.paint`: arguments and picture in, a painting out."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from limner.kernels.threads import for_kernels_only
from limner.models.build import Network
from limner.painting.defaults import in_float32_on_cpu
from limner.painting.fit.fitting import fit
from limner.painting.painting import Painting
from limner.painting.pictures import Source
from limner.painting.preparing import prepare
from limner.painting.progress import Progress, bar
from limner.templates import TemplateBank


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
    pen: float | None = None,
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
    templates: a bank, or one or several of: the name of a shape, a mask file, a folder of them, "letters:ABC" for these
        letters, "words:A BC" for these words, "text:A BC" for one brush of all of them, "text:ABC@FONT.ttf" for a font
        of one's own; the default is the circle, or the templates of what is resumed.
    opacity: "free" (chosen for each stroke), "opaque", or one number in (0, 1].  fill: one colour or a linear gradient.
    background: "auto" (the colour that suits best; a transparent image stays transparent), "transparent", or a colour:
        by name, as #rrggbb, or as three numbers in [0, 1].
    palette: strokes take only these colours: so many chosen from the image, or from where its masks are light; or one
        or a list of them by name or as #rrggbb, or a file of them, or (colour, 3) numbers in [0, 1]; or, as text, what
        suits another picture: "6:other.jpg".
    min_size, max_size: of a stroke, as a share of the image's longer side; half a pixel is the least that can be seen.
    pen: how wide all strokes are where they are thinnest, as such a share; they have right angles, and the sizes above
        are of their length. Templates that are left out are line then, and a background is white.
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
        round with the share of the work that is `done`, `strokes` and `psnr` (dB, at the size worked at, weighed by
        `importance`) so far, and `painting()`, which makes the painting as it is.
    Masks, and strokes that are resumed, have the proportions of the image. Numbers may be numpy's.
    Raises UserError for arguments that make no sense. Ctrl-C ends the fit and returns what there is, a painting that is
    `interrupted`; KeyboardInterrupt where there is no stroke yet. So does a function of progress that raises
    KeyboardInterrupt.
    """
    given = locals().copy()
    interrupts: list[None] = []
    with for_kernels_only(), bar(progress) as watch:
        prepared = prepare(**{name: value for name, value in given.items() if name != "progress"})
        ended = partial(interrupts.append, None)
        painted = fit(prepared.task, watch=watch, shown=prepared.painting, interrupted=ended)
    return replace(prepared.painting(painted), interrupted=bool(interrupts))
