"""From settings to a model."""

from limner.errors import UserError
from limner.models.air import Air
from limner.models.autoencoder import Autoencoder
from limner.models.draw import Draw
from limner.models.painter import Painter
from limner.models.settings import PAINTERS, Model

Network = Painter | Autoencoder | Draw | Air

KINDS: dict[str, type[Network]] = {
    **dict.fromkeys(PAINTERS, Painter),
    "autoencoder": Autoencoder,
    **dict.fromkeys(("draw", "t-draw"), Draw),
    **dict.fromkeys(("air", "t-air"), Air),
}


def build(settings: Model, size: tuple[int, int], channels: int) -> Network:
    """The model that `settings` asks for, for images of `size` (height, width); UserError where it makes no sense."""
    check(settings)
    return KINDS[settings.kind](settings, size, channels)


def check(settings: Model) -> None:
    """Raise UserError for settings that contradict each other."""
    if settings.moves < 1:
        raise UserError(f"--model.moves {settings.moves}: expected at least 1")
    if settings.order != "fixed" and settings.kind not in ("simple", "recurrent", "conv"):
        raise UserError(
            f"--model.order {settings.order} works for kinds simple, recurrent and conv, not {settings.kind}"
        )
    if min(settings.temperature, settings.temperature_end) <= 0:
        raise UserError("--model.temperature and --model.temperature-end must be above 0")
    if settings.sigma > 0 and not settings.latent and settings.kind not in ("draw", "t-draw", "air", "t-air"):
        raise UserError(f"--model.sigma {settings.sigma:g} needs a latent code to put noise on: give --model.latent")
