"""Where torch makes tensors elsewhere by default. The device "meta", which holds no numbers, stands for any other."""

from pathlib import Path

import pytest
import torch

import limner
from limner.strokes import Strokes
from limner.templates import TemplateBank
from limner.writer import render

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><circle cx="4" cy="4" r="3"/></svg>'


def test_banks_are_made_there(tmp_path: Path) -> None:
    (tmp_path / "disc.svg").write_text(SVG)
    with torch.device("meta"):
        banks = TemplateBank.named("circle", "soft"), TemplateBank.load([str(tmp_path / "disc.svg"), "circle"])
    assert all(bank.masks.is_meta for bank in banks)


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("backend", ["fused", "reference"])
def test_strokes_on_the_cpu_are_painted(backend: limner.writer.Backend, samples: int) -> None:
    def painted(bank: TemplateBank) -> list[torch.Tensor]:
        leaves = [one.clone().requires_grad_() for one in (where, which, what)]
        canvas = render(Strokes(*leaves), bank, (9, 11), 0.5, backend=backend, samples=samples)
        return [canvas, *torch.autograd.grad(canvas.square().sum(), leaves)]

    where, which, what = torch.randn(2, 4, 2, 3), torch.rand(2, 4, 2).softmax(-1), torch.rand(2, 4, 3)
    wanted, bank = painted(TemplateBank.named("circle", "line")), TemplateBank.named("circle", "line")
    with torch.device("meta"):
        found = painted(bank)
    assert all(torch.equal(one, other) for one, other in zip(found, wanted, strict=True))


@pytest.mark.parametrize("background", ["auto", "transparent"])
def test_photographs_are_painted_on_the_cpu(background: str, tmp_path: Path) -> None:
    (tmp_path / "disc.svg").write_text(SVG)
    options = {"templates": ["circle", str(tmp_path / "disc.svg")], "background": background}
    image, mask = torch.rand(3, 20, 30), torch.rand(20, 30)
    wanted = limner.paint(image, 6, importance=mask, **options)
    with torch.device("meta"):
        painting = limner.paint(image, 6, importance=mask, **options)
        assert torch.equal(painting.strokes.where, wanted.strokes.where)
        assert painting.psnr == wanted.psnr
        for suffix in ("png", "jpg", "svg", "json", "gif", "webm"):
            painting.save(tmp_path / f"a.{suffix}")
        assert painting.psnr_of(tmp_path / "a.png") == painting.psnr
        assert painting.psnr_of(tmp_path / "a.jpg") > 5
        again = limner.Painting.load(tmp_path / "a.json")
        assert torch.equal(again.canvas, wanted.canvas)
        more = limner.paint(image, 4, resume=painting, palette=3)
    assert len(more.strokes) == 10
