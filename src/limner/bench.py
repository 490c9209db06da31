"""The benches, which lie in `benchmarks/` of a checkout and not in the installed package."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

from limner.errors import UserError

FOLDER = Path(__file__).parents[2] / "benchmarks"


def __getattr__(name: str) -> ModuleType:
    """A bench by name, loaded from its file; UserError where there is no checkout."""
    if name not in ("engine", "paint"):
        raise AttributeError(f"module 'limner.bench' has no attribute '{name}'")
    if not (FOLDER / f"{name}.py").is_file():
        raise UserError(f"bench {name}: needs a checkout of limner's repository, with its folder benchmarks")
    if str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))
    return import_module(name)
