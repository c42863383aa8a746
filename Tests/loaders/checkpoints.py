"""What the tests of checkpoints share."""

import pathlib
import tempfile
import unittest

import torch


class FolderTest(unittest.TestCase):
    """Each test has a folder of its own."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)

    def assert_same(self, one, other, place=""):
        """Both have the same structure, and tensors of the same types, shapes and bits."""
        self.assertIs(type(one), type(other), place)
        if isinstance(one, torch.Tensor):
            self.assertEqual((one.dtype, one.shape), (other.dtype, other.shape), place)
            self.assertTrue(torch.equal(_bytes(one), _bytes(other)), place)
        elif isinstance(one, dict):
            self.assertEqual(list(one), list(other), place)
            for key in one:
                self.assert_same(one[key], other[key], f"{place}.{key}")
        elif isinstance(one, (list, tuple)):
            self.assertEqual(len(one), len(other), place)
            for number, pair in enumerate(zip(one, other)):
                self.assert_same(*pair, f"{place}[{number}]")
        else:
            self.assertEqual(one, other, place)


def _bytes(tensor):
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8)


def weights(*shape, dtype=torch.bfloat16, seed=1):
    """As those of a trained model are: bell-shaped."""
    return (torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) / 50).to(dtype)


def byte_count(folder):
    """Of all files below a folder."""
    return sum(path.stat().st_size for path in pathlib.Path(folder).rglob("*") if path.is_file())
