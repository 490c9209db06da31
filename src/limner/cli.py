"""The `limner` command. Nothing heavy is imported before the arguments are understood."""

import gc
import os
import re
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from limner.benches import BENCHES, Bench
from limner.data.options import ListData, ShowData
from limner.errors import NotFinite, Stopped, UserError
from limner.experiments.options import EvaluateOptions, TrainOptions
from limner.figures.options import ReproduceOptions
from limner.files import in_words, try_writing
from limner.painting.options import PaintOptions
from limner.parsing import Options, parse
from limner.printing import say, silence, warnings_in_lines
from limner.signals import ENDING, handled, held
from limner.studio.options import StudioOptions

COMMANDS = {
    PaintOptions: ("limner.painting.command", "paint"),
    StudioOptions: ("limner.studio.command", "studio"),
    TrainOptions: ("limner.experiments.command", "train"),
    EvaluateOptions: ("limner.experiments.command", "evaluate"),
    ReproduceOptions: ("limner.figures.command", "reproduce"),
    ListData: ("limner.data.command", "listing"),
    ShowData: ("limner.data.command", "show"),
}
OUT_OF_MEMORY = "allocate memory|out of memory|Storage size calculation overflowed|Invalid buffer size"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 2 for a fault of the input, 130 when interrupted."""
    try:
        return run(parse(sys.argv[1:] if arguments is None else list(arguments)))
    except (UserError, NotFinite) as error:
        say(f"limner: {error}", sys.stderr)
        return 2
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not re.search(OUT_OF_MEMORY, str(error)):
            raise
        say("limner: there is not enough memory: choose a smaller size, batch or model", sys.stderr)
        return 2
    except Stopped as stopped:
        say(f"limner: {stopped}", sys.stderr)
        return 130
    except KeyboardInterrupt:
        say("limner: interrupted", sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read our output has read enough
        silence(sys.stdout)
        return 0
    except OSError as error:
        say(f"limner: {in_words(error)}", sys.stderr)
        silence(sys.stdout)
        return 2


def run(options: Options) -> int:
    """Carry out a command."""
    try:
        os.getcwd()
    except FileNotFoundError:
        raise UserError("the current folder has been deleted: change to another one") from None
    options.check()
    with handled(signal.default_int_handler, *ENDING), warnings_in_lines(getattr(options, "quiet", False)):
        if isinstance(options, Bench):
            if options.json:
                try_writing(options.json)
            bench(BENCHES[type(options)]).main(**vars(options))
            return 0
        module, function = COMMANDS[type(options)]
        return getattr(load(module), function)(options)


def load(module: str) -> Any:
    """Import a command's module. Ctrl-C waits for it, since libraries that are being imported may swallow it.

    The first brings 300,000 objects of torch, which are no garbage: to look for some among them, while they are made
    and when the process ends, would take a fifth of the time that painting a hundred strokes takes.
    """
    first = "torch" not in sys.modules and gc.isenabled()
    if first:
        gc.disable()
    try:
        with held():
            return import_module(module)
    finally:
        if first:
            gc.freeze()
            gc.enable()


def bench(name: str) -> Any:
    """A module of the folder benchmarks/, which a checkout of the repository has and an installed package has not."""
    folder = Path(__file__).resolve().parents[2] / "benchmarks"
    if not (folder / f"{name}.py").exists():
        raise UserError("limner bench works only in a checkout of the repository, beside its folder benchmarks")
    sys.path.insert(0, str(folder))
    return load(name)
