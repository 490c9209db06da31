"""Encoders: from an image to the features that writers read (thesis 5.1, 5.2, 5.7)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from limner import geometry
from limner.canvas import Canvas
from limner.models.settings import Model

Features = Float[Tensor, "batch features"]
Gates = Float[Tensor, "batch gates"]


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


class Separate(nn.ModuleList):
    """`parts` encoders side by side, which share nothing but the image (thesis 5.1)."""

    def __init__(self, settings: Model, inputs: int, parts: int) -> None:
        encoders = [Dense(settings, inputs, settings.layers) for _ in range(parts)]
        super().__init__(encoders)
        self.features = sum(encoder.features for encoder in encoders)

    def forward(self, images: Canvas) -> Features:
        """What each finds, one after the other."""
        return torch.cat([encoder(images) for encoder in self], 1)


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

    def start(self, images: Canvas) -> tuple[Gates, Features, Features]:
        """The image's share of the gates, and the first state and memory: zeros."""
        gates = self.by_image(self.before(images))
        zero = gates.new_zeros(len(images), self.features)
        return gates, zero, zero

    def forward(
        self, gates: Gates, state: Features, memory: Features, canvas: Canvas | None = None
    ) -> tuple[Features, Features]:
        """One step: the next state and memory."""
        gates = gates + self.by_state(state)
        if self.by_canvas is not None and canvas is not None:
            gates = gates + self.by_canvas(canvas.flatten(1))
        write, keep, new, show = gates.chunk(4, 1)
        memory = (keep + 1).sigmoid() * memory + write.sigmoid() * new.tanh()
        return show.sigmoid() * memory.tanh(), memory


class Pointing(nn.Module):
    """Convolutions over the image and the canvas so far; a softmax over their places points at where to paint next.

    A 5 x 5 convolution of stride 2 and three of 3 x 3, 16 maps each, see 17 pixels around a place. What they find at
    the place that is pointed at, and on the whole canvas, goes through a hidden layer. Not in the thesis.
    """

    MAPS, LAYERS = 16, 3

    def __init__(self, settings: Model, channels: int) -> None:
        super().__init__()
        self.features = settings.hidden
        self.look = nn.Sequential(nn.Conv2d(2 * channels, self.MAPS, 5, stride=2, padding=2), nn.ReLU())
        for _ in range(self.LAYERS):
            self.look.extend([nn.Conv2d(self.MAPS, self.MAPS, 3, padding=1), nn.ReLU()])
        self.score = nn.Conv2d(self.MAPS, 1, 1)
        self.hidden = nn.Sequential(nn.Linear(2 * self.MAPS, settings.hidden), nn.ReLU())

    def initialise(self) -> None:
        """Weights that keep what is found at the images' scale through all convolutions (He et al. 2015)."""
        for layer in self.look:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")

    def forward(self, images: Canvas, canvas: Canvas) -> tuple[Features, Float[Tensor, "batch 2"]]:
        """Features of the next move, and the place (x, y) that it is pointed at, in canvas units."""
        found = self.look(torch.cat([images, canvas], 1))
        weight = self.score(found).flatten(1).softmax(1)
        places = geometry.canvas_points(*found.shape[2:], dtype=weight.dtype, device=weight.device)[..., :2]
        found = found.flatten(2)
        there = (found @ weight[..., None])[..., 0]
        return self.hidden(torch.cat([there, found.mean(2)], 1)), weight @ places.flatten(0, 1)
