"""From the arguments of `limner` to the options of one command, or the fault in them in a line."""

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from io import StringIO, TextIOWrapper
from itertools import pairwise
from pathlib import Path
from shutil import get_terminal_size
from typing import Annotated

from tyro.conf import arg
from tyro.extras import SubcommandApp

import limner
from limner.benches import BENCHES, Bench
from limner.complaints import plain
from limner.data.options import ListData, ShowData
from limner.data.settings import Data
from limner.errors import UserError
from limner.experiments.options import EvaluateOptions, TrainOptions
from limner.experiments.settings import Experiment
from limner.experiments.thesis import EXPERIMENTS
from limner.experiments.trained import is_run, read
from limner.figures.options import ReproduceOptions
from limner.flags import quoted
from limner.painting.options import PaintOptions
from limner.painting.styles import spelled_out
from limner.printing import answer
from limner.studio.options import StudioOptions
from limner.training.settings import CHECKPOINT

Options = PaintOptions | StudioOptions | TrainOptions | EvaluateOptions | ReproduceOptions | ListData | ShowData | Bench

ABOUT = "limner rebuilds pictures from brush strokes. Its version: limner --version"
NAMES = ("paint", "studio", "train", "evaluate", "reproduce", "data", "bench")
LEAST_COLUMNS = 20
"""Of a terminal that help is laid out for: tyro never ends with fewer than seven."""


def parse(arguments: list[str]) -> Options:
    """The command that the arguments ask for; --help prints and exits, anything amiss is a UserError of one line."""
    if arguments == ["--version"]:
        answer(f"limner {limner.__version__}")
        raise SystemExit(0)
    if {"-h", "--help"} & set(arguments):
        with _columns(max(LEAST_COLUMNS, get_terminal_size().columns)), _legible():
            return _app().cli(prog="limner", description=ABOUT, args=arguments)
    for before, argument in pairwise(["limner", *arguments]):
        if re.fullmatch("(-[^=]*=)?", argument):
            raise UserError(f'"{argument}" after {before} names nothing: give a value, or leave it out')
    if arguments and not arguments[0].startswith("-") and arguments[0] not in NAMES:
        example = f", as in: limner paint {quoted(arguments[0])}" if os.path.exists(arguments[0]) else ""
        raise UserError(f"{arguments[0]}: is no command: begin with one of {', '.join(NAMES)}{example}")
    complaint = StringIO()
    try:
        with _columns(10_000), redirect_stderr(complaint):  # so wide that messages are not wrapped
            options = _app().cli(prog="limner", args=arguments)
            if isinstance(options, PaintOptions) and options.style:
                options = _app().cli(prog="limner", args=[*arguments[:1], *spelled_out(options.style), *arguments[1:]])
            if before := _before(options):
                options = _app(before).cli(prog="limner", args=arguments)
            if before and (other := _other_images(options, before)):
                options = _app(other).cli(prog="limner", args=arguments)
            return options
    except SystemExit as end:
        if not end.code:
            raise
        raise UserError(plain(complaint.getvalue())) from None


def _before(options: Options) -> Experiment | None:
    """What a run was begun with that is to go on or to be measured: what is not given stays as it is there.

    None where there is nothing to go on from, or a run of other data, which `runs.start` tells.
    """
    if isinstance(options, EvaluateOptions):
        return read(options.run).experiment if is_run(options.run) else None
    if not (isinstance(options, TrainOptions) and options.resume and (options.out / CHECKPOINT).exists()):
        return None
    before = read(options.out).experiment
    usual = {make().data.name for make in EXPERIMENTS.values()} - {options.experiment.data.name}
    return None if before.data.name in usual else before


def _other_images(options: Options, before: Experiment) -> Experiment | None:
    """What a run is to be measured on, if that is another set than its own: as that set is, in the run's numbers."""
    if not isinstance(options, EvaluateOptions) or options.data is None or options.data.name == before.data.name:
        return None
    own = before.data
    numbers = {name: getattr(own, name) for name in ("images", "held_out", "size", "channels", "seed")}
    return replace(before, data=Data(options.data.name, **numbers))


def _app(before: Experiment | None = None) -> SubcommandApp:
    """All commands.  before: what an experiment's options start from, in place of its own settings."""
    app, experiments, data, benches = SubcommandApp(), SubcommandApp(), SubcommandApp(), SubcommandApp()
    app.command(name="paint")(PaintOptions)
    app.command(name="studio")(StudioOptions)
    for name in EXPERIMENTS:
        experiments.command(name=name)(_train(name, before))
    app.command(experiments, name="train", help="Train a model of the thesis on one of its data sets.")
    app.command(name="evaluate")(_evaluate(before or Experiment()))
    app.command(name="reproduce")(ReproduceOptions)
    data.command(name="list", is_default=True)(ListData)
    data.command(name="show")(ShowData)
    app.command(data, name="data", help="The data sets: list them, or show one.")
    for kind, name in BENCHES.items():
        benches.command(name=name)(kind)
    app.command(benches, name="bench", help="Measure how fast and how well limner paints.")
    return app


def _train(name: str, before: Experiment | None) -> Callable[..., TrainOptions]:
    """The command that trains an experiment: its options start from the experiment's own settings, or these."""
    start = TrainOptions(Path("runs") / name, experiment=before or EXPERIMENTS[name]())

    def command(options: Annotated[TrainOptions, arg(name="")] = start) -> TrainOptions:
        return options

    command.__doc__ = EXPERIMENTS[name].__doc__
    return command


def _evaluate(before: Experiment) -> Callable[..., EvaluateOptions]:
    """The command that measures a run: the options of its images start from these settings."""

    @dataclass(frozen=True)
    class Measured(EvaluateOptions):
        data: Data = field(default_factory=lambda: before.data)  # pyright: ignore[reportIncompatibleVariableOverride]

    def command(options: Annotated[Measured, arg(name="")]) -> EvaluateOptions:
        return EvaluateOptions(**vars(options))

    command.__doc__ = EvaluateOptions.__doc__
    return command


@contextmanager
def _legible() -> Iterator[None]:
    """A standard output that takes help: closed or not, and with question marks for what it cannot encode."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    with redirect_stdout(sys.stdout or StringIO()):
        yield


@contextmanager
def _columns(count: int) -> Iterator[None]:
    """A terminal so wide."""
    columns = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(count)
    try:
        yield
    finally:
        os.environ.pop("COLUMNS")
        if columns is not None:
            os.environ["COLUMNS"] = columns
