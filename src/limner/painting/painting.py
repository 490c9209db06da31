"""Painting: strokes that are ready to look at, to save and to score."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from limner.errors import UserError
from limner.files import PICTURES, atomic
from limner.kernels.threads import for_kernels_only
from limner.painting import raster
from limner.painting.arguments import LONGEST_FILM, LONGEST_SIDE, positive
from limner.painting.films.kinds import FILMS, is_film
from limner.painting.numbered import FRAME, write_frames
from limner.painting.pictures import Picture, Source, fitted, laid, read_picture
from limner.painting.ranges import in_range
from limner.painting.raster import Pixels
from limner.painting.rendering import finer, rendered
from limner.painting.scoring import score
from limner.painting.sides import check_shape
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import in_depth_order

STILLS = (*PICTURES, ".svg", ".psd")
SUFFIXES = (*STILLS, ".json", *FILMS)


@dataclass(frozen=True, eq=False)
class Painting:
    """One picture as strokes (a batch of 1), and what is needed to show it at any size.

    background: colour in [0, 1] under the strokes; None is transparent.
    size: (height, width) of the canvas that the strokes were fitted on.
    target: the picture that was painted, at its full size.
    picture_size: (height, width) of that picture, where it is not at hand.
    interrupted: whether Ctrl-C ended the last work on it before it was done; not saved.
    Raises ValueError for what does not belong together.
    """

    strokes: Strokes
    bank: TemplateBank
    background: Float[Tensor, "channel"] | None
    size: tuple[int, int]
    target: Picture | None = None
    picture_size: tuple[int, int] | None = None
    interrupted: bool = False

    def __post_init__(self) -> None:
        batch, channels = len(self.strokes.what), self.strokes.what.shape[-1]
        if batch != 1:
            raise ValueError(f"painting: strokes of {batch} pictures, expected those of one, such as strokes[:1]")
        if not isinstance(self.bank, TemplateBank):
            raise ValueError(f"painting: bank is of {type(self.bank).__name__}, expected a TemplateBank")
        if self.strokes.which.shape[-1] != len(self.bank):
            weights = self.strokes.which.shape[-1]
            raise ValueError(f"painting: which has {weights} weights, the bank {len(self.bank)} templates")
        ground = self.background
        if ground is not None and not (isinstance(ground, Tensor) and ground.shape == (channels,)):
            found = f"has shape {tuple(ground.shape)}" if isinstance(ground, Tensor) else f"is {ground!r}"
            raise ValueError(f"painting: background {found}, expected a tensor of {channels} numbers, or None")
        if not (self.target is None or isinstance(self.target, Picture)):
            raise ValueError(f"painting: target is of {type(self.target).__name__}, expected a picture: see `against`")
        for name, size in (("size", self.size), ("picture_size", self.picture_size or self.size)):
            if not (isinstance(size, tuple) and [hasattr(side, "__index__") for side in size] == [True, True]):
                raise ValueError(f"painting: {name} is {size!r}, expected (height, width) in whole pixels")

    def __repr__(self) -> str:
        height, width = self.size
        ground = "a background" if self.background is not None else "nothing"
        templates = ", ".join(self.bank.names)
        size = f"{width} x {height} pixels{', interrupted' if self.interrupted else ''}"
        return f"Painting({len(self.strokes)} strokes of {templates} on {ground}, {size})"

    def _repr_png_(self) -> bytes:
        """How notebooks show it."""
        return raster.encoded(self.render(*self.size), ".png")

    @classmethod
    def load(cls, path: str | Path) -> Painting:
        """What `save` wrote as JSON, without the target, so that nothing can be scored.

        Raises UserError for a file that is none, or that holds strokes alone, several pictures, or two sizes of
        different proportions.
        """
        from limner.strokes_json import parse

        found = parse(path)
        if found.bank is None or found.size is None:
            raise UserError(f"{path}: holds strokes without their templates and size, as Strokes.save writes them")
        if len(found.strokes.where) != 1:
            raise UserError(f"{path}: holds {len(found.strokes.where)} pictures, expected one")
        if found.picture_size is not None:
            check_shape(str(path), found.size, "its picture", found.picture_size)
        return cls(found.strokes, found.bank, found.background, found.size, picture_size=found.picture_size)

    @classmethod
    def of_ink(cls, strokes: Strokes, bank: TemplateBank, size: tuple[int, int]) -> Painting:
        """What a painter network painted: strokes of ink, where 1 is black, a batch of one, on white paper."""
        slope = None if strokes.slope is None else -strokes.slope
        still = replace(strokes, what=1 - strokes.what, slope=slope).detach()
        return cls(still, bank.detach(), torch.ones(still.what.shape[-1]), size)

    def against(self, image: Source) -> Painting:
        """The same painting, scored against this picture, and saved at its size; `image` as `limner.paint` takes it.

        Raises UserError for a picture of other proportions.
        """
        picture = read_picture(image)
        check_shape("painting", self.size, "the picture", picture.size)
        return replace(self, target=picture)

    def then(self, later: Painting) -> Painting:
        """This painting with the strokes of another on top, whose brushes, opacities and colours may be of other kinds.

        Background and picture are those of this one. Raises UserError for other proportions, and for numbers that are
        out of range (`Strokes.held`).
        """
        from limner.painting.resume import painted_over

        return painted_over(self, later)

    def refine(
        self,
        loss: Callable[[Float[Tensor, "1 channel height width"]], Float[Tensor, ""]],
        steps: int = 200,
        *,
        rate: float = 1.0,
        fixed: Collection[str] = (),
        keep_proportions: bool = False,
        upright: bool = False,
        keep_angles: bool = False,
        pen: float | None = None,
    ) -> Painting:
        """The same strokes after steps of Adam that lower a loss of one's own; with a falling rate, as they settle.

        loss: of the canvas at `size`, values in [0, 1], as it is saved; where the background is transparent, of
            premultiplied colours and, as the last channel, of how far strokes cover it. It is on the CPU.
        rate: of the first step, 1 being half of that with which strokes settle; half or twice may suit a loss better.
        fixed: what stays as it is, of where, what (with its slope), opacity and background. Weights of templates do
            anyway, and opacities beyond what steps reach, below 0.05 and above 0.999.
        keep_proportions, upright, keep_angles, pen: as in `limner.paint`.
        Raises UserError for strokes out of range (`Strokes.held`), and for a loss that is not one finite number with a
        gradient. Ctrl-C ends it and returns what there is, a painting that is `interrupted`.
        """
        from limner.painting.fit.moves import Style
        from limner.painting.fit.refining import refined

        half = (width := positive("pen", pen, 1.0)) and width / 2
        style = Style(pen=half, keep_proportions=keep_proportions, upright=upright, keep_angles=keep_angles)
        return refined(self, loss, steps, rate, fixed, style)

    @property
    def shown_size(self) -> tuple[int, int]:
        """(height, width) of the picture, or else of the canvas: at which it is saved."""
        return self._full_size or self.size

    @property
    def _full_size(self) -> tuple[int, int] | None:
        """That of the picture, if it is known."""
        return self.picture_size if self.target is None else self.target.size

    @property
    def canvas(self) -> Float[Tensor, "1 channel height width"]:
        """The rendering at `size`; where the background is transparent, premultiplied colours.

        `render(strokes, bank, size, background, samples=4)` gives the same on a background. Where no
        template has an outline, it is that with one sample a pixel.
        """
        ((colour, _),) = self._layers([len(self.strokes)], self.size)
        return colour

    @property
    def wanted(self) -> Float[Tensor, "1 channel height width"]:
        """What the canvas should be that the loss of `refine` is given: the target at `size`.

        It lies on the background; where that is transparent, premultiplied colours and, as the last channel, alpha,
        which `canvas` has not.
        Where strokes are gray, it is the mean of its channels.
        Raises ValueError without a target.
        """
        if self.target is None:
            raise ValueError("painting: no target is known: see `against`")
        truth = fitted(self.target, self.size)
        channels = self.strokes.what.shape[-1]
        pixels = truth.pixels.mean(0, keepdim=True) if channels == 1 else truth.pixels.expand(3, -1, -1)
        return laid(pixels, truth.alpha, self.background)[None]

    @property
    def psnr(self) -> float:
        """In dB, of the canvas in 8 bits against the target at `size`."""
        return self.score(self.render(*self.size))

    def psnr_of(self, path: str | Path) -> float:
        """In dB, of a saved PNG, JPEG, WebP, PSD or SVG (by resvg), against the target at the size of that file.

        Where the painting is transparent, premultiplied colours and alpha are compared; on white if the file has none.
        Raises UserError for a file that is no picture, or a film.
        """
        path = Path(path)
        if is_film(path):
            raise UserError(f"{path}: is a film, of which no frame counts more than others: score a picture")
        return self.score(raster.read(path))

    def score(self, image: Pixels) -> float:
        """In dB, of pixels against the target at their size, with what the painting has behind it."""
        if self.target is None:
            raise ValueError("painting: no target to score against: see `against`")
        return score(image, self.target, self.background)

    def render(self, height: int, width: int) -> Pixels:
        """The painting in 8 bits at any size of about the same aspect: gray or RGB, with alpha if it is transparent."""
        (image,) = self.stages([len(self.strokes)], (height, width))
        return image

    def image(self, longer_side: int | None = None) -> Image.Image:
        """The painting as a Pillow image: L or RGB, LA or RGBA if it is transparent.

        longer_side: in pixels; the default is the picture's, or that of `size` where it is not known.
        """
        return raster.picture(self.render(*self.saved_size(Path("image"), longer_side)))

    def stages(self, counts: Iterable[int], size: tuple[int, int]) -> Iterator[Pixels]:
        """The painting in 8 bits after each of these rising numbers of strokes; every stroke is rendered once."""
        for colour, cover in self._layers(counts, size):
            yield raster.pixels(colour[0], None if cover is None else cover[0])

    @for_kernels_only()
    def save(self, path: str | Path, longer_side: int | None = None, seconds: float | None = None) -> None:
        """Write a picture (PNG, JPEG, WebP, SVG, PSD), a time-lapse (GIF, MP4, WebM) or the strokes (JSON), by suffix.

        longer_side: in pixels; the default is the picture's, or that of `size` where it is not known, and at most 480
        for GIF, 720 for NAME.film.webp, a time-lapse as WebP, and 1080 for MP4 and WebM; JSON has none.
        NAME.plot.svg is for pen plotters; NAME.film.svg grows when a browser opens it; in a PSD each stroke is a
        layer.
        seconds: how long a film grows, at most 60; the default is eight, or less where strokes are few. A time-lapse
        rests for two seconds then.
        Raises UserError for an unknown suffix, an absurd size or length, strokes out of range (`Strokes.held`), or a
        file that cannot be written.
        """
        from limner.painting.formats import write

        path = Path(path)
        suffix = path.suffix.lower()
        if suffix not in SUFFIXES:
            raise UserError(f"{path}: cannot save as {suffix or 'a file without suffix'}: choose {', '.join(SUFFIXES)}")
        in_range(path, self.strokes, self.background)
        if suffix == ".json":
            from limner.strokes_json import dump

            dump(path, self.strokes, self.bank, self.size, self.background, self._full_size)
            return
        seconds = positive("seconds", seconds, LONGEST_FILM)
        size = self.saved_size(path, longer_side)
        with atomic(path) as temporary:
            write(self, path, temporary, size, seconds)

    @for_kernels_only()
    def save_frames(self, folder: str | Path, count: int, longer_side: int | None = None) -> int:
        """Write the growing painting as at most `count` PNG pictures, frame-0000.png and on, into a folder.

        Returns how many they are. Files of these names are replaced, others stay, those of a longer film too.
        """
        from limner.painting.films.time_lapse import moments

        if count < 1:
            raise UserError(f"frames: {count} is not a number from 1 up")
        folder = Path(folder)
        in_range(folder, self.strokes, self.background)
        size = self.saved_size(folder / FRAME.format(0), longer_side)
        return write_frames(folder, self.stages(moments(len(self.strokes), count), size))

    @torch.no_grad()
    def _layers(self, counts: Iterable[int], size: tuple[int, int]) -> Iterator[tuple[Tensor, Tensor | None]]:
        """The canvas (1, channel, height, width), and its coverage if transparent, after so many strokes each time."""
        strokes, bank = in_depth_order(self.strokes).map(Tensor.float), finer(self.bank, self.size, size)
        canvas = 0.0 if self.background is None else self.background.to(strokes.what)
        cover = 0.0 if self.background is None else None
        for done, count in pairwise([0, *counts]):
            some = strokes[:, done:count]
            canvas = rendered(some, bank, size, canvas)
            if cover is not None:
                cover = rendered(some.white(), bank, size, cover)
            yield canvas, cover

    def saved_size(self, path: Path, longer_side: int | None) -> tuple[int, int]:
        """(height, width) of what is saved as this file; UserError for an absurd one."""
        if longer_side is not None and not (hasattr(longer_side, "__index__") and 1 <= longer_side <= LONGEST_SIDE):
            raise UserError(f"longer_side: {longer_side!r} pixels cannot be saved: choose 1 to {LONGEST_SIDE}")
        return raster.saved_size(path, self.shown_size, longer_side)
