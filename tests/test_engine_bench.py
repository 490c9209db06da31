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
