"""Compiling kernels before they are called, several at once: numba compiles one after the other in a process."""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Lock, Thread
from typing import Any, NamedTuple

from numba import typeof
from numba.core import event

from limner.kernels.compiling import KernelCache
from limner.signals import sparing_children

MOST = 6
"""Processes that are worth it: the kernel that takes longest takes a fifth of the time that all do."""

Task = tuple[str, str, list[Any]]
"""Module and name of a kernel, and the types of arguments to compile it for."""

_compiling = Lock()
"""Of several threads that need a kernel, the first has it compiled, and the others find it."""
if hasattr(os, "register_at_fork"):  # a child has not the thread that may hold it
    os.register_at_fork(after_in_child=lambda: _compiling.locked() and _compiling.release())


class Needed(NamedTuple):
    """A kernel, and values of the types that it is going to be called with."""

    kernel: Any
    arguments: tuple[Any, ...]


def compile_ahead(needed: Iterable[Needed], processes: int) -> None:
    """What the cache on disk has not of these kernels, in at most so many processes, to which they are dealt in turn.

    Does nothing where that would not help. What fails here is left for when it is called. The processes are not those
    of `workers`, which run the script that began this one anew, and so need it to be guarded.
    """
    if "python" not in Path(sys.executable or "").name.lower():  # but a program that Python is part of
        return
    with _compiling:
        tasks = _missing(needed)
        count = min(len(tasks), processes, MOST)
        if count > 1:
            _compile_all(dealt(tasks, count))


def _missing(needed: Iterable[Needed]) -> list[Task]:
    """What the cache has not."""
    missing: dict[Any, dict[Any, None]] = {}
    for kernel, arguments in needed:
        if not _known(kernel, types := tuple(map(typeof, arguments))):
            missing.setdefault(kernel, {})[types] = None
    return [(kernel.py_func.__module__, kernel.py_func.__name__, [*types]) for kernel, types in missing.items()]


def _compile_all(shares: Iterable[list[Task]]) -> None:
    """A process for each share."""
    workers = []
    with event.trigger_event("numba:compile", {"name": __name__}), suppress(Exception):
        try:
            for share in shares:
                workers.append(_started(share))
            for worker in workers:
                worker.wait()
        finally:
            for worker in workers:
                worker.kill()
                worker.communicate()


def dealt(tasks: Sequence[Any], count: int) -> list[list[Any]]:
    """Tasks for so many, from the first to the last and back: where the longest come first, nobody has much more."""
    turns = [*range(count), *reversed(range(count))]
    shares = [[] for _ in range(count)]
    for k, task in enumerate(tasks):
        shares[turns[k % len(turns)]].append(task)
    return shares


def _known(kernel: Any, types: tuple[Any, ...]) -> bool:
    """Whether a kernel need not be compiled, or could not be kept."""
    cache = getattr(kernel, "_cache", None)  # which those have not that may not be compiled
    if not (isinstance(cache, KernelCache) and cache.keeps):
        return True
    return types in kernel.overloads or cache.has(types, kernel.targetctx)


def _started(tasks: list[Task]) -> subprocess.Popen:
    """A process that compiles kernels."""
    command = [sys.executable, "-P", "-c", f"from {__name__} import _compile; _compile()"]
    here = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if isinstance(path, str))}
    quiet = subprocess.DEVNULL
    with sparing_children():
        worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, env=here)
    assert worker.stdin
    with suppress(OSError):  # it may have ended
        pickle.dump(tasks, worker.stdin)
        worker.stdin.flush()
    return worker


def _compile() -> None:
    """Compile what standard input names; it is empty then, since Windows stops who loads a library while it is read."""
    tasks = pickle.load(sys.stdin.buffer)
    end, nothing = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    Thread(target=_end_with_parent, args=[end], daemon=True).start()
    for module, name, wanted in tasks:
        for types in wanted:
            getattr(import_module(module), name).compile(types)


def _end_with_parent(end: int) -> None:
    """End this process when nobody holds the other end of this pipe any more."""
    os.read(end, 1)
    os._exit(1)
