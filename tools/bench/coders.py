"""What is measured: swzip and its rivals behind one small interface.

A coder encodes one file held in memory. `prepare` runs before each encode, outside the clock; `encode` and the
functions in `decoders` (by the policy's name, "" where there is one way only) are timed; `content` gives the bytes of a
decoded result for comparison, outside the clock. Rivals put their output where they please; swzip writes into the
caller's buffer.
"""
import functools

import numpy as np

from library import POLICIES, aligned


class Coder:
    """Base: a name, the file's bytes, the encoded frame and ways to decode it."""

    def __init__(self, name, data):
        self.name = name
        self.data = data
        self.frame = None
        self.decoders = {"": self.decode}

    def prepare(self):
        self.frame = None

    def size(self):
        return len(self.frame)

    def content(self, decoded):
        return decoded


class Swzip(Coder):
    """swzip's C library: the container into one caller's buffer, the file into another."""

    def __init__(self, name, data, library, level, payload_offset):
        super().__init__(name, data)
        self.decoders = {policy: functools.partial(self.decode, policy) for policy in POLICIES}
        self.library, self.level = library, level
        self.source = np.frombuffer(data, np.uint8)
        self.container = aligned(library.bound(len(data)))
        self.target = aligned(len(data), payload_offset)

    def encode(self):
        self.frame = self.container[:self.library.pack(self.source, self.container, self.level)]

    def decode(self, policy):
        return self.target[:self.library.unpack(self.frame, self.target, policy)]

    def content(self, decoded):
        """The decoded bytes; the buffer is then spoilt, so that the next decode must write every one."""
        result = decoded.tobytes()
        self.target.fill(0xA5)
        return result


class ZipNN(Coder):
    """ZipNN's C core, called as its Python layer calls it, with one thread.

    The core reorders bits in the caller's input, so each encode gets a fresh copy, made outside the clock. An input
    that is no whole number of elements is refused: the core writes past its buffers there.
    """

    HEADER = 32
    # Planes, bit reordering, byte reordering, chunk.
    MODES = {"BF16": (2, 1, 10, 1 << 18), "F16": (2, 0, 10, 1 << 18), "F32": (4, 1, 220, 1 << 18),
             "F8_E4M3": (1, 1, 10, 1 << 17), "F8_E5M2": (1, 1, 10, 1 << 17)}

    def __init__(self, name, data, dtype):
        super().__init__(name, data)
        import zipnn_core
        self.core = zipnn_core
        self.planes, self.bits, self.bytes, self.chunk = self.MODES[dtype]
        if len(data) % self.planes:
            raise ValueError("the file is no whole number of elements")

    def prepare(self):
        super().prepare()
        self.copy = bytearray(self.data)

    def encode(self):
        self.frame = self.core.zipnn_core(bytearray(self.HEADER), self.copy, self.planes, self.bits, self.bytes, 0,
                                          self.chunk, 0.95, 10, 1)

    def decode(self):
        return self.core.combine_dtype(memoryview(self.frame)[self.HEADER:], self.planes, self.bits, self.bytes,
                                       self.chunk, len(self.data), 1)


class OpenZL(Coder):
    """The graph of OpenZL's `pytorch` profile, in pieces of 1 MiB (its segments): float deconstruct, exponents in
    Huffman code, the rest stored; 8-bit types in Huffman code."""

    PIECE = 1 << 20

    def __init__(self, name, data, dtype):
        super().__init__(name, data)
        from openzl import ext
        compressor = ext.Compressor()
        graph = ext.graphs.Huffman()(compressor)
        if dtype in ("BF16", "F16", "F32"):
            wide = dtype == "F32"
            split = ext.nodes.Float32Deconstruct() if wide else ext.nodes.BFloat16Deconstruct()
            fields = split(compressor, ext.graphs.Store()(compressor), graph)
            graph = ext.nodes.ConvertSerialToNumLE(4 if wide else 2)(compressor, fields)
        compressor.select_starting_graph(graph)
        self.compressor, self.encoder, self.decoder = compressor, ext.CCtx(), ext.DCtx()
        self.encoder.set_parameter(ext.CParam.StickyParameters, 1)
        self.encoder.set_parameter(ext.CParam.FormatVersion, ext.MAX_FORMAT_VERSION)
        self.encoder.ref_compressor(compressor)
        values = np.frombuffer(data, np.uint8)
        pieces = (values[at:at + self.PIECE] for at in range(0, len(data), self.PIECE))
        self.pieces = [[ext.Input(ext.Type.Serial, piece)] for piece in pieces]

    def encode(self):
        self.frame = [self.encoder.compress(piece) for piece in self.pieces]

    def decode(self):
        return [self.decoder.decompress(frame)[0] for frame in self.frame]

    def size(self):
        return sum(map(len, self.frame))

    def content(self, decoded):
        return b"".join(piece.content.as_bytes() for piece in decoded)


class Zstd(Coder):
    def __init__(self, name, data, level):
        super().__init__(name, data)
        import zstandard
        self.compressor, self.decompressor = zstandard.ZstdCompressor(level=level), zstandard.ZstdDecompressor()

    def encode(self):
        self.frame = self.compressor.compress(self.data)

    def decode(self):
        return self.decompressor.decompress(self.frame)


class Lz4(Coder):
    def __init__(self, name, data):
        super().__init__(name, data)
        import lz4.block
        self.block = lz4.block

    def encode(self):
        self.frame = self.block.compress(self.data)

    def decode(self):
        return self.block.decompress(self.frame)


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
