"""Data sets: synthetic shapes with ground truth, and the thesis' real images, all held as ink: 1 is black, 0 paper."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from limner.data.settings import Data

if TYPE_CHECKING:
    from limner.data.images import Images
    from limner.data.loading import load

__all__ = ["Data", "Images", "load"]

_HOME = {"Images": "images", "load": "loading"}


def __getattr__(name: str) -> Any:
    """Import at first use what needs torch."""
    if name not in _HOME:
        raise AttributeError(f"module 'limner.data' has no attribute '{name}'")
    return getattr(import_module(f"limner.data.{_HOME[name]}"), name)
