"""What `limner paint` can be asked; light to import, since the command line's help is made of it."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import FlagCreatePairsOff, Positional, UseAppendAction, arg

from limner.errors import UserError
from limner.flags import flag, within
from limner.painting.arguments import LONGEST_FILM, LONGEST_SIDE, check_together, count, fixed_opacity
from limner.painting.styles import STYLES

MOST = {
    "strokes": 100_000,
    "size": 8192,
    "output_size": LONGEST_SIDE,
    "min_size": 1,
    "max_size": 1,
    "pen": 1,
    "jobs": 1024,
    "threads": 1024,
    "seed": 2**63 - 1,
    "stop_psnr": 200,
    "film_seconds": LONGEST_FILM,
}


@dataclass(frozen=True)
class PaintOptions:
    """Rebuild pictures from brush strokes, as PNG, JPEG, WebP, SVG, PSD, JSON, GIF, MP4 or WebM."""

    photos: Annotated[Positional[tuple[str, ...]], arg(metavar="PHOTO [PHOTO ...]", help_behavior_hint="")]
    """Pictures, or folders of pictures, of which those called NAME-painted are left out; - is standard input.
    Clips (.mp4, .mov, .webm ...) become clips in strokes, N in each picture, which move as it does.
    Strokes in a JSON file are not painted, but written as they are, at the size of the picture that they paint."""
    output: Annotated[tuple[str, ...], UseAppendAction, arg(aliases=["-o"], metavar="FILE", help_behavior_hint="")] = ()
    """Where to write; the suffix says what: .png .jpg .webp .svg .psd .json .gif .mp4 .webm. May be given several
    times. For several pictures a folder, or a pattern such as out/{name}.png.
    NAME.film.svg and NAME.film.webp paint themselves when a browser opens them. A .psd has a layer for each stroke.
    With --palette, plate-{colour}.svg becomes a picture of each colour, black on white, as screen printers need them.
    Left out: NAME-painted.png (of a clip .mp4), in the current folder."""
    style: Annotated[str | None, arg(metavar="|".join(STYLES), help_behavior_hint="")] = None
    """A look that has a name: options below that go well together, of which those given beside it are as given."""
    strokes: Annotated[
        int | None, arg(aliases=["-n"], metavar="N", help_behavior_hint="(default: 500, with --repaint 0)")
    ] = None
    """How many strokes."""
    templates: Annotated[
        tuple[str, ...] | None, arg(metavar="NAME|FILE|FOLDER|letters:ABC|text:ABC ...", help_behavior_hint="")
    ] = None
    """Brushes: any of circle, square, line, curve, triangle, bristle, soft, and masks (PNG, SVG) or folders of them.
    A mask is brush where it is opaque. If it is opaque everywhere, it is brush where it differs from its corners;
    a mask that is white everywhere is all brush.
    letters:ABC are these letters, "words:A BC" these words, "text:A BC" is one brush of all of them;
    letters:ABC@FONT.ttf, in a font of your own.
    Left out: circle, or those of --resume."""
    opacity: Annotated[str, arg(metavar="free|opaque|NUMBER")] = "free"
    """Opacity of the strokes: chosen for each, all 1, or all the same number above 0 and up to 1."""
    fill: Literal["flat", "gradient"] = "flat"
    """One colour a stroke, or a linear gradient."""
    background: Annotated[str, arg(metavar="auto|COLOUR|transparent")] = "auto"
    """What lies under the strokes: a colour (#rrggbb or a name), or nothing.
    By auto it is the colour that suits best; of a picture that is transparent it is nothing."""
    palette: Annotated[str | None, arg(metavar="K|COLOURS|FILE|K:FILE", help_behavior_hint="(default: any colour)")] = (
        None
    )
    """Strokes take only K colours that suit the picture, weighed by a mask of --importance or --repaint if any.
    K:FILE: K colours that suit another picture. COLOURS: by name or as #rrggbb, with commas between them.
    FILE: one colour a line, a GIMP palette, a picture of few colours, or strokes in JSON.
    They blend where strokes are translucent or soft; those of opaque shapes blend at edges only."""
    min_size: Annotated[float | None, arg(metavar="SHARE", help_behavior_hint="(default: any size)")] = None
    """Smallest stroke, as a share of the picture's longer side."""
    max_size: Annotated[float | None, arg(metavar="SHARE", help_behavior_hint="(default: any size)")] = None
    """Largest stroke, as a share of the picture's longer side."""
    pen: Annotated[float | None, arg(metavar="SHARE", help_behavior_hint="")] = None
    """Draw with a pen: all strokes are so wide where they are thinnest, as a share of the picture's longer side.
    Their lengths are free, or held by the two options above.
    Templates are line then, and the background white, unless they are named.
    A file NAME.plot.svg has lines as paths, for pen plotters."""
    keep_proportions: Annotated[bool, FlagCreatePairsOff, arg(help_behavior_hint="")] = False
    """Brushes are not stretched: circles stay round, lines thin."""
    upright: Annotated[bool, FlagCreatePairsOff, arg(help_behavior_hint="")] = False
    """Brushes are not turned."""
    keep_angles: Annotated[bool, FlagCreatePairsOff, arg(help_behavior_hint="")] = False
    """Brushes are not slanted: rectangles keep right angles. The two options above keep them, too."""
    importance: Annotated[Path | None, arg(metavar="MASK", help_behavior_hint="")] = None
    """A gray picture: the lighter a place, the more it matters."""
    model: Annotated[str | None, arg(metavar="RUN", help_behavior_hint="")] = None
    """Begin with strokes that a trained painter proposes: its run's folder, or two-rectangles, mnist, omniglot,
    faces, cifar."""
    resume: Annotated[Path | None, arg(metavar="STROKES.JSON", help_behavior_hint="")] = None
    """Go on from these strokes, and add N more, to which the options of how strokes look apply."""
    repaint: Annotated[Path | None, arg(metavar="MASK", help_behavior_hint="")] = None
    """With --resume, a gray picture: replace the strokes whose centre lies where it is light, and add N more there.
    Light is more than half gray."""
    seed: Annotated[int, arg(metavar="N")] = 0
    """The same seed gives the same files on the same machine, unless --time is set."""
    stop_psnr: Annotated[float | None, arg(metavar="DB", help_behavior_hint="")] = None
    """As few strokes as reach this quality, but no more than N; with --model, the first that do.
    Measured at the size of the picture, or at 2048 pixels where it is larger."""
    time: Annotated[float | None, arg(metavar="SECONDS", help_behavior_hint="")] = None
    """Paint for so long, start-up and saving not counted, instead of the usual number of steps.
    Where that is too short for N strokes, fewer are painted. With --stop-psnr, paint at most so long."""
    size: Annotated[int | None, arg(metavar="PIXELS", help_behavior_hint="")] = None
    """Longer side of the picture while it is painted. Left out: what suits N."""
    output_size: Annotated[int | None, arg(metavar="PIXELS", help_behavior_hint="(default: as what is read)")] = None
    """Longer side of what is written.
    Left out, GIF has at most 480, NAME.film.webp 720, MP4 and WebM 1080."""
    film_seconds: Annotated[float | None, arg(metavar="SECONDS", help_behavior_hint="(default: 8, or less)")] = None
    """How long a film grows; but for NAME.film.svg it then rests for two seconds."""
    frames: Annotated[Path | None, arg(metavar="FOLDER", help_behavior_hint="")] = None
    """Also write the growing painting as at most 100 numbered pictures, or all pictures of a clip: frame-0000.png and
    on. Files of these names are replaced."""
    jobs: Annotated[int, arg(metavar="N")] = 1
    """How many pictures to paint at once. Each is painted by a process, which takes 0.5 GB, 1.5 for large pictures."""
    threads: Annotated[int | None, arg(metavar="N", help_behavior_hint="(default: all cores)")] = None
    """How many threads to use. Each process of --jobs uses so many, by default its share of the cores."""
    recursive: Annotated[bool, FlagCreatePairsOff, arg(aliases=["-r"], help_behavior_hint="")] = False
    """Enter the folders in folders, too, but for those that are written to. What is written lies in folders alike."""
    keep_going: Annotated[bool, FlagCreatePairsOff, arg(help_behavior_hint="")] = False
    """Paint the others where a picture is damaged. Then the exit code is 2, too."""
    update: Annotated[bool, FlagCreatePairsOff, arg(help_behavior_hint="")] = False
    """Leave out pictures whose outputs are all there, and no older than they are, whatever the options were then.
    What is interrupted is not saved. With --frames, or {colour} in a name, every picture is painted."""
    quiet: Annotated[bool, FlagCreatePairsOff, arg(aliases=["-q"], help_behavior_hint="")] = False
    """Print nothing but errors."""

    def check(self) -> None:
        """Raise UserError for values that make no sense whatever the picture is."""
        if not self.photos:
            raise UserError(
                "no picture to paint: name one, a folder, or - for standard input, before --templates and its like"
            )
        within_most("strokes", self.strokes, 0)
        within_most("seed", self.seed, 0)
        for name in ("size", "output_size", "jobs", "threads"):
            within_most(name, getattr(self, name), 1)
        for name in ("min_size", "max_size", "pen", "stop_psnr", "time", "film_seconds"):
            _positive(name, getattr(self, name))
        if self.templates == ():
            raise UserError("--templates names none: name some, or leave it out")
        if self.style and self.model:
            raise UserError(f"--model {self.model}: starts anew with its own templates: leave out --style")
        check_together(vars(self), flag)
        self.opacity_value()

    @property
    def count(self) -> int:
        """How many strokes to add."""
        return count(self.strokes, self.repaint)

    def opacity_value(self) -> str | float:
        """ "free", "opaque" or a number in (0, 1]."""
        if self.opacity in ("free", "opaque"):
            return self.opacity
        try:
            number = float(self.opacity)
            fixed_opacity(number)
        except ValueError:
            expected = "expected free, opaque, or a number above 0 and up to 1"
            raise UserError(f"--opacity {self.opacity}: {expected}") from None
        return number


def within_most(name: str, value: int | None, least: int) -> None:
    """UserError for a number below `least`, or beyond what the option takes at most."""
    within(flag(name), value, least, MOST[name])


def _positive(name: str, value: float | None) -> None:
    most = MOST.get(name, math.inf)
    if value is not None and not (0 < value <= most and math.isfinite(value)):
        upper = f" and up to {most:g}" if math.isfinite(most) else ""
        raise UserError(f"{flag(name)} {value:g}: expected a finite number above 0{upper}")
