"""What is measured: swzip and its rivals behind one small interface.

A coder encodes one file held in memory. `prepare` runs before each encode, outside the clock; `encode` and the
functions in `decoders` (by the policy's name, "" where there is one way only) are timed; `content` gives the bytes of a
decoded result for comparison, outside the clock. Rivals put their output where they please; swzip writes into the
caller's buffer. An element type is one of WIDTHS; a rival that does not know it treats it as bytes.
"""
import functools
import json
import pathlib
import struct
import tempfile

import numpy as np

from library import POLICIES, aligned

WIDTHS = {"BF16": 2, "F16": 2, "F32": 4, "F8_E4M3": 1, "F8_E5M2": 1, "I8": 1, "U8": 1}

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


class Planes(Coder):
    """Byte planes, each in zstd."""

    def __init__(self, name, data, dtype, level):
        super().__init__(name, data)
        import zstandard
        self.width = WIDTHS[dtype]
        self.compressor, self.decompressor = zstandard.ZstdCompressor(level=level), zstandard.ZstdDecompressor()

    def encode(self):
        elements = np.frombuffer(self.data, np.uint8).reshape(-1, self.width)
        self.frame = [self.compressor.compress(np.ascontiguousarray(elements[:, at])) for at in range(self.width)]

    def decode(self):
        elements = np.empty((len(self.data) // self.width, self.width), np.uint8)
        for at, frame in enumerate(self.frame):
            elements[:, at] = np.frombuffer(self.decompressor.decompress(frame), np.uint8)
        return elements

    def size(self):
        return sum(map(len, self.frame))

    def content(self, decoded):
        return decoded.tobytes()


class Blosc2(Coder):
    """Blosc2 with one thread: a filter and a codec, in its own block size."""

    def __init__(self, name, data, dtype, filter_name, codec, level):
        super().__init__(name, data)
        import blosc2
        self.blosc2 = blosc2
        self.parameters = dict(typesize=WIDTHS[dtype], codec=blosc2.Codec[codec], clevel=level, nthreads=1,
                               filters=[blosc2.Filter[filter_name]], filters_meta=[0])

    def encode(self):
        self.frame = self.blosc2.compress2(self.data, **self.parameters)

    def decode(self):
        return self.blosc2.decompress2(self.frame, nthreads=1)


class Pcodec(Coder):
    """pcodec: numbers as floats where numpy has the type and `as_floats` is asked for, else as unsigned integers."""

    UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32}
    FLOATS = {"F16": np.float16, "F32": np.float32}

    def __init__(self, name, data, dtype, level, as_floats):
        super().__init__(name, data)
        from pcodec import ChunkConfig, standalone
        self.standalone = standalone
        self.type = self.FLOATS[dtype] if as_floats and dtype in self.FLOATS else self.UNSIGNED[WIDTHS[dtype]]
        self.config = ChunkConfig(compression_level=level, enable_8_bit=True)

    def encode(self):
        self.frame = self.standalone.simple_compress(np.frombuffer(self.data, self.type), self.config)

    def decode(self):
        return self.standalone.simple_decompress(self.frame)

    def content(self, decoded):
        return decoded.tobytes()


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


class Pieces(Coder):
    """A coder for each tensor of a file; the bytes between them are kept as they are.

    `spans` are (start, stop, element type). A piece costs its frame, or its bytes where the frame is no smaller, and 8
    bytes for a length.
    """

    def __init__(self, name, data, spans, make):
        super().__init__(name, data)
        self.spans = spans
        self.parts = [make(name, data[start:stop], dtype) for start, stop, dtype in spans]

    def prepare(self):
        for part in self.parts:
            part.prepare()

    def encode(self):
        for part in self.parts:
            part.encode()

    def decode(self):
        return [part.decode() for part in self.parts]

    def size(self):
        return len(self.data) + sum(8 + min(0, part.size() - len(part.data)) for part in self.parts)

    def content(self, decoded):
        result = bytearray(self.data)
        for (start, stop, _), part, value in zip(self.spans, self.parts, decoded, strict=True):
            result[start:stop] = part.content(value)
        return bytes(result)


class Archive(Coder):
    """Base of rivals that go from a file to a file."""

    def __init__(self, name, data, path):
        super().__init__(name, data)
        self.folder = tempfile.TemporaryDirectory()
        self.path, self.packed = pathlib.Path(path), pathlib.Path(self.folder.name, "packed")
        self.unpacked = self.packed.with_name("unpacked" + self.path.suffix)

    def size(self):
        return self.packed.stat().st_size


class LmzArchive(Archive):
    def encode(self):
        import lmz
        lmz.compress(str(self.path), str(self.packed), workers=1)

    def decode(self):
        import lmz
        lmz.decompress(str(self.packed), str(self.unpacked), workers=1)

    def content(self, decoded):
        return self.unpacked.read_bytes()


class BigSmall(Archive):
    """bigsmall gives back tensors, not the file: their bytes are put in their places under the file's own header."""

    def encode(self):
        import bigsmall
        bigsmall.compress(self.path, self.packed, workers=1, progress=False)

    def decode(self):
        import bigsmall
        return bigsmall.decompress(self.packed, progress=False)

    def content(self, decoded):
        end, entries = safetensors_header(self.data)
        result = bytearray(len(self.data))
        result[:end] = self.data[:end]
        for name, entry in entries.items():
            start, stop = entry["data_offsets"]
            result[end + start:end + stop] = decoded[name].tobytes()
        return bytes(result)


class Z4aiArchive(Coder):
    """z4ai's own container of a safetensors file, tensor by tensor."""

    def encode(self):
        from z4ai import safetensors
        self.frame = safetensors.compress_bytes(self.data, threads=1, workers=1)

    def decode(self):
        from z4ai import safetensors
        return safetensors.decompress_bytes(self.frame, workers=1)


def safetensors_header(data):
    """Where the tensors begin, and the entries of the header by name."""
    end = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:end])
    header.pop("__metadata__", None)
    return end, header


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
