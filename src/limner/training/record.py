"""The losses of every iteration, one JSON object a line, in a file that only grows."""

import json
from collections.abc import Iterator
from pathlib import Path

from limner.errors import UserError
from limner.files import reason, write

METRICS = "metrics.jsonl"


class Record:
    """`metrics.jsonl` of a run: {"iteration": 1, "loss": ..., "reconstruction": ...} and so on, floats exactly.

    done: iterations whose lines stay; later ones, of a run that was cut off after its last checkpoint, are removed.
    """

    def __init__(self, path: Path, done: int = 0) -> None:
        self.path = path
        kept = [line for line in _lines(path) if line["iteration"] <= done]
        if [line["iteration"] for line in kept] != list(range(1, done + 1)):
            raise UserError(f"{path}: the losses of iterations 1 to {done} are not all there: train anew")
        write(path, "".join(json.dumps(line) + "\n" for line in kept))
        self._waiting: list[dict[str, float]] = []

    def add(self, iteration: int, losses: dict[str, float]) -> None:
        """Note the losses of an iteration, counted from 1; they are on disk after `flush`."""
        self._waiting.append({"iteration": iteration, **losses})

    def flush(self) -> None:
        """Write what has been noted."""
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(line) + "\n" for line in self._waiting)
        except OSError as error:
            raise UserError(f"{self.path}: cannot be written: {reason(error)}") from error
        self._waiting = []


def read(path: Path) -> dict[str, list[float]]:
    """The losses by name, one number an iteration."""
    lines = list(_lines(path))
    names = dict.fromkeys(name for line in lines for name in line)
    try:
        return {name: [float(line[name]) for line in lines] for name in names}
    except KeyError as error:
        raise UserError(f"{path}: not every iteration has a {error}: train anew") from error


def _lines(path: Path) -> Iterator[dict[str, float]]:
    """The whole lines of the file; a last one cut off by a crash is left out."""
    if not path.exists():
        return
    for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(keepends=True), 1):
        if not line.endswith("\n"):
            return
        try:
            losses = json.loads(line)
            if not isinstance(losses["iteration"], int) or not all(isinstance(x, int | float) for x in losses.values()):
                raise ValueError("not the numbers of an iteration")
        except (ValueError, TypeError, KeyError) as error:
            raise UserError(f"{path}: line {number} is not the losses of an iteration: train anew") from error
        yield losses
