"""The interface of a coder, and what several of them share."""
import json
import pathlib
import struct
import tempfile

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


def safetensors_header(data):
    """Where the tensors begin, and the entries of the header by name."""
    end = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:end])
    header.pop("__metadata__", None)
    return end, header
