"""`limner.paint_clip`: a clip in, and the same in strokes out, which go from picture to picture."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sized
from fractions import Fraction
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from limner.errors import UserError
from limner.kernels.threads import for_kernels_only
from limner.painting import brushes, colours
from limner.painting.arguments import check_clip
from limner.painting.defaults import in_float32_on_cpu
from limner.painting.films.clip import Clip, a_rate
from limner.painting.films.following import Scene
from limner.painting.films.footage import RATE, Footage
from limner.painting.paint import paint
from limner.painting.painting import Painting
from limner.painting.pictures import BinaryFile, Picture, Source, fitted, laid, read_picture
from limner.painting.progress import Progress, bar
from limner.painting.sides import check_shape


@torch.inference_mode(False)
@in_float32_on_cpu()
def paint_clip(
    clip: str | Path | Footage | Iterable[Source],
    strokes: int | None = None,
    *,
    rate: float | Fraction | None = None,
    progress: bool | str | Callable[[Progress], None] = False,
    **options: Any,
) -> Clip:
    """Paint a clip, each picture with exactly so many strokes (500), which are those of the one before, moved.

    clip: a film of any kind that FFmpeg reads, or pictures, each as `limner.paint` takes them, of the same proportions.
    rate: pictures a second; left out, the file's, whose sound goes with it then, or 25.
    progress: as of `limner.paint`, called after every round of every picture, but its `painting` is None; `done` stays
        0 where it is not known how many there are.
    options: as of `limner.paint`, but for model, resume, repaint, stop_psnr and time; a palette of K colours is chosen
        from the first picture of every scene.
    Where hardly anything is left of a picture, as at a cut, the next is painted anew.
    Raises UserError for arguments that make no sense, and for a file that is no clip. Ctrl-C ends it and returns the
    pictures that are done; KeyboardInterrupt where there are none.
    """
    check_clip(options)
    if isinstance(clip, Image.Image | bytes | BinaryFile) or (isinstance(clip, np.ndarray | Tensor) and clip.ndim < 4):
        raise UserError("clip: is one picture: give a list of pictures, or the path of a film")
    pace = None if rate is None else a_rate(rate)
    footage = Footage.of(clip) if isinstance(clip, str | Path) else clip
    film = footage if isinstance(footage, Footage) else None
    count = film.count if film else len(footage) if isinstance(footage, Sized) else 0
    given = signature(paint).bind(None, strokes, **options)
    given.apply_defaults()
    settings = {name: value for name, value in given.arguments.items() if name not in ("image", "progress")}
    if settings["importance"] is not None:
        settings["importance"] = read_picture(settings["importance"])
    if (templates := brushes.listed(settings["templates"])) is not None:
        settings["templates"] = brushes.bank_of(templates)
    if settings["palette"] is not None:
        settings["palette"] = colours.inks(settings["palette"])
    clear = isinstance(settings["background"], str) and settings["background"] == "transparent"
    paintings: list[Painting] = []
    interrupted = False

    with for_kernels_only(), bar(progress) as watch:

        def told(done: float, error: float, many: int) -> None:
            share = (len(paintings) + done) / count if count else 0.0
            watch(Progress(min(share, 1.0), error, many))

        try:
            for painting in painted(alike(footage, clear), settings, told):
                paintings.append(painting)
            if film and paintings and film.lacks(len(paintings)):
                found = f"only {len(paintings)} of about {film.count} pictures could be decoded"
                warnings.warn(f"{film.path}: {found}", stacklevel=1)
        except KeyboardInterrupt:
            if not paintings:
                raise
            interrupted = True
    if not paintings:
        raise UserError(f"{film.path if film else 'clip'}: holds no picture that can be read")
    if pace or not film:
        return Clip(paintings, pace or RATE, None, interrupted)
    return Clip(paintings, film.rate, film.path, interrupted)


def painted(
    pictures: Iterable[Picture], settings: dict[str, Any], told: Callable[[float, float, int], None]
) -> Iterator[Painting]:
    """Each picture as a painting, whose strokes are those of the one before as far as there is something left of it.

    settings: the arguments of `prepare` but for the image.
    told: called after every round with the share of a picture's work that is done, the error and the number of strokes.
    """
    scene = shown = None
    for number, picture in enumerate(pictures):
        rounds = scene.follow(picture, scene.prepared.task.seed + number) if scene else None
        if scene is None or rounds is None:
            scene = Scene.of(picture, settings)
            settings = settings | ({"background": "transparent"} if scene.prepared.colouring.clear else {})
            rounds, shown = scene.begin(scene.prepared.task.seed + number), None
        for done, error in rounds:
            told(done, error, len(scene.moves))
        if shown is None or rounds != ():
            shown = scene.painting(picture.size)
        yield shown


def alike(sources: Iterable[Source], clear: bool) -> Iterator[Picture]:
    """Pictures in colour, transparent if the first is, or if they are to be; UserError for one of other proportions."""
    first = None
    for number, source in enumerate(sources):
        picture = read_picture(source)
        first = first or picture
        check_shape(f"clip: picture {number}", picture.size, "the first", first.size)
        pixels, alpha = picture.pixels.expand(3, -1, -1), picture.alpha
        if first.alpha is None and alpha is not None and not clear:
            pixels, alpha = laid(pixels, alpha, torch.ones(3)), None
        yield fitted(Picture(pixels, alpha, picture.name), first.size)
