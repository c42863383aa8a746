"""Rivals that are made for weights, on bytes in memory."""
import numpy as np

from coders.base import WIDTHS, Coder


class ZipNN(Coder):
    """ZipNN's C core, called as its Python layer calls it, with one thread.

    The core reorders bits in the caller's input, so each encode gets a fresh copy, made outside the clock. An input
    that is no whole number of elements is refused: the core writes past its buffers there.
    """

    HEADER = 32
    # Planes, bit reordering, byte reordering, chunk.
    MODES = {"BF16": (2, 1, 10, 1 << 18), "F16": (2, 0, 10, 1 << 18), "F32": (4, 1, 220, 1 << 18),
             "F8_E4M3": (1, 1, 10, 1 << 17), "F8_E5M2": (1, 1, 10, 1 << 17), "I8": (1, 1, 10, 1 << 17),
             "U8": (1, 1, 10, 1 << 17)}

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
    """OpenZL in pieces of 1 MiB (the segments of its `pytorch` profile), by one of three graphs.

    torch: that of the profile: float deconstruct, exponents in Huffman code, the rest stored; 8-bit types in Huffman
    code. fse: exponents in FSE code, the rest by the generic compressor. generic: that compressor on whole elements.
    """

    PIECE = 1 << 20

    def __init__(self, name, data, dtype, graph="torch"):
        super().__init__(name, data)
        from openzl import ext
        compressor = ext.Compressor()
        width = WIDTHS[dtype]
        graphs = ext.graphs
        exponents, rest = {"torch": (graphs.Huffman, graphs.Store), "fse": (graphs.Fse, graphs.Compress),
                           "generic": (graphs.Compress, None)}[graph]
        graph = exponents()(compressor)
        if rest and width > 1:
            split = ext.nodes.Float32Deconstruct() if width == 4 else ext.nodes.BFloat16Deconstruct()
            graph = split(compressor, rest()(compressor), graph)
        if width > 1:
            graph = ext.nodes.ConvertSerialToNumLE(width)(compressor, graph)
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


class Z4ai(Coder):
    """z4ai in one thread, on a buffer whose type it is told. effort: None is its default; "max" takes minutes."""

    TYPES = {"BF16": "bf16", "F16": "fp16", "F32": "fp32", "F8_E4M3": "fp8_e4m3", "F8_E5M2": "fp8_e5m2",
             "I8": "int8", "U8": "uint8"}

    def __init__(self, name, data, dtype, effort=None):
        super().__init__(name, data)
        import z4ai
        self.z4ai, self.type, self.effort = z4ai, self.TYPES[dtype], effort

    def encode(self):
        self.frame = self.z4ai.compress(self.data, dtype=self.type, threads=1, effort=self.effort)

    def decode(self):
        return self.z4ai.decompress(self.frame)


class Lmz(Coder):
    """The chunks of an lmz archive (8 MiB, with their CRC32), without the archive around them."""

    CHUNK = 8 << 20

    def __init__(self, name, data, dtype):
        super().__init__(name, data)
        from lmz import codec, planner
        self.codec, self.width = codec, WIDTHS[dtype]
        self.kind = planner.KIND_BF16 if dtype == "BF16" else planner.KIND_BYTES
        self.chunks = [memoryview(data)[at:at + self.CHUNK] for at in range(0, len(data), self.CHUNK)]

    def encode(self):
        self.frame = []
        for chunk in self.chunks:
            payload, *rest = self.codec.encode_chunk(chunk, self.width, kind=self.kind)
            self.frame.append((b"".join(payload) if isinstance(payload, list) else payload, *rest))

    def decode(self):
        return [self.codec.decode_chunk(payload, codec, self.width, flags, len(chunk), crc)
                for (payload, codec, flags, crc), chunk in zip(self.frame, self.chunks)]

    def size(self):
        return sum(len(payload) for payload, *_ in self.frame)

    def content(self, decoded):
        return b"".join(decoded)
