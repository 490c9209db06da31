"""The bench of the engine: what it compares, and how."""

import pytest
import torch

from limner.cli import bench

engine = bench("engine")


@pytest.mark.parametrize("options", [{}, {"templates": 4}, {"channels": 3}])
def test_both_formulations_are_the_same_function(options: dict) -> None:
    steps = engine.problem((3, 4, 20, 15), **options)
    engine.same_function(steps)
    assert all(gradient.abs().max() > 0 for gradient in steps["limner"]()[1:])


def test_a_wrong_function_is_noticed() -> None:
    steps = engine.problem((3, 4, 20, 15))
    with pytest.raises(AssertionError, match="disagree"):
        engine.same_function({"plain": steps["plain"], "limner": lambda: tuple(x * 1.01 for x in steps["limner"]())})


def test_medians_take_turns() -> None:
    turns = []
    steps = {name: lambda name=name: turns.append(name) or (torch.zeros(1),) for name in ("plain", "limner")}
    assert set(engine.medians(steps, rounds=1, times=2)) == {"plain", "limner"}
    assert turns == ["plain", "limner", "limner"] * 2


def test_a_ratio_is_that_of_steps_at_the_same_time() -> None:
    slow, fast = [[10.0], [40.0], [12.0]], [[1.0, 2.0, 9.0], [8.0, 8.0, 8.0], [3.0, 2.0, 4.0]]
    assert engine.ratio(slow, fast) == 5.0
    assert engine.middle(fast) == 4.0


def test_a_row_of_the_bench_of_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the CPU: what it asks of a GPU is told here."""
    gpu, problem, waits = bench("gpu"), engine.problem, []
    monkeypatch.setattr(engine, "problem", lambda shape, device, **options: problem(shape, **options))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: waits.append(1))
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: None)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda: 2**20)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 4 * 2**20)
    row = gpu.row("RGB", (3, 4, 20, 15), rounds=2, channels=3)
    assert len(waits) == 2 * (2 + 1) + 2  # one a step, the first round's included, and one for each peak
    assert row["ratio"] == row["plain_ms"] / row["limner_ms"]
    assert row["plain_mib"] == row["limner_mib"] == 3
    assert "| 3, 4, 20x15, RGB |" in gpu.table({"machine": {"gpu": "", "torch": ""}, "strokes": "", "rows": [row]})
