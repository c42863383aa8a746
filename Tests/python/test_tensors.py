"""Tensors of containers: every type, every slice, whole files, shards."""

import io
import json
import subprocess
import sys
import unittest

import ml_dtypes
import numpy
import safetensors.numpy
import safetensors.torch
import torch

import swzip
import swzip.numpy
import swzip.torch
from samples import FIXTURES, FolderTest, child_environment, safetensors_file

NUMPY_TYPES = {
    "BOOL": bool, "U8": "uint8", "I8": "int8", "U16": "uint16", "I16": "int16", "U32": "uint32", "I32": "int32",
    "U64": "uint64", "I64": "int64", "F16": "float16", "F32": "float32", "F64": "float64", "C64": "complex64",
    "BF16": ml_dtypes.bfloat16, "F8_E4M3": ml_dtypes.float8_e4m3fn, "F8_E5M2": ml_dtypes.float8_e5m2,
    "F8_E8M0": ml_dtypes.float8_e8m0fnu,
    "F8_E4M3FNUZ": ml_dtypes.float8_e4m3fnuz, "F8_E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
}


def sample_bytes(random, kind, count):
    """Bytes of `count` values, of every pattern but for booleans."""
    width = numpy.dtype(NUMPY_TYPES[kind]).itemsize
    return random.integers(0, 2 if kind == "BOOL" else 256, count * width, "uint8").tobytes()


class TypeTest(FolderTest):
    def setUp(self):
        super().setUp()
        self.raw = {kind: (kind, [6, 35], sample_bytes(self.random, kind, 210)) for kind in NUMPY_TYPES}
        self.path = self.packed(safetensors_file(self.raw))

    def test_numpy_types(self):
        for name, array in [*swzip.numpy.load_file(self.path).items(),
                            *((kind, swzip.safe_open(self.path, "np").get_tensor(kind)) for kind in NUMPY_TYPES)]:
            with self.subTest(name):
                self.assertEqual(array.dtype, numpy.dtype(NUMPY_TYPES[name]))
                self.assertEqual(array.shape, (6, 35))
                self.assertEqual(array.tobytes(), self.raw[name][2])
                self.assertTrue(array.flags.aligned and array.flags.writeable)

    def test_torch_types(self):
        with swzip.safe_open(self.path, "pt") as f:
            loaded = swzip.torch.load_file(self.path)
            self.assertEqual(sorted(loaded), f.keys())
            for name, tensor in loaded.items():
                with self.subTest(name):
                    plain = torch.frombuffer(bytearray(self.raw[name][2]), dtype=tensor.dtype)
                    self.assertEqual(tensor.dtype, safetensors.torch._TYPES.get(name, tensor.dtype))
                    self.assertEqual(tuple(tensor.shape), (6, 35))
                    for other in (tensor, f.get_tensor(name)):
                        self.assertTrue(torch.equal(other.reshape(-1).view(torch.uint8), plain.view(torch.uint8)))

    def test_four_bits(self):
        plain = safetensors_file({"x": ("F4", [3, 4], bytes(range(6))), "odd": ("F4", [2], b"\x21")})
        path = self.packed(plain, "four")
        with swzip.safe_open(path, "np") as f:
            self.assertEqual(f.get_slice("x").get_shape(), [3, 4])
            codes = f.get_tensor("x").view("uint8")
            self.assertEqual(codes.tolist(), [[0, 0, 1, 0], [2, 0, 3, 0], [4, 0, 5, 0]])
            self.assertEqual(f.get_slice("x")[1:, 0].view("uint8").tolist(), [2, 4])
            self.assertEqual(f.get_slice("odd")[1:].view("uint8").tolist(), [2])
        with swzip.safe_open(path, "pt") as f:
            rows = f.get_slice("x")[1:]
            self.assertEqual((rows.dtype, tuple(rows.shape)), (torch.float4_e2m1fn_x2, (2, 2)))
            self.assertEqual(rows.view(torch.uint8).tolist(), [[2, 3], [4, 5]])

    def test_types_that_a_framework_lacks(self):
        path = self.packed(safetensors_file({"six": ("F6_E2M3", [4], b"abc")}), "six")
        for framework in ("np", "pt"):
            with self.assertRaisesRegex(swzip.SwzipError, "F6_E2M3"):
                swzip.safe_open(path, framework).get_tensor("six")

    def test_numpy_without_ml_dtypes(self):
        code = ("import sys; sys.modules['ml_dtypes'] = None\nimport swzip\n"
                f"swzip.safe_open({self.path!r}, 'np').get_tensor('BF16')")
        ended = subprocess.run([sys.executable, "-c", code], env=child_environment(), capture_output=True, text=True)
        self.assertIn("SwzipError: BF16 in NumPy needs the package ml_dtypes", ended.stderr)

    def test_misaligned_tensors_are_copied(self):
        data = self.weights(5)
        path = self.packed(safetensors_file({"a": ("U8", [3], b"abc"), "b": ("F32", [5], data.tobytes())}), "odd")
        for load in (swzip.numpy.load_file, swzip.torch.load_file):
            loaded = load(path)
            self.assertTrue(numpy.array_equal(loaded["b"], data))
            self.assertEqual(bytes(loaded["a"]), b"abc")
        self.assertEqual(swzip.torch.load_file(path)["b"].data_ptr() % 4, 0)

    def test_other_byte_order_and_other_formats(self):
        file = io.BytesIO()
        numpy.save(file, self.weights(20, 30).astype(">f4"))
        path = self.packed(file.getvalue(), "big.npy")
        with swzip.safe_open(path, "np") as f:
            self.assertTrue(numpy.array_equal(f.get_tensor(f.keys()[0]), numpy.load(io.BytesIO(file.getvalue()))))
            self.assertIsNone(f.metadata())
        with self.assertRaisesRegex(swzip.SwzipError, "F32_BE"):
            swzip.torch.load_file(path)

    def test_blocks_of_gguf_are_rows_of_bytes(self):
        plain = FIXTURES / "inputs" / "types.gguf"
        data, path = plain.read_bytes(), swzip.pack(plain, self.folder / "types.swz")
        places = {tensor.name: tensor for tensor in swzip.Container(path).tensors}
        for load in (swzip.numpy.load_file, swzip.torch.load_file):
            loaded = load(path)
            self.assertEqual(loaded.keys(), places.keys())
            self.assertEqual(tuple(loaded["blk.Q4_0.weight"].shape), (4, 512 // 32 * 18))
            for name, array in loaded.items():
                place = places[name]
                stored = numpy.frombuffer(data[place.offset:place.offset + place.byte_count], "uint8")
                raw = array.view(torch.uint8) if load is swzip.torch.load_file else array.view("uint8")
                self.assertTrue(numpy.array_equal(raw.reshape(-1), stored), name)
        rows = swzip.safe_open(path, "np").get_slice("blk.Q4_0.weight")[1:3]
        self.assertTrue(numpy.array_equal(rows, swzip.numpy.load_file(path)["blk.Q4_0.weight"][1:3]))

    def test_importing_needs_nothing(self):
        code = "import sys, swzip; sys.exit(not {'numpy', 'torch', 'safetensors', 'ml_dtypes'}.isdisjoint(sys.modules))"
        self.assertEqual(subprocess.run([sys.executable, "-c", code], env=child_environment()).returncode, 0)


class SliceTest(FolderTest):
    SHAPES = [(), (0,), (1,), (17,), (5, 7), (4, 0, 3), (1, 1, 1), (6, 5, 4, 3), (300, 400)]

    def setUp(self):
        super().setUp()
        self.arrays = {str(shape): self.weights(*shape) for shape in self.SHAPES}
        swzip.numpy.save_file(self.arrays, self.folder / "slices.swz")

    def random_index(self, shape, steps):
        """An index that NumPy mostly takes for an array of this shape."""
        parts = []
        for length in shape[:self.random.integers(0, len(shape) + 1)]:
            kind = self.random.integers(0, 4)
            if kind == 0 and length:
                parts.append(int(self.random.integers(-length, length)))
            elif kind == 1:
                parts.append(slice(None))
            else:
                edge = [None if self.random.random() < 0.2 else int(self.random.integers(-length - 2, length + 3))
                        for _ in range(2)]
                parts.append(slice(*edge, steps[self.random.integers(0, len(steps))]))
        if self.random.random() < 0.2:
            parts.insert(self.random.integers(0, len(parts) + 1), ...)
        if self.random.random() < 0.1:
            parts.insert(self.random.integers(0, len(parts) + 1), None)
        return parts[0] if len(parts) == 1 and self.random.random() < 0.5 else tuple(parts)

    def check(self, framework, steps, equal):
        with swzip.safe_open(self.folder / "slices.swz", framework) as f:
            for name, array in self.arrays.items():
                part = f.get_slice(name)
                self.assertEqual((part.get_shape(), part.get_dtype()), (list(array.shape), "F32"))
                for _ in range(60):
                    index = self.random_index(array.shape, steps)
                    with self.subTest(name=name, index=index):
                        try:
                            expected = array[index]
                        except IndexError:  # An ellipsis has moved an integer to a shorter dimension.
                            self.assertRaises(IndexError, part.__getitem__, index)
                        else:
                            equal(expected, part[index])

    def test_numpy_slices(self):
        def equal(expected, found):
            self.assertEqual((type(found), found.shape, found.dtype), (type(expected), expected.shape, expected.dtype))
            self.assertEqual(found.tobytes(), expected.tobytes())
            self.assertTrue(found.flags.c_contiguous)

        self.check("np", [None, 1, 2, 3, -1, -2, 100], equal)

    def test_torch_slices(self):
        def equal(expected, found):
            self.assertEqual(tuple(found.shape), expected.shape)
            self.assertTrue(found.is_contiguous() and numpy.array_equal(found.numpy(), expected))

        self.check("pt", [None, 1, 2, 3, 100], equal)

    def test_lists_and_masks(self):
        with swzip.safe_open(self.folder / "slices.swz", "np") as f:
            part, array = f.get_slice("(5, 7)"), self.arrays["(5, 7)"]
            for index in ([], [0, 3], [True, False] * 2 + [True], array[:, 0] > 0, numpy.int64(2), (numpy.array(2), 1)):
                self.assertTrue(numpy.array_equal(part[index], array[index]), index)

    def test_mistakes(self):
        with swzip.safe_open(self.folder / "slices.swz", "np") as f:
            for index in (5, -6, (0, 7), (0, 0, 0), "x", 1.5):
                with self.assertRaises(IndexError, msg=str(index)):
                    f.get_slice("(5, 7)")[index]
            with self.assertRaises(ValueError):
                f.get_slice("(5, 7)")[::0]
            with self.assertRaisesRegex(swzip.SwzipError, "does not contain tensor nothing"):
                f.get_slice("nothing")

    def test_prefetch(self):
        with swzip.safe_open(self.folder / "slices.swz", "np") as f:
            with f.prefetch({"(5, 7)": slice(1, 3), "()": None, "(17,)": None}) as loader:
                self.assertEqual((len(loader), sorted(loader.names())), (3, ["()", "(17,)", "(5, 7)"]))
                self.assertTrue(numpy.array_equal(loader.take("(5, 7)"), self.arrays["(5, 7)"][1:3]))
                for name in ("(5, 7)", "(0,)"):
                    with self.assertRaises(swzip.SwzipError):
                        loader.take(name)
                rest = dict(loader)
            self.assertEqual(rest.keys(), {"()", "(17,)"})
            self.assertEqual(rest["()"].shape, ())
            with self.assertRaises(swzip.SwzipError):
                f.prefetch({"nothing": None})
            loader = f.prefetch()
        loader.close()
        with self.assertRaises(swzip.SwzipError):
            loader.take("(17,)")


class FileTest(FolderTest):
    def setUp(self):
        super().setUp()
        self.tensors = {"b": self.weights(30, 40), "a": numpy.arange(12).reshape(3, 4), "none": self.weights(0, 3)}
        self.path = str(self.folder / "model.safetensors.swz")
        swzip.numpy.save_file(self.tensors, self.path, {"made": "by a test"}, level=5)

    def check(self, loaded):
        self.assertEqual(loaded.keys(), self.tensors.keys())
        for name, array in self.tensors.items():
            self.assertTrue(numpy.array_equal(loaded[name], array), name)

    def test_what_is_saved_is_a_safetensors_file(self):
        self.check(safetensors.numpy.load(swzip.open(self.path).read()))
        swzip.unpack(self.path)
        self.check(safetensors.torch.load_file(self.folder / "model.safetensors"))

    def test_numpy(self):
        self.check(swzip.numpy.load_file(self.path))
        self.check(swzip.numpy.load(swzip.numpy.save(self.tensors)))
        with swzip.safe_open(self.path, framework="numpy") as f:
            self.check(f.get_tensors())
            self.assertEqual(f.keys(), ["a", "b", "none"])
            self.assertEqual(f.offset_keys()[0], "a")
            self.assertEqual(f.metadata(), {"made": "by a test"})

    def test_torch(self):
        tensors = {name: torch.from_numpy(array) for name, array in self.tensors.items()}
        self.check(swzip.torch.load_file(self.path))
        self.check(swzip.torch.load(swzip.torch.save(tensors, level=1)))
        swzip.torch.save_file(tensors, self.path)
        self.check(swzip.torch.load_file(self.path))
        with swzip.safe_open(self.path, "torch") as f:
            self.assertIsNone(f.metadata())

    def test_a_tensor_is_saved_without_its_neighbours(self):
        file = io.BytesIO()
        torch.save(swzip.torch.load_file(self.path)["a"], file)
        self.assertLess(len(file.getvalue()), self.tensors["b"].nbytes)

    def test_models_with_tied_weights(self):
        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.first = torch.nn.Linear(8, 8)
                self.second = self.first

        model, other = Model(), Model()
        swzip.torch.save_model(model, self.path)
        self.assertEqual(swzip.torch.load_model(other, self.path), (set(), []))
        self.assertTrue(torch.equal(model.first.weight, other.second.weight))

    def test_iteration_with_a_bounded_buffer(self):
        arrays = {f"{number:02}": self.weights(1000) for number in range(20)}
        swzip.numpy.save_file(arrays, self.path)
        seen, buffers = [], set()
        for name, array in swzip.iter_tensors(self.path, buffer_bytes=10_000):
            self.assertTrue(numpy.array_equal(array, arrays[name]))
            while array.base is not None:
                array = array.base
            self.assertLessEqual(array.nbytes, 10_000)
            buffers.add(id(array))
            seen.append((name, array))
        self.assertEqual([name for name, _ in seen], sorted(arrays))
        self.assertEqual(len(buffers), 10)

    def test_shards(self):
        shards = {"model-1.safetensors": ["a"], "model-2.safetensors": ["b", "none"]}
        for shard, names in shards.items():
            swzip.numpy.save_file({name: self.tensors[name] for name in names}, self.folder / (shard + ".swz"))
        (self.folder / "model.safetensors.swz").unlink()
        self.check(swzip.numpy.load_file(self.folder))
        index = self.folder / "model.safetensors.index.json"
        weight_map = {name: shard for shard, names in shards.items() for name in names}
        index.write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
        self.check(swzip.numpy.load_file(self.folder))
        self.check(swzip.torch.load_file(index))
        self.check(dict(swzip.iter_tensors(index)))
        for broken, message in [({**weight_map, "x": "model-1.safetensors"}, "lacks the tensor 'x'"),
                                ({"a": "../model-1.safetensors"}, "outside"),
                                ({"a": "/model-1.safetensors"}, "outside")]:
            index.write_text(json.dumps({"weight_map": broken}))
            with self.assertRaisesRegex(swzip.SwzipError, message):
                swzip.numpy.load_file(self.folder)
        for text in ("", "[]", "{}", '{"weight_map": 3}'):
            index.write_text(text)
            with self.assertRaisesRegex(swzip.SwzipError, "is no index"):
                swzip.numpy.load_file(index)
        index.write_text(json.dumps({"weight_map": {"a": "model-3.safetensors"}}))
        with self.assertRaises(FileNotFoundError):
            swzip.numpy.load_file(index)

    def test_progress(self):
        data = self.random.integers(0, 256, 64 << 20, "uint8")
        seen = []
        swzip.compress(data, progress=seen.append)
        self.assertEqual(seen, sorted(seen))
        with self.assertRaises(ZeroDivisionError):
            swzip.compress(data, level=9, threads=1, progress=lambda done: 1 // 0)


if __name__ == "__main__":
    unittest.main()
