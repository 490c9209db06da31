"""What `limner reproduce` can be asked; light to import."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import FlagCreatePairsOff, Positional, arg

from limner.errors import UserError
from limner.flags import within


@dataclass(frozen=True)
class ReproduceOptions:
    """Make figures of the thesis again: train what they need, write NAME.json (numbers, verdict) and NAME.png."""

    figures: Annotated[Positional[tuple[str, ...]], arg(metavar="[FIGURE ...]", help_behavior_hint="")] = ()
    """Figures such as 5.3a, or all of them: all."""
    list: Annotated[bool, FlagCreatePairsOff, arg(help_behavior_hint="")] = False
    """Only list the figures: minutes on two cores, expected result, command, and the verdict of results in --out."""
    quick: Annotated[bool, FlagCreatePairsOff, arg(help_behavior_hint="")] = False
    """Few iterations and one seed: about a minute each, to see that it works. Decides nothing."""
    jobs: Annotated[int, arg(metavar="N")] = 1
    """Runs trained at a time."""
    runs: Annotated[Path, arg(metavar="FOLDER")] = Path("runs/cache")
    """Where trained runs are kept, to be used again and to go on with."""
    reuse: Annotated[bool, FlagCreatePairsOff, arg(help_behavior_hint="")] = False
    """Do not train runs whose scores are in the results in --out already, also if those are of other figures. Runs that
    a picture shows are trained all the same."""
    out: Annotated[Path | None, arg(metavar="FOLDER", help_behavior_hint="(default: reproduction)")] = None
    """Where results go. Left out with --quick: out/quick."""
    page: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """Also write the page of all results, as Markdown."""
    quiet: Annotated[bool, FlagCreatePairsOff, arg(aliases=["-q"], help_behavior_hint="")] = False
    """Print nothing but errors."""

    def folder(self) -> Path:
        """Where results go."""
        return self.out or Path("out/quick" if self.quick else "reproduction")

    def check(self) -> None:
        """Raise UserError for values that make no sense."""
        within("--jobs", self.jobs, 1)
        if self.quick and self.reuse:
            raise UserError("--reuse is of no use with --quick: results hold scores of full runs")
        if not (self.figures or self.list or self.page):
            raise UserError("no figure to reproduce: name one such as 5.3a, or all, or see --list")
