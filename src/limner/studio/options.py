"""What `limner studio` can be asked; light to import, since the command line's help is made of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import FlagCreatePairsOff, Positional, arg

from limner.flags import within


@dataclass(frozen=True)
class StudioOptions:
    """Paint in the browser: choose, watch it grow, brush over what matters, save."""

    photo: Annotated[Positional[Path | None], arg(metavar="[PHOTO]", help_behavior_hint="")] = None
    """A picture to begin with; the page takes others."""
    port: Annotated[int, arg(metavar="N", help_behavior_hint="(default: any that is free)")] = 0
    """Where the page is served, at 127.0.0.1."""
    no_browser: Annotated[bool, FlagCreatePairsOff, arg(help_behavior_hint="")] = False
    """Only say where the page is, and open it in no browser."""

    def check(self) -> None:
        """Raise UserError for values that make no sense."""
        within("--port", self.port, 0, 65535)
