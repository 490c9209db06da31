"""What a run's settings.json holds; light to import."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from limner.data.settings import MOST as LARGEST
from limner.errors import UserError
from limner.experiments import shipped
from limner.experiments.settings import Experiment, restored
from limner.flags import within
from limner.training.settings import MOST

SETTINGS = shipped.SETTINGS


@dataclass(frozen=True)
class Trained:
    """The experiment, and the images it was made for.

    images: to train on.  pictures: in a folder of one's own, those held out included.  0 is a number not known.
    """

    experiment: Experiment
    size: tuple[int, int]
    channels: int
    images: int = 0
    pictures: int = 0


def is_run(run: Path) -> bool:
    """Whether there are settings of one, or it comes with limner."""
    return (shipped.folder(run) / SETTINGS).exists()


def read(run: Path) -> Trained:
    """The settings of a run, or of a model that comes with limner."""
    path = shipped.folder(run) / SETTINGS
    try:
        trained = restored(Trained, json.loads(path.read_text("utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        known = ", ".join(shipped.names())
        known += "; limner.Painting.load reads strokes" if run.suffix == ".json" else ""
        raise UserError(f"{run}: no trained model is there: expected a run's folder, or one of {known}") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{path}: not the settings of a run: {error}") from error
    sides, threads = trained.size, trained.experiment.training.threads
    if not (all(1 <= side <= LARGEST["size"] for side in sides) and trained.channels in (1, 3)):
        held = f"images of {sides[0]} x {sides[1]} and {trained.channels} channels"
        raise UserError(f"{path}: not the settings of a run: {held}")
    within(f"{path}: threads", threads, 1, MOST["threads"])
    return trained


def as_json(trained: Trained) -> str:
    """What `restored` reads, as text."""
    return json.dumps(asdict(trained), indent=1, default=os.fspath) + "\n"
