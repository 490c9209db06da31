"""limner paints: it rebuilds images from a limited set of brush templates."""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from limner.experiments.runs import load
    from limner.painting.films.clip import Clip
    from limner.painting.films.paint_clip import paint_clip
    from limner.painting.paint import paint
    from limner.painting.painting import Painting
    from limner.painting.styles import STYLES
    from limner.strokes import Strokes
    from limner.templates import TemplateBank
    from limner.writer import TemplateWriter, render

__all__ = [
    "STYLES",
    "Clip",
    "Painting",
    "Strokes",
    "TemplateBank",
    "TemplateWriter",
    "load",
    "paint",
    "paint_clip",
    "render",
]

_HOME = {
    "STYLES": "painting.styles",
    "Clip": "painting.films.clip",
    "Painting": "painting.painting",
    "Strokes": "strokes",
    "TemplateBank": "templates",
    "load": "experiments.runs",
    "paint": "painting.paint",
    "paint_clip": "painting.films.paint_clip",
}


def __getattr__(name: str) -> Any:
    """Import public names and modules at first use, so that `limner --help` need not wait for torch."""
    if name == "__version__":
        from importlib.metadata import version  # takes longer than all that `import limner` needs

        return version("limner")
    if name not in __all__:
        if name.isidentifier() and not name.startswith("_") and find_spec(f"limner.{name}"):
            return import_module(f"limner.{name}")
        raise AttributeError(f"module 'limner' has no attribute '{name}'")
    value = getattr(import_module(f"limner.{_HOME.get(name, 'writer')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
