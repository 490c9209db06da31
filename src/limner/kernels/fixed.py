"""Texel coordinates in fixed point: whole numbers of 32 bits that count parts of a texel.

These keep 31 bits, of which a float32 would have 24: on a large template the difference shows.
"""

import numpy as np

from limner.kernels.jit import inlined
from limner.kernels.layout import U, V
from limner.kernels.simd import steps

LARGEST = 1e30


@inlined
def binary_places(side):
    """How many binary places a texel coordinate has, in 31 bits, beside a template of `side` texels and its border."""
    places = 26
    while (side + 4) << places > 1 << 30:
        places -= 1
    return np.int32(places)


@inlined
def parts(sizes):
    """How many parts of a texel points in fixed point count."""
    return np.float32(1 << binary_places(sizes[0]))


@inlined
def fixed_axes(b, t, placed, places):
    """Both texel axes of a stamp, in fixed point with so many binary places."""
    fine = float(1 << places)
    u = placed[b, t, U] * fine, placed[b, t, U + 1] * fine, placed[b, t, U + 2] * fine
    return u, (placed[b, t, V] * fine, placed[b, t, V + 1] * fine, placed[b, t, V + 2] * fine)


@inlined
def texel_steps(axes):
    """`steps` along a row of both texel axes."""
    u, v = axes
    return steps(narrow(u[1])), steps(narrow(v[1]))


@inlined
def narrow(number):
    """A float64 as float32, huge values cut so that none becomes infinite."""
    return np.float32(min(max(number, -LARGEST), LARGEST))
