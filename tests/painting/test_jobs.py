"""Several pictures at once, each painted by a process."""

import os
import resource
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psutil
import pytest
import torch
from PIL import Image

from limner.cli import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with three small pictures in a folder, of which the first is noise."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos"
    folder.mkdir()
    noise = torch.randint(0, 256, (200, 200, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    Image.fromarray(noise.numpy()).save(folder / "a.png")
    Image.radial_gradient("L").resize((40, 30)).convert("RGB").save(folder / "b.png")
    Image.linear_gradient("L").resize((200, 200)).convert("RGB").save(folder / "c.png")
    return folder


def contents(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def test_the_same_files_as_one_by_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("palette.txt").write_text("red\nwhite\n#123456\n")
    line = "-n 5 --templates line soft --palette palette.txt --importance photos/c.png --size 24 -q"
    options = line.split()
    square = ["photos/a.png", "photos/c.png"]
    assert main(["paint", *square, "-o", "one/{name}.png", "-o", "one/{name}.json", *options]) == 0
    assert main(["paint", *square, "-o", "two/{name}.png", "-o", "two/{name}.json", *options, "--jobs", "2"]) == 0
    assert set(contents("one")) == {"a.png", "a.json", "c.png", "c.json"}
    assert contents("two") == contents("one")
    again = ["paint", "one/a.json", "one/c.json", "-o", "three/{name}.png", "--jobs", "9", "--threads", "1", "-q"]
    assert main(again) == 0
    assert contents("three") == {name: content for name, content in contents("one").items() if name.endswith(".png")}
    assert capsys.readouterr() == ("", "")


def limner(*arguments: str, **options) -> subprocess.Popen:
    line = [sys.executable, "-m", "limner", "paint", *arguments]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def test_a_file_that_fails_leaves_the_others(folder: Path) -> None:
    """No file may have more than 20 kB, of which that of the noise needs 30."""
    line = ["photos", "-n", "300", "--jobs", "2", "--threads", "1"]
    assert main(["paint", *line, "-o", "whole", "-q"]) == 0  # compiles, which writes files, too
    assert Path("whole/a.png").stat().st_size > 25_000
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (20_000, 20_000))
    process = limner(*line, "-o", "new", preexec_fn=limit)
    out, err = process.communicate()
    assert sorted(line.split()[0] for line in out.splitlines()) == ["new/b.png", "new/c.png"]
    assert err == "limner: new/a.png: cannot be written: File too large\n"
    assert process.returncode == 2
    assert set(contents("new")) == {"b.png", "c.png"}


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_saves_what_is_being_painted(folder: Path) -> None:
    """A terminal sends it to all processes, of which only the first is to hear it."""
    assert main(["paint", "photos/a.png", "-n", "200", "-o", "first.json", "-q"]) == 0  # compiles
    line = ["photos", "-n", "3000", "-o", "new/{name}.json", "--jobs", "2", "--time", "100"]
    with limner(*line, start_new_session=True) as process:
        while len(painting := painters(process)) < 2 or min(map(seconds, painting)) < 6:
            assert process.poll() is None
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 130
    assert set(contents("new")) == {"a.json", "b.json"}
    assert sorted(line.split()[0] for line in out.splitlines()) == ["new/a.json", "new/b.json"]
    *saved, last = err.splitlines()
    assert len(saved) == 2
    assert all(line.startswith("limner: interrupted: saved ") for line in saved)
    assert last == "limner: interrupted"
    assert not psutil.wait_procs(painting, timeout=60)[1]


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_what_a_terminal_sends_twice_ends_it_all_the_same(number: signal.Signals, folder: Path) -> None:
    with limner("photos", "-n", "3000", "-o", "new", "--jobs", "2", start_new_session=True) as process:
        while len(painting := painters(process)) < 2:
            assert process.poll() is None
            time.sleep(0.01)
        for _ in range(2):
            os.killpg(process.pid, number)
            time.sleep(0.1)
        out, err = process.communicate(timeout=120)
    assert process.returncode in (130, -number)  # by the second, if the first has already ended all
    assert (out, err) == ("", "limner: interrupted\n")
    assert not psutil.wait_procs(painting, timeout=60)[1]


def painters(process: subprocess.Popen) -> list[psutil.Process]:
    """Of the processes that it has started, those that paint."""
    return [child for child in psutil.Process(process.pid).children() if "spawn_main" in str(child.cmdline())]


def seconds(process: psutil.Process) -> float:
    """For which it has worked: it has strokes after some two or three."""
    spent = process.cpu_times()
    return spent.user + spent.system
