"""The fused kernels for a GPU, in Triton: the functions of `canvas`, one small tile of the canvas to a program."""
