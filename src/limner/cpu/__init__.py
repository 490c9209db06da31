"""Painting by the kernels of `limner.kernels`, for float32 tensors on the CPU: the twin of `limner.gpu`."""
