from collections.abc import Iterator
from itertools import count
from types import SimpleNamespace

import pytest
from numba.core import event

from limner import waiting
from limner.waiting import COMPILING, Bar, told


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[float]:
    """Each look at the clock finds a thousand seconds gone."""
    now = count(0.0, 1000.0)
    monkeypatch.setattr(waiting, "time", SimpleNamespace(monotonic=lambda: next(now)))
    return now


def test_a_bar_tells_of_compiling_and_leaves_that_time_out(clock: Iterator, capsys: pytest.CaptureFixture[str]) -> None:
    with Bar(total=2, desc="working", mininterval=0) as bar, told(bar):
        began = bar.start_t
        for kernel in (1, 2):
            capsys.readouterr()
            with event.trigger_event("numba:compile"):
                assert COMPILING in capsys.readouterr().err
                with event.trigger_event("numba:compile"):  # a part of it
                    pass
                assert capsys.readouterr().err == ""
            assert "working" in capsys.readouterr().err
            assert bar.start_t == began + 1000 * kernel
            assert bar.last_print_t >= bar.start_t


def test_an_end_without_a_start_is_another_threads(capsys: pytest.CaptureFixture[str]) -> None:
    with Bar(total=2, desc="working", mininterval=0) as bar, told(bar):
        event.end_event("numba:compile")
        capsys.readouterr()
        with event.trigger_event("numba:compile"):
            assert COMPILING in capsys.readouterr().err
        assert "working" in capsys.readouterr().err


def test_a_bar_that_is_not_shown_tells_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Bar(disable=True) as bar, told(bar), event.trigger_event("numba:compile"):
        pass
    assert capsys.readouterr() == ("", "")
