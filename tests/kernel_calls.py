"""Which kernels are called, and for arguments of which types."""

from collections.abc import Callable, Container
from types import ModuleType
from typing import Any

import pytest
from numba import typeof

from limner.cpu import cells, gains
from limner.kernels import coverage, depth, layout, over
from limner.painting.fit import steps

Call = tuple[str, tuple[Any, ...]]
KERNELS: list[tuple[ModuleType, str]] = [
    (cells, "find_outlines"),
    (layout, "lay_out"),
    (layout, "find_room"),
    (gains, "sum_under"),
    (gains, "worth"),
    (over, "forward"),
    (over, "backward"),
    (coverage, "forward"),
    (coverage, "backward"),
    (depth, "forward"),
    (depth, "backward"),
    (steps, "step"),
    (steps, "hold"),
]


def call_of(kernel: Any, arguments: tuple[Any, ...]) -> Call:
    return f"{kernel.py_func.__module__}.{kernel.py_func.__name__}", tuple(map(typeof, arguments))


def noting_calls(monkeypatch: pytest.MonkeyPatch, skipped: Container[str] = ()) -> set[Call]:
    """Those from now on; those of `skipped` names are not done."""
    seen: set[Call] = set()

    def noted(kernel: Callable[..., Any], done: bool) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            seen.add(call_of(kernel, arguments))
            return kernel(*arguments) if done else None

        call.py_func = kernel.py_func
        return call

    for module, name in KERNELS:
        monkeypatch.setattr(module, name, noted(getattr(module, name), name not in skipped))
    return seen
