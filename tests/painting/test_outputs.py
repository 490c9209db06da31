from pathlib import Path

import pytest
from PIL import Image

import limner
from limner import files
from limner.cli import main
from limner.errors import UserError
from limner.painting.outputs import frames, make_room, names_of, plan, spare


def test_folders_made_in_vain_are_removed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file: is a file, expected a folder"):
        make_room([tmp_path / "new" / "deep" / "a.png", tmp_path / "file" / "b.png"], [tmp_path / "frames" / "a"])
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_no_new_folder_is_left_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is interrupted before there is anything to save; those that were there stay."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    Image.new("L", (8, 8)).save("a.png")
    Path("old").mkdir()
    outputs = ["-o", "new/deep/a.png", "-o", "old/a.png", "-o", "old/new/a.gif", "--frames", "frames/a"]
    monkeypatch.setattr(limner, "paint", interrupted)
    assert main(["paint", "a.png", *outputs]) == 130
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.png", "old"]
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert main(["paint", "a.png", "-n", "0", "-q", *outputs]) == 0
    files = ["a.png", "frames/a/frame-0000.png", "new/deep/a.png", "old/a.png", "old/new/a.gif"]
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")) == files


def test_folders_that_are_there_may_have_braces_in_their_names(tmp_path: Path) -> None:
    (tmp_path / "{a}").mkdir()
    assert plan([f"{tmp_path}/{{a}}/{{name}}.png"], ["photo"], False) == [[tmp_path / "{a}" / "photo.png"]]
    with pytest.raises(UserError, match=r"\{b\} stands for nothing"):
        plan([f"{tmp_path}/{{b}}/{{name}}.png"], ["photo"], False)


@pytest.mark.parametrize("read", ["f/00ff00.png", "f/00FF00.png"])
def test_no_colour_replaces_a_file_that_is_read(read: str) -> None:
    with pytest.raises(UserError, match=rf"f/\{{colour\}}\.png: may be called {read}"):
        spare([Path(read)], [Path("f/{colour}.png")], [])
    spare([Path("f/00ff0.png"), Path("g/00ff00.png"), Path("f/00ff00.svg")], [Path("f/{colour}.png")], [])


def test_frames_have_folders_as_outputs_have_files() -> None:
    assert frames(None, "a", True) is None
    assert frames(Path("f"), "a", False) == Path("f")
    assert frames(Path("f"), "a", True) == Path("f/a")
    assert frames(Path("f/{name}/x"), "a", True) == frames(Path("f/{name}/x"), "a", False) == Path("f/a/x")
    with pytest.raises(UserError, match=r"^f/\{b\}: \{b\} stands for nothing"):
        frames(Path("f/{b}"), "a", True)


def test_frames_that_are_too_large_are_told_of_before_painting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(limner, "paint", None)
    Image.new("L", (8, 8)).save("a.png")
    assert main(["paint", "a.png", "-o", "a.json", "--frames", "f", "--output-size", "16384"]) == 2
    told = "limner: f/frame-0000.png: 16384 x 16384 pixels are too many: choose a smaller size\n"
    assert capsys.readouterr().err == told


@pytest.fixture
def caseless(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows and macOS."""
    monkeypatch.setattr(files, "CASELESS", True)


@pytest.mark.usefixtures("caseless")
@pytest.mark.parametrize("name", ["Photo.JPG", "cafe\u0301.jpg"])
def test_no_file_that_is_read_is_replaced_under_another_spelling(name: str, tmp_path: Path) -> None:
    read = [tmp_path / "photo.jpg", tmp_path / "caf\u00e9.jpg", tmp_path / "Frames/Frame-0001.PNG"]
    with pytest.raises(UserError, match="would replace a file that is read"):
        spare(read, [tmp_path / name], [])
    with pytest.raises(UserError, match="would be replaced by a frame"):
        spare(read, [], [tmp_path / "frames"])
    with pytest.raises(UserError, match="may be called"):
        spare([Path("f/A-00ff00.png")], [Path("F/a-{colour}.png")], [])


@pytest.mark.usefixtures("caseless")
def test_pictures_whose_names_differ_in_case_alone() -> None:
    assert names_of([Path("a/IMG.jpg"), Path("a/img.png"), Path("a/x.png")]) == ["IMG.jpg", "img.png", "x"]
    assert names_of([Path("a/IMG.jpg"), Path("b/img.jpg")]) == ["a-IMG", "b-img"]
    with pytest.raises(UserError, match="would be written for x twice"):
        plan(["o/x.png", "O/X.png"], ["x"], False)


@pytest.mark.skipif(files.CASELESS, reason="case does not count here")
def test_elsewhere_case_counts() -> None:
    assert names_of([Path("a/IMG.jpg"), Path("a/img.png")]) == ["IMG", "img"]
    spare([Path("photo.jpg")], [Path("Photo.jpg")], [])
