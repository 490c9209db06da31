"""DRAW with spatial transformers, and T-DRAW, which writes with templates (thesis 2.2.2, 4.1)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from limner.canvas import Canvas
from limner.models.code import Code, Coder, scored
from limner.models.initial import initialise
from limner.models.likelihood import likelihood
from limner.models.output import Output
from limner.models.settings import Model
from limner.models.window import PAPER, Attention, transform
from limner.models.writers import Writers
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import render

State = tuple[Float[Tensor, "batch hidden"], Float[Tensor, "batch hidden"]]

LATENT = 100
"""Size of the code of each move where `settings.latent` is 0 (Gregor et al. 2015, MNIST)."""


class Draw(nn.Module):
    """At every move: read the image and what is wrong with the canvas, code it, and write (eq. 2.7-2.12).

    kind draw: a move adds a patch of logits to the canvas, which a sigmoid shows; there are no strokes.
    kind t-draw: a move is a template writer's stroke, painted over the canvas.
    size: (height, width) of the images.  channels: 1 or 3.
    """

    def __init__(self, settings: Model, size: tuple[int, int], channels: int) -> None:
        super().__init__()
        self.settings, self.size, self.channels = settings, size, channels
        pixels = 2 * channels * settings.window**2
        self.attention = Attention(settings, settings.hidden)
        self.encoder = nn.LSTMCell(pixels + settings.hidden, settings.hidden)
        self.coder = Coder(settings, settings.hidden, settings.latent or LATENT)
        self.decoder = nn.LSTMCell(self.coder.size, settings.hidden)
        easel = Templates if settings.kind == "t-draw" else Patches
        self.easel = easel(settings, size, channels)
        self.likelihood = likelihood(settings)
        initialise(self, settings.init)

    @property
    def bank(self) -> TemplateBank | None:
        """The templates of t-draw."""
        return self.easel.writers.bank if isinstance(self.easel, Templates) else None

    def schedule(self, iteration: int) -> None:
        """Sharpen t-draw's choice of templates."""
        if isinstance(self.easel, Templates):
            self.easel.writers.writer.gamma = self.settings.gamma_at(iteration)

    def forward(self, images: Canvas) -> Output:
        """Reconstruct a batch; log_weight is there for a learnt sigma and a true likelihood."""
        painted, codes = self._moves(len(images), images)
        return scored(self.likelihood, images, painted, codes)

    def sample(self, count: int) -> Output:
        """Images of codes drawn from the prior (thesis 2.2.2)."""
        painted, _ = self._moves(count)
        return painted

    def _moves(self, count: int, images: Canvas | None = None) -> tuple[Output, list[Code]]:
        """What all moves paint, not yet scored, and the codes of what they read; of no images, drawn from the prior."""
        encoder, decoder, codes = self._start(count), self._start(count), []
        easel, side = self.easel, self.settings.window
        canvas = easel.blank(count)
        shown, strokes = [easel.shown(canvas)], []
        for _ in range(self.settings.moves):
            if images is None:
                z = self.coder.prior(count)
            else:
                both = torch.cat([images, images - shown[-1]], 1)
                read = transform(both, self.attention(decoder[0]), (side, side))
                encoder = self.encoder(torch.cat([read.flatten(1), decoder[0]], 1), encoder)
                codes.append(self.coder(encoder[0]))
                z = codes[-1].z
            decoder = self.decoder(z, decoder)
            canvas, stroke = easel(canvas, decoder[0])
            shown.append(easel.shown(canvas))
            strokes.append(stroke)
        if isinstance(easel, Templates):
            return Output(shown[-1], {}, Strokes.joined(strokes)), codes
        return Output(shown[-1], {}, steps=torch.stack(shown[1:], 1).detach()), codes

    def _start(self, count: int) -> State:
        zero = self.encoder.weight_hh.new_zeros(count, self.settings.hidden)
        return zero, zero


class Patches(nn.Module):
    """A canvas of logits that patches are added to (eq. 2.12); a sigmoid shows it."""

    def __init__(self, settings: Model, size: tuple[int, int], channels: int) -> None:
        super().__init__()
        self.size, shape = size, (channels, settings.window, settings.window)
        self.attention = Attention(settings, settings.hidden)
        self.patch = nn.Sequential(nn.Linear(settings.hidden, channels * settings.window**2), nn.Unflatten(1, shape))
        self.paper = nn.Parameter(torch.full((channels, 1, 1), PAPER))

    def blank(self, count: int) -> Canvas:
        """The first canvas."""
        return self.paper.expand(count, -1, *self.size)

    def shown(self, canvas: Canvas) -> Canvas:
        """The canvas as ink in [0, 1]."""
        return canvas.sigmoid()

    def forward(self, canvas: Canvas, h: Float[Tensor, "batch hidden"]) -> tuple[Canvas, None]:
        """The canvas after a move."""
        return canvas + transform(self.patch(h), self.attention(h), self.size), None


class Templates(nn.Module):
    """White paper that template writers paint over (thesis 4.1)."""

    def __init__(self, settings: Model, size: tuple[int, int], channels: int) -> None:
        super().__init__()
        self.size, self.channels = size, channels
        self.writers = Writers(settings, settings.hidden, 1, channels)

    def blank(self, count: int) -> Canvas:
        """The first canvas."""
        return self.writers.writer.phi0.new_zeros(count, self.channels, *self.size)

    def shown(self, canvas: Canvas) -> Canvas:
        """The canvas as it is."""
        return canvas

    def forward(self, canvas: Canvas, h: Float[Tensor, "batch hidden"]) -> tuple[Canvas, Strokes]:
        """The canvas after a move, and the move."""
        stroke = self.writers(h)
        return render(stroke, self.writers.bank, background=canvas), stroke
