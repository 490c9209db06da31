"""Where weights start."""

import torch
from torch import nn

from limner.models.initial import initialise


def test_weights_are_gaussian_and_biases_zero_but_for_forget_gates() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(200, 100), nn.LSTMCell(100, 50), nn.Conv2d(10, 40, 5))
    initialise(model, 0.05)
    state = model.state_dict()
    for name, parameter in state.items():
        if "weight" in name:
            torch.testing.assert_close(parameter.std(), torch.tensor(0.05), rtol=0.05, atol=0)
            assert parameter.mean().abs() < 0.003
    assert not state["0.bias"].any()
    assert not state["2.bias"].any()
    gates = (state["1.bias_ih"] + state["1.bias_hh"]).view(4, 50)
    assert gates.mean(1).tolist() == [0, 1, 0, 0]


def test_an_open_forget_gate_keeps_the_state() -> None:
    cell = nn.LSTMCell(3, 5)
    initialise(cell, 0.0)
    _, state = cell(torch.zeros(1, 3), (torch.zeros(1, 5), torch.ones(1, 5)))
    torch.testing.assert_close(state, torch.ones(1, 5).sigmoid())
