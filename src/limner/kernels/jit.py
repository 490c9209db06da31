"""Compiling: once per machine, cached on disk where that is possible."""

from functools import cache
from inspect import unwrap
from pathlib import Path
from typing import Any
from zlib import crc32

from numba import config, njit

from limner.errors import UserError
from limner.kernels.compiling import KernelCache, KernelCompiler, PartCompiler, warn_of_no_cache

OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "reassoc", "nsz"},
    "_nrt": False,
    "no_cfunc_wrapper": True,
}
"""Without `_nrt` a function can make no arrays, and numba counts no references to them, which is a call each time. C
callers, which there are none of, would need another wrapper."""


def kernel(function) -> Any:
    """`function` compiled at first use, to run without the interpreter lock, and cached on disk.

    It is given the arrays that it works in, on a `desk`. Where nothing can be written the kernel is compiled anew in
    every process, with a warning.
    """
    if config.DISABLE_JIT:  # pyright: ignore[reportAttributeAccessIssue]
        return _refused
    function = unwrap(function)
    function.__qualname__ += f"_{_sources()}"  # numba looks at a kernel's own file only, not at its parts
    compiled: Any = njit(pipeline_class=KernelCompiler, **OPTIONS)(function)
    try:
        compiled._cache = KernelCache(function)
    except RuntimeError:  # numba found no folder to write to
        warn_of_no_cache()
    return compiled


def _refused(*_: object) -> None:
    raise UserError("NUMBA_DISABLE_JIT is set, but kernels run compiled only: unset it, or render by the reference")


@cache
def _sources() -> str:
    """A mark of all that kernels are made from."""
    sources = (path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    return f"{crc32(b''.join(sources)):08x}"


def inlined(function) -> Any:
    """A part of kernels. Unwrapped, as kernels are: the shape checks of the tests are no code that numba compiles."""
    options = {"forceinline": True, "no_cpython_wrapper": True, **OPTIONS}
    return njit(pipeline_class=PartCompiler, **options)(unwrap(function))


@inlined
def on(switch):
    """Whether a switch that is None or something is set, which is known when a kernel is compiled."""
    return switch is not None
