"""The kernels for a GPU against the reference: on a GPU where there is one, else in Triton's interpreter."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import assume, given, settings
from scenes import KINDS, compare, gradients, paint, piles, scene_of, scenes, stamp, ties
from torch import Tensor

from limner import geometry
from limner.cpu import fused
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import render

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
if DEVICE == "cpu":
    os.environ["TRITON_INTERPRET"] = "1"  # read when the kernels are imported
pytest.importorskip("triton", reason="make check installs it")
from limner.gpu import fused as gpu  # noqa: E402

on_a_gpu = pytest.mark.skipif(DEVICE == "cpu", reason="needs a GPU")
EXAMPLES = 1 if DEVICE == "cpu" else 50


@pytest.fixture(scope="module", autouse=True)
def interpreted():
    """Let the fused backend be that of a GPU, also on the CPU."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fused, "paint_fused", gpu.paint_fused)
        yield


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("compositing", ["additive", "over", "depth"])
def test_everything_is_learnt(compositing: str, samples: int) -> None:
    torch.manual_seed(samples)
    compare(scene_of(compositing, (20, 25), batch=2, samples=samples), DEVICE)


@pytest.mark.parametrize("compositing", ["additive", "over", "depth"])
def test_where_that_is_not_finite(compositing: str) -> None:
    scene = scene_of(compositing, (20, 25), batch=2)
    leaves = {name: leaf.to(DEVICE) for name, leaf in scene["leaves"].items()}
    leaves["where"][1, 2, 0, 1] = float("nan")
    with pytest.raises(ValueError, match="where of picture 1, move 2 is not finite"):
        paint(leaves, True, scene["options"], "fused")


@pytest.mark.parametrize("name", ["where", "which", "what", "opacity", "slope", "masks", "background"])
def test_one_thing_is_learnt(name: str) -> None:
    torch.manual_seed(0)
    compare(scene_of("over", (20, 25), batch=1) | {"wanted": [name]}, DEVICE)


@pytest.mark.parametrize("kind", KINDS)
def test_stamps_of_all_kinds(kind: str) -> None:
    torch.manual_seed(0)
    scene = scene_of("over", (20, 25), batch=1)
    scene["leaves"]["where"] = torch.stack([stamp(kind, (20, 25)) for _ in range(4)])[None]
    compare(scene, DEVICE)


@settings(max_examples=6 * EXAMPLES)
@given(scenes())
def test_equals_the_reference(scene: dict) -> None:
    assume(not ties(scene)[0])
    compare(scene, DEVICE)


@settings(max_examples=2 * EXAMPLES)
@given(piles())
def test_stamps_that_hide_others(scene: dict) -> None:
    assume(not ties(scene)[0])
    compare(scene, DEVICE)


def test_more_moves_and_tiles_than_are_looked_at_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "BLOCK", 16)
    torch.manual_seed(0)
    moves, width = gpu.BLOCK + 3, gpu.SIDE * gpu.BLOCK + 40
    scene = scene_of("over", (3, width), batch=1, moves=moves)
    where = (2 * torch.rand(1, moves, 2) - 1, torch.full((1, moves, 2), 5.0), torch.zeros(1, moves), width / 3)
    scene["leaves"]["where"] = geometry.phi(*where)
    scene["leaves"]["where"][0, 5] = torch.tensor([[0.9, 0.0, 0.1], [0.0, 0.7, 0.0]])
    compare(scene, DEVICE)


def test_kernels_compile(tmp_path: Path) -> None:
    places = {"TRITON_INTERPRET": "0", "TRITON_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, str(Path(__file__).with_name("compile_for_a_gpu.py")), "80"]
    ran = subprocess.run(command, env={**os.environ, **places}, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert any(tmp_path.rglob("*.cubin"))


def test_more_templates_than_are_added_up_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "ROOM", 64)
    torch.manual_seed(0)
    compare(scene_of("over", (20, 35), batch=1), DEVICE)


def layout_of(where: Tensor, size: tuple[int, int]) -> gpu.Layout:
    return gpu._lay_out(where.to(DEVICE), TemplateBank.named("circle").to(DEVICE).pyramid, size, 1)


def test_a_small_stamp_meets_few_tiles() -> None:
    where = geometry.phi(torch.tensor([0.1, -0.3]), torch.tensor([0.01, 0.2]), torch.tensor(0.5))
    assert 2 <= layout_of(where[None, None], (200, 200)).meetings <= 8


@pytest.mark.parametrize("far", [40.0, 1e30, 3e38])
def test_a_stamp_outside_meets_no_tile(far: float) -> None:
    assert layout_of(torch.tensor([[[[1.0, 0, far], [0, 1, 0]]]]), (200, 200)).meetings == 0


def test_nothing_is_kept_where_no_gradient_is_asked_for() -> None:
    scene = scene_of("over")
    strokes = Strokes(**{name: scene["leaves"][name].to(DEVICE) for name in ("where", "which", "what", "opacity")})
    strokes.where.requires_grad_()
    bank = TemplateBank(scene["leaves"]["masks"]).to(DEVICE)
    assert render(strokes, bank, (30, 25), backend="fused").grad_fn
    with torch.no_grad():
        assert render(strokes, bank, (30, 25), backend="fused").grad_fn is None


def test_a_bank_of_doubles() -> None:
    leaves = {name: leaf.to(DEVICE) for name, leaf in scene_of("over", (20, 25), batch=1)["leaves"].items()}
    masks, ground = leaves.pop("masks").requires_grad_(), leaves.pop("background")
    found = []
    for kind in (torch.float32, torch.float64):
        canvas = render(Strokes(**leaves), TemplateBank(masks.to(kind)), None, ground, backend="fused")
        found.append((canvas.detach(), *torch.autograd.grad(canvas.sum(), masks)))
    for single, double in zip(*found, strict=True):
        torch.testing.assert_close(single, double)


@pytest.mark.parametrize("compositing", ["additive", "over", "depth"])
def test_same_bytes_again(compositing: str) -> None:
    """But for the gradient of the masks, whose sums come in any order on a GPU."""
    scene = scene_of(compositing, (20, 25), batch=2)
    scene["wanted"].remove("masks")
    cotangent = torch.randn(2, 3, 20, 25)
    one, two = (gradients(scene, "fused", torch.float32, cotangent, DEVICE) for _ in range(2))
    assert torch.equal(one[0], two[0])
    assert all(torch.equal(one[1][name], two[1][name]) for name in one[1])


@pytest.mark.parametrize("compositing", ["additive", "over", "depth"])
def test_no_second_derivatives(compositing: str) -> None:
    leaves = {name: leaf.to(DEVICE) for name, leaf in scene_of(compositing, batch=1)["leaves"].items()}
    bank, where = TemplateBank(leaves.pop("masks")), leaves["where"].requires_grad_()
    ground, temperature = leaves.pop("background"), 0.3 if compositing == "depth" else 0.0
    canvas = render(Strokes(**leaves), bank, None, ground, compositing, "fused", temperature)
    with pytest.raises(RuntimeError, match='take backend="reference"'):
        torch.autograd.grad(canvas.square().sum(), where, create_graph=True)


@on_a_gpu
def test_auto_takes_the_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []
    monkeypatch.setattr(gpu, "paint_fused", lambda strokes, bank, canvas, *_, **__: taken.append(1) or canvas)
    strokes = Strokes(torch.eye(2, 3)[None, None], torch.ones(1, 1, 1), torch.ones(1, 1, 1)).map(lambda x: x.cuda())
    render(strokes, TemplateBank.named("circle").to("cuda"), (9, 9))
    assert taken


@on_a_gpu
def test_a_bank_on_another_device() -> None:
    strokes = Strokes(torch.eye(2, 3)[None, None], torch.ones(1, 1, 1), torch.ones(1, 1, 1)).map(lambda x: x.cuda())
    with pytest.raises(ValueError, match=r'strokes are on cuda:0, the bank is on cpu: take bank.to\("cuda:0"\)'):
        render(strokes, TemplateBank.named("circle"), (9, 9))
