"""Kernels and their parts. The kernel here is not cached, so that its parts are compiled."""

import gc
import signal

import numpy as np
import pytest
from numba import njit
from numba.core.caching import FunctionCache
from numba.core.compiler import Compiler
from numba.extending import overload

from limner.kernels.compiling import KernelCache, KernelCompiler
from limner.kernels.jit import OPTIONS, inlined
from limner.signals import handled


@inlined
def doubled(number):
    return 2 * number


@inlined
def tripled(number):
    return doubled(number) + number


@njit(pipeline_class=KernelCompiler, **OPTIONS)
def sixfold(numbers):
    for k in range(len(numbers)):
        numbers[k] = tripled(doubled(numbers[k]))


@pytest.mark.parametrize("kind", [np.float32, np.int64])
def test_kernels_are_made_of_parts(kind: type) -> None:
    sixfold(numbers := np.arange(5).astype(kind))
    np.testing.assert_array_equal(numbers, 6 * np.arange(5))


def test_parts_have_no_machine_code_but_in_kernels() -> None:
    sixfold(np.zeros(1))
    part = tripled.overloads[tripled.signatures[0]]
    name = part.fndesc.llvm_func_name
    assert part.library.get_pointer_to_function(name) == 0
    assert not [line for line in sixfold.inspect_asm(sixfold.signatures[0]).splitlines() if line.startswith(f"{name}:")]


def test_python_cannot_call_parts() -> None:
    with pytest.raises(ValueError, match="remove"):
        doubled(1)


@pytest.mark.parametrize("searching", [True, False])
def test_no_garbage_is_searched_for_meanwhile(searching: bool) -> None:
    seen = []

    def look() -> None:
        """Something that numba has to compile."""

    @overload(look)
    def compiled():
        seen.append(gc.isenabled())
        return lambda: None

    (gc.enable if searching else gc.disable)()
    try:
        njit(pipeline_class=KernelCompiler, **OPTIONS)(lambda: look())()
        assert gc.isenabled() == searching
    finally:
        gc.enable()
    assert seen
    assert not any(seen)


@pytest.mark.parametrize("what", ["compile", "load"])
def test_an_interrupt_waits_until_a_kernel_is_ready(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python called back by LLVM cannot be left by an exception."""
    heard, seen = [], []

    def interrupt(*_) -> None:
        signal.raise_signal(signal.SIGTERM)
        seen.extend(heard)

    with handled(lambda number, frame: heard.append(number), signal.SIGTERM):
        if what == "compile":
            monkeypatch.setattr(Compiler, "compile_extra", interrupt)
            KernelCompiler.compile_extra(object.__new__(KernelCompiler), None)
        else:
            monkeypatch.setattr(FunctionCache, "_load_overload", interrupt)
            KernelCache(sixfold.py_func).load_overload(None, None)
    assert heard == [signal.SIGTERM]
    assert seen == []
