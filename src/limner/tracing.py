"""Outlines of masks: those with hard edges are drawn as well by a path, which stays sharp at any size."""

import io
import re
from collections.abc import Iterable

import numpy as np
import resvg_py
import torch
from contourpy import LineType, contour_generator
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torch.nn.functional import max_pool2d, pad

from limner.geometry import centres

FADING, GRAY = 0.01, 0.3
"""Largest share of a mask with an outline that is neither inside nor outside: away from its edge, and in all."""
LIKE = 0.08
"""Largest difference of a mask and its path, as a share of the mask, for the path to stand for it."""
STRAIGHT = 0.15
"""How far off a line, in texels, a point may usually be to be left out of it."""
FINER, FINEST = 4, 4096
"""Pixels of a drawn outline to a texel, and along a side at most."""
PATH = '<path fill-rule="evenodd" d="{}"/>'
"""An outline, of closed lines."""
POINT = r"-?[0-9]{1,3}(\.[0-9]{1,9})?"
LINES = re.compile(rf"(M{POINT} {POINT}( {POINT} {POINT})*Z)+")
"""What closed lines look like in a path."""


def traced(mask: Float[Tensor, "S S"]) -> str | None:
    """The SVG path of the `lines` of a mask, if it has some."""
    found = lines(mask)
    return None if found is None else PATH.format(found)


def lines(mask: Float[Tensor, "S S"], off: float = STRAIGHT) -> str | None:
    """Closed lines around what is more than half inside of a mask, in [-1, 1]; None where that is not much like it.

    So it is of masks that fade, are gray, or have parts as thin as a texel.  off: by how many texels lines may miss it.
    """
    mask = mask.detach().cpu().double()
    side = len(mask)
    texel = 2 / side
    if _fades(mask):
        return None
    at = centres(side + 2, dtype=torch.float32, device="cpu").numpy() * (1 + texel)
    contours = contour_generator(at, at, np.pad(mask.numpy(), 1), line_type=LineType.Separate)
    rings = [np.asarray(ring) for ring in contours.lines(0.5)]
    if not like(PATH.format(_closed(rings)), mask):
        return None
    return _closed(_straightened(ring, off * texel) for ring in rings)


def like(outline: str, mask: Float[Tensor, "S S"]) -> bool:
    """Whether an outline may stand for a mask."""
    mask = mask.detach().cpu().double()
    return bool((drawn(outline, len(mask)) - mask).square().sum() <= LIKE**2 * mask.square().sum())


def thickness(mask: Float[Tensor, "S S"]) -> float:
    """How thick the parts of a mask are, as a share of its side: twice its area over the length of its edge."""
    whole = pad(mask.double(), (1, 1, 1, 1))
    edge = torch.stack([whole.diff(dim=0)[:, 1:], whole.diff(dim=1)[1:]]).norm(dim=0).sum()
    return (2 * mask.sum() / edge / len(mask)).item()


def _fades(mask: Float[Tensor, "S S"]) -> bool:
    """Whether there is more gray in a mask than hard edges leave; so there is in one that holds nothing."""
    inside = pad((mask > 0.5).double(), (1, 1, 1, 1))[None]
    edge = (max_pool2d(inside, 3, 1) + max_pool2d(-inside, 3, 1))[0] > 0
    gray = torch.minimum(mask, 1 - mask)
    held = (mask > 0.5).sum()
    return bool(gray[~edge].sum() >= FADING * held or gray.sum() >= GRAY * held)


def drawn(outline: str, size: int) -> Float[Tensor, "size size"]:
    """The mask of an outline in [-1, 1], `size` texels a side."""
    finer = max(1, min(FINER, FINEST // size))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{size * finer}" height="{size * finer}" viewBox="-1-1 2 2">'
    png = resvg_py.svg_to_bytes(svg_string=f"{head}{outline}</svg>", skip_system_fonts=True)
    alpha = Image.open(io.BytesIO(png)).getchannel("A").reduce(finer)
    return torch.from_numpy(np.array(alpha, np.float32)) / 255


def _straightened(points: np.ndarray, most: float) -> np.ndarray:
    """Some of the points of a line, none of the others farther than `most` off it (Douglas and Peucker 1973)."""
    kept, parts = {0, len(points) - 1}, [(0, len(points) - 1)]
    while parts:
        first, last = parts.pop()
        from_first, along = points[first : last + 1] - points[first], points[last] - points[first]
        length = np.hypot(*along)
        off = np.abs(from_first @ (along[1], -along[0])) / length if length else np.hypot(*from_first.T)
        farthest = first + int(off.argmax())
        if off[farthest - first] > most:
            kept.add(farthest)
            parts += [(first, farthest), (farthest, last)]
    return points[sorted(kept)]


def _closed(rings: Iterable[np.ndarray]) -> str:
    """Closed lines, whose last point is their first again, as an SVG's path has them (`LINES`)."""
    texts = (" ".join(f"{x:.4f} {y:.4f}" for x, y in ring[:-1].tolist()) for ring in rings)
    return "".join(f"M{text}Z" for text in texts)
