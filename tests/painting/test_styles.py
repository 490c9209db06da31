"""Styles: what a name stands for, on the command line and in Python alike."""

import inspect
import json
from pathlib import Path

import pytest
from PIL import Image

import limner
from limner.cli import main
from limner.errors import UserError
from limner.painting.arguments import PICTURE_ONLY
from limner.painting.options import PaintOptions
from limner.painting.styles import spelled_out
from limner.parsing import parse
from limner.shapes import SHAPES


def given(*arguments: str) -> PaintOptions:
    options = parse(["paint", *arguments])
    assert isinstance(options, PaintOptions)
    options.check()
    return options


@pytest.mark.parametrize("style", limner.STYLES)
def test_a_style_is_its_options(style: str) -> None:
    found = given("a.jpg", "--style", style)
    assert given("--style", style, "a.jpg") == given(f"--style={style}", "a.jpg") == found
    for name, value in limner.STYLES[style].items():
        assert str(getattr(found, name)) == str(value)
    plain = given("a.jpg")
    changed = {name for name, value in vars(found).items() if value != getattr(plain, name)}
    assert changed == {"style", *limner.STYLES[style]}


def test_styles_are_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "painting.md").read_text("utf-8")
    for style in limner.STYLES:
        assert f"| {style} | `{' '.join(spelled_out(style))}` |" in page


def test_styles_are_made_of_arguments_that_clips_have_too() -> None:
    arguments = {name for style in limner.STYLES.values() for name in style}
    assert arguments <= set(inspect.signature(limner.paint).parameters) - set(PICTURE_ONLY)


def test_what_is_given_beside_a_style_counts() -> None:
    found = given("--templates", "soft", "line", "--style", "oil", "-n", "7", "--opacity", "free", "--", "a.jpg")
    assert (found.strokes, found.templates, found.opacity, found.keep_proportions) == (
        7,
        ("soft", "line"),
        "free",
        True,
    )
    assert given("a.jpg", "--max-size", "0.5", "--style", "ink").max_size == 0.5


@pytest.mark.parametrize("style", ["ink", "mosaic", "poster"])
def test_the_command_and_python_paint_alike(style: str, tmp_path: Path) -> None:
    photo, strokes = tmp_path / "photo.png", tmp_path / "strokes.json"
    Image.radial_gradient("L").resize((24, 18)).save(photo)
    assert main(["paint", str(photo), "--style", style, "-n", "9", "-q", "-o", str(strokes)]) == 0
    limner.paint(photo, **limner.STYLES[style] | {"strokes": 9}).save(tmp_path / "python.json")
    assert strokes.read_bytes() == (tmp_path / "python.json").read_bytes()
    used = {template["name"] for template in json.loads(strokes.read_text())["templates"]}
    assert used == {"ink": {"line"}, "mosaic": {"square"}, "poster": {"circle"}}[style] <= set(SHAPES)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (["--style", "olio"], "--style olio: is none of dots, ink, mosaic"),
        (
            ["--style", "oil", "--model", "mnist"],
            "--model mnist: starts anew with its own templates: leave out --style",
        ),
        (["--style", "ink", "--keep-proportions"], "--pen: 0.002 is the width of strokes of any length"),
    ],
)
def test_what_does_not_go_with_a_style(options: list[str], fault: str) -> None:
    with pytest.raises(UserError, match=f"^{fault}"):
        given("a.jpg", *options)


def test_strokes_that_are_only_written_have_their_style(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    strokes = tmp_path / "strokes.json"
    limner.paint(Image.radial_gradient("L").resize((24, 18)), 2).save(strokes)
    assert main(["paint", str(strokes), "--style", "oil", "-o", str(tmp_path / "oil.png")]) == 2
    assert "strokes are written as they are, without --style" in capsys.readouterr().err
