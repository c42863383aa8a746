"""What the tests of the Python package share."""

import os
import pathlib
import struct
import tempfile
import unittest

import numpy

import swzip


FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "Fixtures"


class FolderTest(unittest.TestCase):
    """Each test has a folder of its own, which is empty but for what it writes."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)
        self.random = numpy.random.default_rng(7)

    def packed(self, data, name="sample", **options):
        """The path of the container of a file with these bytes."""
        path = self.folder / name
        path.write_bytes(data)
        return swzip.pack(path, **options)

    def weights(self, *shape):
        return numpy.asarray(self.random.standard_normal(shape) / 50, "float32")


def safetensors_file(tensors, metadata=None):
    """The bytes of a safetensors file of raw tensors: name to (type, shape, bytes), in this order, aligned or not."""
    import json

    header, position = {"__metadata__": metadata} if metadata else {}, 0
    for name, (kind, shape, data) in tensors.items():
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [position, position + len(data)]}
        position += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(data for _, _, data in tensors.values())


def child_environment():
    """Of a child process that imports the same package."""
    package = os.path.dirname(os.path.dirname(swzip.__file__))
    return {**os.environ, "PYTHONPATH": os.pathsep.join([package, os.environ.get("PYTHONPATH", "")])}
