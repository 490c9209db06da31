import errno
import os
from pathlib import Path

import pytest

from limner.errors import UserError
from limner.files import atomic, files_in, make_folder, try_writing


def test_files_in_folders_below(tmp_path: Path) -> None:
    for name in ("b/x.png", "b/c/y.png", "b/z.txt", "a.png", ".d/x.png", "b/.x.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "b/c/loop").symlink_to(tmp_path)
    png = frozenset([".png"])
    found = [str(file.relative_to(tmp_path)) for file in files_in(tmp_path, png, "pictures", deep=True)]
    assert found == ["a.png", "b/c/y.png", "b/x.png"]
    assert files_in(tmp_path, png, "pictures") == [tmp_path / "a.png"]
    with pytest.raises(UserError, match="no masks in this folder"):
        files_in(tmp_path / "b", frozenset([".svg"]), "masks", deep=True)


def test_replaces_on_success(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    path.write_text("old")
    with atomic(path) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".png"
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("fault", [RuntimeError("fault"), KeyboardInterrupt()], ids=["error", "interrupt"])
def test_keeps_the_old_file_on_failure(tmp_path: Path, fault: BaseException) -> None:
    path = tmp_path / "out.png"
    path.write_text("old")

    def write() -> None:
        with atomic(path) as temporary:
            temporary.write_text("half")
            raise fault

    with pytest.raises(type(fault)):
        write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none/out.png", "create it"),
        ("file/out.png", "is a file"),
        ("folder", "folder has that name"),
        ("x" * 300 + ".png", "shorter"),
    ],
)
def test_faults_name_the_output(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=words) as caught, atomic(tmp_path / name) as temporary:
        temporary.write_text("new")
    assert str(tmp_path / name) in str(caught.value)
    with pytest.raises(UserError, match=words):
        try_writing(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_file_that_cannot_be_replaced_is_told_of_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one on Windows that another program has open."""

    def refused(*_: object) -> None:
        raise PermissionError(errno.EACCES, "The process cannot access the file")

    (tmp_path / "out.mp4").write_text("old")
    os.utime(tmp_path / "out.mp4", (0, 0))
    try_writing(tmp_path / "out.mp4")
    assert (tmp_path / "out.mp4").stat().st_mtime == 0
    monkeypatch.setattr(os, "rename", refused)
    with pytest.raises(UserError, match=r"out\.mp4: cannot be written: permission denied"):
        try_writing(tmp_path / "out.mp4")
    try_writing(tmp_path / "new.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_links_are_written_through(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "old").write_text("old")
    (tmp_path / "out.png").symlink_to("far/old")
    with atomic(tmp_path / "out.png") as temporary:
        assert temporary.suffix == ".png"
        temporary.write_text("new")
    assert (tmp_path / "far" / "old").read_text() == "new"
    assert (tmp_path / "out.png").is_symlink()


def test_links_that_lead_nowhere_are_told(tmp_path: Path) -> None:
    (tmp_path / "out.png").symlink_to("far/new.png")
    with pytest.raises(UserError, match=r"out\.png: .*: it leads to .*new\.png, whose folder does not exist"):
        try_writing(tmp_path / "out.png")
    (tmp_path / "far").mkdir()
    try_writing(tmp_path / "out.png")


def test_a_private_file_stays_private(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    path.write_text("old")
    path.chmod(0o600)
    with atomic(path) as temporary:
        temporary.write_text("new")
    assert path.stat().st_mode & 0o777 == 0o600


def test_devices_are_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "out.png").symlink_to("pipe")
    with pytest.raises(UserError, match=r"out\.png: cannot be written: a device has that name"):
        try_writing(tmp_path / "out.png")


def test_what_is_write_protected_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.png"
    path.write_text("old")
    (tmp_path / "link.png").symlink_to(path)
    path.chmod(0o444)
    monkeypatch.setattr(os, "access", lambda name, _: bool(Path(name).stat().st_mode & 0o200))  # as if not root
    for name in ("out.png", "link.png"):
        with (
            pytest.raises(UserError, match=rf"{name}: cannot be written: it is write-protected"),
            atomic(tmp_path / name),
        ):
            pytest.fail("was begun")
    assert path.read_text() == "old"
    try_writing(tmp_path / "other.png")


def test_what_runs_through_a_pipe_is_told_as_a_device() -> None:
    read, write = os.pipe()
    try:
        with pytest.raises(UserError, match=f"/dev/fd/{write}: cannot be written: a device has that name"):
            try_writing(f"/dev/fd/{write}")
    finally:
        os.close(read)
        os.close(write)


def test_nothing_written_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"out\.png"), atomic(tmp_path / "out.png"):
        pass


def test_trying_leaves_nothing(tmp_path: Path) -> None:
    try_writing(tmp_path / "out.png")
    assert list(tmp_path.iterdir()) == []


def test_folders_are_made_from_the_outermost_on(tmp_path: Path) -> None:
    folder = tmp_path / "a/b/c"
    assert make_folder(folder) == [tmp_path / "a", tmp_path / "a/b", folder]
    assert folder.is_dir()
    assert make_folder(folder) == []


def test_folders_made_in_vain_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mkdir = Path.mkdir

    def full(path: Path, **options) -> None:
        if path.name == "c":
            raise OSError(errno.ENOSPC, "no space")
        mkdir(path, **options)

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(UserError, match="c: cannot be made: the disk is full"):
        make_folder(tmp_path / "a/b/c")
    assert not any(tmp_path.iterdir())


def test_a_folder_that_may_be_listed_but_not_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.png").touch()

    def denied(path: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", denied)
    with pytest.raises(UserError, match=r"a\.png: cannot be read: Permission denied"):
        files_in(tmp_path, frozenset([".png"]), "pictures")
