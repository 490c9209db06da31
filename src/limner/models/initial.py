"""Where weights start: N(0, 0.05^2), with which the thesis' networks work best (thesis 5.2)."""

from torch import nn


def initialise(model: nn.Module, std: float) -> None:
    """Weights of every linear, convolutional and LSTM layer from N(0, std^2); biases 0, of an LSTM's forget gate 1.

    A forget gate open at the start lets gradients through all moves (Jozefowicz et al. 2015); the thesis says nothing.
    """
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.LSTMCell):
            for name, parameter in module.named_parameters(recurse=False):
                if name.startswith("weight"):
                    nn.init.normal_(parameter, std=std)
                else:
                    nn.init.zeros_(parameter)
                    if name.startswith("bias_ih"):
                        forget = parameter.data.chunk(4)[1]
                        forget.fill_(1.0)
