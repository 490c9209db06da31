"""Compiling kernels before they are called, in other processes."""

import errno
import os
import pickle
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import typeof

from limner.kernels import ahead
from limner.kernels.ahead import Needed, compile_ahead, dealt
from limner.kernels.layout import find_room
from limner.painting.fit import steps
from limner.painting.fit.kernels import stepping

ROOM = Needed(find_room, (np.zeros((1, 1, 2), np.int64), np.zeros((1, 1, 2), np.int64), True, 0))
COLD = """
import numpy as np
from numba.core import event
from limner.kernels.ahead import Needed, compile_ahead
from limner.kernels.layout import find_room
from limner.painting.fit import steps
from limner.painting.fit.kernels import stepping

def compiled():
    seen = [each for _, each in heard.buffer if each.is_start]
    heard.buffer.clear()
    return [str(each.data.get("dispatcher", "ahead")) for each in seen]

with event.install_recorder("numba:compile") as heard:
    room = Needed(find_room, (np.ones((1, 1, 2), np.int64), np.zeros((1, 1, 2), np.int64), False, 0))
    hold = list(stepping())[1]
    compile_ahead([room, hold], 2)
    print(compiled())
    assert find_room(*room.arguments) == 2
    steps.hold(*hold.arguments)
    print(compiled())
    compile_ahead([room, hold], 2)
    print(compiled())
"""


def test_what_is_compiled_ahead_is_not_when_it_is_called(tmp_path: Path) -> None:
    """With an empty cache, and in a process of its own, which has no kernel yet."""
    command, here = [sys.executable, "-W", "error", "-c", COLD], os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    for first in ("['ahead']", "[]"):  # the second process finds all in the cache
        said = subprocess.run(command, env=here, capture_output=True, text=True, check=False)
        assert said.stdout.splitlines() == [first, "[]", "[]"], said.stderr


@given(tasks=st.lists(st.integers()), count=st.integers(1, 5))
def test_all_tasks_are_dealt_once(tasks: list[int], count: int) -> None:
    shares = dealt(tasks, count)
    assert len(shares) == count
    assert sorted(task for share in shares for task in share) == sorted(tasks)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_tasks_are_dealt_to_and_fro() -> None:
    assert dealt("abcdefg", 2) == [["a", "d", "e"], ["b", "c", "f", "g"]]
    assert dealt("abcde", 3) == [["a"], ["b", "e"], ["c", "d"]]


@given(times=st.lists(st.integers(1, 9), max_size=12), count=st.integers(1, 4))
def test_nobody_gets_much_more_than_others(times: list[int], count: int) -> None:
    """With the longest first, and dealt to and fro."""
    sums = [sum(share) for share in dealt(sorted(times, reverse=True), count)]
    assert max(sums) - min(sums) <= max(times, default=0)


class Worker:
    """In place of a process."""

    ended = 0

    def wait(self) -> None: ...

    def communicate(self) -> None: ...

    def kill(self) -> None:
        Worker.ended += 1


@pytest.fixture
def given_away(monkeypatch: pytest.MonkeyPatch) -> list[list[tuple[str, str, list[Any]]]]:
    """What processes are given; none is started."""
    seen: list[list[tuple[str, str, list[Any]]]] = []

    def started(tasks: list[tuple[str, str, list[Any]]]) -> Worker:
        seen.append(tasks)
        return Worker()

    monkeypatch.setattr(ahead, "_started", started)
    return seen


def strange(needed: Needed) -> Needed:
    """For arguments for which nothing compiles it."""
    return needed._replace(arguments=(*needed.arguments, "strange"))


def test_kernels_are_told_by_their_names_and_types(given_away: list[list[tuple[str, str, list[Any]]]]) -> None:
    step, hold = map(strange, stepping())
    find_room(*ROOM.arguments)
    compile_ahead([step, ROOM, hold, step._replace(arguments=(0,)), hold], 8)
    (first, second), kinds = given_away, [tuple(map(typeof, each.arguments)) for each in (step, hold)]
    assert first == [("limner.painting.fit.steps", "step", [kinds[0], (typeof(0),)])]
    assert second == [("limner.painting.fit.steps", "hold", [kinds[1]])]


def test_what_is_known_is_left_alone(given_away: list[list[tuple[str, str, list[Any]]]]) -> None:
    step, hold = stepping()
    for kernel, arguments in (ROOM, hold):
        kernel(*arguments)
    compile_ahead([ROOM, strange(step), hold], 8)  # one is as soon compiled here
    assert given_away == []


@pytest.mark.parametrize(("processes", "executable"), [(1, sys.executable), (2, ""), (2, None), (2, "studio")])
def test_where_no_process_can_help(
    processes: int, executable: str, given_away: list[list[tuple[str, str, list[Any]]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    compile_ahead(map(strange, stepping()), processes)
    assert given_away == []


def test_kernels_that_cannot_be_kept(
    given_away: list[list[tuple[str, str, list[Any]]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps.step, "_cache", None)
    compile_ahead(map(strange, [*stepping(), ROOM]), 2)
    assert sorted(name for share in given_away for _, name, _ in share) == ["find_room", "hold"]


def test_whatever_fails_is_left_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(tasks: object) -> None:
        raise TypeError("an odd entry of sys.path, say")

    monkeypatch.setattr(ahead, "_started", failing)
    compile_ahead(map(strange, [*stepping(), ROOM]), 3)


def test_a_process_ends_with_its_parent(tmp_path: Path) -> None:
    """By reading of a pipe that nobody holds any more; its path has an entry that is no text."""
    tasks = [("time", "sleep", [])]
    code = (
        f"import os, sys, time; from pathlib import Path; sys.path.append(Path('{tmp_path}'))\n"
        f"from limner.kernels import ahead; worker = ahead._started({tasks!r}); print(worker.pid, flush=True)\n"
        "worker.wait()"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], env=dict(os.environ), capture_output=True, text=True, check=True
    )
    assert said.stdout.strip().isdigit()
    slow = (
        "import os, sys; from limner.kernels import ahead\n"
        "from threading import Event; ahead.import_module = lambda name: Event().wait()\n"
        "ahead._compile()"
    )
    with subprocess.Popen([sys.executable, "-c", slow], stdin=subprocess.PIPE, env=dict(os.environ)) as worker:
        try:
            assert worker.stdin
            worker.stdin.write(pickle.dumps([("module", "name", ["types"])]))
            worker.stdin.close()
            assert worker.wait(30) == 1
        finally:
            worker.kill()


def test_nothing_reads_standard_input_while_libraries_are_loaded() -> None:
    """Else Windows stops a process that loads scipy, whose Fortran asks what standard input is."""
    code = (
        "import os, stat; from limner.kernels import ahead\n"
        "ahead.import_module = lambda name: print(stat.S_ISFIFO(os.fstat(0).st_mode)) or os._exit(0)\n"
        "ahead._compile()"
    )
    command = [sys.executable, "-u", "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(os.environ)) as worker:
        assert worker.stdin
        assert worker.stdout
        worker.stdin.write(pickle.dumps([("module", "name", ["types"])]))
        worker.stdin.flush()
        assert worker.stdout.read().split() == [b"False"]


@pytest.mark.parametrize("executable", ["no such program", "ends at once"])
def test_processes_that_fail(executable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / f"python that is {executable}"
    if executable == "ends at once":
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    compile_ahead(map(strange, [*stepping(), ROOM]), 3)


def test_a_process_that_has_ended_takes_no_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Windows says it."""

    class Pipe:
        def write(self, content: bytes) -> None:
            raise OSError(errno.EINVAL, "Invalid argument")

    class Ended(subprocess.Popen):
        def __init__(self, *_: object, **__: object) -> None:
            self.stdin: Any = Pipe()

    monkeypatch.setattr(subprocess, "Popen", Ended)
    assert isinstance(ahead._started([]), Ended)


def test_an_interrupt_ends_all_processes(
    given_away: list[list[tuple[str, str, list[Any]]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(worker: Worker) -> None:
        if not Worker.ended:
            raise KeyboardInterrupt

    monkeypatch.setattr(Worker, "wait", interrupt)
    monkeypatch.setattr(Worker, "ended", 0)
    with pytest.raises(KeyboardInterrupt):
        compile_ahead(map(strange, [*stepping(), ROOM]), 3)
    assert Worker.ended == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_does_not_wait_for_a_thread_that_it_has_not() -> None:
    """Not in this process, which has threads of its own."""
    code = (
        "import os\nfrom limner.kernels import ahead\nahead._compiling.acquire()\n"
        "if not os.fork():\n    assert ahead._compiling.acquire(timeout=9)\n    os._exit(7)\n"
        "assert ahead._compiling.locked()\n"
        "assert os.waitstatus_to_exitcode(os.wait()[1]) == 7"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr


def test_of_several_threads_one_has_kernels_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, shares = Event(), Event(), []

    def started(tasks: list[Any]) -> Worker:
        begun.set()
        go_on.wait()
        shares.append(tasks)
        return Worker()

    monkeypatch.setattr(ahead, "_started", started)
    monkeypatch.setattr(ahead, "_known", lambda kernel, types: len(shares) == 2)
    threads = [Thread(target=compile_ahead, args=(list(stepping()), 2)) for _ in range(2)]
    threads[0].start()
    begun.wait()
    threads[1].start()
    try:
        assert ahead._compiling.locked()
    finally:
        go_on.set()
        for thread in threads:
            thread.join()
    assert len(shares) == 2
