"""Loading any data set by its settings."""

from collections.abc import Callable
from dataclasses import replace

import torch
from jaxtyping import UInt8
from torch import Tensor

from limner.data import cifar, faces, mnist, omniglot, pictures, sources, synthetic
from limner.data.images import Images
from limner.data.settings import FOLDER_SIZE, SPLITS, THESIS_SIZE, Data, Split
from limner.errors import UserError

READERS = {"mnist": mnist.read, "omniglot": omniglot.read, "cifar": cifar.read, "faces": faces.read}
VERBS = {"train": "train on", "validation": "validate on", "test": "test on"}
CHUNK = 1024
LUMA = (0.299, 0.587, 0.114)

Bytes = UInt8[Tensor, "image channel height width"]


def load(data: Data, split: Split = "train") -> Images:
    """The images of one split, held in memory as ink; the splits of a set share no image, unless it is blank.

    A real set that is not on this machine is downloaded once, where its terms allow that.
    Raises UserError for settings that make no sense, and for a set that is missing, with the place to get it from.
    """
    return fitted(selected(data, split), data)


def side(data: Data) -> int:
    """The height and width in pixels of the images that `load` gives, found without reading one."""
    if data.size:
        return data.size
    if data.synthetic:
        return THESIS_SIZE
    return FOLDER_SIZE if data.name == "folder" else sources.SOURCES[data.name].side


def selected(data: Data, split: Split) -> Images:
    """As many images of a split as are asked for, of the size and the channels that their set has."""
    data.check()
    if split not in SPLITS:
        raise UserError(f"split {split}: expected one of {', '.join(SPLITS)}")
    if data.synthetic:
        return synthetic.draw(data, split)
    if data.name == "folder":
        images = pictures.read(data.folder, split, side(data), data.channels)
    else:
        images = READERS[data.name](sources.fetch(data), split)
    if not len(images):
        raise UserError(f"{data.name}: there are no images to {VERBS[split]}: get the whole set")
    wanted = data.images if split == "train" else data.held_out
    if wanted is not None and wanted < len(images):
        chosen = torch.randperm(len(images), generator=torch.Generator().manual_seed(data.seed))[:wanted]
        images = images[chosen.sort().values]
    return images


def fitted(images: Images, data: Data) -> Images:
    """The images with the size and the channels that are asked for."""
    pixels = images.pixels
    if data.channels != images.channels:
        pixels = _chunked(gray, pixels) if data.channels == 1 else pixels.expand(-1, 3, -1, -1)
    size = (side(data), side(data))
    if images.size != size:
        pixels = _chunked(lambda some: resized(some, size), pixels)
    return replace(images, pixels=pixels)


def gray(pixels: UInt8[Tensor, "image 3 height width"]) -> UInt8[Tensor, "image 1 height width"]:
    """RGB bytes as gray by luma (ITU-R 601); it is linear, so ink becomes ink."""
    weights = torch.tensor(LUMA)[:, None, None]
    return (pixels * weights).sum(1, keepdim=True).round().byte()


def resized(pixels: Bytes, size: tuple[int, int]) -> UInt8[Tensor, "image channel height_out width_out"]:
    """Bytes at another size (height, width), smoothed where it is smaller."""
    return torch.nn.functional.interpolate(pixels, size, mode="bilinear", antialias=True)


def _chunked(function: Callable[[Bytes], Tensor], pixels: Bytes) -> UInt8[Tensor, "image _ _ _"]:
    return torch.cat([function(some) for some in pixels.split(CHUNK)])
