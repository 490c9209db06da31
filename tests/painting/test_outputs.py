from pathlib import Path

import pytest

from limner.errors import UserError
from limner.painting.outputs import frames, make_room, plan


def test_folders_made_in_vain_are_removed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file: is a file, expected a folder"):
        make_room([tmp_path / "new" / "deep" / "a.png", tmp_path / "file" / "b.png"], [tmp_path / "frames" / "a"])
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_folders_that_are_there_may_have_braces_in_their_names(tmp_path: Path) -> None:
    (tmp_path / "{a}").mkdir()
    assert plan([f"{tmp_path}/{{a}}/{{name}}.png"], ["photo"], False) == [[tmp_path / "{a}" / "photo.png"]]
    with pytest.raises(UserError, match=r"\{b\} stands for nothing"):
        plan([f"{tmp_path}/{{b}}/{{name}}.png"], ["photo"], False)


def test_frames_have_folders_as_outputs_have_files() -> None:
    assert frames(None, "a", True) is None
    assert frames(Path("f"), "a", False) == Path("f")
    assert frames(Path("f"), "a", True) == Path("f/a")
    assert frames(Path("f/{name}/x"), "a", True) == frames(Path("f/{name}/x"), "a", False) == Path("f/a/x")
    with pytest.raises(UserError, match=r"^f/\{b\}: \{b\} stands for nothing"):
        frames(Path("f/{b}"), "a", True)
