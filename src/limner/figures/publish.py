"""From trained runs to a figure's two files: NAME.json, its numbers and verdict, and NAME.png, its picture."""

from pathlib import Path
from typing import Any

from limner.figures import engine, sheets
from limner.figures.drawing import draw
from limner.figures.figure import Figure, Scale
from limner.figures.layouts import Drawn
from limner.figures.measuring import measured, rounded
from limner.figures.records import document, make_room, text
from limner.figures.results import Results
from limner.figures.reuse import Known
from limner.files import write


def publish(figure: Figure, scale: Scale, runs: Path, out: Path, known: Known) -> dict[str, Any]:
    """Measure, judge and draw a figure whose runs have been trained below `runs`; its record, as written to `out`.

    known: runs whose scores are taken as they are.
    Raises UserError where quick results would replace full ones.
    """
    make_room(out, figure.name, scale.quick)
    if isinstance(figure.layout, Drawn):
        picture, scores = engine.DRAWINGS[figure.layout.what]()
        found = [{"variant": "engine", "seed": 0, "test": rounded(scores)}]
    else:
        found = measured(figure, scale, runs, known)
        picture = draw(figure, scale, Results(found), runs)
    record = document(figure, scale, found)
    sheets.save(picture, out / f"{figure.name}.png")
    write(out / f"{figure.name}.json", text(record))
    return record
