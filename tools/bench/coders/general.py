"""General compressors, as they are and on the bytes or numbers of elements."""
import numpy as np

from coders.base import WIDTHS, Coder


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
