"""What users and disks do wrong: an error that says so, never a crash."""

import contextlib
import os
import unittest

import numpy

import swzip
import swzip.numpy
import swzip.torch
from samples import FolderTest, safetensors_file

READERS = [swzip.inspect, swzip.verify, swzip.open, swzip.unpack, swzip.numpy.load_file, swzip.torch.load_file,
           lambda path: swzip.safe_open(path, "np"), lambda path: list(swzip.iter_tensors(path))]


class MistakeTest(FolderTest):
    def test_missing_files(self):
        for read in [*READERS, swzip.pack]:
            with self.assertRaises(FileNotFoundError) as caught:
                read(self.folder / "missing.swz")
            self.assertIn("missing.swz", str(caught.exception))
        with self.assertRaises(FileNotFoundError):
            self.packed(b"abc" * 99, bases=self.folder / "missing")
        with self.assertRaises(FileNotFoundError):
            swzip.numpy.save_file({"x": self.weights(3)}, self.folder / "no" / "folder.swz")

    def test_plain_files(self):
        path = self.folder / "plain.safetensors.swz"
        for data in (safetensors_file({"x": ("U8", [3], b"abc")}), b"", b"x", b"text " * 999):
            path.write_bytes(data)
            for read in READERS:
                with self.assertRaises(swzip.DamagedError) as caught:
                    read(path)
                self.assertEqual(caught.exception.file, str(path))
                self.assertNotIn("\n", str(caught.exception))
            with self.assertRaises(swzip.DamagedError):
                swzip.decompress(data)
            with self.assertRaises(swzip.DamagedError):
                swzip.numpy.load(data)

    def test_a_safetensors_file_that_is_not_packed(self):
        path = self.folder / "plain.safetensors"
        path.write_bytes(safetensors_file({"x": ("U8", [3], b"abc")}))
        for read in (lambda: swzip.safe_open(path, "np"), lambda: swzip.torch.load_file(path)):
            with self.assertRaises(swzip.DamagedError) as caught:
                read()
            self.assertEqual(str(caught.exception),
                             f"{path}: is a safetensors file that is not packed: open it with safetensors")

    def test_folders(self):
        for read in READERS[:3]:
            with self.assertRaises((OSError, swzip.SwzipError)):
                read(self.folder)
        with self.assertRaisesRegex(swzip.SwzipError, "neither containers"):
            swzip.numpy.load_file(self.folder)

    def test_nonsense(self):
        path = self.packed(b"abc" * 99)
        for call in (lambda: swzip.compress(b"x", level=10), lambda: swzip.compress(b"x", level=-1),
                     lambda: swzip.compress(b"x", format="no such format"), lambda: swzip.safe_open(path, "tensorflow"),
                     lambda: swzip.safe_open(path, "np", device="cuda"), lambda: swzip.open(path, 5)):
            with self.assertRaises(swzip.SwzipError) as caught:
                call()
            self.assertEqual((caught.exception.code, caught.exception.rule), (64, "argument"))
        with self.assertRaises(ValueError):
            swzip.open("nul\0byte.swz")

    def test_closed_containers(self):
        swzip.numpy.save_file({"x": self.weights(30)}, self.folder / "x.swz")
        with swzip.safe_open(self.folder / "x.swz", "np") as f:
            part = f.get_slice("x")
        for read in (lambda: f.get_tensor("x"), lambda: part[:], f.metadata, f.get_tensors):
            with self.assertRaisesRegex(swzip.SwzipError, "is closed"):
                read()
        f.__exit__(None, None, None)

    def test_ranges_outside(self):
        container = swzip.Container(self.packed(b"abc" * 99))
        for member, offset, count in ((0, 297, 1), (0, 0, 298), (0, 2**63, 1), (1, 0, 1), (0, 2**64 - 1, 2)):
            with self.assertRaises(swzip.SwzipError):
                container.read(member, offset, bytearray(count))


class DamageTest(FolderTest):
    def setUp(self):
        super().setUp()
        self.arrays = {"a": self.weights(100, 80), "b": self.weights(4, 5), "c": numpy.arange(500)}
        self.container = swzip.numpy.save(self.arrays, {"key": "value"})
        self.path = self.folder / "damaged.swz"

    def check(self, data):
        """Verifying and unpacking fail; what reads only a part, as it needs it, fails too or gives what was packed."""
        self.path.write_bytes(data)
        with self.assertRaises(swzip.DamagedError) as caught:
            swzip.verify(self.path)
        self.assertEqual(caught.exception.code, 3)
        self.assertEqual(caught.exception.file, str(self.path))
        with self.assertRaises(swzip.SwzipError):
            swzip.unpack(self.path)
        self.assertEqual(os.listdir(self.folder), ["damaged.swz"])
        with self.assertRaises(swzip.DamagedError):
            swzip.decompress(data)
        with contextlib.suppress(swzip.SwzipError):
            for name, array in swzip.numpy.load(data).items():
                self.assertTrue(numpy.array_equal(self.arrays[name], array))

    def test_truncated(self):
        for count in [*range(64), *self.random.integers(0, len(self.container), 100), len(self.container) - 1]:
            with self.subTest(count=count):
                self.check(self.container[:count])

    def test_flipped_bits(self):
        count = len(self.container)
        places = [*range(80), *range(count - 80, count), *self.random.integers(0, count, 150)]
        for place in places:
            with self.subTest(place=place):
                damaged = bytearray(self.container)
                damaged[place] ^= 1 << int(self.random.integers(0, 8))
                self.check(bytes(damaged))

    def test_bytes_behind_it(self):
        self.check(self.container + b"\0")


if __name__ == "__main__":
    unittest.main()
