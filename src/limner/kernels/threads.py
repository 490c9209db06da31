"""Sharing a kernel's tasks among threads that sleep when idle.

The tasks are cut into groups that depend on the problem only, and each group is worked by one thread, so that the same
sums are formed in the same order whatever the number of threads. Threads take groups as they come free, many at first
and single ones in the end: one that is held up by another process takes fewer.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock

import torch

WORTH = 1 << 18
"""Touched pixels for which waking another thread pays."""

_allowed: ContextVar[int | None] = ContextVar("_allowed", default=None)
_inside: list[int] = []
_entering = Lock()
if hasattr(os, "register_at_fork"):  # a child that finds it locked by a thread that it has not would wait for ever
    os.register_at_fork(before=_entering.acquire, after_in_parent=_entering.release, after_in_child=_entering.release)
_pools: dict[int, tuple[int, ThreadPoolExecutor]] = {}
"""By the number of a process: how many threads its pool may have, and the pool."""


@contextmanager
def for_kernels_only() -> Iterator[None]:
    """Give torch's threads to the kernels alone, and let torch itself work on one.

    Torch's threads spin while they wait for each other, which costs more than it gains on small tensors, and very much
    more while another process holds a core. A thread that first uses torch in the meantime starts with one, too, so
    that it takes the number that was found outside.
    """
    with _entering:
        threads = torch.get_num_threads()
        if _inside and _allowed.get() is None and threads == 1:
            threads = _inside[0]
        _inside.append(threads)
        torch.set_num_threads(1)
    token = _allowed.set(_allowed.get() or threads)
    try:
        yield
    finally:
        _allowed.reset(token)
        with _entering:
            _inside.remove(threads)
            torch.set_num_threads(threads)


def run(job: Callable[[int, int, int], None], tasks: int, groups: int, work: int, split: bool = False) -> None:
    """Call job(first, last, group) over all tasks, on as many threads as torch is set to use and the work is worth.

    `split`: one call for each group, also on a single thread; else a call may be for several, and is told the first.
    """
    groups = min(groups, tasks)
    threads = min(groups, 1 + work // WORTH)
    if threads > 1:
        threads = min(threads, allowed())
    if threads < 2 and not split:
        job(0, tasks, 0)
        return
    left = iter([(k, k + 1) for k in range(groups)] if split else shares(groups, threads))

    def drain() -> None:
        for first, last in left:
            job(first * tasks // groups, last * tasks // groups, first)

    helpers, broken = [], None
    try:
        helpers += (_pool(threads - 1).submit(drain) for _ in range(threads - 1))
    except RuntimeError:  # when Python is ending, or may start no more threads, this one works alone
        broken = _pools.pop(os.getpid(), None)  # it would keep what it could not begin, with all that the job works on
    drain()
    for helper in helpers:
        if not helper.cancel():
            helper.result()
    if broken:
        broken[1].shutdown()  # a thread of it that was busy may have begun this job since


def allowed() -> int:
    """How many threads kernels may work on."""
    return _allowed.get() or torch.get_num_threads()


def shares(groups: int, threads: int) -> list[tuple[int, int]]:
    """First and past-last group of what threads take in turn: each time half of what would be a thread's part."""
    found = [(0, 0)]
    while (begin := found[-1][1]) < groups:
        found.append((begin, begin + max(1, (groups - begin) // (2 * threads))))
    return found[1:]


def _pool(most: int) -> ThreadPoolExecutor:
    """At least so many threads of this process: a fork does not inherit them. A smaller pool ends with its last job."""
    process = os.getpid()
    if _pools.get(process, (0, None))[0] < most:
        _pools[process] = most, ThreadPoolExecutor(most, thread_name_prefix=f"limner-{process}")
    return _pools[process][1]
