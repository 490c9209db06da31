import os
import sys
from functools import partial
from threading import Thread

import pytest
from numba.core import event

from limner.painting import progress
from limner.painting.progress import Progress, bar
from limner.waiting import COMPILING


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar moves whenever it is told to, not ten times a second."""
    monkeypatch.setattr(progress, "Bar", partial(progress.Bar, mininterval=0))


def moved(shown: bool = True) -> None:
    with bar(shown) as watch:
        watch(Progress(0.5, 0.01, 3))
        watch(Progress(1.0, 0.01, 6))


def test_bar_shows_strokes_and_quality(capsys: pytest.CaptureFixture[str]) -> None:
    moved()
    assert "painting" in (shown := capsys.readouterr().err)
    assert "3 strokes, 20.0 dB" in shown
    moved(shown=False)
    assert capsys.readouterr() == ("", "")


def test_bar_is_called_as_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    with bar("cat.png (2 of 9)") as watch:
        watch(Progress(0.5, 0.01, 3))
    assert "cat.png (2 of 9)  50%" in capsys.readouterr().err


def test_a_function_takes_the_place_of_the_bar(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[Progress] = []
    with bar(seen.append) as watch:
        watch(Progress(0.5, 0.01, 3))
    assert seen == [Progress(0.5, 0.01, 3)]
    assert capsys.readouterr() == ("", "")


def test_bar_begins_again_with_another_fit(capsys: pytest.CaptureFixture[str]) -> None:
    with bar(True) as watch:
        for done in (0.2, 0.9, 0.1):
            watch(Progress(done, 0.01, 3))
    shown = capsys.readouterr().err
    first, second = shown.split(" 90%")
    assert " 20%" in first
    assert "painting with fewer strokes   0%" in second  # and counts the time from there
    assert "fewer" not in first
    assert " 10%" in second


def test_bar_says_that_kernels_are_compiled(capsys: pytest.CaptureFixture[str]) -> None:
    with bar(True), event.trigger_event("numba:compile"):
        assert COMPILING in capsys.readouterr().err
    assert "painting" in capsys.readouterr().err


def test_bar_needs_no_reader_and_locks_no_other_out(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        moved()
        stream.flush()
        other = Thread(target=moved, daemon=True)
        other.start()
        other.join(9)
        assert not other.is_alive()


def test_bar_needs_no_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    moved()
