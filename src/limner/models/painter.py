"""The Painter network: an autoencoder whose decoder is template writers (thesis chapter 5)."""

from dataclasses import replace

import torch
from torch import nn

from limner import geometry
from limner.canvas import Canvas
from limner.models.code import Code, Coder, scored
from limner.models.encoders import Convolutional, Dense, Pointing, Recurrent, Separate
from limner.models.initial import initialise
from limner.models.likelihood import likelihood
from limner.models.order import by_evidence
from limner.models.output import Output, PerImage, steps
from limner.models.settings import IN_TURN, RECURRENT, Model
from limner.models.writers import Writers, parts
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import render


class Painter(nn.Module):
    """Images in, moves and the canvas they paint out; simple, recurrent, canvas-recurrent, convolutional or pointing.

    size: (height, width) of the images.  channels: 1 or 3.
    """

    def __init__(self, settings: Model, size: tuple[int, int], channels: int) -> None:
        super().__init__()
        self.settings, self.size, self.channels = settings, size, channels
        if settings.kind in RECURRENT:
            self.encoder = Recurrent(settings, size, channels)
        elif settings.kind == "conv":
            self.encoder = Convolutional(settings, size, channels)
        elif settings.kind == "pointing":
            self.encoder = Pointing(settings, channels)
        elif settings.apart != "no":
            self.encoder = Separate(settings, channels * size[0] * size[1], len(parts(settings, channels)))
        else:
            self.encoder = Dense(settings, channels * size[0] * size[1], settings.layers)
        self.coder = Coder(settings, self.encoder.features)
        self.writers = Writers(settings, self.coder.size, 1 if settings.kind in IN_TURN else settings.moves, channels)
        self.likelihood = likelihood(settings)
        self.temperature, self.greed = settings.temperature, settings.greed_at(0)
        initialise(self, settings.init)
        if isinstance(self.encoder, Pointing):
            self.encoder.initialise()

    @property
    def bank(self) -> TemplateBank:
        """The templates."""
        return self.writers.bank

    def schedule(self, iteration: int) -> None:
        """Set what is annealed: gamma grows and greed falls in even steps, the temperature by an even factor."""
        settings = self.settings
        self.writers.writer.gamma = settings.gamma_at(iteration)
        self.greed = settings.greed_at(iteration)
        done = min(1.0, iteration / settings.anneal) if settings.anneal else 0.0
        self.temperature = settings.temperature * (settings.temperature_end / settings.temperature) ** done

    def forward(self, images: Canvas) -> Output:
        """Paint a batch. In training a learnt order is soft; out of it, what is painted is what `strokes` says."""
        seen = images
        if self.training and self.settings.input_noise:
            seen = images + self.settings.input_noise * torch.randn_like(images)
        strokes, codes = self.moves(seen)
        if self.settings.order == "evidence":
            strokes = replace(strokes, depth=by_evidence(seen, strokes, self.bank))
        painted = Output(self.paint(strokes), {}, strokes)
        out = scored(self.likelihood, images, painted, codes if self.settings.latent else [])
        if self.settings.order == "evidence":  # which shows the decoder the image, so that there is no bound
            return replace(out, log_weight=None)
        if self.training and self.settings.greedy:  # every iteration has it, so that its course can be read
            greedy = self.greed * self._on_the_way(images, strokes) if self.greed else images.new_zeros(len(images))
            return replace(out, losses=out.losses | {"greedy": greedy})
        return out

    def moves(self, images: Canvas) -> tuple[Strokes, list[Code]]:
        """The moves for each image, and the codes that they were read from."""
        if isinstance(self.encoder, Pointing):
            return self._moves_by_looking(images, self.encoder)
        if isinstance(self.encoder, Recurrent):
            return self._moves_in_turn(images, self.encoder)
        code = self.coder(self.encoder(images))
        return self.writers(code.z), [code]

    def paint(self, strokes: Strokes) -> Canvas:
        """The canvas that moves paint, on white paper."""
        if strokes.depth is None:
            return render(strokes, self.bank, self.size)
        temperature = self.temperature if self.training and self.settings.order != "evidence" else 0.0
        straight = self.settings.order == "straight-through" and temperature > 0
        return render(
            strokes, self.bank, self.size, compositing="depth", temperature=temperature, straight_through=straight
        )

    def _on_the_way(self, images: Canvas, strokes: Strokes) -> PerImage:
        """The reconstruction losses of the canvases before the last, summed."""
        canvases = steps(strokes[:, :-1], self.bank, self.size).unbind(1)
        return torch.stack([self.likelihood(images, canvas) for canvas in canvases]).sum(0)

    def sample(self, count: int) -> Output:
        """Paint from codes drawn from the prior; needs a latent code, and an encoder that gives all moves at once."""
        if isinstance(self.encoder, Recurrent | Pointing):
            kind = self.settings.kind
            raise ValueError(f"sampling needs a painter that is not {kind}: its codes depend on the image in turn")
        strokes = self.writers(self.coder.prior(count))
        return Output(self.paint(strokes), {}, strokes)

    def _moves_in_turn(self, images: Canvas, encoder: Recurrent) -> tuple[Strokes, list[Code]]:
        gates, state, memory = encoder.start(images)
        canvas, codes, moves = None, [], []  # on blank paper there is nothing to see
        for _ in range(self._count()):
            if moves and encoder.by_canvas is not None:
                paper = torch.zeros_like(images) if canvas is None else canvas
                canvas = render(moves[-1], self.bank, background=paper)
            state, memory = encoder(gates, state, memory, canvas)
            codes.append(self.coder(state))
            moves.append(self.writers(codes[-1].z))
        return Strokes.joined(moves), codes

    def _moves_by_looking(self, images: Canvas, encoder: Pointing) -> tuple[Strokes, list[Code]]:
        """No gradient passes through what is seen of the canvas: with it four moves are hardly learnt (docs/log.md)."""
        canvas, codes, moves = torch.zeros_like(images), [], []
        for _ in range(self._count()):
            features, place = encoder(images, canvas)
            codes.append(self.coder(features))
            move = self.writers(codes[-1].z)
            moves.append(replace(move, where=geometry.moved(move.where, place[:, None])))
            with torch.no_grad():
                over = move.depth is None
                canvas = render(moves[-1], self.bank, background=canvas) if over else self.paint(Strokes.joined(moves))
        return Strokes.joined(moves), codes

    def _count(self) -> int:
        """Moves that are given in turn."""
        return self.settings.moves if self.training else self.settings.moves_out_of_training
