import os
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from limner.cli import main
from limner.data import Data, load, loading
from limner.data.loading import resized
from limner.data.settings import SPLITS, SYNTHETIC, Recipe
from limner.data.sources import SOURCES


def lines(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    return {line.split()[0]: line for line in capsys.readouterr().out.splitlines()[1:]}


def test_without_any_data_all_sets_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data"]) == 0
    listed = lines(capsys)
    assert set(listed) == {*SYNTHETIC, *SOURCES, "folder"}
    assert all("missing" in listed[name] and SOURCES[name].place in listed[name] for name in SOURCES)
    assert "LIMNER_DATA" in listed["faces"]


def test_what_is_here_is_said(
    sample: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIMNER_DATA", str(sample))
    assert main(["data", "list"]) == 0
    listed = lines(capsys)
    assert all(str(sample / source.folder) in listed[name] for name, source in SOURCES.items())


@pytest.mark.parametrize("name", ["two-rectangles", "two-shapes"])
def test_listed_counts_are_those_of_the_set(name, capsys: pytest.CaptureFixture[str]) -> None:
    main(["data"])
    counts = [int(word.replace(",", "")) for word in lines(capsys)[name].split()[1:4]]
    assert counts == [len(load(Data(name), split)) for split in SPLITS]


def test_the_page_has_the_same_counts(capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs/data.md").read_text()
    main(["data"])
    listed = lines(capsys)
    for name in (*SYNTHETIC, *SOURCES):
        train, validation, test, *size = listed[name].split()[1:7]
        assert f"| `{name}` | {train}, {validation}, {test} | {' '.join(size)} |" in page
    assert all(f"`{field.name}`" in page for field in fields(Recipe))


def test_a_sheet_shows_ink_black_on_white(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "sheet.png"
    assert main(["data", "show", "two-rectangles", "--count", "6", "--images", "50", "-o", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}  6 of 50 images, train\n"
    sheet = np.asarray(Image.open(file))
    assert sheet.shape == (2 * 86 + 2, 3 * 86 + 2)
    tiles = [sheet[y : y + 84 : 3, x : x + 84 : 3] for y in (2, 88) for x in (2, 88, 174)]
    ink = {(255 - image[0]).numpy().tobytes() for image in load(Data("two-rectangles", images=50)).pixels}
    assert len({tile.tobytes() for tile in tiles} & ink) == 6


def test_options_reach_the_sheet(tmp_path: Path, sample: Path) -> None:
    def show(name: str, line: str) -> np.ndarray:
        assert main(["data", "show", *line.split(), "-o", str(tmp_path / name)]) == 0
        return np.asarray(Image.open(tmp_path / name))

    drawn = show("a.png", "shapes --counts 3 3 --channels 3 --size 40 --levels 0.5 1 --images 30 --count 1 --seed 3")
    assert drawn.shape == (84, 84, 3)
    assert len(np.unique(drawn[2:-2, 2:-2].reshape(-1, 3), axis=0)) > 3
    first, other = (show("b.png", f"mnist --folder {sample} --split test --seed {seed}") for seed in (0, 1))
    assert first.shape == other.shape
    assert np.array_equal(first, other)  # all 24 are shown, whatever the seed
    some = [show("c.png", f"mnist --folder {sample} --count 5 --seed {seed}") for seed in (0, 0, 1)]
    assert np.array_equal(some[0], some[1])
    assert not np.array_equal(some[0], some[2])


def test_names_that_cannot_be_shown_are_no_fault(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "limner", "data", "show", "--images", "9", "-o", "\u00fc.png"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    run = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("\\xfc.png  9 of 9 images")


def test_a_set_that_is_there_in_part_is_said(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LIMNER_DATA", str(sample))
    folder = sample / SOURCES["faces"].folder
    (folder / "BioID_0000 (1).pgm").write_bytes((folder / "BioID_0000.pgm").read_bytes())  # a copy is no image more
    main(["data"])
    listed = lines(capsys)
    for name, missing in (("faces", "1,509 of the 1,521"), ("omniglot", "19,256 of the 19,280")):
        words = f"{sample / SOURCES[name].folder}: {missing} images are missing"
        assert f"in {words}" in listed[name]
        assert main(["data", "show", name, "--count", "1", "-o", str(tmp_path / "sheet.png")]) == 0
        assert capsys.readouterr().err == f"limner: {words}\n"
    assert "missing" not in listed["mnist"] + listed["cifar"]
    monkeypatch.setitem(SOURCES, "faces", replace(SOURCES["faces"], counts=(4, 4, 4)))
    assert main(["data", "show", "faces", "--count", "1", "-o", str(tmp_path / "sheet.png")]) == 0
    assert capsys.readouterr().err == ""


def test_only_what_is_shown_is_enlarged(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enlarged: list[int] = []

    def noted(pixels: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        enlarged.append(len(pixels))
        return resized(pixels, size)

    monkeypatch.setattr(loading, "resized", noted)
    file = tmp_path / "sheet.png"
    line = ["data", "show", "mnist", "--folder", str(sample), "--count", "3", "--size", "84", "-o", str(file)]
    assert main(line) == 0
    assert enlarged == [3]
    assert np.asarray(Image.open(file)).shape == (86 + 2, 3 * 86 + 2)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nothing", "invalid choice 'nothing'"),
        ("mnist", "mnist is missing"),
        ("shapes --count 0", "--count 0"),
        ("shapes --counts 2", "--counts: 1 given, expected 2\n"),
        ("shapes --counts 2 few", "--counts: ['2', 'few'] cannot be understood\n"),
        ("shapes --levels dark", "--levels: ['dark'] cannot be understood\n"),
        ("shapes --counts 3 2", "--counts 3 2"),
        ("shapes --min-side 20", "--min-side, max-side: 20 to 14 pixels"),
        ("shapes -o sheet.doc", "--output sheet.doc: expected a name that ends in"),
        ("shapes -o sheet.blp", "--output sheet.blp: expected a name that ends in"),
        ("shapes -o none/sheet.png", "none/sheet.png: cannot be written"),
        ("folder", "say which folder"),
        ("shapes --max-side 40", "do not fit"),
        ("shapes --counts-held-out 3 3", "--counts-held-out is of no use with --split train"),
        ("shapes --held-out 3", "--held-out is of no use with --split train"),
        ("shapes --images 3 --split test", "--images is of no use with --split test"),
        ("shapes --counts 40 40 --overlap False", "40 shapes do not fit side by side on a canvas of 28"),
    ],
)
def test_bad_input_is_one_line(
    line: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIMNER_DATA", str(tmp_path))
    assert main(["data", "show", *line.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert words in err
    assert list(tmp_path.iterdir()) == []
