"""The unconstrained autoencoder: deterministic, denoising or variational (thesis 2.1, 2.2.1)."""

import torch
from torch import nn

from limner.canvas import Canvas
from limner.models.code import Coder, scored
from limner.models.encoders import Dense
from limner.models.initial import initialise
from limner.models.likelihood import likelihood
from limner.models.output import Output
from limner.models.settings import Model


class Autoencoder(nn.Module):
    """ReLU layers down to a code and, mirrored, up to a sigmoid at each pixel: what no template constrains.

    Its outputs have no strokes, since no moves stand behind its pixels, and its bank is None.
    size: (height, width) of the images.  channels: 1 or 3.
    """

    bank = None

    def __init__(self, settings: Model, size: tuple[int, int], channels: int) -> None:
        super().__init__()
        self.settings, self.size, self.channels = settings, size, channels
        pixels = channels * size[0] * size[1]
        self.encoder = Dense(settings, pixels, settings.layers)
        self.coder = Coder(settings, self.encoder.features)
        hidden = Dense(settings, self.coder.size, settings.layers)
        last = [nn.Linear(hidden.features, pixels), nn.Sigmoid(), nn.Unflatten(1, (channels, *size))]
        self.decoder = nn.Sequential(hidden, *last)
        self.likelihood = likelihood(settings)
        initialise(self, settings.init)

    def schedule(self, iteration: int) -> None:
        """Nothing is annealed."""

    def forward(self, images: Canvas) -> Output:
        """Reconstruct a batch; log_weight is there for a learnt sigma and a true likelihood."""
        noise = self.settings.input_noise if self.training else 0.0
        code = self.coder(self.encoder(images + noise * torch.randn_like(images) if noise else images))
        painted = Output(self.decoder(code.z), {})
        return scored(self.likelihood, images, painted, [code] if self.settings.latent else [])

    def sample(self, count: int) -> Output:
        """Images of codes drawn from the prior; ValueError without a latent code."""
        return Output(self.decoder(self.coder.prior(count)), {})
