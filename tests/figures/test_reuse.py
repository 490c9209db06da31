"""Which runs need not be trained again to be measured."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from limner.experiments.thesis import two_rectangles
from limner.figures import records, reuse
from limner.figures.cache import key
from limner.figures.figure import FULL, Figure, Judgement, Scale
from limner.figures.layouts import Dots, Process, Progress, Reconstructions

PAINTER = two_rectangles()
FIGURE = Figure(
    "", "", "", "", "", 0, Dots(()), lambda _: Judgement("confirmed", ""), ("mse", "last"), {"Painter": PAINTER}
)  # fmt: skip


def measured() -> dict[str, Any]:
    """A run as results have it."""
    scores = {"train": {"last": 1.0}, "test": {"mse": 2.0}}
    return {"variant": "simple", "seed": 0, "run": key(PAINTER), **scores, "curve": {"mean": [3.0], "std": [0.1]}}


def served(run: dict[str, Any], scale: Scale = FULL, samples: int = 0, **asked: Any) -> dict[str, Any] | None:
    return reuse.again({(run["run"], samples): run}, replace(FIGURE, **asked), scale, "Painter", 0, PAINTER)


def test_only_full_results_are_known(tmp_path: Path) -> None:
    def known(**changes: Any) -> reuse.Known:
        record = {"quick": False, "verdict": "confirmed", "why": "", "images": FULL.images, "runs": [measured()]}
        (tmp_path / "5.4.json").write_text(records.text(record | changes), "utf-8")
        return reuse.known(tmp_path)

    assert known() == {(key(PAINTER), 0): measured()}
    assert known(quick=True) == known(images=20) == {}


def test_of_a_run_that_is_known_twice_the_course_is_kept(tmp_path: Path) -> None:
    bare = {name: value for name, value in measured().items() if name != "curve"}
    for first, second in ((bare, measured()), (measured(), bare)):
        for name, run in (("5.4", first), ("5.5", second)):
            record = {"quick": False, "verdict": "confirmed", "why": "", "images": FULL.images, "runs": [run]}
            (tmp_path / f"{name}.json").write_text(records.text(record), "utf-8")
        assert reuse.known(tmp_path) == {(key(PAINTER), 0): measured()}


def test_what_is_known_serves_where_nothing_more_is_asked_for() -> None:
    run = measured()
    course = run.pop("curve")
    mine = {**run, "variant": "Painter"}
    assert served(measured()) == served(run) == mine
    assert served(measured(), layout=Process(("another",))) == mine
    assert served(measured(), curve="loss") == {**mine, "curve": course}
    assert served(measured(), samples=5) is None
    assert served(run, curve="loss") is None
    assert served(run, scores=("mse", "order")) is None
    assert served(run, Scale(iterations=9)) is None
    for shows in (Process(("Painter",)), Progress(("Painter",), 1, 1), Reconstructions("Painter")):
        assert served(run, layout=shows) is None
    for compared in ({"Painter": "another"}, {"another": "Painter"}):
        assert served(run, since=compared) is None
