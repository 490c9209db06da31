"""The bench of a training step: its parts are parts of one and the same step."""

import pytest
import torch

from limner.cli import bench
from limner.models.settings import Model

train = bench("train")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "BATCH", 5)
    monkeypatch.setattr(train, "IMAGES", 20)
    monkeypatch.setattr(train, "WARM_UP", 2)


@pytest.mark.usefixtures("small")
def test_the_engine_is_timed_on_the_moves_and_the_gradient_of_the_step() -> None:
    settings = Model(moves=2, hidden=8)
    torch.manual_seed(0)
    ink = torch.rand(5, 1, 12, 12)
    model = train.build(settings, (12, 12), 1)
    output = model(ink)
    output.strokes.where.retain_grad()
    output.strokes.what.retain_grad()
    output.loss.backward()
    where, what = train.engine(model, ink)()
    assert torch.allclose(where, output.strokes.where.grad, atol=1e-6)
    assert torch.allclose(what, output.strokes.what.grad, atol=1e-6)


@pytest.mark.usefixtures("small")
def test_table_has_a_line_for_every_case() -> None:
    rows = [train.row(name, settings, 16, 2, bar) for name, (settings, _, _, bar) in list(train.CASES.items())[:2]]
    lines = train.table({"rows": rows}).splitlines()
    assert len(lines) == 2 + len(rows)
    assert all(set(row["ms"]) == {"step", "data", "forward and backward", "optimiser", "engine"} for row in rows)
