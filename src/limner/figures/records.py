"""The JSON of a figure: what was measured, and the verdict; light to import."""

import json
from pathlib import Path
from typing import Any

from limner.errors import UserError
from limner.figures.figure import Figure, Scale
from limner.figures.results import Results
from limner.files import make_folder, try_writing

READ = {"quick", "verdict", "why", "images", "runs"}
"""Fields that others rely on."""


def document(figure: Figure, scale: Scale, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """A figure's record: name, verdict and why, whether quick, images measured on at most, and all runs."""
    judgement = figure.judge(Results(runs))
    return {
        "figure": figure.name,
        "title": figure.title,
        "quick": scale.quick,
        "verdict": judgement.verdict,
        "why": judgement.why,
        "images": scale.images,
        "runs": runs,
    }


def make_room(folder: Path, name: str, quick: bool) -> None:
    """Make the folder, if need be; UserError where a record cannot be put into it, or, being quick, should not."""
    make_folder(folder)
    path, before = folder / f"{name}.json", read(folder, name)
    if quick and before and not before["quick"]:
        raise UserError(f"{path}: holds full results, which --quick must not replace: choose another --out")
    try_writing(path)


def verdict(record: dict[str, Any] | None) -> str:
    """In words; quick results decide nothing."""
    if record is None:
        return "not run yet"
    return "quick, so without a verdict" if record["quick"] else record["verdict"]


def text(record: dict[str, Any]) -> str:
    """A record as JSON, a line for each field and each run."""
    fields = [f' "{name}": {_line(value)}' for name, value in record.items() if name != "runs"]
    runs = ",\n".join(f"  {_line(run)}" for run in record["runs"])
    return "{\n" + ",\n".join(fields) + ',\n "runs": [\n' + runs + "\n ]\n}\n"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def read(folder: Path, name: str) -> dict[str, Any] | None:
    """The record of a figure, if there is one; UserError naming a file that is none."""
    path = folder / f"{name}.json"
    try:
        record = json.loads(path.read_text("utf-8"))
        if not (isinstance(record, dict) and record.keys() >= READ):
            raise ValueError("is not the record of a figure")
        return record
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from error
