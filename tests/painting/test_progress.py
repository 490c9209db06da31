import os
import sys
import time

import pytest

from limner.painting.fit import Progress
from limner.painting.progress import bar


def moved(shown: bool = True) -> None:
    with bar(shown) as watch:
        time.sleep(0.11)  # the bar moves ten times a second
        watch(Progress(0.5, 0.01, 3))
        watch(Progress(1.0, 0.01, 6))


def test_bar_shows_strokes_and_quality(capsys: pytest.CaptureFixture[str]) -> None:
    moved()
    assert "painting" in (shown := capsys.readouterr().err)
    assert "3 strokes, 20.0 dB" in shown
    moved(shown=False)
    assert capsys.readouterr() == ("", "")


def test_bar_needs_no_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        moved()
        stream.flush()


def test_bar_needs_no_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    moved()
