"""What is measured: swzip and its rivals behind one small interface.

A coder encodes one file held in memory. `prepare` runs before each encode, outside the clock; `encode` and the
functions in `decoders` (by the policy's name, "" where there is one way only) are timed; `content` gives the bytes of a
decoded result for comparison, outside the clock. Rivals put their output where they please; swzip writes into the
caller's buffer. An element type is one of WIDTHS; a rival that does not know it treats it as bytes.
"""
from coders.archives import BigSmall, LmzArchive, Z4aiArchive
from coders.base import WIDTHS, Pieces, safetensors_header
from coders.general import Blosc2, Lz4, Pcodec, Planes, Zstd
from coders.swzip import Swzip
from coders.weights import Lmz, OpenZL, Z4ai, ZipNN

__all__ = (
    "BigSmall", "Blosc2", "Lmz", "LmzArchive", "Lz4", "OpenZL", "Pcodec", "Pieces", "Planes", "Swzip", "WIDTHS",
    "Z4ai", "Z4aiArchive", "ZipNN", "Zstd", "safetensors_header", "makers",
)


def makers(library):
    """By name, what makes each coder from (data, dtype, payload offset)."""
    def swzip(level):
        return lambda name, data, dtype, offset: Swzip(name, data, library, level, offset)

    def zstd(level):
        return lambda name, data, dtype, offset: Zstd(name, data, level)

    return {
        "swzip-1": swzip(1), "swzip-2": swzip(2), "swzip-3": swzip(3),
        "zipnn": lambda name, data, dtype, offset: ZipNN(name, data, dtype),
        "openzl": lambda name, data, dtype, offset: OpenZL(name, data, dtype),
        "zstd-1": zstd(1), "zstd-3": zstd(3),
        "lz4": lambda name, data, dtype, offset: Lz4(name, data),
    }
