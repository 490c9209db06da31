import errno
import inspect
import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

import limner
import limner.__main__
from limner.benches import PaintBench
from limner.cli import load, main
from limner.data.options import ShowData
from limner.errors import NotFinite, Stopped
from limner.experiments.options import EvaluateOptions
from limner.experiments.thesis import EXPERIMENTS
from limner.figures.options import ReproduceOptions
from limner.files import atomic
from limner.painting import outputs
from limner.painting.arguments import count
from limner.painting.options import PaintOptions
from limner.painting.painting import Painting
from limner.painting.pictures import Picture
from limner.strokes import Strokes
from limner.strokes_json import dump
from limner.templates import TemplateBank

DEFAULTS = {name: argument.default for name, argument in inspect.signature(limner.paint).parameters.items()}
del DEFAULTS["image"]


class FakePainting(Painting):
    """Writes its own text instead of pictures, and scores 23.4 dB."""

    def save(self, path: Path, longer_side: int | None = None, seconds: float | None = None) -> None:
        path.write_text(f"{longer_side} for {seconds}" if seconds else f"{longer_side}")

    def save_frames(self, folder: Path, count: int, longer_side: int | None = None) -> int:
        (folder / "frame-0000.png").write_text(f"{count}, {longer_side}")
        return 8

    def psnr_of(self, path: Path) -> float:
        assert path.exists()
        return 23.4

    def score(self, image: Tensor) -> float:
        assert image.shape[:2] == (30, 40)
        return 24.0


def painting(count: int, target: Picture | None = None) -> FakePainting:
    target = target or Picture(torch.zeros(3, 30, 40), None, "photo")
    strokes = Strokes(torch.ones(1, count, 2, 3), torch.ones(1, count, 1), torch.ones(1, count, 3))
    return FakePainting(strokes, TemplateBank.named("circle", size=8), None, (15, 20), target)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Picture, dict[str, Any]]]:
    """What `limner.paint` was called with; it paints nothing."""
    made: list[tuple[Picture, dict[str, Any]]] = []

    def paint(image: Picture, **arguments: Any) -> FakePainting:
        made.append((image, arguments))
        return painting(count(arguments["strokes"], arguments["repaint"]), image)

    monkeypatch.setattr(limner, "paint", paint, raising=False)
    return made


def saved(image: Image.Image, kind: str = "PNG", **options: str) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@cache
def huge() -> bytes:
    """A picture of more pixels than are allowed, in few bytes."""
    return saved(Image.new("1", (12000, 12000)), "TIFF", compression="group4")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with good and bad files in it."""
    monkeypatch.chdir(tmp_path)
    photo = saved(Image.radial_gradient("L").resize((40, 30)).convert("RGB"))
    strokes = Strokes(torch.rand(1, 2, 2, 3), torch.ones(1, 2, 1), torch.rand(1, 2, 3))
    dump("strokes.json", strokes, TemplateBank.named("circle", size=8), (30, 40))
    document = json.loads(Path("strokes.json").read_text())
    two = Strokes(torch.rand(2, 1, 2, 3), torch.ones(2, 1, 1), torch.rand(2, 1, 3))
    dump("two.json", two)
    circle = TemplateBank.named("circle", size=8)
    dump("solid.json", replace(strokes, opacity=torch.tensor([[0.5, 7.0]])), circle, (30, 40))
    slope = torch.tensor([[1.0, 0], [0, 1], [0, 0]]).expand(1, 2, 3, 2)
    dump("twisted.json", replace(strokes, slope=slope), circle, (30, 40))
    texts = {
        "text.png": "just text",
        "empty.png": "",
        "logo.svg": "<svg",
        "drawing.txt": "<svg/>",
        "colours.txt": "#ff0000\nmauvish\n",
        "damaged.json": Path("strokes.json").read_text()[:-40],
        "newer.json": json.dumps(document | {"version": 9}),
        "other.json": json.dumps({"shapes": []}),
        "file": "a file",
    }
    pictures = {
        "photo.png": photo,
        "copy.png": photo,
        "copy.jpg": saved(Image.new("RGB", (40, 30)), "JPEG"),
        "cut.png": photo[:200],
        "flat.png": saved(Image.new("RGB", (8, 8), "red")),
        "black.png": saved(Image.new("L", (40, 30))),
        "ones.png": saved(Image.new("L", (40, 30), 1)),
        "square.png": saved(Image.new("L", (8, 8), 255)),
        "wide.png": saved(Image.new("L", (40000, 1), 255)),
        "wider.png": saved(Image.new("L", (70000, 1), 255)),
        "thin.png": saved(Image.new("L", (600, 10), 255)),
        "dim.png": saved(Image.new("L", (40, 30), 127)),
        "huge.png": huge(),
    }
    for name, text in texts.items():
        Path(name).write_text(text)
    for name, content in pictures.items():
        Path(name).write_bytes(content)
    for folder in ("folder", "single", "barren", "painted", "stills", "stills/frame-0000.png"):
        Path(folder).mkdir()
    Path("painted/a-painted.jpg").write_bytes(photo)
    Path("stills/frame-0003.png").write_bytes(photo)
    Path("long.json").write_text(json.dumps(document | {"size": [10**400, 1]}))
    Path("thin.json").write_text(json.dumps(document | {"size": [4, 256]}))
    dump("bare.json", strokes)
    Path("folder/a.png").write_bytes(photo)
    Path("folder/b.png").write_bytes(photo)
    Path("single/a.png").write_bytes(photo)
    Path("barren/notes.txt").write_text("text")
    return tmp_path


LONG = "x" * 300
BAD = [
    # What is to be painted.
    ("", "no picture"),
    ("none.png", "none.png: no such file"),
    ("none/", "none: no such file"),
    ("empty.png", "empty.png: is empty"),
    ("text.png", "text.png: is not a picture"),
    ("cut.png", "cut.png: is damaged or cut short"),
    ("huge.png", "huge.png: has more than 89,478,485 pixels"),
    ("logo.svg", "logo.svg: SVG"),
    ("other.json", "other.json: is not a file of strokes"),
    ("barren", "barren: no pictures in this folder"),
    ("painted", "painted: no pictures in this folder, only paintings"),
    (LONG, "too long"),
    ("photo.png none.png -o out", "none.png: no such file"),
    ("photo.png text.png -o out", "text.png: is not a picture"),
    ("- -", "-: standard input can be painted only once"),
    # Where it is written.
    ("photo.png -o out.xyz", 'out.xyz: ".xyz" is no known suffix'),
    ("photo.png -o out", "out: has no suffix"),
    ("photo.png -o out", "for a new folder end with /"),
    ("photo.png -o new/{nam}.png", "{nam} stands for nothing"),
    ("photo.png -o new{nam}/", "{nam} stands for nothing"),
    ("photo.png -o new/{name}{}.png", "{} stands for nothing"),
    ("photo.png -o a.png -o b.bmp", "b.bmp"),
    ("photo.png -o file/out.png", "file: is a file, expected a folder"),
    ("photo.png -o file/deeper/out.png", "file"),
    ("photo.png -o new/a.png -o /dev/null/b.png", "/dev/null: is a file"),
    ("photo.png -o photo.png", "photo.png: would replace a file that is read"),
    ("folder -o folder", "a.png: would replace a file that is read"),
    ("photo.png --templates circle square.png -o square.png", "square.png: would replace a file that is read"),
    ("photo.png --templates folder -o folder/b.png", "b.png: would replace a file that is read"),
    ("photo.png --importance copy.png -o copy.png", "copy.png: would replace a file that is read"),
    ("photo.png --palette flat.png -o flat.png", "flat.png: would replace a file that is read"),
    ("photo.png --palette 2:flat.png -o flat.png", "flat.png: would replace a file that is read"),
    ("photo.png --palette red,nave", '"nave" is no colour'),
    ("photo.png --palette 0:flat.png", "palette of 0 colours"),
    ("flat.png --palette 2 -o {colour}.png -o 00ff00.png", "{colour}.png: may be called 00ff00.png, which is another"),
    ("photo.png --resume strokes.json -n 3 -o p-{colour}.png", "p-{colour}.png: each stroke has a colour of its own"),
    ("photo.png --palette 65 -o p-{colour}.png", "p-{colour}.png: --palette of 65 colours is too large for plates"),
    ("folder --palette 3 -o {colour}.png", "a pattern like out/{name}-{colour}.png"),
    ("folder -o grows.Film.WebP", "a pattern like out/{name}.film.webp"),
    ("folder -o grows.film.svg", "a pattern like out/{name}.film.svg"),
    ("photo.png -o p-{colour}.png", "p-{colour}.png: each stroke has a colour of its own: give --palette"),
    ("photo.png --palette 3 -o p-{colour}.film.webp", "p-{colour}.film.webp: only pictures are made for each colour"),
    ("photo.png --palette 3 -o p-{colour}.mp4", "p-{colour}.mp4: only pictures are made for each colour"),
    ("photo.png --palette 3 -o p-{colour}.json", "p-{colour}.json: only pictures are made for each colour"),
    ("photo.png --palette 3 --pen 0.01 -o p-{colour}.plot.svg", ".plot.svg: only pictures are made for each colour"),
    ("photo.png --palette 3 -o {colour}/p.png", "{colour} stands for nothing"),
    ("photo.png --palette 3 -o new{colour}/", "{colour} stands for nothing"),
    ("photo.png --palette 3 -o {color}-{colour}.png", "{color} stands for nothing"),
    ("photo.png --palette 3 --frames {colour}", "{colour} stands for nothing"),
    ("photo.png --model folder -o folder/b.png", "b.png: would replace a file that is read"),
    ("photo.png -o a.png -o a.png", "a.png: would be written for photo twice"),
    ("photo.png -o a.png -o folder/../a.png", "a.png: would be written for photo twice"),
    ("folder -o out.png", "out.png: one file for several pictures"),
    ("photo.png flat.png -o file", "file: is a file"),
    ("photo.png folder/a.png -o x.svg", "x.svg: one file for several pictures"),
    ("folder/a.png folder/../folder/a.png -o new", "a.png: would be written for a twice"),
    ("photo.png --frames file", "file: is a file"),
    ("photo.png --frames stills", "frame-0000.png: cannot be written: a folder has that name"),
    ("stills/frame-0003.png --frames stills", "frame-0003.png: would be replaced by a frame"),
    ("photo.png --importance stills/frame-0003.png --frames stills", "frame-0003.png: would be replaced by a frame"),
    ("photo.png -o new.png -o new.png/b.svg", "new.png: new.png/b.svg needs a folder of that name"),
    ("photo.png -o new.png --frames new.png/stills", "new.png: new.png/stills needs a folder of that name"),
    ("photo.png -o new.png --frames new.png", "new.png: new.png needs a folder of that name"),
    ("photo.png -o stills/frame-0099.png --frames ./stills", "frame-0099.png: would be replaced by a frame"),
    (f"photo.png -o {LONG}.png", "the name is too long"),
    (f"photo.png --frames new/{LONG}", "the name is too long"),
    ("photo.png -o", "--output"),
    ("strokes.json -n 20 -o a.png", "strokes.json: strokes are written as they are, without --strokes"),
    ("strokes.json --stop-psnr 20 -o a.png", "strokes.json: strokes are written as they are, without --stop-psnr"),
    ("solid.json -o a.png", "solid.json: stroke 1: opacity is 7, expected 0 to 1"),
    ("twisted.json -o a.png -o a.svg", "svg: the fill of stroke 0 changes along both axes"),
    ("strokes.json -o strokes.json", "strokes.json: would replace a file that is read"),
    ("damaged.json -o a.png", "damaged.json: "),
    ("two.json -o a.png", "two.json: holds strokes without their templates"),
    ("no.json -o a.png", "no.json: no such file"),
    ("strokes.json --output-size 16384 -o a.png", "a.png: 16384 x 12288 pixels are too many"),
    ("photo.png --output-size 16384 -o a.png", "a.png: 16384 x 12288 pixels are too many"),
    ("wide.png -o a.webp", "a.webp: WebP ends at 16383"),
    ("wider.png -o a.JPEG", "a.JPEG: JPEG ends at 65500"),
    ("wider.png -o a.psd", "a.psd: Photoshop ends at 30000"),
    ("photo.png -n 8000 -o a.psd", "a.psd: 8000 strokes are too many for Photoshop, which has 8000 layers"),
    ("photo.png --resume strokes.json -n 7999 -o a.psd", "strokes are too many for Photoshop"),
    # Numbers.
    ("photo.png -n -5", "--strokes -5: expected 0 to 100000"),
    ("photo.png -n 1000000000000", "--strokes 1000000000000"),
    ("photo.png -n many", "--strokes: 'many' is no whole number"),
    ("photo.png -n 1.5", "--strokes: '1.5' is no whole number"),
    ("photo.png -n", "--strokes"),
    ("photo.png --size 0", "--size 0: expected 1 to 8192"),
    ("photo.png --size 100000", "--size 100000"),
    ("photo.png --output-size -1", "--output-size -1"),
    ("photo.png --model mnist --upright", "--model: mnist proposes strokes of any shape: leave out --upright"),
    ("photo.png --model mnist --templates circle", "--model: mnist starts anew with its own templates"),
    ("photo.png --model mnist --resume strokes.json --templates circle", "leave out --resume and --templates"),
    ("photo.png --min-size .5 --max-size .1", "--min-size: 0.5 is larger than --max-size, 0.1"),
    ("photo.png --min-size 0", "--min-size 0: expected a finite number above 0"),
    ("photo.png --max-size nan", "--max-size nan"),
    ("photo.png --max-size big", "--max-size: 'big' is no number"),
    ("photo.png --max-size 0.001 -o new/folder/a.png", "--max-size: 0.001 is too small to be seen"),
    ("photo.png --threads 0", "--threads 0"),
    ("photo.png --seed -1", "--seed -1"),
    ("photo.png --time -3", "--time -3"),
    ("photo.png --time inf", "--time inf: expected a finite number"),
    ("photo.png --film-seconds 0", "--film-seconds 0: expected a finite number above 0 and up to 60"),
    ("photo.png --film-seconds 61", "--film-seconds 61"),
    ("photo.png --film-seconds 9 -o a.png", "--film-seconds is of no use without a film"),
    ("photo.png -n 2 --templates", "--templates names none"),
    ("photo.png --templates -n 2", "--templates names none"),
    ("photo.png --stop-psnr 0", "--stop-psnr 0"),
    ("photo.png --opacity 2", "--opacity 2"),
    ("photo.png --opacity 0", "--opacity 0"),
    ("photo.png --opacity glass", "--opacity glass"),
    # Choices.
    ("photo.png --fill dots", "'dots'"),
    ("photo.png --frobnicate", "--frobnicate"),
    ("photo.png --background #12345", '"#12345" is no colour'),
    ("photo.png --background mauvish", '"mauvish" is no colour'),
    ("photo.png --palette 0", "palette of 0 colours"),
    ("photo.png --palette none.gpl", "none.gpl: no such file"),
    ("photo.png --palette colours.txt", 'colours.txt, line 2: "mauvish" is no colour'),
    ("photo.png --palette folder", "folder: is a folder"),
    ("photo.png --palette text.png", "text.png: is not a picture"),
    ("photo.png --templates blob", "blob: is no template: expected circle, square"),
    (f"photo.png --templates {LONG}", "is no template"),
    ("photo.png --templates circle text.png", "text.png: is not a picture"),
    ("photo.png --templates flat.png", "flat.png: the mask is empty"),
    ("photo.png --templates logo.svg", "logo.svg: is not an SVG"),
    ("photo.png --templates barren", "barren: no PNG or SVG masks"),
    ("photo.png --importance none.png", "none.png: no such file"),
    ("photo.png --importance file", "file: is not a picture"),
    ("photo.png --importance folder", "folder: is a folder"),
    ("photo.png --importance black.png", "black.png: is black everywhere"),
    ("photo.png --importance ones.png", "ones.png: is no lighter than 1 of 255"),
    ("photo.png --importance square.png", "square.png: is 8 x 8 pixels"),
    # Strokes to go on from.
    ("photo.png --resume none.json", "none.json: no such file"),
    ("photo.png --resume other.json", "other.json: is not a file of strokes"),
    ("photo.png --resume newer.json", "newer.json: has version 9, newer"),
    ("photo.png --resume damaged.json", "damaged.json: is not JSON"),
    ("photo.png --resume photo.png", "photo.png: is no text"),
    ("photo.png --resume two.json", "two.json: holds 2 pictures"),
    ("photo.png --resume bare.json -o new/a.json", "bare.json: does not hold its templates"),
    ("photo.png --resume long.json", 'long.json: "size" is'),
    ("photo.png --resume strokes.json --background red -o new/a.png", "--background: red cannot be chosen"),
    ("photo.png --model nope -o new/a.png", "nope: no trained model is there"),
    ("folder --resume strokes.json", "strokes.json continues one picture"),
    ("photo.png --templates transparent -o new/a.png", "transparent: strokes of nothing else cannot be seen"),
    ("photo.png --repaint square.png", "--repaint: square.png needs strokes to repaint: give --resume, too"),
    ("photo.png --resume strokes.json --repaint square.png", "square.png: is 8 x 8"),
    ("photo.png --resume strokes.json --repaint dim.png -n 0", "dim.png: is nowhere lighter than half gray"),
    ("square.png --resume strokes.json", "strokes.json: is 40 x 30 pixels, square.png 8 x 8"),
    ("photo.png -o -", "-: nothing is written to standard output: name a file"),
    ("photo.png --templates strokes.json", "strokes.json: is JSON, and no picture: strokes are read from files"),
    ("photo.png --templates drawing.txt", "drawing.txt: is an SVG or another text, and no picture: make it a PNG"),
    ("photo.png --palette 4 --fill gradient", "--palette: 4 gives each stroke one colour: leave out --fill gradient"),
]


@pytest.mark.parametrize(("line", "words"), BAD, ids=[line or "(nothing)" for line, _ in BAD])
def test_bad_input_is_one_line_and_changes_nothing(
    line: str, words: str, desk: Path, calls: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(desk.rglob("*"))
    assert main(["paint", *line.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("limner: ")
    assert err.count("\n") == 1
    assert words in err
    assert calls == []
    assert sorted(desk.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["", "-n", "3"], '"" after paint'),
        (["photo.png", "--frames", ""], '"" after --frames'),
        (["photo.png", "--frames="], '"--frames=" after photo.png'),
        (["photo.png", "--templates", "circle", ""], '"" after circle'),
        (["photo.png", "--palette", ""], '"" after --palette'),
        (["photo.png", "-o", ""], '"" after -o'),
    ],
)
def test_empty_arguments_are_refused(
    words: list[str], complaint: str, desk: Path, calls: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["paint", *words]) == 2
    assert capsys.readouterr().err == f"limner: {complaint} names nothing: give a value, or leave it out\n"
    assert calls == []


@pytest.mark.parametrize(
    "line", ["", "pant photo.png", "bench", "bench engines", "bench paint --threads 0", "bench parts -n"]
)
def test_commands_that_are_none(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line.split()) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_an_unknown_command_is_told_what_there_is(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = "paint, studio, train, evaluate, reproduce, data, bench"
    assert main(["photo.png", "-n", "3"]) == 2
    assert capsys.readouterr().err.endswith(f"no command: begin with one of {known}, as in: limner paint photo.png\n")
    assert main(["pant", "photo.png"]) == 2
    assert capsys.readouterr().err == f"limner: pant: is no command: begin with one of {known}\n"
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert f"{{{known.replace(', ', ',')}}}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "ending"),
    [
        (
            "train two-rectangles --iterations 10",
            "did you mean --training.iterations (of limner train two-rectangles)?",
        ),
        ("train mnist --model.knd conv", "--model.knd, conv: did you mean --model.kind (of limner train mnist)?"),
        ("train mnist --iterations 3 --rte 3", "did you mean --training.iterations (of limner train mnist)?"),
        ("train mnist --strokes 3", "did you mean --strokes (of limner paint)?"),
        ("paint photo.png --strokez 4", "--strokez, 4: did you mean --strokes (of limner paint)?"),
        ("paint photo.png --zzz", "Unrecognized options: --zzz"),
        ("train two-rectangle", "two-rectangle: did you mean two-rectangles?"),
        ("train occlusion --data.counts 3 2", "--data.counts 3 2: expected the fewest shapes, then the most"),
        ("train mnist --data.counts 2 2", "--data.counts is for synthetic sets: mnist is not drawn"),
        ("train mnits --training.iterations 3", "did you mean mnist?"),
        ("train folder --out x", f" options: folder, --out, x: did you mean {' or '.join(EXPERIMENTS)}?"),
        ("train --out x mnist", " options: --out, x: did you mean --out (of limner train mnist)?"),
        ("data shwo", "shwo: did you mean show?"),
        ("data nothing", "nothing: did you mean list or show?"),
    ],
)
def test_what_is_misspelt_is_told_what_is_most_like_it(
    line: str, ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line.split()) == 2
    message = capsys.readouterr().err
    assert message.endswith(f"{ending}\n")
    assert message.count("\n") == 1
    assert " :" not in message


def test_a_folder_that_is_gone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert main(["paint", str(tmp_path / "photo.png")]) == 2
    assert capsys.readouterr().err == "limner: the current folder has been deleted: change to another one\n"


def test_a_name_with_line_breaks_stays_one_line(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paint", "no\nsuch.png"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_unwritable_folder(
    desk: Path, calls: list[object], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "touch", refuse)
    assert main(["paint", "photo.png", "-o", "new/out.png"]) == 2
    assert capsys.readouterr().err.startswith("limner: new/out.png: cannot be written: permission denied")
    assert not Path("new").exists()
    assert calls == []


def test_strokes_are_saved_whatever_the_size_of_pictures(desk: Path, calls: list[object]) -> None:
    assert main(["paint", "photo.png", "-o", "a.json", "--output-size", "16384"]) == 0
    assert Path("a.json").exists()


def test_nothing_is_written_of_strokes_whose_picture_is_too_large(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replace(Painting.load("strokes.json"), picture_size=(30_000, 40_000)).save("large.json")
    assert main(["paint", "large.json", "-o", "copy.json", "-o", "a.png"]) == 2
    assert "a.png: 40000 x 30000 pixels are too many" in capsys.readouterr().err
    assert not Path("copy.json").exists()


def test_films_are_told_their_length(desk: Path, calls: list[object]) -> None:
    assert main(["paint", "photo.png", "-o", "a.mp4", "--film-seconds", "12.5"]) == 0
    assert Path("a.mp4").read_text() == "None for 12.5"


def test_strokes_are_written_as_they_are(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = "paint strokes.json photo.png -n 500 -o out/{name}.svg -o out/{name}.png --output-size 60 --frames frames"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limner, "paint", lambda image, **_: painting(3, image), raising=False)
        assert main(line.split()) == 0
    Painting.load("strokes.json").save("expected.svg", longer_side=60)
    assert Path("out/strokes.svg").read_text() == Path("expected.svg").read_text()
    with Image.open("out/strokes.png") as image:
        assert image.size == (60, 45)
    assert len(list(Path("frames/strokes").iterdir())) == 3
    assert capsys.readouterr().out.splitlines() == [
        "out/strokes.svg  2 strokes",
        "out/strokes.png  2 strokes",
        "frames/strokes  frames 0000 to 0002",
        "out/photo.svg  23.4 dB",
        "out/photo.png  23.4 dB",
        "frames/photo  frames 0000 to 0007",
    ]


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_strokes_of_other_numbers_are_written_too(kind: torch.dtype, desk: Path) -> None:
    strokes = Strokes.load("strokes.json")
    tilted = Strokes(strokes.where, strokes.which, strokes.what, slope=torch.full((1, 2, 3, 2), 0.25))
    dump("other.json", tilted.map(lambda tensor: tensor.to(kind)), TemplateBank.named("circle", size=8), (30, 40))
    line = "paint other.json -o a.svg -o a.png -o a.gif -o a.mp4 -o copy.json -q"
    assert main(line.split()) == 0
    assert Path("copy.json").read_bytes() == Path("other.json").read_bytes()


def test_every_output_is_written_and_scored(
    desk: Path, calls: list[tuple[Picture, dict[str, Any]]], capsys: pytest.CaptureFixture[str]
) -> None:
    line = "paint photo.png -n 7 -o new/a.png -o a.svg -o a.json -o a.mp4 --output-size 90 --frames frames"
    assert main(line.split()) == 0
    assert capsys.readouterr().out.splitlines() == [
        "new/a.png  23.4 dB",
        "a.svg  23.4 dB",
        "a.json  7 strokes",
        "a.mp4  7 strokes",
        "frames  frames 0000 to 0007",
    ]
    assert Path("new/a.png").read_text() == "90"
    assert Path("frames/frame-0000.png").read_text() == "100, 90"
    ((picture, arguments),) = calls
    assert (picture.name, picture.size) == ("photo", (30, 40))
    assert arguments == DEFAULTS | {"strokes": 7}


def test_a_repaint_adds_no_strokes_unless_told_to(
    desk: Path, calls: list[tuple[Picture, dict[str, Any]]], capsys: pytest.CaptureFixture[str]
) -> None:
    again = "paint photo.png --resume strokes.json --repaint"
    assert main(f"{again} dim.png".split()) == 2
    assert "dim.png: is nowhere lighter than half gray" in capsys.readouterr().err
    assert main(f"{again} dim.png -n 3".split()) == 0
    assert main(f"{again} photo.png".split()) == 0
    assert [arguments["strokes"] for _, arguments in calls] == [3, None]


@pytest.mark.parametrize(
    ("wanted", "words"), [("24", ""), ("23.9", ""), ("24.04", ""), ("24.2", ", short of --stop-psnr 24.2")]
)
@pytest.mark.parametrize(("count", "strokes"), [(1, "1 stroke"), (2, "2 strokes")])
def test_a_quality_that_is_not_reached_is_told(
    desk: Path,
    calls: list[object],
    capsys: pytest.CaptureFixture[str],
    wanted: str,
    words: str,
    count: int,
    strokes: str,
) -> None:
    line = f"paint photo.png -n {count} --stop-psnr {wanted} -o a.png -o a.json"
    assert main(line.split()) == 0
    assert capsys.readouterr().out.splitlines() == [f"a.png  23.4 dB, {strokes}{words}", f"a.json  {strokes}{words}"]


def test_a_quality_is_told_at_the_size_that_it_was_compared_at(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Picture(torch.zeros(3, 1500, 3000), None, "large")
    monkeypatch.setattr(limner, "paint", lambda *_, **__: painting(3, target), raising=False)
    monkeypatch.setattr(FakePainting, "score", lambda self, image: float(max(image.shape)) / 100)
    assert main(["paint", "photo.png", "--stop-psnr", "20", "-o", "a.png", "-o", "a.json"]) == 0
    assert capsys.readouterr().out.splitlines() == ["a.png  23.4 dB (20.5 at 2048 px), 3 strokes", "a.json  3 strokes"]


def test_all_faulty_pictures_are_told(desk: Path, calls: list[object], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paint", "photo.png", "cut.png", "text.png", "empty.png", "-o", "new"]) == 2
    first, second, third = capsys.readouterr().err.splitlines()
    assert first.startswith("limner: cut.png: is damaged or cut short")
    assert second.startswith("limner: text.png: is not a picture")
    assert third.startswith("limner: empty.png: is empty")
    assert not calls
    assert not Path("new").exists()
    assert main(["paint", "folder", "-o", "new", "--max-size", "0.001"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    Image.new("L", (90, 30)).save("folder/c.png")
    assert main(["paint", "folder", "-o", "new", "--max-size", "0.001"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("limner: --max-size: 0.001 is too small to be seen") for line in lines)


def test_damaged_pictures_leave_the_others_where_it_is_to_keep_going(
    desk: Path, calls: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("cut.png", "text.png"):
        shutil.copy(name, "folder")
    assert main(["paint", "folder", "-o", "new", "--keep-going"]) == 2
    out, err = capsys.readouterr()
    assert out == "new/a.png  23.4 dB\nnew/b.png  23.4 dB\n"
    first, second = err.splitlines()
    assert first.startswith("limner: folder/cut.png: is damaged or cut short")
    assert second.startswith("limner: folder/text.png: is not a picture")
    assert len(calls) == 2
    assert main(["paint", "cut.png", "text.png", "-o", "none", "--keep-going"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2
    assert not Path("none").exists()
    assert main(["paint", "photo.png", "-o", "new", "--keep-going"]) == 0


def test_strokes_and_pipes_that_are_damaged_leave_the_others_as_well(
    desk: Path, calls: list[object], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("bad.json").write_text("{")
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"text")))
    pipe, end = os.pipe()
    os.write(end, Path("photo.png").read_bytes())
    os.close(end)
    assert main(["paint", "bad.json", "-", f"/dev/fd/{pipe}", "folder", "-o", "new", "--keep-going"]) == 2
    os.close(pipe)
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()] == [f"new/{pipe}.png", "new/a.png", "new/b.png"]
    assert [line.split(":")[1] for line in err.splitlines()] == [" bad.json", " standard input"]
    assert len(calls) == 3
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(Path("photo.png").read_bytes())))
    assert main(["paint", "folder", "-", "-o", "new", "--keep-going"]) == 0
    assert Path("new/stdin.png").exists()


@pytest.mark.parametrize(("terminal", "option", "shown"), [(True, "", True), (True, "-q", False), (False, "", False)])
def test_progress_is_for_terminals(
    desk: Path,
    calls: list[tuple[Picture, dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
    terminal: bool,
    option: str,
    shown: bool,
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    assert main(f"paint photo.png {option}".split()) == 0
    assert calls[0][1]["progress"] is shown
    assert main(f"paint folder -o new {option}".split()) == 0
    assert [arguments["progress"] for _, arguments in calls[1:]] == [
        shown and "a.png (1 of 2)",
        shown and "b.png (2 of 2)",
    ]


def test_options_reach_the_painter(desk: Path, calls: list[tuple[Picture, dict[str, Any]]]) -> None:
    line = (
        "paint photo.png -q -n 0 --templates circle line --opacity .5 --fill flat --background auto --palette 5"
        " --min-size .1 --max-size .5 --importance photo.png --resume strokes.json --repaint photo.png --seed 3"
        " --stop-psnr 30 --time 2 --size 128 --keep-proportions --upright --keep-angles"
    )
    assert main(line.split()) == 0
    arguments = calls[0][1]
    for mask in ("importance", "repaint"):
        assert arguments[mask].size == (30, 40)
        arguments[mask] = None
    assert arguments == DEFAULTS | {
        "strokes": 0,
        "templates": ["circle", "line"],
        "opacity": 0.5,
        "fill": "flat",
        "background": "auto",
        "palette": 5,
        "min_size": 0.1,
        "max_size": 0.5,
        "keep_proportions": True,
        "upright": True,
        "keep_angles": True,
        "resume": Path("strokes.json"),
        "seed": 3,
        "stop_psnr": 30.0,
        "time": 2.0,
        "size": 128,
        "progress": False,
    }


def test_a_pen_reaches_the_painter(desk: Path, calls: list[tuple[Picture, dict[str, Any]]]) -> None:
    assert main(["paint", "photo.png", "--pen", ".01", "-q"]) == 0
    assert calls[0][1] == DEFAULTS | {"pen": 0.01, "progress": False}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("photo.png", "x.plot.svg: a plotter draws lines, and no circle: give --pen or --templates line, no others"),
        ("photo.png --pen .01 --templates line square", "and no square"),
        (
            "photo.png --pen .01 --fill gradient",
            "x.plot.svg: a plotter draws lines of one colour: leave out --fill grad",
        ),
        ("photo.png --model mnist", "leave out --model"),
        ("photo.png --resume strokes.json --pen .01", "x.plot.svg: a plotter draws lines, and"),
        ("photo.png --pen 0", "--pen 0: expected a finite number above 0 and up to 1"),
        ("photo.png --pen 1.5", "--pen 1.5: expected a finite number above 0 and up to 1"),
        ("photo.png --pen .3 --max-size .2", "--pen: 0.3 is wider than --max-size, 0.2"),
    ],
)
def test_what_no_plotter_can_draw_is_told_before_painting(
    asked: str, words: str, desk: Path, calls: list[tuple[Picture, dict[str, Any]]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["paint", "-o", "x.plot.svg", "-o", "x.png", *asked.split()]) == 2
    assert words in capsys.readouterr().err
    assert not calls


def test_strokes_that_no_plotter_can_draw_are_told_before_anything_is_written(
    desk: Path, calls: list[tuple[Picture, dict[str, Any]]], capsys: pytest.CaptureFixture[str]
) -> None:
    both = limner.TemplateBank.named("line", "circle", size=64)
    where, what = torch.eye(2, 3)[None, None], torch.zeros(1, 1, 3)
    for name, which in (("round", [0.0, 1.0]), ("straight", [1.0, 0.0])):
        strokes = limner.Strokes(where, torch.tensor([[which]]), what)
        limner.Painting(strokes, both, torch.ones(3), (30, 40)).save(f"{name}.json")
    files = ["-o", "x.png", "-o", "x.plot.svg", "-q"]
    assert main(["paint", "round.json", *files]) == 2
    assert "x.plot.svg: a plotter draws lines, and stroke 0 is circle" in capsys.readouterr().err
    assert main(["paint", "photo.png", "--resume", "straight.json", "--pen", ".01", *files]) == 2
    assert "a plotter draws lines, and no circle" in capsys.readouterr().err
    assert not list(desk.glob("x.*"))
    assert not calls
    assert main(["paint", "straight.json", *files]) == 0


def test_own_templates_become_a_bank(desk: Path, calls: list[tuple[Picture, dict[str, Any]]]) -> None:
    assert main(["paint", "photo.png", "--templates", "line", "folder", "-q"]) == 0
    bank = calls[0][1]["templates"]
    assert bank.names == ("line", "a", "b")
    assert bank.masks.shape == (3, 128, 128)


def test_palette_files_become_colours(desk: Path, calls: list[tuple[Picture, dict[str, Any]]]) -> None:
    assert main(["paint", "photo.png", "--palette", "flat.png", "-q"]) == 0
    assert calls[0][1]["palette"].tolist() == [[1, 0, 0]]


@pytest.mark.parametrize(
    ("line", "files"),
    [
        ("photo.png", ["photo-painted.png"]),
        ("photo.png -o new/", ["new/photo.png"]),
        ("photo.png -o barren", ["barren/photo.png"]),
        ("photo.png -o {name}-{name}.svg", ["photo-photo.svg"]),
        ("folder -o new", ["new/a.png", "new/b.png"]),
        ("folder photo.png -o new/{name}.gif", ["new/a.gif", "new/b.gif", "new/photo.gif"]),
        ("folder", ["a-painted.png", "b-painted.png"]),
        ("painted/a-painted.jpg", ["a-painted-painted.png"]),
        ("folder -o {name}/x.svg --frames new", ["a/x.svg", "b/x.svg", "new/a/frame-0000.png", "new/b/frame-0000.png"]),
        ("copy.png copy.jpg photo.png -o new", ["new/copy.png.png", "new/copy.jpg.png", "new/photo.png"]),
        ("-", ["stdin-painted.png"]),
        ("photo.png -o old.json --resume old.json", ["old.json"]),
        ("thin.png --resume thin.json", ["thin-painted.png"]),
        ("single --resume old.json -o new/", ["new/a.png"]),
    ],
)
def test_names_of_outputs(
    line: str,
    files: list[str],
    desk: Path,
    calls: list[object],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(Path("photo.png").read_bytes())))
    Path("old.json").write_text(Path("strokes.json").read_text())
    before = {path for path in desk.rglob("*") if path.is_file()} - {desk / file for file in files}
    assert main(["paint", *line.split()]) == 0
    assert all((desk / file).exists() for file in files)
    assert {path for path in desk.rglob("*") if path.is_file()} == before | {desk / file for file in files}
    assert all(file in capsys.readouterr().out for file in files[:1])


def test_empty_standard_input(desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO()))
    assert main(["paint", "-"]) == 2
    assert capsys.readouterr().err == "limner: standard input: is empty\n"


def test_standard_input_that_cannot_be_read(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path("new").open("wb") as closed:
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=closed))
        assert main(["paint", "-"]) == 2
    assert "limner: standard input: cannot be read" in capsys.readouterr().err


def test_pipes_are_read_once(
    desk: Path, calls: list[tuple[Picture, dict[str, Any]]], capsys: pytest.CaptureFixture[str]
) -> None:
    content = Path("photo.png").read_bytes()
    read, write = os.pipe()
    os.write(write, content)
    os.close(write)
    assert main(["paint", f"/dev/fd/{read}", "-o", "a.png"]) == 0
    assert calls[0][0].size == (30, 40)
    assert main(["paint", "photo.png", "--resume", f"/dev/fd/{read}"]) == 2
    assert "is a pipe" in capsys.readouterr().err
    os.close(read)


def test_a_fill_that_no_svg_can_show_is_known_before_painting(
    desk: Path, calls: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    slope = torch.tensor([[0.3, 0], [0, 0.3], [0, 0]])[None, None]
    strokes = Strokes(torch.rand(1, 1, 2, 3), torch.ones(1, 1, 1), torch.rand(1, 1, 3), slope=slope)
    dump("tilted.json", strokes, TemplateBank.named("circle", size=8), (30, 40))
    assert main(["paint", "photo.png", "--resume", "tilted.json", "-o", "a.png", "-o", "a.svg"]) == 2
    assert "fill of stroke 0 changes along both axes" in capsys.readouterr().err
    assert not calls
    assert main(["paint", "photo.png", "--resume", "tilted.json", "-o", "a.png"]) == 0


def test_one_failing_output_leaves_the_others(
    desk: Path, calls: list[object], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(self: FakePainting, path: Path, longer_side: int | None = None, seconds: float | None = None) -> None:
        if path.name == "a.png":
            raise limner.errors.UserError(f"{path}: cannot be written: the disk is full")
        path.write_text("saved")

    monkeypatch.setattr(FakePainting, "save", save)
    assert main(["paint", "photo.png", "-o", "a.png", "-o", "b.png"]) == 2
    assert capsys.readouterr().err == "limner: a.png: cannot be written: the disk is full\n"
    assert Path("b.png").read_text() == "saved"


def test_a_picture_that_cannot_be_saved_leaves_the_others(
    desk: Path, calls: list[object], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(self: FakePainting, path: Path, longer_side: int | None = None, seconds: float | None = None) -> None:
        if path.name == "a.png":
            raise OSError(errno.EFBIG, "File too large", str(path))
        path.write_text("saved")

    monkeypatch.setattr(FakePainting, "save", save)
    assert main(["paint", "folder", "-o", "new"]) == 2
    assert capsys.readouterr() == ("new/b.png  23.4 dB\n", "limner: new/a.png: File too large\n")
    assert Path("new/b.png").read_text() == "saved"


@pytest.mark.parametrize("unexpected", ["a.png", "frames"])
def test_an_unexpected_error_leaves_the_others(
    unexpected: str, desk: Path, calls: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("unexpected")

    monkeypatch.setattr(FakePainting, *(("psnr_of", fail) if unexpected == "a.png" else ("save_frames", fail)))
    with pytest.raises(RuntimeError, match="unexpected"):
        main(["paint", "photo.png", "-o", "a.png", "-o", "b.json", "--frames", "frames"])
    assert Path("b.json").exists()
    assert Path("frames/frame-0000.png").exists() == (unexpected == "a.png")


def test_pictures_of_one_name_are_called_by_their_folders(desk: Path, calls: list[object]) -> None:
    for folder in ("first", "second"):
        Path(folder).mkdir()
        shutil.copy("photo.png", folder)
    assert main(["paint", "first", "second", "folder", "-o", "new"]) == 0
    names = {"first-photo.png", "second-photo.png", "a.png", "b.png"}
    assert {path.name for path in Path("new").iterdir()} == names


@pytest.mark.parametrize(("fault", "said"), [("max_size: 0.1 is", "--max-size: 0.1 is"), ("a.png: is", "a.png: is")])
def test_options_are_told_as_they_are_given(
    fault: str, said: str, desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def paint(*_: object, **__: object) -> None:
        raise limner.errors.UserError(f"{fault} too small")

    monkeypatch.setattr(limner, "paint", paint, raising=False)
    assert main(["paint", "photo.png", "--max-size", "0.1"]) == 2
    assert capsys.readouterr().err == f"limner: {said} too small\n"


def test_the_same_command_twice(desk: Path, calls: list[object]) -> None:
    line = ["paint", ".", "-o", "{name}-painted.png", "-o", "{name}-painted.json", "--frames", "new"]
    for bad in ("text", "empty", "cut", "huge"):
        Path(f"{bad}.png").unlink()
    assert main(line) == main(line) == 0
    assert {call[0].name for call in calls[: len(calls) // 2]} == {call[0].name for call in calls[len(calls) // 2 :]}


@pytest.mark.usefixtures("calls")
def test_folders_in_folders_are_painted_into_folders_alike(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("site/a.png", "site/blog/a.png", "site/blog/img/a.png", "site/blog/img/a.webp", "site/.git/x.png"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy("photo.png", name)
    Path("site/blog/site").symlink_to(desk / "site")
    assert main(["paint", "site", "folder/b.png", "-r", "-o", "new/{name}.svg", "--frames", "frames"]) == 0
    wanted = ["a", "b", "blog/a", "blog/img/a.png", "blog/img/a.webp"]
    assert sorted(str(path.relative_to("new")) for path in Path("new").rglob("*.svg")) == [f"{n}.svg" for n in wanted]
    assert sorted(str(path.parent.relative_to("frames")) for path in Path("frames").rglob("*0.png")) == wanted
    capsys.readouterr()
    assert main(["paint", "site", "-o", "flat/"]) == 0
    assert [path.name for path in Path("flat").iterdir()] == ["a.png"]
    for name in ("site/c.png", "folder/blog/a.png"):
        Path(name).parent.mkdir(exist_ok=True)
        shutil.copy("photo.png", name)
    assert main(["paint", "site", "folder", "-r", "-o", "both/"]) == 0
    both = ["b", "blog/img/a.png", "blog/img/a.webp", "c", "folder/a", "folder/blog/a", "site/a", "site/blog/a"]
    assert sorted(str(path.relative_to("both")) for path in Path("both").rglob("*.png")) == [f"{n}.png" for n in both]
    Path("linked").symlink_to("folder")
    assert main(["paint", "folder", "linked", "-r", "-o", "new/"]) == 2
    assert "new/a.png: would be written for a twice" in capsys.readouterr().err
    assert main(["paint", "site/blog", "site/blog/img", "--recursive", "-o", "new/"]) == 2
    assert "new/img/a.png.png: would be written for img/a.png twice" in capsys.readouterr().err


@pytest.mark.usefixtures("desk", "calls")
@pytest.mark.parametrize("given", [[".", "../folder"], [".", "../folder/b.png"], ["../top", "../top/../folder"]])
def test_nothing_is_written_outside_of_the_folder_asked_for(given: list[str]) -> None:
    """Though pathlib has it that ../folder lies in the folder that we are in."""
    Path("top").mkdir()
    shutil.copy("photo.png", "top/c.png")
    before = set(os.listdir("folder"))
    os.chdir("top")
    assert main(["paint", *given, "-r", "-o", "../new/{name}.svg"]) == 0
    assert set(os.listdir("../folder")) == before
    assert {"b.svg", "c.svg"} <= {path.name for path in Path("../new").iterdir()}


@pytest.mark.parametrize(
    ("output", "read"),
    [("site/new/", "a"), ("site/new", "a"), ("site/new/x-{name}.svg", "a"), ("site/new/deep/{name}/x.png", "ab")],
)
def test_folders_that_are_written_to_are_not_entered(
    output: str, read: str, desk: Path, calls: list[tuple[Picture, dict[str, Any]]]
) -> None:
    """So that the same command goes on, night by night, although what it writes lies within what it reads."""
    for name in ("site/a.png", "site/new/b.png", "site/frames/c.png"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy("photo.png", name)
    for _ in "12":
        calls.clear()
        assert main(["paint", "site", "-r", "-o", output, "--frames", "site/frames"]) == 0
        assert "".join(picture.name for picture, _ in calls) == read
    calls.clear()
    assert main(["paint", "folder", "-r", "-o", "folder/{name}.svg"]) == 0  # which was asked for
    Path("top/inner").mkdir(parents=True)
    shutil.copy("photo.png", "top/inner")
    os.chdir("top/inner")
    assert main(["paint", "..", "-r", "-o", "{name}.jpg"]) == 0  # and so was this


def test_what_was_painted_before_is_left_out_where_it_is_to_update(
    desk: Path, calls: list[tuple[Picture, dict[str, Any]]], capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["paint", "folder", "-o", "new/{name}.png", "-o", "new/{name}.svg", "--update"]
    assert main(line) == main(line) == 0
    assert [picture.name for picture, _ in calls] == ["a", "b"]
    assert capsys.readouterr().err == "limner: painted before, and left out: 2 of 2\n"
    Path("new/a.svg").unlink()
    later = Path("new/b.png").stat().st_mtime + 10
    os.utime("folder/b.png", (later, later))
    assert main(line) == 0
    assert [picture.name for picture, _ in calls[2:]] == ["a", "b"]
    os.utime("folder/b.png", (0, 0))
    calls.clear()
    assert main([*line, "--frames", "frames"]) == 0
    assert len(calls) == 2
    assert main([*line, "-q"]) == 0
    assert len(calls) == 2


@pytest.mark.usefixtures("interruptible")
def test_an_update_saves_nothing_half_done(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limner, "paint", interrupted(lambda: painting(3)), raising=False)
    assert main(["paint", "folder", "-o", "new", "--update"]) == 130
    assert capsys.readouterr() == ("", "limner: interrupted: new/a.png is left as it was\n")
    assert not Path("new").exists()


@pytest.mark.usefixtures("calls")
def test_a_picture_that_is_gone_when_its_turn_comes(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_room = outputs.make_room

    def gone(*arguments: Any) -> list[Path]:
        made = make_room(*arguments)
        (desk / "folder/a.png").unlink()
        return made

    monkeypatch.setattr(outputs, "make_room", gone)
    assert main(["paint", "folder", "-o", "new"]) == 2
    assert capsys.readouterr() == ("new/b.png  23.4 dB\n", "limner: folder/a.png: no such file\n")


def test_a_disk_that_fails_while_a_picture_is_painted_leaves_the_others(
    desk: Path, calls: list[object], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    paint = limner.paint

    def fails_first(*arguments: Any, **more: Any) -> FakePainting:
        if not calls:
            calls.append(None)
            raise OSError(errno.EIO, "Input/output error", "cache")
        return paint(*arguments, **more)

    monkeypatch.setattr(limner, "paint", fails_first)
    assert main(["paint", "folder", "-o", "new"]) == 2
    assert capsys.readouterr() == ("new/b.png  23.4 dB\n", "limner: cache: Input/output error\n")


def test_no_standard_input(desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert main(["paint", "-"]) == 2
    assert capsys.readouterr().err.startswith("limner: -: there is no standard input")


def interrupted(
    finish: Callable[[], FakePainting], number: signal.Signals = signal.SIGINT
) -> Callable[..., FakePainting]:
    def paint(image: Picture, **arguments: Any) -> FakePainting:
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt:
            return finish()
        raise AssertionError("not interrupted")

    return paint


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupt_saves_what_there_is(
    number: signal.Signals, desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(number)
    monkeypatch.setattr(limner, "paint", interrupted(lambda: painting(3), number), raising=False)
    assert main(["paint", "folder", "-o", "new"]) == 130
    out, err = capsys.readouterr()
    assert (out, err) == ("new/a.png  23.4 dB\n", "limner: interrupted: saved 3 strokes\n")
    assert not Path("new/b.png").exists()
    assert signal.getsignal(number) is before


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(
    ("resumed", "outputs", "said"),
    [
        (["--repaint", "photo.png"], ["strokes.json", "a.png"], "saved 3 strokes, strokes.json is left as it was"),
        (["--repaint", "photo.png"], ["./strokes.json"], "strokes.json is left as it was"),
        ([], ["strokes.json"], "saved 3 strokes"),
    ],
)
def test_an_interrupted_repaint_loses_no_strokes(
    resumed: list[str],
    outputs: list[str],
    said: str,
    desk: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = Path("strokes.json").read_text()
    monkeypatch.setattr(limner, "paint", interrupted(lambda: painting(3)), raising=False)
    given = [word for path in outputs for word in ("-o", path)]
    assert main(["paint", "photo.png", "--resume", "strokes.json", *resumed, *given]) == 130
    assert capsys.readouterr().err == f"limner: interrupted: {said}\n"
    assert (Path("strokes.json").read_text() == before) == bool(resumed)
    assert Path("a.png").exists() == ("a.png" in outputs)


@pytest.mark.usefixtures("interruptible")
def test_only_the_first_interrupt_counts_while_painting(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def finish() -> FakePainting:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        return painting(3)

    monkeypatch.setattr(limner, "paint", interrupted(finish), raising=False)
    assert main(["paint", "photo.png"]) == 130
    assert capsys.readouterr() == ("photo-painted.png  23.4 dB\n", "limner: interrupted: saved 3 strokes\n")


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("during", [".png", ".gif", ".psd"])
@pytest.mark.parametrize("before", [False, True], ids=["", "interrupted before"])
def test_an_interrupt_while_saving_costs_nothing_but_the_film(
    before: bool,
    during: str,
    number: signal.Signals,
    desk: Path,
    calls: list[object],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def save(self: FakePainting, path: Path, longer_side: int | None = None, seconds: float | None = None) -> None:
        with atomic(path) as temporary:
            temporary.write_text("half")
            if path.suffix == during:
                signal.raise_signal(number)

    files = set(desk.iterdir())
    monkeypatch.setattr(FakePainting, "save", save)
    if before:
        monkeypatch.setattr(limner, "paint", interrupted(lambda: painting(3)), raising=False)
    outputs = [f"-o=a.{kind}" for kind in ("gif", "psd", "json", "png", "svg")]
    assert main(["paint", "photo.png", *outputs]) == 130
    there = {"a.json", "a.png", "a.svg"} | ({"a.gif"} if during == ".psd" else set())
    assert {path.name for path in set(desk.iterdir()) - files} == there
    saved_strokes = f": saved {len(painting(3).strokes) if before else 500} strokes" if during == ".png" else ""
    assert capsys.readouterr().err == f"limner: interrupted{saved_strokes}\n"


@pytest.mark.usefixtures("interruptible")
def test_interrupt_before_there_is_anything(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop() -> FakePainting:
        raise KeyboardInterrupt

    monkeypatch.setattr(limner, "paint", interrupted(stop), raising=False)
    assert main(["paint", "photo.png"]) == 130
    assert capsys.readouterr() == ("", "limner: interrupted\n")


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_ends_any_command_leaves_nothing_half_written(
    number: signal.Signals, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image.Image, "save", lambda *_: signal.raise_signal(number))
    assert main(["data", "show", "shapes", "--images", "3", "-o", str(tmp_path / "sheet.png")]) == 130
    assert capsys.readouterr() == ("", "limner: interrupted\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_ends_any_bench(
    number: signal.Signals, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = SimpleNamespace(main=lambda **_: signal.raise_signal(number))
    monkeypatch.setattr("limner.cli.bench", lambda name: module)
    assert main(["bench", "parts"]) == 130
    assert capsys.readouterr() == ("", "limner: interrupted\n")


def test_interrupt_while_the_command_is_imported(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupting:
        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            if name == "limner.cli":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "limner.cli")
    monkeypatch.delattr(limner, "cli")
    monkeypatch.setattr(sys, "meta_path", [Interrupting, *sys.meta_path])
    assert limner.__main__.main() == 130
    assert capsys.readouterr() == ("", "limner: interrupted\n")


@pytest.mark.parametrize(
    ("fault", "code", "message"),
    [
        (MemoryError(), 2, "there is not enough memory: choose a smaller size, batch or model"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to"), 2, "there is not enough memory"),
        (NotFinite("render: where of picture 0, move 1 is not finite"), 2, "render: where of picture 0, move 1"),
        (Stopped("stopped after iteration 3 of 5"), 130, "stopped after iteration 3 of 5"),
    ],
)
def test_what_ends_a_command_is_told_in_a_line(
    fault: Exception, code: int, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_: object) -> int:
        raise fault

    monkeypatch.setattr(limner.cli, "run", fails)
    assert main(["data"]) == code
    err = capsys.readouterr().err
    assert err.startswith(f"limner: {message}")
    assert err.count("\n") == 1


def test_other_faults_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: object) -> int:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(limner.cli, "run", fails)
    with pytest.raises(RuntimeError, match="mat1"):
        main(["data"])


def test_benches_see_first_whether_they_can_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = ModuleType("train")
    vars(module)["main"] = lambda **_: pytest.fail("it measured")
    monkeypatch.setitem(sys.modules, "train", module)
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert main(["bench", "train", "-o", str(tmp_path / "none" / "x.json")]) == 2
    assert "x.json: cannot be written: its folder does not exist" in capsys.readouterr().err


def test_bench_is_called_as_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    calls: list[object] = []
    for name in ("engine", "paint", "parts", "train"):
        module = ModuleType(name)
        vars(module)["main"] = lambda name=name, **arguments: calls.append((name, arguments))
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert main(["bench", "engine", "-o", "engine.json"]) == 0
    paint = ["--json", "p.json", "--pictures", "folder", "-n", "10", "20", "--threads", "2", "--primitive", "rival"]
    assert main(["bench", "paint", *paint]) == 0
    assert main(["bench", "parts", "-n", "30"]) == 0
    assert main(["bench", "train"]) == 0
    asked = {"json": Path("p.json"), "pictures": Path("folder"), "strokes": (10, 20), "threads": 2}
    asked |= {"primitive": Path("rival")}
    parts = {"json": None, "pictures": None, "strokes": (30,)}
    engine, train = {"json": Path("engine.json")}, {"json": None}
    assert calls == [("engine", engine), ("paint", asked), ("parts", parts), ("train", train)]


@pytest.mark.skipif(torch.cuda.is_available(), reason="here is a GPU")
def test_the_bench_of_a_gpu_needs_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert main(["bench", "gpu"]) == 2
    assert "PyTorch finds no CUDA GPU here" in capsys.readouterr().err


def test_bench_needs_a_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys) -> None:
    monkeypatch.setattr(limner.cli, "__file__", str(tmp_path / "a" / "b" / "cli.py"))
    assert main(["bench", "engine"]) == 2
    assert "checkout" in capsys.readouterr().err


@pytest.mark.parametrize("line", ["--help", "paint --help", "bench paint --help"])
def test_help_needs_nothing_heavy(line: str) -> None:
    code = "import sys; from limner.cli import main\ntry: main(sys.argv[1:])\nfinally: print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code, *line.split()], capture_output=True, text=True, check=True)
    *help_text, modules = run.stdout.splitlines()
    assert "usage: limner" in help_text[0]
    assert not {"torch", "numba", "numpy", "PIL"} & set(modules.split())


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("paint", PaintOptions),
        ("evaluate", EvaluateOptions),
        ("reproduce", ReproduceOptions),
        ("bench paint", PaintBench),
        ("data show", ShowData),
    ],
)
def test_every_option_is_explained(command: str, options: type, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([*command.split(), "--help"])
    assert not end.value.code
    out = capsys.readouterr().out
    assert "{None" not in out
    told = {}
    for entry in re.split(r"\n[│ ] (?=--?[a-z])", out)[1:]:
        text = re.sub(r"\(default: [^)]*\)", "", " ".join(re.sub("[│╭╮╰╯─]", " ", entry).split()))
        text = text.split(" data options ")[0]  # the heading of the next group
        told |= {flag: text for flag in re.findall(r"--[a-z-]+", text.split(". ")[0])[:1]}
    positional = {"photos", "run", "figures", "name"}
    del told["--help"]
    flags = {f"--{name.replace('_', '-')}" for name in options.__dataclass_fields__.keys() - positional}
    assert flags <= told.keys()
    assert {flag: text for flag, text in told.items() if not text.strip().endswith(".")} == {}


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert not end.value.code
    assert capsys.readouterr().out == f"limner {version('limner')}\n"
    assert limner.__version__ == version("limner")
    assert {"render", "__version__"} <= set(dir(limner))


def test_help_tells_of_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "limner --version" in capsys.readouterr().out


def test_modules_are_imported_at_first_use() -> None:
    code = (
        "import limner; print(limner.geometry.phi.__name__, limner.data.load.__name__, hasattr(limner, 'no_such'),"
        "hasattr(limner, 'a.b'), hasattr(limner, 'cli.main'))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "phi load False False False\n"


def test_the_process_exits_with_the_code(tmp_path: Path) -> None:
    for command in ([sys.executable, "-m", "limner"], [Path(sys.executable).with_name("limner")]):
        line = [*command, "paint", str(tmp_path / "none.png")]
        run = subprocess.run(line, capture_output=True, text=True, check=False)
        assert (run.returncode, run.stdout) == (2, "")
        assert run.stderr == f"limner: {tmp_path / 'none.png'}: no such file or folder\n"


def test_the_reference_needs_no_kernels() -> None:
    code = """if True:
        import limner, torch
        strokes = limner.Strokes(torch.eye(3)[None, None, :2], torch.ones(1, 1, 1), torch.ones(1, 1, 3))
        print(limner.render(strokes, limner.TemplateBank.named("square"), (4, 4), backend="reference").sum().item())
    """
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout == "48.0\n"


def test_kernels_that_may_not_be_compiled_are_told(tmp_path: Path) -> None:
    Image.radial_gradient("L").resize((20, 15)).save(tmp_path / "photo.png")
    line = f"NUMBA_DISABLE_JIT=1 {shlex.quote(sys.executable)} -m limner paint photo.png -n 2"
    run = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1)
    assert run.stderr.startswith("limner: NUMBA_DISABLE_JIT is set")


def test_pipes_are_painted_one_after_the_other(tmp_path: Path) -> None:
    Image.radial_gradient("L").resize((20, 15)).save(tmp_path / "photo.png")
    limner = f"{shlex.quote(sys.executable)} -m limner"
    line = f"{limner} paint <(cat photo.png) <(cat photo.png) -n 2 --time 0.2 -o out/"
    run = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert len(list((tmp_path / "out").iterdir())) == 2


@pytest.mark.parametrize(
    "told", ["COLUMNS=2", "PYTHONIOENCODING=ascii", "LC_ALL=POSIX PYTHONUTF8=0 PYTHONCOERCECLOCALE=0"]
)
def test_help_is_shown_on_any_terminal(told: str) -> None:
    line = f"{told} {shlex.quote(sys.executable)} -m limner --help"
    run = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.startswith("usage: limner")
    assert "reproduce" in run.stdout


def test_help_that_nobody_sees() -> None:
    line = f"{shlex.quote(sys.executable)} -m limner --help >&-"
    assert subprocess.run(["bash", "-c", line], capture_output=True, check=True).stderr == b""


@pytest.mark.parametrize("ending", ["| :", "2>&1 | :", "2>&-", ">&-", ">/dev/full", "2>/dev/full"])
def test_outputs_are_written_when_nobody_listens(ending: str, tmp_path: Path) -> None:
    Image.radial_gradient("L").resize((20, 15)).save(tmp_path / "photo.png")
    code = "import sys; from limner.cli import main; sys.exit(main())"
    words = [sys.executable, "-c", code, "paint", "photo.png", "-n", "3", "--time", "0.2", "-o=a.png", "-o=b.png"]
    line = f"set -o pipefail; {shlex.join(words)} {ending}"
    run = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (run.returncode, "Error" in run.stderr) == (0, False)
    assert {path.name for path in tmp_path.iterdir()} == {"photo.png", "a.png", "b.png"}


@pytest.mark.parametrize("command", ["--version", "data", "reproduce --list"])
def test_what_was_asked_for_is_not_lost_without_a_word(command: str) -> None:
    code = "import sys; from limner.cli import main; sys.exit(main())"
    line = f"{shlex.join([sys.executable, '-c', code])} {command}"
    run = subprocess.run(["bash", "-c", f"{line} > /dev/full"], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr.startswith("limner: standard output: the disk is full")
    run = subprocess.run(["bash", "-c", f"{line} | :"], capture_output=True, text=True, check=False)
    assert run.stderr == ""


@pytest.mark.parametrize("module", ["limner.painting.command", "limner.no_such_command"])
def test_what_a_command_imports_is_not_searched_for_garbage(module: str) -> None:
    """In a process of its own: here all of it has been imported."""
    code = (
        "import gc; from contextlib import suppress; from limner.cli import load; before = len(gc.get_objects())\n"
        f"with suppress(ModuleNotFoundError): load({module!r})\n"
        "print(gc.isenabled(), gc.get_freeze_count() >= before, len(gc.get_objects()) < before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", "True"]


def test_interrupts_wait_for_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that is being imported may take an interrupt for a fault of something optional."""
    lines = (
        "import signal",
        "try:",
        "    signal.raise_signal(signal.SIGINT)",
        "except BaseException: pass",
        "whole = True",
    )
    (tmp_path / "careless.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(tmp_path)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a suite in the background ignores it
    try:
        for fresh in (False, True):
            monkeypatch.delitem(sys.modules, "careless", raising=False)
            if fresh:
                monkeypatch.delitem(sys.modules, "torch")
            with pytest.raises(KeyboardInterrupt):
                load("careless")
            assert sys.modules["careless"].whole
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("desk", "calls")
def test_a_picture_alone_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several, one at a time is kept."""
    decoded = []

    def decode(image: Image.Image) -> Image.Image:
        decoded.append(image.size)
        return upright(image)

    upright = limner.images.upright
    monkeypatch.setattr(limner.images, "upright", decode)
    assert main(["paint", "photo.png", "-o", "out.png"]) == 0
    assert decoded == [(40, 30)]
    assert main(["paint", "folder", "-o", "new/"]) == 0
    assert len(decoded) == 5
