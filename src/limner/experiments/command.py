"""The commands `limner train` and `limner evaluate`."""

import os
import sys
from dataclasses import asdict, replace
from pathlib import Path

import torch

from limner.data.loading import load as load_data
from limner.data.loading import side
from limner.data.settings import Data, check_used
from limner.data.sources import check_apart, tell_of_part
from limner.errors import Stopped, UserError
from limner.experiments import runs
from limner.experiments.options import EvaluateOptions, TrainOptions
from limner.experiments.trained import Trained
from limner.files import place, try_writing, write_json
from limner.flags import calling
from limner.models.build import Network, check
from limner.models.settings import IN_TURN
from limner.printing import answer, say
from limner.training.loop import device
from limner.training.metrics import evaluate as measure
from limner.training.process import painting_process, save_sheet

ROWS = 10


def train(options: TrainOptions) -> int:
    """Train."""
    quiet = options.quiet or os.environ.get("RANK", "0") != "0"  # the first of several processes speaks for all
    if not quiet:
        tell_of_part(options.experiment.data)
    try:
        runs.start(options.experiment, options.out, options.resume, quiet)
    except Stopped as stopped:
        raise Stopped(f"{stopped}: --resume goes on") from None
    finally:
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()  # whose threads can abort a process that ends before them
    if not quiet:
        say(f"{options.out}: trained; see how good it is with: limner evaluate {options.out}", sys.stdout)
    return 0


def evaluate(options: EvaluateOptions) -> int:
    """Measure, print a table, and write what is asked for."""
    trained = runs.read(options.run)
    own = trained.experiment.data
    experiment = replace(trained.experiment, data=_images(options, own))
    _check_fits(experiment.data, trained, options.run)
    for option, path in (("--json", options.json), ("--picture", options.picture)):
        if path:
            runs.spare(path, options.run)
            check_apart(option, path, experiment.data)
            try_writing(path)
    model = _with_moves(runs.load(options.run), options)
    if own.name == experiment.data.name == "folder" and (options.folder or _same(own.folder, experiment.data.folder)):
        there = replace(own, folder=experiment.data.folder)
        runs.check_images(options.run, trained, len(load_data(there, "train")), runs.count_pictures(there))
    torch.set_num_threads(experiment.training.threads)
    images = load_data(experiment.data, options.split).spread(options.images)
    tell_of_part(experiment.data)
    model.to(device())
    found = measure(model, images, samples=options.samples, seed=options.seed)
    for name, value in found.items():
        answer(f"{name:<28} {value:.5g}")
    if options.samples and "elbo" not in found:
        say(f"limner: {options.run}: no iwae: only variational models of a likelihood in nats have bounds", sys.stderr)
    if options.json:
        about: dict = {"run": Path(os.path.abspath(options.run)).name, "split": options.split, "seed": options.seed}
        about |= {} if experiment.data == own else {"data": asdict(experiment.data)}
        about |= {"moves": options.moves} if options.moves else {}
        write_json(options.json, about | found)
    if options.picture:
        save_sheet(painting_process(model, images.spread(ROWS).ink(device())), options.picture)
    return 0


def _images(options: EvaluateOptions, own: Data) -> Data:
    """What a run is measured on, whose own images these are; UserError for options without use."""
    data = options.data or own
    with calling("--data."):
        check_used(data, options.split, own)
    if data.counts != own.counts and data.counts_held_out == own.counts_held_out:
        data = replace(data, counts_held_out=None)
    if options.folder is None:
        return data
    if data.name != "folder":
        raise UserError(f"--folder {options.folder}: {options.run} was trained on {data.name}, not on a folder")
    if data.folder != own.folder:
        raise UserError(f"--folder {options.folder}: --data.folder is given, too: leave out one of them")
    return replace(data, folder=options.folder)


def _same(one: Path | None, other: Path | None) -> bool:
    return one is not None and other is not None and place(one) == place(other)


def _with_moves(model: Network, options: EvaluateOptions) -> Network:
    """The model, which gives as many moves as are asked for."""
    if options.moves:
        settings, kind = replace(model.settings, moves_test=options.moves), model.settings.kind
        if kind not in IN_TURN:
            raise UserError(f"--moves {options.moves}: {options.run} is of kind {kind}, which gives no other number")
        check(settings)
        model.settings = settings
    return model


def _check_fits(data: Data, trained: Trained, run: Path) -> None:
    """UserError for images that will have another size, or other channels, than a run paints."""
    for called, found, wanted in (
        ("--data.size", (side(data), side(data)), trained.size),
        ("--data.channels", (data.channels,), (trained.channels,)),
    ):
        if found != wanted:
            held, expected = (" x ".join(map(str, each)) for each in (found, wanted))
            raise UserError(f"{called}: {data.name} has {held}, {run} paints {expected}: give {called}")
