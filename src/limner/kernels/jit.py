"""Compiling: once per machine, cached on disk where that is possible."""

import warnings
from functools import cache
from inspect import unwrap
from pathlib import Path
from typing import Any
from zlib import crc32

from numba import njit
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering

OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "reassoc", "nsz"},
    "_nrt": False,
}
"""Without `_nrt` a function can make no arrays, and numba counts no references to them, which is a call each time."""


def kernel(function):
    """`function` compiled at first use, to run without the interpreter lock, and cached on disk.

    It is given the arrays that it works in, on a `desk`. Where nothing can be written the kernel is compiled anew in
    every process, with a warning.
    """
    function = unwrap(function)
    function.__qualname__ += f"_{_sources()}"  # numba looks at a kernel's own file only, not at its parts
    try:
        return njit(cache=True, no_cfunc_wrapper=True, **OPTIONS)(function)
    except RuntimeError:  # numba found no folder to write to
        _warn()
        return njit(no_cfunc_wrapper=True, **OPTIONS)(function)


@cache
def _sources() -> str:
    """A mark of all that kernels are made from."""
    sources = (path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    return f"{crc32(b''.join(sources)):08x}"


@cache
def _warn() -> None:
    warnings.warn("limner: no writable cache folder, so kernels are compiled in every run", stacklevel=3)


def inlined(function):
    """A part of kernels. Unwrapped, as kernels are: the shape checks of the tests are no code that numba compiles."""
    options = {"forceinline": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True, **OPTIONS}
    return njit(pipeline_class=_PartCompiler, **options)(unwrap(function))


class _PartLibrary(JITCodeLibrary):
    """Code of a part: optimised and made machine code only in the kernels that it becomes part of."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class _PartLowering(NativeLowering):
    """Lowers a part into such a library, and makes it known to the kernels that call it."""

    _name = "part_lowering"

    def run_pass(self, state) -> bool:
        state.library = _PartLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        part = object().__sizeof__  # numba knows a function by some builtin of its own
        state.targetctx.insert_user_function(part, state.cr.fndesc, [state.library])
        state.cr = state.cr._replace(cfunc=part)
        return True


class _PartCompiler(CompilerBase):
    """numba's compiler with that lowering."""

    def define_pipelines(self):
        line = DefaultPassBuilder.define_nopython_pipeline(self.state)
        line.passes = [(_PartLowering if step is NativeLowering else step, name) for step, name in line.passes]
        line.finalize()
        return [line]


@inlined
def on(switch):
    """Whether a switch that is None or something is set, which is known when a kernel is compiled."""
    return switch is not None
