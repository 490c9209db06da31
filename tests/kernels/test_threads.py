"""How tasks are shared."""

import os
import subprocess
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier, Event, Thread

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from limner.kernels import threads


@given(st.integers(0, 100), st.integers(1, 9))
def test_shares_are_all_groups_in_turn(groups: int, count: int) -> None:
    found = threads.shares(groups, count)
    assert [group for first, last in found for group in range(first, last)] == list(range(groups))
    sizes = [last - first for first, last in found]
    assert sizes == sorted(sizes, reverse=True)
    assert max(sizes, default=1) <= max(1, groups / (2 * count))


@pytest.mark.parametrize(("tasks", "groups"), [(0, 4), (3, 8), (50, 8), (50, 1)])
@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_every_task_is_done_once(
    count: int, split: bool, tasks: int, groups: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: count)
    done, numbers = [], []

    def job(first: int, last: int, group: int) -> None:
        done.extend(range(first, last))
        numbers.append(group)

    threads.run(job, tasks, groups, 10 * threads.WORTH, split)
    assert sorted(done) == list(range(tasks))
    assert len(set(numbers)) == len(numbers)
    if split:
        assert sorted(numbers) == list(range(min(groups, tasks)))


def test_threads_are_as_many_as_ever_worked_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_pools", {})
    before = set(threading.enumerate())

    def meet(together: Barrier, *_: int) -> None:
        together.wait(60)

    for count in (2, 3, 2, 5, 4):
        monkeypatch.setattr(torch, "get_num_threads", partial(int, count))
        threads.run(partial(meet, Barrier(count)), count, count, 10 * threads.WORTH, split=True)
    ((_, pool),) = threads._pools.values()
    for thread in set(threading.enumerate()) - before - pool._threads:
        thread.join(60)
    assert len(set(threading.enumerate()) - before) == 4


def test_where_no_thread_can_be_started_one_does_all(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = ThreadPoolExecutor(3)
    pool.shutdown()  # as Python does to all pools when it ends
    monkeypatch.setattr(threads, "_pool", lambda most: pool)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    done: list[int] = []
    threads.run(lambda first, last, group: done.extend(range(first, last)), 100, 32, 100 * threads.WORTH)
    assert done == list(range(100))


def test_what_no_thread_could_be_started_for_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(_: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads, "_pools", {})
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    canvas = torch.zeros(100)
    gone = weakref.ref(canvas)
    with monkeypatch.context() as patched:
        patched.setattr(Thread, "start", no_more)
        threads.run(partial(lambda canvas, *_: canvas.add_(1), canvas), 100, 32, 100 * threads.WORTH)
    assert canvas.max() > 0
    del canvas
    assert gone() is None
    threads.run(lambda *_: None, 100, 32, 100 * threads.WORTH)
    assert len(threads._pools) == 1


def test_a_thread_that_was_busy_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes up what no thread of its own could be started for."""
    monkeypatch.setattr(threads, "_pools", {})
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    free, begun, returned = Event(), Event(), Event()
    done: list[int] = []

    def job(first: int, last: int, _: int) -> None:
        if threading.current_thread() is threading.main_thread():
            free.set()
            begun.wait(60)
        else:
            begun.set()
            returned.wait(0.5)
        done.extend(range(first, last))

    def no_more(_: Thread) -> None:
        raise RuntimeError("can't start new thread")

    busy = threads._pool(2).submit(free.wait, 60)
    with monkeypatch.context() as patched:
        patched.setattr(Thread, "start", no_more)
        threads.run(job, 100, 32, 100 * threads.WORTH)
    found = sorted(done)
    returned.set()
    assert found == list(range(100))
    assert busy.result(60)


def test_torch_has_its_threads_back_after_two_paint_at_a_time() -> None:
    before, barrier, found = torch.get_num_threads(), Barrier(2), []
    torch.set_num_threads(2)
    try:

        def first() -> None:
            with threads.for_kernels_only():
                barrier.wait()  # the second begins
                barrier.wait()
            barrier.wait()
            found.append(torch.get_num_threads())

        def second() -> None:
            barrier.wait()
            with threads.for_kernels_only():
                found.append(threads._allowed.get())
                with threads.for_kernels_only():
                    found.append(threads._allowed.get())
                found.append(torch.get_num_threads())
                barrier.wait()
                barrier.wait()  # the first has ended
            found.append(torch.get_num_threads())

        with ThreadPoolExecutor(2) as pool:
            for end in [pool.submit(first), pool.submit(second)]:
                end.result(60)
        fresh = Thread(target=lambda: found.append(torch.get_num_threads()))
        fresh.start()
        fresh.join()
        assert found[:3] == [2, 2, 1]
        assert found[3:] == [2, 2, 2]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


FORKS = """
import os, signal, threading
from limner.kernels.threads import for_kernels_only

def paint():
    while not done:
        with for_kernels_only():
            pass

done = False
painters = [threading.Thread(target=paint) for _ in range(3)]
for painter in painters:
    painter.start()
codes = []
for _ in range(40):
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        with for_kernels_only():
            os._exit(0)
    codes.append(os.waitpid(child, 0)[1])
done = True
print(codes)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_a_fork_may_paint_whatever_other_threads_were_at() -> None:
    """Which it has not; a lock that one of them held would never be given back."""
    ran = subprocess.run([sys.executable, "-W", "ignore", "-c", FORKS], capture_output=True, text=True, check=True)
    assert ran.stdout == f"{[0] * 40}\n"
