"""What `limner train` and `limner evaluate` can be asked; light to import."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import FlagCreatePairsOff, Positional, arg

from limner.data.settings import Data, Split
from limner.errors import UserError
from limner.experiments.settings import Experiment
from limner.files import check_picture, place
from limner.flags import calling, within
from limner.models.settings import MOST_MOVES


@dataclass(frozen=True)
class TrainOptions:
    """Train a model."""

    out: Annotated[Path, arg(metavar="FOLDER")] = Path("runs/run")
    """Where the run goes: settings, weights, losses, checkpoints, pictures."""
    resume: Annotated[bool, FlagCreatePairsOff, arg(help_behavior_hint="")] = False
    """Go on with the run that is there, if there is one; what is not given stays as it is there."""
    quiet: Annotated[bool, FlagCreatePairsOff, arg(aliases=["-q"], help_behavior_hint="")] = False
    """Print nothing but errors."""
    experiment: Annotated[Experiment, arg(name="")] = field(default_factory=Experiment)

    def check(self) -> None:
        """Raise UserError for values that make no sense."""
        self.experiment.training.check()
        with calling("--data."):
            self.experiment.data.check()


@dataclass(frozen=True)
class EvaluateOptions:
    """Measure a trained model on held-out images."""

    run: Annotated[Positional[Path], arg(metavar="RUN", help_behavior_hint="")]
    """The folder of a run, or a model that comes with limner: two-rectangles, mnist, omniglot, faces, cifar."""
    split: Split = "test"
    """Which images."""
    images: Annotated[int | None, arg(metavar="N", help_behavior_hint="(default: all)")] = None
    """At most so many of them, spread evenly over the set."""
    samples: Annotated[int, arg(metavar="K", help_behavior_hint="(default: none)")] = 0
    """Samples an image for the importance-weighted bound of models that have one."""
    folder: Annotated[Path | None, arg(metavar="FOLDER", help_behavior_hint="")] = None
    """For a run on a folder of your own pictures: where that folder is now."""
    moves: Annotated[int | None, arg(metavar="N", help_behavior_hint="(default: as the run says)")] = None
    """Strokes an image, of painters that give one a step."""
    picture: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """Also write the painting process of ten of them."""
    json: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """Also write the figures as JSON."""
    seed: Annotated[int, arg(metavar="N")] = 0
    """Seed of the samples."""
    data: Data | None = None
    """Other images than the run's: what is given here, the rest as the run has it, or as another set has it.
    Defaults named below are the sets' own; what the run has comes first."""

    def check(self) -> None:
        """Raise UserError for values that make no sense."""
        within("--images", self.images, 1)
        check_picture("--picture", self.picture)
        if self.picture and self.json and place(self.picture) == place(self.json):
            raise UserError(f"--picture {self.picture}: --json is to be written there too: choose another name")
        for name, most in (("samples", 10**6), ("seed", 2**63 - 1)):
            within(f"--{name}", getattr(self, name), 0, most)
        within("--moves", self.moves, 1, MOST_MOVES)
        if self.data:
            with calling("--data."):
                self.data.check()
