"""The template writer: Algorithm 1 of the thesis, and `render`, which applies it to all moves of a painting."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from inspect import signature
from operator import index
from types import ModuleType

import torch
from jaxtyping import Float
from torch import Tensor

from limner import canvas as reference
from limner import choose, transforms
from limner.canvas import Canvas
from limner.checks import Backend, Compositing, check_finite, check_options, check_strokes
from limner.ground import Plain, as_canvas, ground_of
from limner.strokes import Strokes
from limner.templates import TemplateBank

HAS_TRITON = find_spec("triton") is not None


def render(
    strokes: Strokes,
    bank: TemplateBank,
    size: tuple[int, int] | None = None,
    background: float | Tensor = 0.0,
    compositing: Compositing = "over",
    backend: Backend = "auto",
    temperature: float = 0.0,
    straight_through: bool = False,
    samples: int = 1,
) -> Canvas:
    """Paint strokes on a canvas; differentiable in strokes, background and the bank's masks.

    size: (height, width) in pixels; may be left out where `background` is a canvas.
    background: a number, (channel,), (batch, channel) or a whole canvas (batch, channel, height, width).
    compositing: "additive" (eq. 3.3), "over" (eq. 3.4, 3.5), in the order of `strokes.depth` where that is set, or
        "depth": the same at temperature 0, and above that the order is soft and can be learnt, of up to some hundred
        opaque moves of the same depth in a pixel.
    temperature: softness of the order of "depth"; 0 is the exact order, which has no gradient to depth.
    straight_through: with "depth" and a temperature, the exact picture with the gradient to depth of the soft one.
    backend: "reference" (plain PyTorch), "fused" (float32, on the CPU or, with Triton, on a CUDA GPU), or "auto": fused
        where it can.
    samples: along each axis of a pixel, at most 16; their mean is its mask, so that a stamp covers as much of a pixel
        as lies under it, as in the renderers of vector graphics.
    Under `torch.autocast`, and for strokes of 16 bits, all is computed in float32, since 16 bits would round the
    positions of neighbouring pixels to one; the canvas of strokes of 16 bits has 16 bits, too.
    Raises ValueError for shapes that do not fit and for what a backend cannot do, NotFinite for NaN or infinity in
    where or depth, RuntimeError in a backward pass of the fused backend that is itself to be differentiated.
    """
    tensors, device = strokes.tensors(), strokes.where.device.type
    kinds = {tensor.dtype for tensor in tensors.values()}
    cast = torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)
    if cast or kinds in ({torch.float16}, {torch.bfloat16}):
        options = background, compositing, backend, temperature, straight_through, samples
        with torch.autocast(device, enabled=False):
            canvas = render(strokes.map(Tensor.float), bank, size, *options)
        return canvas if cast else canvas.to(strokes.what)
    ground = ground_of(strokes.what, background, size)
    check_options(compositing, backend, temperature, straight_through, samples)
    check_strokes(tensors, bank)
    painter = partial(_backend(strokes.where, backend), samples=index(samples))
    if compositing == "depth" and strokes.depth is None:
        raise ValueError('render: compositing "depth" needs strokes.depth')
    if strokes.depth is None:
        return painter(strokes, bank, ground, compositing)
    check_finite("where", strokes.where)
    check_finite("depth", strokes.depth)
    if compositing == "additive":
        return painter(strokes, bank, ground, compositing)
    if temperature and not straight_through:
        return painter(strokes, bank, ground, "depth", temperature)
    exact = painter(in_depth_order(strokes), bank, ground, "over")
    learnt = strokes.depth.requires_grad and torch.is_grad_enabled()
    if not temperature or not (learnt or transforms.under_way()):
        return exact
    still = replace(strokes.detach(), depth=strokes.depth)
    soft = painter(still, bank.detach(), ground.detach(), "depth", temperature)
    return exact + (soft - soft.detach())


def move_masks(strokes: Strokes, bank: TemplateBank, size: tuple[int, int]) -> Float[Tensor, "batch move height width"]:
    """The mask of every move as if it were alone, times its opacity."""
    alone = Strokes(
        strokes.where.flatten(0, 1)[:, None],
        strokes.which.flatten(0, 1)[:, None],
        torch.ones_like(strokes.where[..., :1, 0]).flatten(0, 1)[:, None],
        None if strokes.opacity is None else strokes.opacity.flatten()[:, None],
    )
    return render(alone, bank, size).view(*strokes.where.shape[:2], *size)


def in_depth_order(strokes: Strokes) -> Strokes:
    """The same moves sorted from far to near, ties in painting order, without depth; as they are if they have none."""
    if strokes.depth is None:
        return strokes
    order = strokes.depth.detach().argsort(dim=1, stable=True)
    rows = torch.arange(len(order), device=order.device)[:, None]
    tensors = {name: tensor[rows, order] for name, tensor in strokes.tensors().items() if name != "depth"}
    return Strokes(**tensors)


def paint_reference(
    strokes: Strokes,
    bank: TemplateBank,
    ground: Canvas | Plain,
    compositing: Compositing,
    temperature: float = 0.0,
    samples: int = 1,
) -> Canvas:
    """`render` in plain PyTorch: Algorithm 1, move after move."""
    check_finite("where", strokes.where)
    canvas = as_canvas(ground, strokes.what)
    if not len(strokes):  # all that counts has a gradient, of zeros
        counts = (tensor for name, tensor in strokes.tensors().items() if name != "depth" or compositing == "depth")
        return canvas + sum(tensor.sum() for tensor in (*counts, bank.masks[:0]))
    if compositing == "depth":
        assert strokes.depth is not None
        stamps = list(_stamps(strokes, bank, canvas, samples))
        masks = torch.stack([mask for mask, _ in stamps], 1)
        return reference.soft_depth(canvas, masks, [colour for _, colour in stamps], strokes.depth, temperature)
    update = {"additive": reference.additive, "over": reference.over}[compositing]
    for mask, colour in _stamps(strokes, bank, canvas, samples):
        canvas = update(canvas, mask, colour)
    return canvas


def _stamps(strokes: Strokes, bank: TemplateBank, canvas: Canvas, samples: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The transformed mask and the colour of every move in turn."""
    size, pyramid = (canvas.shape[2], canvas.shape[3]), bank.pyramid
    for t in range(len(strokes)):
        where, slope = strokes.where[:, t], None if strokes.slope is None else strokes.slope[:, t]
        template = strokes.which[:, t] @ pyramid.texels.to(strokes.which)
        mask = reference.transform_mask(template, pyramid, where, size, samples)
        if strokes.opacity is not None:
            mask = mask * strokes.opacity[:, t, None, None]
        yield mask, reference.colour_field(strokes.what[:, t], slope, where, size, samples)


class TemplateWriter(torch.nn.Module):
    """The writing block of any decoder: scores in, a painted canvas out (Algorithm 1).

    bank: the templates; with `learnable` their masks are parameters (logits, so that they stay in [0, 1]).
    phi0: Phi = diag(phi0, phi0) + h_where, so that an untrained network paints stamps of 1 / phi0 of its sides.
    gamma, noise: sharpening and exploration of which (eq. 3.1, 3.2); noise is added in training mode only.
    gamma_test: sharpening out of training mode; None is gamma.
    gumbel: sample the choice in training mode (`choose.softmax`), at a temperature of 1 / gamma.
    hard: one template a move, with the gradient of the soft weights: a straight-through choice.
    temperature, straight_through: of compositing "depth", as in `render`; depth learns only at a temperature above 0.
    samples: along each axis of a pixel, as in `render`.
    Raises ValueError for options that `render` and `choose.softmax` would refuse.
    """

    phi0: Tensor
    masks: Tensor

    def __init__(
        self,
        bank: TemplateBank,
        compositing: Compositing = "over",
        phi0: float = 2.0,
        gamma: float = 1.0,
        noise: float = 0.0,
        gamma_test: float | None = None,
        learnable: bool = False,
        backend: Backend = "auto",
        temperature: float = 0.0,
        straight_through: bool = False,
        gumbel: bool = False,
        hard: bool = False,
        samples: int = 1,
    ) -> None:
        super().__init__()
        if not isinstance(bank, TemplateBank):
            raise ValueError(f"template writer: bank is of {type(bank).__name__}, expected a TemplateBank")
        check_options(compositing, backend, temperature, straight_through, samples)
        if isinstance(bank.masks, torch.nn.Parameter) and bank.masks.requires_grad and not learnable:
            raise ValueError("template writer: steps would take masks out of [0, 1]: take learnable=True to learn them")
        for sharpening in (gamma, gamma if gamma_test is None else gamma_test):
            choose.check(sharpening, noise)
        self.compositing: Compositing = compositing
        self.backend: Backend = backend
        self.temperature, self.straight_through = temperature, straight_through
        self.gamma, self.gamma_test, self.noise = gamma, gamma_test, noise
        self.gumbel, self.hard = gumbel, hard
        self.samples = samples
        self._bank = bank.detach() if learnable else bank
        self.register_buffer("phi0", torch.tensor([[phi0, 0, 0], [0, phi0, 0]], dtype=torch.float32))
        self.logits = torch.nn.Parameter(torch.logit(bank.masks, eps=1e-3)) if learnable else None
        own = bank.masks if bank.masks.requires_grad else bank.masks.clone()
        self.register_buffer("masks", None if learnable else own)

    @property
    def bank(self) -> TemplateBank:
        """The templates as they are now."""
        masks = self.masks if self.logits is None else self._learnt(self.logits)
        if masks is self._bank.masks:
            return self._bank
        bank = replace(self._bank, masks=masks)
        if not (transforms.traced() or masks.requires_grad or masks.is_inference()):
            self._bank = bank
        return bank

    def _learnt(self, logits: Tensor) -> Tensor:
        """The masks of logits; those of the bank, if they are equal and no gradient is asked for, as it keeps more."""
        if not transforms.traced() and torch.is_inference_mode_enabled() and not logits.is_inference():
            with torch.inference_mode(False), torch.no_grad():  # else nothing of them could be kept
                return self._learnt(logits)
        masks, before = logits.sigmoid(), self._bank.masks
        if transforms.traced() or masks.requires_grad or (masks.dtype, masks.device) != (before.dtype, before.device):
            return masks
        return before if torch.equal(masks, before) else masks

    def forward(
        self,
        h_where: Float[Tensor, "batch move 2 3"],
        h_which: Float[Tensor, "batch move template"],
        h_what: Float[Tensor, "batch move channel"],
        canvas: Canvas,
        opacity: Float[Tensor, "batch move"] | None = None,
        depth: Float[Tensor, "batch move"] | None = None,
        slope: Float[Tensor, "batch move channel 2"] | None = None,
    ) -> Canvas:
        """The canvas after these moves; opacity, depth and slope are as in `Strokes`."""
        return self.paint(self.strokes(h_where, h_which, h_what, opacity, depth, slope), canvas)

    def paint(self, strokes: Strokes, canvas: Canvas) -> Canvas:
        """The canvas after moves that are drawn already, by `strokes`; ValueError where it does not go with them."""
        if (strokes.depth is None) == (self.compositing == "depth"):
            wanted = "needs depth" if strokes.depth is None else 'has no depth: choose "depth" for it'
            raise ValueError(f'template writer: compositing "{self.compositing}" {wanted}')
        batch, _, channels = strokes.what.shape
        if not isinstance(canvas, Tensor) or canvas.ndim != 4 or canvas.shape[1] != channels:
            found = f"has shape {tuple(canvas.shape)}" if isinstance(canvas, Tensor) else f"is {canvas!r}"
            wanted = f"({batch}, {channels}, height, width)"
            raise ValueError(f"template writer: canvas {found}, expected a tensor of {wanted}")
        options = self.backend, self.temperature, self.straight_through, self.samples
        return render(strokes, self.bank, None, canvas, self.compositing, *options)

    def strokes(
        self,
        h_where: Tensor,
        h_which: Tensor,
        h_what: Tensor,
        opacity: Tensor | None = None,
        depth: Tensor | None = None,
        slope: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Strokes:
        """The moves that scores, shaped as in `forward`, stand for, all floats of one kind.

        Chance is from `generator`, or else torch's own. Raises ValueError for other shapes.
        """
        if h_where.shape[-2:] != (2, 3):
            raise ValueError(f"template writer: h_where has shape {tuple(h_where.shape)}, expected (batch, move, 2, 3)")
        if h_which.shape[-1:] != (len(self._bank),):
            expected = f"(batch, move, {len(self._bank)})"
            raise ValueError(f"template writer: h_which has shape {tuple(h_which.shape)}, expected {expected}")
        where = self.phi0 + h_where
        h_which, h_what = h_which.to(where.dtype), h_what.to(where.dtype)
        others = [None if given is None else given.to(where.dtype) for given in (opacity, depth, slope)]
        if self.training:
            which = choose.softmax(h_which, self.gamma, self.noise, self.gumbel, self.hard, generator)
        else:
            gamma = self.gamma if self.gamma_test is None else self.gamma_test
            which = choose.softmax(h_which, gamma, straight_through=self.hard)
        return Strokes(where, which, h_what.sigmoid(), *others)

    def extra_repr(self) -> str:
        """What it paints with, in `print(network)`."""
        side = self._bank.masks.shape[-1]
        learnt = ", learnable" if self.logits is not None else ""
        usual = {name: option.default for name, option in signature(TemplateWriter).parameters.items()}
        names = "gamma_test", "noise", "gumbel", "hard", "temperature", "straight_through", "samples"
        chosen = [f", {name}={getattr(self, name)}" for name in names if getattr(self, name) != usual[name]]
        looks = f"{', '.join(self._bank.names)}: {side} x {side}{learnt}"
        return f"{looks}; {self.compositing}, gamma={self.gamma}{''.join(chosen)}"


def _backend(where: Tensor, backend: Backend) -> Callable[..., Canvas]:
    device = where.device.type
    fits = where.dtype == torch.float32 and (device == "cpu" or (device == "cuda" and HAS_TRITON))
    transformed = transforms.under_way()
    if backend == "reference" or (backend == "auto" and (transformed or not fits)):
        return paint_reference
    if transformed:
        asked = "forward-mode derivatives, torch.func, torch.export and torch.jit.trace"
        raise ValueError(f'render: {asked} need backend="reference" or "auto"')
    if not fits:
        raise ValueError("render: the fused backend needs float32 tensors, on the CPU or on a GPU with Triton")
    if torch.compiler.is_compiling():
        return torch.compiler.disable(_paint_fused)  # pyright: ignore[reportReturnType]
    return _paint_fused


def _paint_fused(strokes: Strokes, *given, **options) -> Canvas:
    return _kernels(strokes.where.device.type).paint_fused(strokes, *given, **options)


@cache
def _kernels(device: str) -> ModuleType:
    return import_module("limner.cpu.fused" if device == "cpu" else "limner.gpu.fused")
