"""What a model returns."""

import pytest
import torch

from limner.models.output import Output

CANVAS = torch.zeros(4, 1, 6, 6)


@pytest.mark.parametrize(("shape", "held"), [((), r"\(\)"), ((4, 1), r"\(4, 1\)"), ((3,), r"\(3,\)")])
@pytest.mark.usefixtures("unchecked")
def test_losses_are_numbers_for_each_image(shape: tuple[int, ...], held: str) -> None:
    with pytest.raises(ValueError, match=rf"the loss mine has shape {held}, expected \(4,\), one an image"):
        Output(CANVAS, {"reconstruction": torch.ones(4), "mine": torch.ones(shape)})


def test_the_loss_is_the_mean_of_sums() -> None:
    losses = {"reconstruction": torch.tensor([1.0, 2, 3, 6]), "latent": torch.tensor([0.0, 0, 1, 1])}
    assert Output(CANVAS, losses).loss.item() == 3.5
    with pytest.raises(ValueError, match="what is sampled has no loss"):
        _ = Output(CANVAS, {}).loss
