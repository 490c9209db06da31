"""Compiling: once per machine, cached on disk where that is possible."""

import warnings
from functools import cache
from inspect import unwrap

from numba import njit

OPTIONS = {"nogil": True, "error_model": "numpy", "fastmath": {"contract", "reassoc", "nsz"}}


def kernel(function):
    """`function` compiled at first use, to run without the interpreter lock, and cached on disk.

    Where nothing can be written the kernel is compiled anew in every process, with a warning.
    """
    try:
        return njit(cache=True, **OPTIONS)(unwrap(function))
    except RuntimeError:  # numba found no folder to write to
        _warn()
        return njit(**OPTIONS)(unwrap(function))


@cache
def _warn() -> None:
    warnings.warn("limner: no writable cache folder, so kernels are compiled in every run", stacklevel=3)


def inlined(function):
    """A part of kernels. Unwrapped, as kernels are: the shape checks of the tests are no code that numba compiles."""
    return njit(**OPTIONS)(unwrap(function))
