"""What is not seen by training (`test_cache`) and painting (`painting/test_jobs`) in several processes."""

import errno
import math
import operator
import os
import signal
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import active_children
from threading import Timer

import pytest

from limner import workers
from limner.errors import UserError


def test_all_tasks_come_back_with_their_results() -> None:
    assert sorted(workers.each(math.sqrt, [1.0, 4.0, 9.0, 16.0, 25.0], 2, "worked")) == [
        (1.0, 1.0), (4.0, 2.0), (9.0, 3.0), (16.0, 4.0), (25.0, 5.0)
    ]  # fmt: skip


def test_tasks_are_done_in_their_order_elsewhere() -> None:
    assert [task for task, _ in workers.each(math.sqrt, range(4), 1, "worked")] == [0, 1, 2, 3]
    ((_, elsewhere),) = workers.each(operator.methodcaller("__call__"), [os.getpid], 1, "worked")
    assert elsewhere != os.getpid()


def test_a_fault_is_raised_here() -> None:
    with pytest.raises(ZeroDivisionError):
        list(workers.each(partial(operator.floordiv, 1), [1, 0, 1, 1, 1], 2, "worked"))


def test_a_process_that_cannot_be_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    def submit(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(ProcessPoolExecutor, "submit", submit)
    with pytest.raises(UserError, match="Too many open files: give fewer --jobs"):
        next(workers.each(math.sqrt, [1.0], 2, "worked"))


@pytest.mark.usefixtures("interruptible")
def test_a_worker_that_is_told_while_idle_takes_no_further_task() -> None:
    tasks = [partial(signal.raise_signal, signal.SIGTERM), os.getpid]
    ended = workers.each(operator.methodcaller("__call__"), tasks, 1, "worked")
    assert next(ended)[1] is None
    with pytest.raises(KeyboardInterrupt):
        next(ended)


@pytest.mark.usefixtures("interruptible")
def test_what_has_begun_is_waited_for_whatever_comes() -> None:
    """A second Ctrl-C does not end the waiting, which would leave processes behind."""
    timers = [Timer(delay, os.kill, [os.getpid(), signal.SIGINT]) for delay in (1.0, 1.5)]
    for timer in timers:
        timer.start()
    with pytest.raises(KeyboardInterrupt):
        list(workers.each(time.sleep, [4.0, 4.0, 4.0], 2, "slept"))
    for timer in timers:
        timer.join()
    assert active_children() == []
