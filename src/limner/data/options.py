"""What `limner data` can be asked; light to import."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from limner.data.settings import Data, Name, Split, check_used
from limner.files import check_picture
from limner.flags import calling, within


@dataclass(frozen=True)
class ListData:
    """List all data sets: how many images, of what size, and whether they are on this machine."""

    def check(self) -> None:
        """Every combination of options is valid."""


@dataclass(frozen=True)
class ShowData(Data):
    """Write a sheet of images of a data set."""

    name: Annotated[Positional[Name], arg(metavar="NAME")] = "two-rectangles"
    """Which set, as `limner data` lists them."""
    output: Annotated[Path | None, arg(aliases=["-o"], metavar="FILE", help_behavior_hint="(default: NAME.png)")] = None
    """Where to write the sheet."""
    split: Split = "train"
    """Which images."""
    count: Annotated[int, arg(metavar="N")] = 60
    """How many of them, chosen by the seed."""

    def check(self) -> None:
        """Raise UserError for values that make no sense."""
        with calling("--"):
            super().check()
            check_used(self, self.split)
        check_picture("--output", self.output)
        within("--count", self.count, 1, 10_000)
