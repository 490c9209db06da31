"""Every backend against loops written here from eq. 2.21 and 3.3-3.5, and the properties of depth."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from limner.geometry import phi
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import in_depth_order, render

BACKENDS = {"reference": (torch.float64, 1e-9), "fused": (torch.float32, 1e-5)}


def random_strokes(batch: int = 2, moves: int = 3, templates: int = 2, channels: int = 3, fields: str = "") -> Strokes:
    """Turned, sheared and mirrored stamps, some of them partly off the canvas; `fields` names the optional ones."""
    where = torch.randn(batch, moves, 2, 3, dtype=torch.float64) * torch.tensor([1.5, 1.5, 0.5], dtype=torch.float64)
    shapes = {"opacity": (), "depth": (), "slope": (channels, 2)}
    return Strokes(
        where,
        torch.randn(batch, moves, templates, dtype=torch.float64).softmax(-1),
        torch.rand(batch, moves, channels, dtype=torch.float64),
        **{name: torch.rand(batch, moves, *shapes[name], dtype=torch.float64) for name in fields.split()},
    )


def random_bank(templates: int = 2, side: int = 5, prefilter: bool = False) -> TemplateBank:
    return TemplateBank(torch.rand(templates, side, side, dtype=torch.float64), prefilter=prefilter)


def painted(backend: str, strokes: Strokes, bank: TemplateBank, background: float | Tensor, **options) -> Tensor:
    """`render` in the precision of the backend; the result in float64."""
    dtype, _ = BACKENDS[backend]
    bank = TemplateBank(bank.masks.to(dtype), bank.names, bank.prefilter)
    background = background.to(dtype) if isinstance(background, Tensor) else background
    canvas = render(strokes.map(lambda x: x.to(dtype)), bank, background=background, backend=backend, **options)
    return canvas.double()


def sample(template: np.ndarray, phi: np.ndarray, x: float, y: float) -> float:
    """Eq. 2.21, term by term, at canvas point (x, y)."""
    point = phi @ np.array([x, y, 1.0])
    n_rows, n_columns = template.shape
    u, v = ((point[0] + 1) * n_columns - 1) / 2, ((point[1] + 1) * n_rows - 1) / 2
    value = 0.0
    for n, m in product(range(n_rows), range(n_columns)):
        value += template[n, m] * max(0, 1 - abs(u - m)) * max(0, 1 - abs(v - n))
    return value


def by_hand(strokes: Strokes, masks: Tensor, background: Tensor, compositing: str, samples: int = 1) -> Tensor:
    """Pixel after pixel, move after move, channel after channel."""
    spread = [(2 * k + 1) / samples - 1 for k in range(samples)]
    canvas = background.clone().numpy()
    batch, channels, height, width = canvas.shape
    arrays = {name: tensor.numpy() for name, tensor in strokes.tensors().items()}
    for b, t in product(range(batch), range(len(strokes))):
        template = np.einsum("k,kij->ij", arrays["which"][b, t], masks.numpy())
        for j, i in product(range(height), range(width)):
            x, y = (2 * i + 1) / width - 1, (2 * j + 1) / height - 1
            points = [(x + dx / width, y + dy / height) for dx, dy in product(spread, spread)]
            mask = sum(sample(template, arrays["where"][b, t], *point) for point in points) / samples**2
            point = arrays["where"][b, t] @ np.array([x, y, 1.0])
            mask *= arrays["opacity"][b, t] if "opacity" in arrays else 1
            for c in range(channels):
                colour = arrays["what"][b, t, c]
                if "slope" in arrays:
                    tilt, reach = arrays["slope"][b, t, c] @ point, np.abs(arrays["slope"][b, t, c]).sum()
                    colour = colour + (tilt if samples == 1 else np.clip(tilt, -reach, reach))
                below = canvas[b, c, j, i] if compositing == "additive" else canvas[b, c, j, i] * (1 - mask)
                canvas[b, c, j, i] = below + colour * mask
    return torch.from_numpy(canvas)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("fields", ["", "opacity", "slope", "opacity slope"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("compositing", ["additive", "over"])
def test_equals_loops(compositing: str, channels: int, fields: str, backend: str) -> None:
    strokes, bank = random_strokes(channels=channels, fields=fields), random_bank()
    background = torch.rand(2, channels, 6, 7, dtype=torch.float64)
    expected = by_hand(strokes, bank.masks, background, compositing)
    assert (expected - background).abs().max() > 0.1
    canvas = painted(backend, strokes, bank, background, compositing=compositing)
    torch.testing.assert_close(canvas, expected, rtol=0, atol=BACKENDS[backend][1])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("samples", [2, 3])
@pytest.mark.parametrize("compositing", ["additive", "over"])
def test_samples_of_a_pixel_are_averaged_before_its_colour(compositing: str, samples: int, backend: str) -> None:
    strokes, bank = random_strokes(fields="opacity slope"), random_bank()
    background = torch.rand(2, 3, 4, 5, dtype=torch.float64)
    expected = by_hand(strokes, bank.masks, background, compositing, samples)
    canvas = painted(backend, strokes, bank, background, compositing=compositing, samples=samples)
    torch.testing.assert_close(canvas, expected, rtol=0, atol=BACKENDS[backend][1])


@given(st.floats(1, 20), st.floats(1, 20), st.floats(0, 7), st.floats(-0.02, 0.02))
def test_a_stamp_covers_its_area(long: float, short: float, angle: float, shift: float) -> None:
    size = 50
    at = torch.tensor([shift, 2 * shift])
    where = phi(at, torch.tensor([long, short]) * 2 / size, torch.tensor(angle))
    strokes = Strokes(where[None, None], torch.ones(1, 1, 1), torch.ones(1, 1, 1))
    painted = render(strokes, TemplateBank.named("circle", size=128), (size, size), samples=4)
    two_samples = 2 / 4**2
    assert painted.sum().item() == pytest.approx(math.pi * long * short, rel=0.02, abs=two_samples)


@pytest.mark.parametrize("backend", BACKENDS)
def test_equals_pillow_inside_the_template(backend: str) -> None:
    side, height, width = 12, 30, 40
    bank = random_bank(1, side)
    for _ in range(5):
        where = torch.randn(1, 1, 2, 3, dtype=torch.float64) * 0.4
        what, which = torch.ones(1, 1, 1, dtype=torch.float64), torch.ones(1, 1, 1, dtype=torch.float64)
        mask = painted(backend, Strokes(where, which, what), bank, 0.0, size=(height, width))[0, 0]
        # The same map for Pillow: from pixels to texels, both with corners at whole numbers.
        texels = torch.tensor([[side / 2, 0, side / 2], [0, side / 2, side / 2], [0, 0, 1]], dtype=torch.float64)
        points = torch.tensor([[2 / width, 0, -1], [0, 2 / height, -1], [0, 0, 1]], dtype=torch.float64)
        square = torch.cat([where[0, 0], torch.tensor([[0, 0, 1.0]], dtype=torch.float64)])
        pixel_to_texel = (texels @ square @ points)[:2]
        theirs = Image.fromarray(bank.masks[0].float().numpy()).transform(
            (width, height), Image.Transform.AFFINE, tuple(pixel_to_texel.flatten().tolist()), Image.Resampling.BILINEAR
        )
        j, i = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
        at = torch.stack([i, j, torch.ones_like(i)], -1).double() @ pixel_to_texel.T
        inside = ((at > 0.5) & (at < side - 0.5)).all(-1)
        assert inside.sum() > 100
        torch.testing.assert_close(mask[inside], torch.tensor(np.array(theirs)).double()[inside], rtol=0, atol=1e-4)


@pytest.mark.parametrize("backend", BACKENDS)
def test_pictures_of_a_batch_do_not_mix(backend: str) -> None:
    strokes, bank = random_strokes(batch=3, fields="opacity"), random_bank()
    together = painted(backend, strokes, bank, 0.5, size=(9, 4))
    apart = [painted(backend, strokes[b : b + 1], bank, 0.5, size=(9, 4)) for b in range(3)]
    torch.testing.assert_close(together, torch.cat(apart), rtol=0, atol=BACKENDS[backend][1])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_painting_can_be_continued(backend: str) -> None:
    strokes, bank = random_strokes(moves=6, fields="opacity slope"), random_bank()
    half = painted(backend, strokes[:, :3], bank, 0.2, size=(8, 8))
    whole = painted(backend, strokes, bank, 0.2, size=(8, 8))
    torch.testing.assert_close(painted(backend, strokes[:, 3:], bank, half), whole, rtol=0, atol=BACKENDS[backend][1])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("compositing", "temperature"), [("additive", 0.0), ("over", 0.0), ("depth", 0.0), ("depth", 0.5)]
)
def test_no_moves_leave_the_background(compositing: str, temperature: float, backend: str) -> None:
    strokes = random_strokes(fields="depth")[:, :0]
    background = torch.rand(2, 3, 4, 5, dtype=torch.float64)
    canvas = painted(backend, strokes, random_bank(), background, compositing=compositing, temperature=temperature)
    torch.testing.assert_close(canvas, background.float().double() if backend == "fused" else background)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("fields", ["depth", "depth opacity slope"])
@pytest.mark.parametrize("channels", [1, 3])
def test_cold_depth_is_over_in_depth_order(channels: int, fields: str, backend: str) -> None:
    strokes, bank = random_strokes(moves=4, channels=channels, fields=fields), random_bank()
    depth = torch.stack([torch.randperm(4), torch.randperm(4)]).double()
    strokes = Strokes(**{**strokes.tensors(), "depth": depth})
    order = depth.argsort(1)
    sorted_by_hand = Strokes(
        **{
            name: torch.stack([tensor[b, order[b]] for b in range(2)])
            for name, tensor in strokes.tensors().items()
            if name != "depth"
        }
    )
    expected = painted(backend, sorted_by_hand, bank, 0.3, size=(7, 8))
    for temperature in (0.0, 1e-3):
        canvas = painted(backend, strokes, bank, 0.3, size=(7, 8), compositing="depth", temperature=temperature)
        torch.testing.assert_close(canvas, expected, rtol=0, atol=max(BACKENDS[backend][1], 1e-8))


def test_equal_depths_keep_painting_order() -> None:
    strokes = random_strokes(moves=5, fields="depth")
    strokes = Strokes(**{**strokes.tensors(), "depth": torch.zeros(2, 5, dtype=torch.float64)})
    assert torch.equal(in_depth_order(strokes).where, strokes.where)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_soft_depth_equals_loops(temperature: float, backend: str) -> None:
    strokes, bank = random_strokes(moves=4, channels=1, fields="opacity depth"), random_bank()
    canvas = painted(backend, strokes, bank, 0.3, size=(5, 6), compositing="depth", temperature=temperature)
    # The masks alone, as white moves added to black; then the weights of every move at every pixel.
    white = torch.ones(2, 1, 1, dtype=torch.float64)
    opacity, depth = strokes.opacity, strokes.depth
    assert opacity is not None
    assert depth is not None
    masks = torch.stack(
        [
            by_hand(
                Strokes(strokes.where[:, t : t + 1], strokes.which[:, t : t + 1], white, opacity[:, t : t + 1]),
                bank.masks,
                torch.zeros(2, 1, 5, 6, dtype=torch.float64),
                "additive",
            )[:, 0]
            for t in range(4)
        ]
    )
    for b, j, i in product(range(2), range(5), range(6)):
        m, z = masks[:, b, j, i].tolist(), depth[b].tolist()
        weights = [
            m[t] * math.prod(1 - m[s] / (1 + math.exp((z[t] - z[s]) / temperature)) for s in range(4) if s != t)
            for t in range(4)
        ]
        coverage = 1 - math.prod(1 - mask for mask in m)
        mixed = sum(w * c for w, c in zip(weights, strokes.what[b, :, 0].tolist(), strict=True))
        mixed = mixed / sum(weights) if sum(weights) else 0
        expected = 0.3 * (1 - coverage) + mixed * coverage
        assert canvas[b, 0, j, i].item() == pytest.approx(expected, abs=BACKENDS[backend][1])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("temperature", [0.2, 1.0, 5.0])
def test_soft_depth_of_two_moves_is_the_sorter_of_the_thesis(temperature: float, backend: str) -> None:
    strokes, bank = random_strokes(moves=2, fields="depth opacity slope"), random_bank()
    assert strokes.depth is not None
    second = ((strokes.depth[:, 1] - strokes.depth[:, 0]) / temperature).sigmoid()[:, None, None, None]
    flat = Strokes(**{name: tensor for name, tensor in strokes.tensors().items() if name != "depth"})
    orders = [painted(backend, moves, bank, 0.4, size=(7, 6)) for moves in (flat, flat[:, [1, 0]])]
    mixed = second * orders[0] + (1 - second) * orders[1]
    soft = painted(backend, strokes, bank, 0.4, size=(7, 6), compositing="depth", temperature=temperature)
    torch.testing.assert_close(soft, mixed, rtol=0, atol=BACKENDS[backend][1])
    # Where two opaque squares meet, that is the mix of their colours; where one lies alone, its own colour.
    where = torch.tensor([[[[2.0, 0, 1], [0, 0.5, 0]], [[2, 0, -0.5], [0, 0.5, 0]]]], dtype=torch.float64)
    one, what = torch.ones(1, 2, 1, dtype=torch.float64), torch.tensor([[[0.9], [0.2]]], dtype=torch.float64)
    squares = Strokes(where, one, what, depth=strokes.depth[:1])
    options = {"size": (1, 16), "compositing": "depth", "temperature": temperature}
    row = painted(backend, squares, TemplateBank.named("square", prefilter=False), 1.0, **options)[0, 0, 0]
    meeting = 0.9 * (1 - second[0]) + 0.2 * second[0]
    expected = torch.tensor([0.9, meeting.item(), 0.2], dtype=torch.float64)
    torch.testing.assert_close(row[[1, 6, 10]], expected, rtol=0, atol=BACKENDS[backend][1])


def test_a_deep_pile_has_gradients_as_long_as_it_has_weights() -> None:
    """Where weights get so small that their squares are zero."""
    found = []
    for dtype in (torch.float32, torch.float64):
        depth = torch.zeros(1, 100, dtype=dtype, requires_grad=True)
        where = (0.5 * torch.eye(2, 3, dtype=dtype)).repeat(1, 100, 1, 1).requires_grad_()
        what = torch.linspace(0, 1, 100, dtype=dtype).view(1, 100, 1)
        strokes = Strokes(where, torch.ones(1, 100, 1, dtype=dtype), what, depth=depth)
        options = {"compositing": "depth", "temperature": 0.1, "backend": "reference"}
        canvas = render(strokes, TemplateBank(torch.ones(1, 8, 8, dtype=dtype)), (4, 4), **options)
        found.append([canvas.detach(), *torch.autograd.grad(canvas.square().sum(), (depth, where))])
        torch.testing.assert_close(canvas, torch.full_like(canvas, 0.5), rtol=0, atol=1e-5)  # all weigh the same
    for ours, exact in zip(*found, strict=True):
        torch.testing.assert_close(ours.double(), exact, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=20)
@given(depths=st.lists(st.floats(-50, 50), min_size=3, max_size=3), temperature=st.floats(0.01, 100))
def test_an_opaque_pile_hides_the_canvas(backend: str, depths: list[float], temperature: float) -> None:
    where = torch.tensor([[0.4, 0, 0], [0, 0.4, 0]], dtype=torch.float64).expand(1, 3, 2, 3)
    what = torch.tensor([[[0.1], [0.5], [0.9]]], dtype=torch.float64)
    strokes = Strokes(where, torch.ones(1, 3, 1).double(), what, depth=torch.tensor([depths], dtype=torch.float64))
    bank, options = TemplateBank.named("square"), {"size": (3, 4), "compositing": "depth", "temperature": temperature}
    black, white = (painted(backend, strokes, bank, ground, **options) for ground in (0.0, 1.0))
    torch.testing.assert_close(black, white, rtol=0, atol=1e-5)
    assert black.min() >= 0.1 - 1e-5
    assert black.max() <= 0.9 + 1e-5


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("temperature", [0.0, 0.1, 1.0])
def test_with_depths_the_order_of_moves_is_nothing(temperature: float, backend: str) -> None:
    strokes, bank = random_strokes(moves=5, fields="depth opacity slope"), random_bank()
    options = {"size": (6, 7), "compositing": "depth", "temperature": temperature}
    shuffled = strokes[:, torch.randperm(5)]
    expected = painted(backend, strokes, bank, 0.4, **options)
    torch.testing.assert_close(
        painted(backend, shuffled, bank, 0.4, **options), expected, rtol=0, atol=BACKENDS[backend][1]
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_straight_through(backend: str) -> None:
    dtype, tolerance = BACKENDS[backend]
    strokes = random_strokes(moves=4, fields="depth opacity slope").map(lambda x: x.to(dtype))
    masks = random_bank().masks.to(dtype)
    weight = torch.randn(2, 3, 7, 6).to(dtype)

    def gradients(**options) -> tuple[Tensor, dict[str, Tensor]]:
        leaves = {name: tensor.clone().requires_grad_() for name, tensor in strokes.tensors().items()}
        leaves["background"] = torch.full((2, 3, 7, 6), 0.5, dtype=dtype, requires_grad=True)
        leaves["masks"] = masks.clone().requires_grad_()
        moves = Strokes(**{name: leaf for name, leaf in leaves.items() if name not in ("background", "masks")})
        bank = TemplateBank(leaves["masks"], prefilter=False)
        canvas = render(moves, bank, None, leaves["background"], "depth", backend, **options)
        (canvas * weight).sum().backward()
        return canvas.detach(), {name: leaf.grad for name, leaf in leaves.items() if leaf.grad is not None}

    exact, exact_gradients = gradients(temperature=0.0)
    _, soft_gradients = gradients(temperature=0.2)
    through, through_gradients = gradients(temperature=0.2, straight_through=True)
    assert "depth" not in exact_gradients
    torch.testing.assert_close(through, exact, rtol=0, atol=tolerance)
    assert soft_gradients["depth"].abs().max() > 0.01
    expected = exact_gradients | {"depth": soft_gradients["depth"]}
    assert set(through_gradients) == set(expected)
    for name, gradient in through_gradients.items():
        torch.testing.assert_close(gradient, expected[name], rtol=1e-4, atol=tolerance, msg=name)


@pytest.mark.usefixtures("any_clamp")
@pytest.mark.parametrize("prefilter", [False, True])
@pytest.mark.parametrize(
    ("compositing", "temperature"), [("additive", 0.0), ("over", 0.0), ("depth", 0.0), ("depth", 0.3)]
)
def test_gradients_in_float64(compositing: str, temperature: float, prefilter: bool) -> None:
    strokes = random_strokes(batch=1, moves=2, channels=1, fields="opacity depth slope")
    masks = random_bank(side=3).masks
    background = torch.rand(1, 1, 3, 4, dtype=torch.float64)
    leaves = [tensor.requires_grad_() for tensor in (*strokes.tensors().values(), background, masks)]

    def paint(where, which, what, opacity, depth, slope, background, masks) -> Tensor:
        moves, bank = Strokes(where, which, what, opacity, depth, slope), TemplateBank(masks, prefilter=prefilter)
        return render(moves, bank, None, background, compositing, "reference", temperature)

    assert math.prod(paint(*leaves).shape) == 12
    assert torch.autograd.gradcheck(paint, leaves)


@pytest.mark.parametrize(
    ("compositing", "temperature"), [("additive", 0.0), ("over", 0.0), ("depth", 0.0), ("depth", 0.3)]
)
def test_gradients_of_thin_fills_in_float64(compositing: str, temperature: float) -> None:
    """Between the samples under a thin stamp lie centres of pixels where its fill has ended, in some channels."""
    strokes = random_strokes(batch=1, moves=2, channels=3, fields="opacity depth slope")
    strokes.where[..., 1, :] = torch.tensor([0.5, 20, 1.3], dtype=torch.float64)
    strokes.slope[:, :, 0] = torch.tensor([-0.4, 0.3], dtype=torch.float64)
    bank = TemplateBank.named("square", "circle", size=9, prefilter=False)
    leaves = [tensor.requires_grad_() for tensor in strokes.tensors().values()]

    def paint(*leaves: Tensor) -> Tensor:
        return render(Strokes(*leaves), bank, (4, 3), 0.5, compositing, "reference", temperature, samples=4)

    assert torch.autograd.gradcheck(paint, leaves)


def test_second_gradients_in_float64() -> None:
    strokes, bank = random_strokes(batch=1, moves=2, channels=1, fields="opacity"), random_bank()

    def paint(where, what, opacity) -> Tensor:
        return render(Strokes(where, strokes.which, what, opacity), bank, (2, 3), 0.5, "over", "reference")

    leaves = [tensor.requires_grad_() for tensor in (strokes.where, strokes.what, strokes.opacity)]
    assert torch.autograd.gradgradcheck(paint, leaves)
