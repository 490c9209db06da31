"""Weights and the optimiser's memory on disk, as safetensors: no pickle is ever loaded."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as as_bytes
from torch import Tensor, nn

from limner.errors import UserError
from limner.files import atomic


def save_weights(path: Path, model: nn.Module) -> None:
    """Write the weights, whole or not at all."""
    _save(path, model.state_dict(), {})


def load_weights(path: Path, model: nn.Module) -> None:
    """Read weights into a model of the same shape; UserError names the file that does not fit."""
    tensors, _ = _load(path)
    _fit(path, model, tensors)


def save_checkpoint(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, iteration: int) -> None:
    """Write all that training goes on from after `iteration` iterations."""
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for number, memory in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{number}.{name}": tensor for name, tensor in memory.items()}
    _save(path, tensors, {"iteration": str(iteration)})


def load_checkpoint(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer) -> int:
    """Restore what `save_checkpoint` wrote, and return the number of iterations done."""
    tensors, notes = _load(path)
    weights = {name.removeprefix("model."): t for name, t in tensors.items() if name.startswith("model.")}
    _fit(path, model, weights)
    memory = {name: tensor for name, tensor in tensors.items() if name.startswith("optimiser.")}
    state = _state(path, memory, optimiser)
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    return _iteration(path, notes)


def _state(path: Path, memory: dict[str, Tensor], optimiser: torch.optim.Optimizer) -> dict[int, dict[str, Tensor]]:
    """What Adam remembers of each parameter, by its number; UserError for what it cannot have written."""
    state: dict[int, dict[str, Tensor]] = {}
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    for number, parameter in enumerate(parameters):
        shapes = {"step": (), "exp_avg": parameter.shape, "exp_avg_sq": parameter.shape}
        names = {field: f"optimiser.{number}.{field}" for field in shapes}
        found = {field: memory.pop(name) for field, name in names.items() if name in memory}
        if not found:  # a parameter without gradients has nothing to be remembered
            continue
        if {field: tensor.shape for field, tensor in found.items()} != shapes:
            raise UserError(f"{path}: is damaged: it has not all that Adam remembers of parameter {number}: train anew")
        state[number] = found
    if memory or not state:
        raise UserError(f"{path}: is damaged: what Adam remembers is not of this model: train anew")
    return state


def iterations_done(path: Path) -> int:
    """How many iterations a checkpoint is from."""
    with _opened(path) as file:
        return _iteration(path, file.metadata() or {})


def _iteration(path: Path, notes: dict[str, str]) -> int:
    done = notes.get("iteration", "")
    if not done.isdecimal():
        raise UserError(f"{path}: is no checkpoint: it does not say how many iterations are done")
    return int(done)


def _save(path: Path, tensors: dict[str, Tensor], notes: dict[str, str]) -> None:
    still = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
    with atomic(path) as temporary:
        temporary.write_bytes(as_bytes(still, notes))  # `save_file` would make a file that only its owner can read


def _load(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What is in a file, in memory of its own: Windows replaces no file of which something is mapped."""
    with _opened(path) as file:
        return {name: file.get_tensor(name).clone() for name in file.keys()}, file.metadata() or {}  # noqa: SIM118


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        path.open("rb").close()  # which says why it cannot be read
        with safe_open(path, "pt") as file:
            yield file
    except (OSError, SafetensorError) as error:
        why = error.strerror or error if isinstance(error, OSError) else error
        raise UserError(f"{path}: no weights can be read from it: {why}") from error


def _fit(path: Path, model: nn.Module, tensors: dict[str, Tensor]) -> None:
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise UserError(f"{path}: the weights are not of this model: {reason}") from error
