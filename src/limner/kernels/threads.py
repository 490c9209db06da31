"""Sharing a kernel's tasks among threads that sleep when idle.

The tasks are cut into groups that depend on the problem only, and each group is worked by one thread, so that the same
sums are formed in the same order whatever the number of threads. Groups are taken one by one: a thread that is held up
by another process takes fewer.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

import torch

WORTH = 1 << 18
"""Touched pixels for which waking another thread pays."""

_allowed: ContextVar[int | None] = ContextVar("_allowed", default=None)


@contextmanager
def for_kernels_only() -> Iterator[None]:
    """Give torch's threads to the kernels alone, and let torch itself work on one.

    Torch's threads spin while they wait for each other, which costs more than it gains on small tensors, and very much
    more while another process holds a core.
    """
    threads = torch.get_num_threads()
    token = _allowed.set(_allowed.get() or threads)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        _allowed.reset(token)


def run(job: Callable[[int, int, int], None], tasks: int, groups: int, work: int, split: bool = False) -> None:
    """Call job(first, last, group) over all tasks, on as many threads as torch is set to use and the work is worth.

    `split`: keep the groups apart on a single thread too.
    """
    groups = min(groups, tasks)
    threads = min(_allowed.get() or torch.get_num_threads(), groups, 1 + work // WORTH)
    if threads < 2 and not split:
        job(0, tasks, 0)
        return
    ticket = itertools.count()

    def drain() -> None:
        while (group := next(ticket)) < groups:
            job(group * tasks // groups, (group + 1) * tasks // groups, group)

    helpers = [_pool(os.getpid(), threads).submit(drain) for _ in range(threads - 1)]
    drain()
    for helper in helpers:
        if not helper.cancel():
            helper.result()


@cache
def _pool(process: int, threads: int) -> ThreadPoolExecutor:
    """Threads of this process: a fork does not inherit them."""
    return ThreadPoolExecutor(threads - 1, thread_name_prefix=f"limner-{process}")
