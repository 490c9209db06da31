"""The JSON of a figure: what was measured, and the verdict; light to import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from limner.errors import UserError
from limner.figures.figure import Figure, Scale
from limner.figures.results import Results

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
