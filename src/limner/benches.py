"""What `limner bench` can be asked; light to import, since the command line's help is made of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import FlagCreatePairsOff, arg

from limner.errors import UserError
from limner.flags import within
from limner.painting.options import within_most


@dataclass(frozen=True)
class Bench:
    """What all benches can be asked."""

    json: Annotated[Path | None, arg(aliases=["-o"], metavar="FILE", help_behavior_hint="")] = None
    """Also write the table as JSON."""

    def check(self) -> None:
        """Every combination of options is valid."""


@dataclass(frozen=True)
class EngineBench(Bench):
    """Time the engine against plain PyTorch."""


@dataclass(frozen=True)
class GpuBench(Bench):
    """Time the engine on a GPU against plain PyTorch on the same."""


@dataclass(frozen=True)
class PicturesBench(Bench):
    """What benches that paint pictures can be asked."""

    pictures: Annotated[Path | None, arg(metavar="FOLDER", help_behavior_hint="(default: the bundled picture)")] = None
    """Pictures to paint."""
    strokes: Annotated[tuple[int, ...], arg(aliases=["-n"], metavar="N ...")] = (100, 500)
    """Numbers of strokes to paint each with."""

    def check(self) -> None:
        """Raise UserError for values that make no sense."""
        if not self.strokes:
            raise UserError("--strokes: name at least one number")
        for count in self.strokes:
            within_most("strokes", count, 0)


@dataclass(frozen=True)
class PartsBench(PicturesBench):
    """Measure what each part of the fitting adds."""


@dataclass(frozen=True)
class PaintBench(PicturesBench):
    """Time `limner paint` and measure the quality of what it paints."""

    threads: Annotated[int, arg(metavar="N")] = 1
    """How many threads to use."""
    primitive: Annotated[Path | None, arg(metavar="PROGRAM", help_behavior_hint="(default: none)")] = None
    """fogleman's primitive, to measure it on the same pictures."""

    def check(self) -> None:
        """Raise UserError for values that make no sense."""
        super().check()
        within_most("threads", self.threads, 1)


@dataclass(frozen=True)
class RivalsBench(PicturesBench):
    """Measure limner beside other programs that rebuild pictures from shapes."""

    primitive: Annotated[Path | None, arg(metavar="PROGRAM", help_behavior_hint="(default: none)")] = None
    """fogleman's primitive."""
    geometrize: Annotated[Path | None, arg(metavar="PACKAGE", help_behavior_hint="(default: none)")] = None
    """The folder of npm's package geometrizejs, which node runs."""
    vtracer: Annotated[bool, FlagCreatePairsOff, arg(help_behavior_hint="")] = False
    """vtracer, which pip installs."""


@dataclass(frozen=True)
class ClipsBench(Bench):
    """Measure clips in strokes beside their pictures painted one by one."""

    clips: Annotated[Path | None, arg(metavar="FOLDER", help_behavior_hint="(default: made of a picture)")] = None
    """Clips to paint, too."""
    strokes: Annotated[int, arg(aliases=["-n"], metavar="N")] = 300
    """Number of strokes to paint each picture with."""

    def check(self) -> None:
        """Raise UserError for values that make no sense."""
        within_most("strokes", self.strokes, 0)


@dataclass(frozen=True)
class TrainBench(Bench):
    """Time a training step and its parts."""


@dataclass(frozen=True)
class ModelsBench(Bench):
    """Train every model for a short time and measure it on held-out images."""

    iterations: Annotated[int, arg(metavar="N")] = 1000
    """Iterations to train each."""

    def check(self) -> None:
        """Raise UserError for values that make no sense."""
        within("--iterations", self.iterations, 1)


BENCHES = {
    EngineBench: "engine",
    GpuBench: "gpu",
    PaintBench: "paint",
    RivalsBench: "rivals",
    PartsBench: "parts",
    ClipsBench: "clips",
    TrainBench: "train",
    ModelsBench: "models",
}
"""Their modules in the folder benchmarks/."""
