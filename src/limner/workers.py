"""Doing several tasks at once, each in a process; all of them end with this one."""

import errno
import os
import pickle
import signal
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, connection, get_context, parent_process
from multiprocessing.process import BaseProcess
from threading import Event, Thread
from typing import Any, TypeVar

from limner.errors import UserError
from limner.signals import ENDING, handled, sparing_children
from limner.systems import WINDOWS

Task = TypeVar("Task")
Result = TypeVar("Result")

GRACE = 30
"""Seconds that workers have to save in when one of them was killed."""
MOST = 61
"""Processes that Windows can wait for."""
PATIENCE = 0.5
"""Seconds after which Ctrl-C is noticed where waiting goes on in spite of it, as on Windows."""

_told = Event()
"""Whether this worker was told to stop while it had nothing to do."""


def each(
    function: Callable[[Task], Result], tasks: Iterable[Task], jobs: int, doing: str
) -> Generator[tuple[Task, Result]]:
    """Every task and what `function` makes of it, as they are done; `jobs` at a time.

    Ctrl-C, SIGTERM and SIGHUP reach `function` as SIGTERM, which it may handle, each time that they come, and on
    Windows Ctrl-C as itself; here the first is a KeyboardInterrupt, after which what has begun is waited for, and
    nothing else begins.
    doing: what a process did, in the UserError that is raised if one was killed.
    """

    told = starting = late = False

    def tell() -> bool:
        """Tell all processes to stop; whether this is the first time."""
        nonlocal told
        first, told = not told, True
        for worker in active_children():
            _tell(worker)
        return first

    def stop(*_: object) -> None:
        nonlocal late
        if tell():  # a second time would end the waiting for them
            late = starting
            if not starting:
                raise KeyboardInterrupt

    jobs = min(jobs, MOST) if WINDOWS else jobs
    waiting, running = list(reversed(list(tasks))), {}
    with handled(stop, *ENDING), _pool(jobs) as pool:
        try:
            while waiting or running:
                while waiting and len(running) < jobs:
                    task, before = waiting.pop(), active_children()
                    starting = True  # a process that is half started would print a traceback
                    try:
                        with sparing_children():
                            running[pool.submit(_one, pickle.dumps((function, task)))] = task
                    except OSError as error:
                        if error.errno in (errno.EMFILE, errno.ENFILE):
                            raise UserError(f"no process can be begun: {error.strerror}: give fewer --jobs") from error
                        raise BrokenProcessPool from error  # its pipes are closed: another worker was killed just now
                    starting = False
                    if late:
                        for worker in set(active_children()) - set(before):  # not told, having been half started
                            _tell(worker)
                        raise KeyboardInterrupt
                for future in wait(running, PATIENCE, FIRST_COMPLETED).done:
                    yield running.pop(future), future.result()
        except BaseException as error:
            workers, asked = active_children(), told
            if not asked:
                tell()
            if not isinstance(error, BrokenProcessPool):
                raise
            for worker in workers:  # a pool that breaks forgets to stop one that it was just starting
                worker.join(GRACE)
                worker.kill()
            if asked:  # of the first that were told, one was still starting
                raise KeyboardInterrupt from error
            raise UserError(f"a process that {doing} was killed, probably for memory: give fewer --jobs") from error


def _pool(jobs: int) -> ProcessPoolExecutor:
    with sparing_children():  # one that keeps track of resources is started with it
        return ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_follow_parent)


def _one(packed: bytes) -> Any:
    """A task in a worker. It comes packed, since torch would send tensors by shared memory, which may be small."""
    function, task = pickle.loads(packed)
    if _told.is_set():
        raise KeyboardInterrupt
    with _hearing():
        return function(task)


def _tell(worker: BaseProcess) -> None:
    """Tell a worker to stop; on Windows it hears Ctrl-C by itself, and this would end it before it has saved."""
    if not WINDOWS:
        worker.terminate()


@contextmanager
def _hearing() -> Iterator[None]:
    """Inside, Ctrl-C may be handled where it comes from the terminal alone, which an idle worker ignores."""
    if not WINDOWS:
        yield
        return
    before = signal.signal(signal.SIGINT, lambda *_: _told.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _follow_parent() -> None:
    """What a terminal sends reaches all of its processes, but it is the parent that stops its workers, or its end."""
    parent = parent_process()
    assert parent
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: _told.set() if parent.is_alive() else os._exit(1))
    Thread(target=_end_after, args=[parent], daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    connection.wait([parent.sentinel])
    while True:  # the first may make a task save
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)
