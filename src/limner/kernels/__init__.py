"""The fused CPU kernels: the functions of `canvas`, composited in one pass over the pixels each stamp touches."""
