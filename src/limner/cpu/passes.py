"""What the passes over a canvas keep and are compiled for: it follows from the gradients that are wanted."""

from functools import cache
from typing import NamedTuple

from limner.kernels import layout

WEIGHED = frozenset({"where", "opacity"})
"""What strokes are worth is found from all that lies below them, as the gradients to these are."""


class Passes(NamedTuple):
    """What decides which kernels do a forward and a backward pass, but for the kind of canvas."""

    keep: int
    """See `kernels.layout`."""
    hides: bool
    """Whether what lies under opaque strokes is left out."""
    below: bool
    """Whether what lies below edges is kept, in some form."""
    dense: bool
    """Whether the gradient to templates, or to the choice among them, is wanted."""
    switches: tuple[bool | tuple[None, ...] | None, ...]
    """See `kernels.over`."""


@cache
def passes_for(wanted: frozenset[str], compositing: str, samples: int, channels: int) -> Passes:
    """wanted: fields of strokes, canvas for what is below them, and cells for the templates."""
    soft, additive = compositing == "depth", compositing == "additive"
    dense = not wanted.isdisjoint({"which", "cells"})
    keep_all = not additive and (dense or "opacity" in wanted)
    keep_edges = keep_all or (not additive and "where" in wanted)
    if soft or samples > 1:
        keep = layout.MASKS if soft or wanted else layout.ONE_MASK
    elif keep_edges:
        keep = layout.PIXELS if keep_all else layout.EDGES
    else:
        keep = layout.LIST if wanted else layout.NOTHING
    with_pixels = keep in (layout.EDGES, layout.PIXELS) or None
    switches = additive or None, with_pixels, keep == layout.PIXELS or None, (None,) * channels
    return Passes(keep, keep <= layout.EDGES and not additive, keep_edges, dense, switches)
