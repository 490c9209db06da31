"""Colours of pictures and films whose range or gamut is wider than sRGB's, as a screen of sRGB shows them."""

import numpy as np
from jaxtyping import Float, UInt8, UInt16

PQ, HLG = 16, 18
"""Transfers of high dynamic range, as ITU-T H.273 counts them: SMPTE ST 2084, and ARIB STD-B67 (ITU-R BT.2100)."""
BT2020, P3 = 9, 12
"""Primaries of ITU-R BT.2020 and of Display P3, as ITU-T H.273 counts them."""
WHITE = 203.0
"""Candelas a square metre of what is white in sRGB (ITU-R BT.2408)."""
PEAK = 1000.0
"""Candelas a square metre of the screen that HLG is meant for."""
KNEE = 0.8
"""Of white, from where on what is brighter is drawn together."""
STRIP = 2**18
"""Pixels that are worked on at once: those of a large photograph would take gigabytes."""
LUMA = np.array([0.2627, 0.6780, 0.0593], np.float32)
OF_SRGB = {
    BT2020: ((0.6274, 0.3293, 0.0433), (0.0691, 0.9195, 0.0114), (0.0164, 0.0880, 0.8956)),
    P3: ((0.8225, 0.1775, 0), (0.0332, 0.9668, 0), (0.0171, 0.0724, 0.9105)),
}
"""Light of sRGB's primaries in those of others (ITU-R BT.2087)."""
TO_SRGB = {primaries: np.linalg.inv(light).astype(np.float32) for primaries, light in OF_SRGB.items()}

Codes = UInt16[np.ndarray, "height width 3"]
Light = Float[np.ndarray, "*any"]


def is_wider(transfer: int, primaries: int) -> bool:
    """Whether colours of these have to be changed to be those of sRGB."""
    return transfer in (PQ, HLG) or primaries in TO_SRGB


def in_srgb(codes: Codes, transfer: int, primaries: int) -> UInt8[np.ndarray, "height width 3"]:
    """RGB of 16 bits and a transfer as sRGB of 8 bits; what is brighter than white is drawn together below it."""
    signal = np.arange(2**16, dtype=np.float64) / (2**16 - 1)
    table = {PQ: _pq, HLG: _hlg}.get(transfer, _srgb)(signal).astype(np.float32)
    rows = max(1, STRIP // codes.shape[1])
    strips = range(0, len(codes), rows)
    return np.concatenate([_drawn(table[codes[top : top + rows]], transfer, primaries) for top in strips])


def _drawn(light: Light, transfer: int, primaries: int) -> UInt8[np.ndarray, "*any"]:
    """Light of these primaries, and of the scene for HLG, as sRGB of 8 bits."""
    if transfer == HLG:  # the screen's own curve, on the luminance of the scene
        light *= PEAK / WHITE * np.maximum(light @ LUMA, 1e-6)[..., None] ** 0.2
    if primaries in TO_SRGB:
        light = light @ TO_SRGB[primaries].T
    light = np.maximum(light, 0)
    if transfer in (PQ, HLG):
        light *= _shoulder(light.max(-1, keepdims=True))
    light = np.minimum(light, 1)
    shown = np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-6) ** (1 / 2.4) - 0.055)
    return (255 * shown + 0.5).astype(np.uint8)


def _pq(signal: Light) -> Light:
    """Light by signal, of white (SMPTE ST 2084)."""
    power = signal ** (32 / 2523)
    return (np.maximum(power - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * power)) ** (16384 / 2610) * 10_000 / WHITE


def _hlg(signal: Light) -> Light:
    """Light of the scene by signal, 1 at most (ITU-R BT.2100)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)


def _srgb(signal: Light) -> Light:
    return np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)


def _shoulder(largest: Light) -> Light:
    """By how much light is to be made less where its largest channel is so bright; nothing below the knee."""
    above = np.maximum(largest - KNEE, 0) / (1 - KNEE)
    return np.where(above > 0, (KNEE + (1 - KNEE) * (1 - np.exp(-above))) / np.maximum(largest, KNEE), 1)
