"""Signals handled for a while."""

import os
import signal
import threading
from contextlib import suppress

import pytest

from limner.signals import Interrupts, handled, held


def test_signals_are_handled_inside_only() -> None:
    heard = []
    before = [signal.signal(number, signal.SIG_DFL) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        with handled(lambda number, frame: heard.append(number), signal.SIGINT, signal.SIGTERM):
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGINT)
        assert sorted(heard) == [signal.SIGINT, signal.SIGTERM]
        assert signal.getsignal(signal.SIGTERM) == signal.getsignal(signal.SIGINT) == signal.SIG_DFL
    finally:
        for number, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
            signal.signal(number, handler)


def test_ignored_signals_stay_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with handled(lambda *_: None, signal.SIGINT):
            assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_handle_none() -> None:
    found = []

    def look() -> None:
        with handled(lambda *_: None, signal.SIGTERM):
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGTERM)]


@pytest.mark.parametrize("fault", [None, OSError], ids=["", "fault"])
def test_held_signals_are_handled_at_the_end(fault: type[Exception] | None) -> None:
    heard, done = [], []
    with handled(lambda number, frame: heard.append(number), signal.SIGTERM), suppress(OSError), held():
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        done = list(heard)
        if fault:
            raise fault
    assert done == []
    assert heard == [signal.SIGTERM, signal.SIGTERM]


def test_only_the_first_interrupt_interrupts_and_none_while_held() -> None:
    free, quiet = Interrupts(), Interrupts(held=True)
    with pytest.raises(KeyboardInterrupt):
        free.note(signal.SIGINT, None)
    for interrupts in (free, quiet):
        try:
            interrupts.note(signal.SIGTERM, None)
        except KeyboardInterrupt:  # which would end the tests
            pytest.fail("was interrupted")
        assert interrupts.came
