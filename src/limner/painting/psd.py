"""Layers as a Photoshop document, which Krita, GIMP, Affinity and Photopea open, too."""

from collections.abc import Iterable
from pathlib import Path

from psd_tools.constants import ChannelID, ColorMode, Compression, Tag
from psd_tools.psd import PSD
from psd_tools.psd.header import FileHeader
from psd_tools.psd.image_data import ImageData
from psd_tools.psd.layer_and_mask import (
    ChannelData,
    ChannelDataList,
    ChannelImageData,
    ChannelInfo,
    LayerAndMaskInformation,
    LayerInfo,
    LayerRecord,
    LayerRecords,
)

from limner.errors import UserError
from limner.painting import raster
from limner.painting.layers import Layer
from limner.painting.raster import Pixels

NAMED = 255
"""Bytes of a name."""
LARGEST = 2**31
"""Bytes of a document that Photoshop opens."""


def save_psd(path: Path, stack: Iterable[Layer], whole: Pixels, called: Path | None = None) -> None:
    """Write a document of layers, the lowest first; `whole` is how they look together, which viewers show.

    Photoshop keeps that on white, with its alpha beside it, by which viewers take the white away.
    called: what the file is to be called, for messages.  Raises UserError for more than `LARGEST` bytes.
    """
    merged = list(raster.picture(raster.on_white(whole)).split())
    if raster.has_alpha(whole):
        merged.append(raster.picture(whole[..., -1:]))
    bands, (width, height) = len(merged), merged[0].size
    records, channels, held = LayerRecords(), ChannelImageData(), 0
    for layer in stack:
        record, planes = _record(layer)
        records.append(record)
        channels.append(planes)
        held += sum(len(plane.data) for plane in planes)
        if held > LARGEST:
            raise UserError(f"{called or path}: more than the 2 GB that Photoshop opens: choose a smaller size")
    count = -len(records) if bands == 4 else len(records)  # below 0: the fourth band is how far it is covered
    header = FileHeader(channels=bands, height=height, width=width, depth=8, color_mode=ColorMode.RGB)
    shown = ImageData(Compression.RLE)
    shown.set_data([band.tobytes() for band in merged], header)
    info = LayerAndMaskInformation(LayerInfo(count, records, channels))
    with path.open("wb") as file:
        PSD(header=header, layer_and_mask_information=info, image_data=shown).write(file)


def _record(layer: Layer) -> tuple[LayerRecord, ChannelDataList]:
    """What a document says of a layer, and its bands, compressed."""
    width, height = layer.image.size
    right, bottom = layer.left + width, layer.top + height
    record = LayerRecord(layer.top, layer.left, bottom, right, opacity=layer.opacity)
    name = layer.name.encode("utf-8", "replace").decode("utf-8")  # of a file whose name is not UTF-8, say
    record.name = name.encode("macroman", "replace")[:NAMED].decode("macroman")
    record.tagged_blocks.set_data(Tag.UNICODE_LAYER_NAME, name)
    planes = ChannelDataList()
    for kind, band in zip((0, 1, 2, ChannelID.TRANSPARENCY_MASK), layer.image.split(), strict=False):
        plane = ChannelData(Compression.RLE)
        plane.set_data(band.tobytes(), width, height, 8)
        planes.append(plane)
        record.channel_info.append(ChannelInfo(ChannelID(kind)))
    return record, planes
