"""How a function becomes a kernel for a GPU; under TRITON_INTERPRET=1, one that runs on any machine, slowly."""

import inspect
from collections.abc import Callable
from typing import Any

import triton

NUMBERS = ("height", "width", "columns", "tiles", "moves", "bank_stride", "size", "count", "levels_a_side")
"""Arguments of kernels that are not worth compiling anew where they are 1 or a multiple of 16."""


def kernel(function: Callable) -> Any:
    """Compiled by Triton at its first call, as it stands in the file: without the checks that tests wrap it in."""
    function = inspect.unwrap(function)
    return triton.jit(function, do_not_specialize=list(NUMBERS))  # pyright: ignore[reportCallIssue]


def launch(function: Any, programs: int, *arrays_and_numbers, **switches) -> None:
    """Run so many programs of a kernel."""
    if programs:
        function[(programs,)](*arrays_and_numbers, **switches, enable_fp_fusion=True)
