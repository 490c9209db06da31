"""SVGs that grow in a browser."""

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch

import limner
from limner.cli import main
from limner.geometry import phi
from limner.painting import raster
from limner.painting.films.growing import delays
from limner.painting.films.time_lapse import moments
from limner.painting.painting import Painting
from limner.strokes import Strokes
from limner.templates import TemplateBank

SPACE = "{http://www.w3.org/2000/svg}"


def painting(count: int = 12) -> Painting:
    where = phi(torch.rand(count, 2) - 0.5, torch.rand(count, 2) / 3 + 0.1, torch.rand(count) * 6, 1.0)
    which = torch.nn.functional.one_hot(torch.arange(count) % 2, 2).float()
    strokes = Strokes(where[None], which[None], torch.rand(1, count, 3), torch.rand(1, count))
    return Painting(strokes, TemplateBank.named("circle", "square"), torch.ones(3), (40, 60))


def late(file: Path) -> list[float]:
    """When the strokes of an SVG appear, in their order."""
    group = ElementTree.parse(file).getroot().find(f"{SPACE}g")
    assert group is not None
    styles = [use.get("style") or "" for use in group.findall(f"{SPACE}use")]
    return [float(style.removeprefix("animation-delay:").removesuffix("s")) for style in styles]


@pytest.mark.parametrize("strokes", [1, 2, 30, 1000])
def test_strokes_appear_as_in_other_films(strokes: int) -> None:
    """But for the first, of which a film shows one a frame."""
    found, shown = delays(strokes, 8.0), moments(strokes, 9)
    for k, count in enumerate(shown):
        there = sum(delay <= 8 * k / (len(shown) - 1) + 1e-9 for delay in found)
        assert abs(there - count) <= 1 or count == k
    assert found == sorted(found)
    assert found[-1] == pytest.approx(8.0)


def test_few_strokes_take_less_time() -> None:
    assert delays(500, None)[-1] == pytest.approx(8.0)
    assert delays(4, None)[-1] == pytest.approx(1.0)
    assert delays(0, None) == []


def test_what_knows_no_animation_shows_all(tmp_path: Path) -> None:
    made = painting()
    for name in ("still.svg", "grows.Film.SVG"):
        made.save(tmp_path / name, 240, seconds=3.0)
    assert torch.equal(raster.read(tmp_path / "still.svg"), raster.read(tmp_path / "grows.Film.SVG"))
    assert "animation" not in (tmp_path / "still.svg").read_text()
    assert late(tmp_path / "grows.Film.SVG") == pytest.approx(delays(12, 3.0), abs=0.006)


def test_strokes_that_are_not_seen_take_their_time_all_the_same(tmp_path: Path) -> None:
    made = painting()
    opacity = made.strokes.opacity
    assert opacity is not None
    opacity[0, 3:7] = 0
    made.save(tmp_path / "a.film.svg", seconds=5.0)
    wanted = delays(12, 5.0)
    assert late(tmp_path / "a.film.svg") == pytest.approx(wanted[:3] + wanted[7:], abs=0.006)


def test_several_grow_on_one_page(tmp_path: Path) -> None:
    made = painting()
    darker = replace(made, strokes=replace(made.strokes, what=made.strokes.what / 2))
    texts = []
    for k, each in enumerate((made, darker)):
        each.save(tmp_path / f"{k}.film.svg")
        texts.append((tmp_path / f"{k}.film.svg").read_text())
    (first,), (second,) = (set(re.findall(r"growing_\w+", text)) for text in texts)
    assert first != second
    assert all(len(set(re.findall(r"appear_\w+", text))) == 1 for text in texts)


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    painting().save("strokes.json")
    assert main(["paint", "strokes.json", "-o", "a.film.svg", "--film-seconds", "2"]) == 0
    assert late(Path("a.film.svg"))[-1] == 2
    assert main(["paint", "strokes.json", "-o", "a.svg", "--film-seconds", "2"]) == 2
    assert "is of no use without a film: give -o FILE.mp4, .webm, .gif or .film.svg, too" in capsys.readouterr().err
    assert limner.Painting.load("strokes.json").size == (40, 60)
