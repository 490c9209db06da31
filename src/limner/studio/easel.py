"""An easel: a picture, the paintings of it so far, and at most one that is being painted."""

import math
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Condition, Thread
from typing import Any, NamedTuple

import torch

import limner
from limner.errors import NotFinite, UserError
from limner.flags import in_flags
from limner.painting import brushes, raster
from limner.painting.painting import Painting
from limner.painting.pictures import Picture, laid, read_picture, resized, scaled
from limner.painting.progress import Progress
from limner.painting.reading import settings
from limner.printing import shown
from limner.shapes import SHAPES
from limner.studio.asked import BRUSHES, MASK, STROKES, options, spelled
from limner.waiting import compiling

MASKS = (".png", ".svg")
CLOSING = 5.0
"""Seconds that a painting has to end in."""
LONGEST_NAME = 200
"""Bytes; file systems take 255, and some of them less."""


@dataclass
class Done:
    """A painting, its PSNR in dB at the size of the picture, as it is saved, and whether it has been saved."""

    painting: Painting
    psnr: float
    saved: bool = False

    def rested(self) -> "Done":
        """The same without what its templates keep to be rendered soon, which may be some hundred MiB."""
        return replace(self, painting=replace(self.painting, bank=replace(self.painting.bank)))


class Named(NamedTuple):
    """A file that has been read, which faults name."""

    name: str
    content: bytes

    def read(self) -> bytes:
        """All of it."""
        return self.content


def named(name: str) -> str:
    """The name of a file to be written; UserError for one that is longer than files' names may be."""
    if len(os.fsencode(name)) > LONGEST_NAME:
        raise UserError(f"{name[:40]}…: is too long a name")
    return name


class Easel:
    """All that a studio holds; its methods may be called by several threads at once.

    folder: where masks, strokes and brushes are written, as `asked` names them.
    Methods raise UserError for what cannot be done now, or with what is given.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.changed = Condition()
        self.picture: Picture | None = None
        self.name = ""
        self.paintings: list[Done] = []
        self.brushes: list[str] = []
        self._pictures = 0
        self._working = ""
        self._progress = Progress(0.0, 1.0, 0)
        self._fault = ""
        self._stopping = False
        self._version = self._look = 0
        self._thread: Thread | None = None
        self._warming: Thread | None = None

    def state(self) -> dict[str, Any]:
        """What a page shows, for JSON.

        working: "painting", "compiling", or nothing; done, strokes and psnr are of that, or of the painting there is.
        psnr: in dB; None for one without any error, since JSON knows no infinity.
        version: another for every state; look: another wherever what is to be seen is another; number: of pictures,
        another for every one.
        paintings: how many there are, the last being shown; unsaved: whether that one is lost if it is left.
        """
        with self.changed:
            last, now, busy = self.paintings[-1:], self._progress, bool(self._working)
            size = self.picture.size if self.picture else None
            psnr = now.psnr if busy else last[0].psnr if last else 0.0
            return {
                "picture": {"name": self.name, "height": size[0], "width": size[1]} if size else None,
                "number": self._pictures,
                "working": self._working,
                "done": now.done if busy else 1.0,
                "strokes": now.strokes if busy else sum(len(each.painting.strokes) for each in last),
                "psnr": round(psnr, 2) if psnr < math.inf else None,
                "paintings": len(self.paintings),
                "unsaved": not busy and not self.saved,
                "brushes": self.brushes,
                "fault": self._fault,
                "version": self._version,
                "look": self._look,
            }

    def put(self, name: str, content: bytes) -> None:
        """Begin with a picture, or go on with a painting of it that was saved as JSON."""
        if Path(name).suffix.lower() == ".json":
            self.resume(name, content)
        else:
            self.set(read_picture(Named(name, content)), name)

    def set(self, picture: Picture, name: str) -> None:
        """Begin with a picture that is read."""
        with self.changed:
            self._rest()
            self._pictures += 1
            self._tell(picture=picture, name=shown(Path(name).name) or "photo", paintings=[], _fault="")

    def resume(self, name: str, content: bytes) -> None:
        """Go on with a painting of the picture that was saved as JSON."""
        self._rest()
        picture = self._picture()
        with TemporaryDirectory(dir=self.folder) as folder:
            file = Path(folder) / named(shown(Path(name).name))
            file.write_bytes(content)
            painting = Painting.load(file).against(picture)
        psnr = painting.score(painting.render(*painting.shown_size))
        with self.changed:
            self._rest(picture)
            self._finish(Done(painting, psnr, saved=True))

    def put_mask(self, content: bytes) -> None:
        """Keep what is brushed over, a gray picture."""
        read_picture(Named("what is brushed over", content))
        (self.folder / MASK).write_bytes(content)

    def put_brush(self, name: str, content: bytes) -> None:
        """Keep a brush of one's own, a PNG or an SVG."""
        name = named(Path(name).name)
        if Path(name).suffix.lower() not in MASKS or name in SHAPES or name != shown(name):
            raise UserError(f"{name}: is no brush: expected a name that ends in {' or '.join(MASKS)}")
        file = self.folder / BRUSHES / name
        file.parent.mkdir(exist_ok=True)
        with TemporaryDirectory(dir=self.folder) as folder:
            tried = Path(folder) / name
            tried.write_bytes(content)
            brushes.check_visible(brushes.bank_of([tried]))
            tried.replace(file)
        with self.changed:
            self._tell(brushes=[*(other for other in self.brushes if other != name), name])

    def command(self, asked: Mapping[str, Any]) -> str:
        """The command line that paints as is asked."""
        return spelled(options(asked, self.name or "photo.jpg", self.folder))

    def paint(self, asked: Mapping[str, Any]) -> None:
        """Begin to paint, in a thread of its own."""
        self._rest()
        picture = self._picture()
        if asked.get("resume"):
            self.painting().save(self.folder / STROKES)
        arguments = settings(options(asked, self.name, self.folder))
        with self.changed:
            self._rest(picture)
            self._tell(_working="painting", _progress=Progress(0.0, 1.0, 0), _fault="", _stopping=False)
            self._thread = Thread(target=self._paint, args=[picture, arguments], daemon=True)
            self._thread.start()

    def warm(self) -> None:
        """Compile what most paintings need, if it has not been, while others still look for a picture."""
        self._warming = Thread(target=self._warm, daemon=True)
        self._warming.start()

    def _warm(self) -> None:
        with suppress(KeyboardInterrupt):
            limner.paint(torch.linspace(0, 1, 3 * 16 * 16).view(3, 16, 16), 4, progress=self._unless_stopped)

    def stop(self) -> None:
        """End the painting with the strokes that there are."""
        self._stopping = True

    def close(self) -> None:
        """End what is painted, and wait for that: PyTorch aborts a process that ends while a thread is busy in it."""
        self.stop()
        for thread in filter(None, (self._thread, self._warming)):
            thread.join(CLOSING)

    def back(self) -> None:
        """Return to the painting before the last."""
        with self.changed:
            self._rest()
            self._last()
            self._tell(paintings=self.paintings[:-1])

    @property
    def saved(self) -> bool:
        """Whether nothing is lost if the studio is closed now: the painting that is shown."""
        with self.changed:
            return not self._working and all(done.saved for done in self.paintings[-1:])

    def painting(self) -> Painting:
        """The last that is done."""
        return self._last().painting

    def look(self, longer_side: int, strokes: int | None) -> tuple[str, bytes]:
        """Suffix and content of a picture of the painting as it is, in so many pixels, or of its first strokes."""
        with self.changed:
            made = self._progress.painting if self._working else None
            done = self.paintings[-1:]
        painting = made() if made else done[0].painting if done else None
        if painting is None:
            return self.photo(longer_side)
        size = scaled(painting.shown_size, longer_side)
        count = len(painting.strokes) if strokes is None else strokes
        suffix = ".png" if painting.background is None else ".jpg"
        return suffix, raster.encoded(next(iter(painting.stages([count], size))), suffix)

    def photo(self, longer_side: int) -> tuple[str, bytes]:
        """Suffix and content of the picture itself."""
        picture = resized(self._picture(), longer_side)
        if picture.alpha is None:
            return ".jpg", raster.encoded(raster.pixels(picture.pixels, None), ".jpg")
        colour = laid(picture.pixels, picture.alpha, None)
        return ".png", raster.encoded(raster.pixels(colour[:-1], colour[-1:]), ".png")

    def saved_as(self, suffix: str, longer_side: int | None) -> bytes:
        """The last painting as a file of that kind, as `Painting.save` writes it."""
        done = self._last()
        with TemporaryDirectory(dir=self.folder) as folder:
            file = Path(folder) / f"painting{suffix}"
            done.painting.save(file, longer_side)
            content = file.read_bytes()
        with self.changed:
            done.saved = True
            self._tell()
        return content

    def wait(self, version: int, seconds: float) -> dict[str, Any]:
        """The state as soon as it is another than that of this version, or after so many seconds."""
        with self.changed:
            self.changed.wait_for(lambda: self._version != version, seconds)
            return self.state()

    def _paint(self, picture: Picture, arguments: dict[str, Any]) -> None:
        try:
            if self._warming and self._warming.is_alive():
                self._tell(_working="compiling")
                self._warming.join()
                self._tell(_working="painting")
            begins, ends = (partial(self._tell, _working=word) for word in ("compiling", "painting"))
            with compiling(begins, lambda seconds: ends()), in_flags(arguments):
                painting = limner.paint(picture, **arguments, progress=self._watch)
            psnr = painting.score(painting.render(*painting.shown_size))
            self._finish(Done(painting, psnr))
        except KeyboardInterrupt:
            self._tell(_working="")
        except (UserError, NotFinite) as fault:
            self._tell(_working="", _fault=self.words(fault))
        except Exception as fault:  # for memory, say; else the page would wait for ever
            self._tell(_working="", _fault=f"it cannot be painted: {str(fault) or type(fault).__name__}")

    def _finish(self, done: Done) -> None:
        with self.changed:
            before = [earlier.rested() for earlier in self.paintings]
            self._tell(_working="", paintings=[*before, done])

    def words(self, fault: Exception) -> str:
        """What is said of a fault, files without the studio's folder and those in it."""
        return re.sub(rf"{re.escape(str(self.folder))}[\\/]((tmp\w+|{BRUSHES})[\\/])?", "", str(fault))

    def _unless_stopped(self, progress: Progress) -> None:
        if self._stopping:
            raise KeyboardInterrupt

    def _watch(self, progress: Progress) -> None:
        self._unless_stopped(progress)
        self._tell(_progress=progress)

    def _tell(self, **values: Any) -> None:
        """Set some of what is here, if it is to be seen, and tell those who wait."""
        with self.changed:
            for name, value in values.items():
                setattr(self, name, value)
            self._version += 1
            self._look += bool(values)
            self.changed.notify_all()

    def _last(self) -> Done:
        with self.changed:
            if not self.paintings:
                raise UserError("nothing is painted yet")
            return self.paintings[-1]

    def _picture(self) -> Picture:
        if self.picture is None:
            raise UserError("there is no picture yet: open one")
        return self.picture

    def _rest(self, picture: Picture | None = None) -> None:
        """UserError while something is painted, or once this is no longer the picture."""
        if self._working:
            raise UserError("a painting is not done yet: stop it first")
        if picture is not None and picture is not self.picture:
            raise UserError("another picture has been opened meanwhile: paint that")
