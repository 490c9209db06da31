"""What is not seen by training (`test_cache`) and painting (`painting/test_jobs`) in several processes."""

import errno
import math
import operator
import os
import pickle
import signal
import time
from concurrent.futures import Future, ProcessPoolExecutor, wait
from functools import partial
from multiprocessing import active_children
from multiprocessing.process import BaseProcess
from threading import Event, Timer

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


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "WINDOWS", True)


@pytest.mark.usefixtures("windows", "interruptible")
def test_no_worker_is_ended_where_it_hears_ctrl_c_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[object] = []
    monkeypatch.setattr(BaseProcess, "terminate", ended.append)
    timer = Timer(1.0, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        list(workers.each(time.sleep, [3.0, 3.0, 3.0], 2, "slept"))
    timer.join()
    assert active_children() == ended == []


@pytest.mark.usefixtures("windows", "interruptible")
def test_a_worker_hears_ctrl_c_while_it_has_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_told", told := Event())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    workers._one(pickle.dumps((signal.raise_signal, signal.SIGINT)))
    assert told.is_set()
    assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN


@pytest.mark.usefixtures("windows")
def test_there_are_no_more_processes_than_can_be_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []

    def pool(jobs: int, **options: object) -> ProcessPoolExecutor:
        counts.append(jobs)
        return ProcessPoolExecutor(1, **options)  # pyright: ignore[reportArgumentType, reportCallIssue]

    monkeypatch.setattr(workers, "ProcessPoolExecutor", pool)
    assert list(workers.each(math.sqrt, [4.0], 1000, "worked")) == [(4.0, 2.0)]
    assert counts == [61]


def test_waiting_does_not_keep_ctrl_c_from_being_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    def waiting(running: dict[Future, float], timeout: float, return_when: str):
        waits.append(timeout)
        return wait(running, timeout, return_when)

    monkeypatch.setattr(workers, "wait", waiting)
    monkeypatch.setattr(workers, "PATIENCE", 0.01)
    assert list(workers.each(time.sleep, [0.5], 1, "slept")) == [(0.5, None)]
    assert len(waits) > 1
