"""Encoders: from an image to the features that writers read (thesis 5.1, 5.2, 5.7)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from limner.canvas import Canvas
from limner.models.settings import Model

Features = Float[Tensor, "batch features"]


class Dense(nn.Sequential):
    """Fully connected ReLU layers of `settings.hidden` units, `layers` of them; batch normalisation before the ReLU."""

    def __init__(self, settings: Model, inputs: int, layers: int) -> None:
        super().__init__(nn.Flatten())
        self.features = inputs
        for _ in range(layers):
            self.append(nn.Linear(self.features, settings.hidden))
            if settings.batch_norm:
                self.append(nn.BatchNorm1d(settings.hidden))
            self.append(nn.ReLU())
            self.features = settings.hidden


class Convolutional(nn.Sequential):
    """Two 5 x 5 convolutions of stride 2 with 10 and 5 maps, ReLU, flattened (thesis 5.7)."""

    def __init__(self, settings: Model, size: tuple[int, int], channels: int) -> None:
        super().__init__()
        for inputs, maps in ((channels, 10), (10, 5)):
            self.append(nn.Conv2d(inputs, maps, 5, stride=2))
            if settings.batch_norm:
                self.append(nn.BatchNorm2d(maps))
            self.append(nn.ReLU())
        self.append(nn.Flatten())
        height, width = ((((side - 5) // 2 + 1) - 5) // 2 + 1 for side in size)
        self.features = 5 * height * width


class Recurrent(nn.Module):
    """An LSTM fed the same image at every step; its share of the gates is found once.

    The canvas-recurrent painter's is also fed the canvas so far. The forget gate starts open by a bias of 1.
    """

    def __init__(self, settings: Model, size: tuple[int, int], channels: int) -> None:
        super().__init__()
        pixels = channels * size[0] * size[1]
        self.features = settings.hidden
        self.before = Dense(settings, pixels, settings.layers - 1)
        self.by_image = nn.Linear(self.before.features, 4 * settings.hidden)
        self.by_state = nn.Linear(settings.hidden, 4 * settings.hidden, bias=False)
        self.by_canvas = None
        if settings.kind == "canvas-recurrent" and settings.moves > 1:  # before the first there is nothing to see
            self.by_canvas = nn.Linear(pixels, 4 * settings.hidden, bias=False)

    def start(self, images: Canvas) -> tuple[Tensor, Features, Features]:
        """The image's share of the gates, and the first state and memory: zeros."""
        gates = self.by_image(self.before(images))
        zero = gates.new_zeros(len(images), self.features)
        return gates, zero, zero

    def forward(
        self, gates: Tensor, state: Features, memory: Features, canvas: Canvas | None = None
    ) -> tuple[Features, Features]:
        """One step: the next state and memory."""
        gates = gates + self.by_state(state)
        if self.by_canvas is not None and canvas is not None:
            gates = gates + self.by_canvas(canvas.flatten(1))
        write, keep, new, show = gates.chunk(4, 1)
        memory = (keep + 1).sigmoid() * memory + write.sigmoid() * new.tanh()
        return show.sigmoid() * memory.tanh(), memory
