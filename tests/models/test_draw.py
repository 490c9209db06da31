"""DRAW and T-DRAW against their equations written out."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from limner.models.code import mean_codes
from limner.models.draw import LATENT, Draw
from limner.models.settings import Model
from limner.templates import TemplateBank
from limner.writer import TemplateWriter

SIZE, WINDOW, MOVES = (6, 9), 4, 3


def make(kind, **settings) -> Draw:
    torch.manual_seed(0)
    draw = Draw(Model(kind=kind, moves=MOVES, hidden=10, window=WINDOW, init=0.4, **settings), SIZE, 1)
    for parameter in draw.parameters():
        if parameter.ndim == 1:
            torch.nn.init.normal_(parameter, std=0.3)
    return draw


def linear(weights: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def lstm(weights: dict[str, Tensor], name: str, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Hochreiter and Schmidhuber 1997 with forget gates; PyTorch's order of gates."""
    gates = x @ weights[f"{name}.weight_ih"].T + weights[f"{name}.bias_ih"]
    gates = gates + h @ weights[f"{name}.weight_hh"].T + weights[f"{name}.bias_hh"]
    i, f, g, o = gates.chunk(4, 1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def see(image: Tensor, phi: Tensor, size: tuple[int, int]) -> Tensor:
    grid = functional.affine_grid(phi, [len(image), image.shape[1], *size], align_corners=False)
    return functional.grid_sample(image, grid, align_corners=False)


def equations(weights: dict[str, Tensor], x: Tensor, templates: bool) -> Tensor:
    """The last canvas by eq. 2.7 to 2.12, every z its mean."""
    count = len(x)
    eye = torch.tensor([[1.0, 0, 0], [0, 1, 0]])
    square = torch.ones(count, 1, 28, 28)
    h_enc, c_enc, h_dec, c_dec = (torch.zeros(count, 10) for _ in range(4))
    canvas = torch.zeros_like(x) if templates else torch.zeros_like(x) + weights["easel.paper"]
    for _ in range(MOVES):
        error = x - (canvas if templates else torch.sigmoid(canvas))
        phi = eye + linear(weights, "attention", h_dec).view(-1, 2, 3)
        windows = [see(image, phi, (WINDOW, WINDOW)).flatten(1) for image in (x, error)]
        h_enc, c_enc = lstm(weights, "encoder", torch.cat([*windows, h_dec], 1), h_enc, c_enc)
        z = linear(weights, "coder.mu", h_enc)
        h_dec, c_dec = lstm(weights, "decoder", z, h_dec, c_dec)
        if templates:
            scores = linear(weights, "easel.writers.scores", h_dec)
            mask = see(square, 2 * eye + scores[:, :6].view(-1, 2, 3), SIZE)
            canvas = canvas * (1 - mask) + torch.sigmoid(scores[:, 6])[:, None, None, None] * mask
        else:
            patch = linear(weights, "easel.patch.0", h_dec).view(-1, 1, WINDOW, WINDOW)
            phi = eye + linear(weights, "easel.attention", h_dec).view(-1, 2, 3)
            canvas = canvas + see(patch, phi, SIZE)
    return canvas if templates else torch.sigmoid(canvas)


@pytest.mark.parametrize("kind", ["draw", "t-draw"])
def test_draw_is_its_equations(kind: str) -> None:
    draw, x = make(kind), torch.rand(5, 1, *SIZE)
    if kind == "t-draw":
        draw.easel.writers.writer = TemplateWriter(TemplateBank.named("square", prefilter=False))
    with mean_codes(draw):
        found = draw(x).canvas
    expected = equations(draw.state_dict(), x, kind == "t-draw")
    assert expected.std(0).max() > 1e-3
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("kind", ["draw", "t-draw"])
def test_draw_learns_by_the_gradient_of_its_equations(kind: str) -> None:
    draw, x = make(kind), torch.rand(5, 1, *SIZE)
    if kind == "t-draw":
        draw.easel.writers.writer = TemplateWriter(TemplateBank.named("square", prefilter=False))
    weights = dict(draw.named_parameters())
    with mean_codes(draw):
        canvases = draw(x).canvas, equations(weights, x, kind == "t-draw")
    ours, theirs = (
        torch.autograd.grad((x - canvas).square().sum(), list(weights.values()), allow_unused=True)
        for canvas in canvases
    )
    learns = [name for name, slope in zip(weights, theirs, strict=True) if slope is not None and slope.any()]
    assert "attention.weight" in learns
    for name, one, other in zip(weights, ours, theirs, strict=True):
        if name in learns:
            torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4 * float(other.abs().max()))


def test_codes_are_of_a_hundred_unless_told() -> None:
    assert make("draw").coder.size == LATENT == 100
    assert make("draw", latent=7).coder.size == 7


def test_the_latent_cost_is_summed_over_moves() -> None:
    """Posteriors that are all N(1, 1), whatever is read: half a nat for every number of every move."""
    draw = make("draw", latent=6)
    for parameter in draw.coder.parameters():
        torch.nn.init.zeros_(parameter)
    assert draw.coder.mu is not None
    torch.nn.init.ones_(draw.coder.mu.bias)
    out = draw(torch.rand(2, 1, *SIZE))
    torch.testing.assert_close(out.losses["latent"], torch.full((2,), 0.5 * 6 * MOVES))


def test_a_blank_canvas_is_nearly_white_or_white() -> None:
    draw, templates = Draw(Model(kind="draw"), SIZE, 3), Draw(Model(kind="t-draw"), SIZE, 3)
    torch.testing.assert_close(draw.easel.shown(draw.easel.blank(2)), torch.full((2, 3, *SIZE), 1 / (1 + math.e**4)))
    assert torch.equal(templates.easel.shown(templates.easel.blank(2)), torch.zeros(2, 3, *SIZE))
