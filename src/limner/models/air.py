"""AIR with a fixed number of objects, and T-AIR, which paints them with templates (thesis 2.2.3, 4.2)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from limner.canvas import Canvas
from limner.geometry import invert
from limner.models.code import Coder, scored
from limner.models.encoders import Dense, Recurrent
from limner.models.initial import initialise
from limner.models.likelihood import likelihood
from limner.models.output import Output
from limner.models.settings import Model
from limner.models.window import PAPER, affine, transform
from limner.models.writers import h_which, template_writer
from limner.templates import TemplateBank
from limner.writer import render

What = Float[Tensor, "batch move what"]
Phi = Float[Tensor, "*moves 2 3"]

LATENT = 50
"""Size of the code of an object where `settings.latent` is 0 (Eslami et al. 2016)."""

LEAST = 0.1
"""Least determinant of a where that is inverted to be read: a window of ten times the area of the canvas."""


class Air(nn.Module):
    """At every move: a place is drawn, the window there is read, coded, and painted back there (eq. 2.13-2.18).

    Phi of a place is diag(phi0, phi0) + z_where and maps the canvas to the window, whose inverse is read. The prior of
    z_where is N(0, prior_where^2), that of z_what N(0, 1); log sigma of each starts at sigma_start of its prior's.
    kind air: z_what is decoded to a patch of logits that is added to the canvas, as in DRAW; there are no strokes.
    kind t-air: z_what is the template writer's colour, before its sigmoid, and scores of templates where there are
        several; z_where is its h_where.
    window_size: where it is not 0, reads are windows of that share of the image's sides around the centre of the place.
    size: (height, width) of the images.  channels: 1 or 3.
    """

    def __init__(self, settings: Model, size: tuple[int, int], channels: int) -> None:
        super().__init__()
        self.settings, self.size, self.channels = settings, size, channels
        self.encoder = Recurrent(settings, size, channels)
        self.where = Coder(settings, settings.hidden, settings.where_numbers, settings.prior_where)
        self.glimpse = Dense(settings, channels * settings.window**2, 1)
        self.easel = (Templates if settings.kind == "t-air" else Patches)(settings, size, channels)
        self.what = Coder(settings, settings.hidden, self.easel.numbers)
        self.by_codes = nn.Linear(self.where.size + self.what.size, 4 * settings.hidden, bias=False)
        self.likelihood = likelihood(settings)
        initialise(self, settings.init)

    @property
    def bank(self) -> TemplateBank | None:
        """The templates of t-air."""
        return self.easel.writer.bank if isinstance(self.easel, Templates) else None

    def schedule(self, iteration: int) -> None:
        """Sharpen t-air's choice of templates."""
        if isinstance(self.easel, Templates):
            self.easel.writer.gamma = self.settings.gamma_at(iteration)

    def forward(self, images: Canvas) -> Output:
        """Reconstruct a batch; log_weight is there for a learnt sigma and a true likelihood."""
        gates, state, memory = self.encoder.start(images)
        last = gates.new_zeros(len(images), self.where.size + self.what.size)
        side, wheres, whats = self.settings.window, [], []
        for _ in range(self.settings.moves):
            state, memory = self.encoder(gates + self.by_codes(last), state, memory)
            wheres.append(self.where(state))
            _, view = self.places(wheres[-1].z)
            read = transform(images, view, (side, side))
            whats.append(self.what(self.glimpse(read)))
            last = torch.cat([wheres[-1].z, whats[-1].z], 1)
        where, what = (torch.stack([code.z for code in codes], 1) for codes in (wheres, whats))
        return scored(self.likelihood, images, self.paint(where, what), wheres + whats)

    def sample(self, count: int) -> Output:
        """Images of codes drawn from the prior."""
        moves = self.settings.moves
        where, what = (coder.prior(count * moves).unflatten(0, (count, moves)) for coder in (self.where, self.what))
        return self.paint(where, what)

    def places(self, z: Float[Tensor, "*moves numbers"]) -> tuple[Phi, Phi]:
        """Where to paint, canvas to window, and the view to read there, window to canvas."""
        where = affine(z, self.settings.phi0)
        view = invert(where, LEAST)
        if not self.settings.window_size:
            return where, view
        held = self.settings.window_size * torch.eye(2, dtype=z.dtype, device=z.device)
        view = torch.cat([held.expand(*z.shape[:-1], 2, 2), view[..., 2:]], -1)
        return where if self.settings.kind == "t-air" else invert(view), view

    def paint(self, z_where: Float[Tensor, "batch move where"], z_what: What) -> Output:
        """The canvas of all moves, not yet scored."""
        where, _ = self.places(z_where)
        return self.easel(where, z_what)


class Patches(nn.Module):
    """Objects decoded to patches of logits, which are added to the paper's; a sigmoid shows them."""

    def __init__(self, settings: Model, size: tuple[int, int], channels: int) -> None:
        super().__init__()
        self.size, self.numbers = size, settings.latent or LATENT
        self.hidden = Dense(settings, self.numbers, 1)
        self.patch = nn.Linear(settings.hidden, channels * settings.window**2)
        self.shape = (channels, settings.window, settings.window)
        self.paper = nn.Parameter(torch.full((channels, 1, 1), PAPER))

    def forward(self, where: Float[Tensor, "batch move 2 3"], z_what: What) -> Output:
        """The canvas and its steps, without strokes (eq. 2.17, 2.18)."""
        patches = self.patch(self.hidden(z_what.flatten(0, 1))).unflatten(1, self.shape)
        placed = transform(patches, where.flatten(0, 1), self.size).unflatten(0, z_what.shape[:2])
        steps = (self.paper + placed.detach().cumsum(1)).sigmoid().detach()
        return Output((self.paper + placed.sum(1)).sigmoid(), {}, steps=steps)


class Templates(nn.Module):
    """Objects painted by a template writer, later ones over earlier ones."""

    def __init__(self, settings: Model, size: tuple[int, int], channels: int) -> None:
        super().__init__()
        self.size, self.channels, self.numbers = size, channels, channels + settings.which_numbers
        self.writer = template_writer(settings, 0.0)

    def forward(self, where: Float[Tensor, "batch move 2 3"], z_what: What) -> Output:
        """The canvas and its strokes."""
        what, which = z_what[..., : self.channels], z_what[..., self.channels :]
        strokes = self.writer.strokes(where, h_which(which), what)
        return Output(render(strokes, self.writer.bank, self.size), {}, strokes)
