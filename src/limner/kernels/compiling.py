"""How numba is to compile kernels and their parts: `docs/log.md` says what it saves.

numba optimises every function that another calls, with all that this calls, and makes machine code of it, although the
kernels that it is inlined into have copies of their own. Parts are spared that.
"""

import gc
import inspect
import pickle
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path
from zlib import crc32

from numba import config
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile, InTreeCacheLocator
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler, CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering

from limner.signals import held


class KernelCompiler(Compiler):
    """numba's compiler, without a search for garbage now and then among all that torch has made.

    LLVM calls Python back, where an exception is lost: so Ctrl-C waits.
    """

    def compile_extra(self, func):
        searching = gc.isenabled()
        gc.disable()
        try:
            with held():
                return super().compile_extra(func)
        finally:
            if searching:
                gc.enable()


class CheckedFiles(IndexDataCacheFile):
    """numba's files of a kernel, with a checksum each: damaged machine code would crash the process.

    others: where it is looked for next; those that cannot be read are as none.
    """

    def __init__(self, folder, name, stamp, others: "CheckedFiles | None" = None):
        super().__init__(folder, name, stamp)
        self._others = others

    def has(self, key) -> bool:
        return key in self._load_index() or bool(self._others and self._others.has(key))

    def load(self, key):
        found = super().load(key)
        if found is None and self._others:
            with suppress(Exception):  # unpickling ends in any
                return self._others.load(key)
        return found

    def _dump(self, obj):
        content = super()._dump(obj)
        return content + crc32(content).to_bytes(4)

    def _load_data(self, name):
        content = Path(self._data_path(name)).read_bytes()
        if crc32(content[:-4]) != int.from_bytes(content[-4:]):
            raise ValueError(f"{name} is damaged")
        return pickle.loads(content[:-4])


class Installed(InTreeCacheLocator):
    """Beside the package, where others have put kernels, to read only: say, in an image of a container."""

    def ensure_cache_path(self):
        if config.CACHE_DIR:  # pyright: ignore[reportAttributeAccessIssue]
            raise NotADirectoryError("another folder is wanted")


class Kept(CompileResultCacheImpl):
    """Where numba keeps a kernel; at last, where it is only read from."""

    _locator_classes = (*CompileResultCacheImpl._locator_classes, Installed)


class KernelCache(FunctionCache):
    """numba's cache, but it does not get ready to compile, which loads scipy, before it has looked for a kernel.

    Without a folder of one's own choice, a kernel is looked for beside the package, too. One that cannot be kept, on a
    full disk, is used all the same. What is kept of one and is damaged, as a power cut may leave it, is forgotten.
    """

    _impl_class = Kept

    def __init__(self, function):
        super().__init__(function)
        locator, name = self._impl.locator, self._impl.filename_base
        stamp = locator.get_source_stamp()
        beside = isinstance(locator, InTreeCacheLocator)
        installed = None if beside else Installed.from_function(function, inspect.getfile(function))
        others = CheckedFiles(installed.get_cache_path(), name, stamp) if installed else None
        self._cache_file = CheckedFiles(self._cache_path, name, stamp, others)
        self.keeps = not isinstance(locator, Installed)

    def load_overload(self, sig, target_context):
        try:
            with held(), self._guard_against_spurious_io_errors():
                return self._load_overload(sig, target_context)
        except Exception:  # as above
            with suppress(OSError):
                self.flush()

    def has(self, sig, target_context) -> bool:
        """Whether a kernel for these types is kept."""
        try:
            return self._cache_file.has(self._index_key(sig, target_context.codegen()))
        except Exception:  # as above
            return False

    def save_overload(self, sig, data):
        try:
            super().save_overload(sig, data)
        except OSError:
            warn_of_no_cache()


@cache
def warn_of_no_cache() -> None:
    """Once."""
    found = "no writable cache folder, so kernels are compiled in every run"
    warnings.warn(f"limner: {found}: set NUMBA_CACHE_DIR to one that can be written to", stacklevel=3)


class PartLibrary(JITCodeLibrary):
    """Code of a part: optimised as a whole, and made machine code, only in the kernels that it becomes part of."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class PartLowering(NativeLowering):
    """Lowers a part into such a library, and makes it known to the kernels that call it."""

    _name = "part_lowering"

    def run_pass(self, state):
        state.library = PartLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        part = [].remove  # numba knows a function by a builtin of its own, and this one raises if Python calls it
        state.targetctx.insert_user_function(part, state.cr.fndesc, [state.library])
        state.cr = state.cr._replace(cfunc=part)
        return True


class PartCompiler(CompilerBase):
    """numba's compiler for parts."""

    def define_pipelines(self):
        line = DefaultPassBuilder.define_nopython_pipeline(self.state)
        line.passes = [(PartLowering if step is NativeLowering else step, name) for step, name in line.passes]
        line.finalize()
        return [line]
