"""Kernels that are compiled before a fit are those that it calls."""

from collections.abc import Callable
from threading import Event, Thread
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from numba import typeof

import limner
from limner.cpu import cells, gains
from limner.kernels import coverage, layout, over
from limner.painting.fit import kernels, steps
from limner.painting.fit.goal import Goal
from limner.painting.fit.moves import Style

CALLED: list[tuple[ModuleType, str]] = [
    (cells, "find_outlines"),
    (layout, "lay_out"),
    (layout, "find_room"),
    (gains, "sum_under"),
    (gains, "worth"),
    (over, "forward"),
    (over, "backward"),
    (coverage, "forward"),
    (coverage, "backward"),
    (steps, "step"),
    (steps, "hold"),
]
Types = tuple[Any, ...]
pytestmark = pytest.mark.usefixtures("quick")


def known(kernel: Any, arguments: tuple[Any, ...]) -> tuple[str, Types]:
    return f"{kernel.py_func.__module__}.{kernel.py_func.__name__}", tuple(map(typeof, arguments))


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, Types]]:
    """Kernels that are called, and the types of their arguments."""
    seen: set[tuple[str, Types]] = set()

    def noted(kernel: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            seen.add(known(kernel, arguments))
            return kernel(*arguments)

        call.py_func = kernel.py_func
        return call

    for module, name in CALLED:
        monkeypatch.setattr(module, name, noted(getattr(module, name)))
    return seen


@pytest.fixture
def readied(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, Types]]:
    """Those that would have been compiled before."""
    seen: set[tuple[str, Types]] = set()
    monkeypatch.setattr(kernels, "compile_ahead", lambda needed, _: seen.update(known(*each) for each in needed))
    kernels._made_ready.cache_clear()
    return seen


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((72, 60), {}),
        ((72, 60), {"fill": "gradient", "background": "transparent"}),
        ((72, 60, 3), {"opacity": "opaque"}),
        ((72, 60, 3), {"fill": "gradient"}),
        ((72, 60, 3), {"fill": "gradient", "opacity": 0.5, "background": "transparent"}),
        ((72, 60, 3), {"background": "transparent"}),
        ((72, 60, 3), {"palette": ["black", "white"], "upright": True}),
        ((24, 30, 3), {}),
    ],
    ids=str,
)
def test_a_fit_calls_what_was_made_ready(
    shape: tuple[int, ...], options: dict[str, Any], readied: set, called: set
) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    limner.paint(picture, 30, **options)
    assert called == readied


def test_of_several_threads_one_has_kernels_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, calls = Event(), Event(), []

    def compiling(needed: object, processes: int) -> None:
        calls.append(processes)
        begun.set()
        go_on.wait()

    monkeypatch.setattr(kernels, "compile_ahead", compiling)
    kernels._made_ready.cache_clear()
    goal, style = Goal(torch.zeros(3, 40, 50)), Style()
    threads = [Thread(target=kernels.make_ready, args=(goal, style)) for _ in range(2)]
    threads[0].start()
    begun.wait()
    threads[1].start()
    try:
        assert kernels._readying.locked()
    finally:
        go_on.set()
        for thread in threads:
            thread.join()
    assert len(calls) == 1


def test_masks_without_an_outline_take_one_sample(readied: set, called: set) -> None:
    noise = limner.TemplateBank(limner.TemplateBank.named("circle").masks * 0.5)
    limner.paint(np.random.default_rng(0).integers(0, 256, (72, 60, 3), np.uint8), 30, templates=noise)
    assert called == readied
    assert not [name for name, _ in called if "coverage" in name]
