"""Trained models that come with the package, each a run's folder with a card; `benchmarks/ship.py` makes them."""

from pathlib import Path

SETTINGS = "settings.json"
FOLDER = Path(__file__).resolve().parents[1] / "weights"


def names() -> list[str]:
    """What `limner.load` and `limner paint --model` know by name."""
    return sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


def folder(run: str | Path) -> Path:
    """The folder of a run: the path as it is, or that of a shipped model where only a name is given.

    A run of that name that is there comes first.
    """
    path = Path(run)
    return FOLDER / path if str(path) in names() and not (path / SETTINGS).exists() else path
