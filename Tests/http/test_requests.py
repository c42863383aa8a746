"""What is read of a real model, with how many requests: nginx's log counts them. MODELS: MiniLM as bf16 and as fp32."""

import hashlib
import os
import pathlib
import random
import unittest

import numpy

import swzip
import swzip.numpy
from servers import ServerTest

MODELS = [pathlib.Path(path) for path in os.environ["MODELS"].split(os.pathsep)]
LARGEST_BLOCK = 73_728  # values that the writer puts into one
PIECE = 4 << 20  # bytes of a request where all is read in order
OPENING = ['206 /{} "bytes=0-63,-262144"']


class RequestsTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for model in MODELS:
            cls.serve(model.name + ".swz", model.read_bytes())

    def models(self):
        """Each model, plain and with TLS: its name, its bytes, its URL, and the fewest blocks that it can have."""
        for path in MODELS:
            data = path.read_bytes()
            width = {"minilm-bf16": 2, "minilm-fp32": 4}[path.stem]
            for server in (self.nginx.plain, self.nginx.secure):
                self.nginx.requests()
                yield path.name + ".swz", data, f"{server}/{path.name}.swz", len(data) // (LARGEST_BLOCK * width)

    def test_one_request_opens_a_model(self):
        for name, _, url, _ in self.models():
            opening = [line.format(name) for line in OPENING]
            for verb in ("list", "list -v", "inspect"):
                here = self.swzip(*verb.split(), "--json", self.nginx.files / name).decode()
                there = self.swzip(*verb.split(), "--json", url).decode()
                self.assertEqual(there.replace(url, ""), here.replace(str(self.nginx.files / name), ""))
                self.assertEqual(self.nginx.requests(), opening, verb)
            with swzip.safe_open(url, "np") as file:
                self.assertGreater(len(file.keys()), 100)
            self.assertEqual(self.nginx.requests(), opening)
            swzip.inspect(url)
            self.assertEqual(self.nginx.requests(), opening)

    def test_a_tensor_takes_two_at_most(self):
        for name, data, url, blocks in self.models():
            with swzip.safe_open(self.nginx.files / name, "np") as here, swzip.safe_open(url, "np") as there:
                self.nginx.requests()
                key = max(here.keys(), key=lambda key: here.get_slice(key).get_shape()[0])
                chosen = [*random.Random(blocks).sample([one for one in here.keys() if one != key], 9), key]
                for one in chosen:
                    numpy.testing.assert_array_equal(there.get_tensor(one), here.get_tensor(one))
                    self.assertLessEqual(len(self.nginx.requests()), 2, one)
                for start in (0, 12_345, 30_000):
                    rows = slice(start, start + 64)
                    numpy.testing.assert_array_equal(there.get_slice(key)[rows], here.get_slice(key)[rows])
                    self.assertLessEqual(len(self.nginx.requests()), 2)
                tensor = self.swzip("cat", url, chosen[0])
                self.assertEqual(tensor, self.swzip("cat", self.nginx.files / name, chosen[0]))
                self.assertLessEqual(len(self.nginx.requests()), 1 + 2)

    def test_all_tensors_take_a_sixteenth_of_their_blocks(self):
        for name, _, url, blocks in self.models():
            wanted = swzip.numpy.load_file(self.nginx.files / name)
            for threads in (1, 2, 8):
                found = swzip.numpy.load_file(url, threads=threads)
                self.assertLessEqual(len(self.nginx.requests()), 1 + blocks // 16, threads)
                self.assertEqual(found.keys(), wanted.keys())
                for key in wanted:
                    numpy.testing.assert_array_equal(found[key], wanted[key])

    def test_tensors_one_after_another(self):
        for name, _, url, blocks in self.models():
            with swzip.safe_open(self.nginx.files / name, "np") as here, swzip.safe_open(url, "np") as there:
                self.nginx.requests()
                for key in there.offset_keys():
                    numpy.testing.assert_array_equal(there.get_tensor(key), here.get_tensor(key))
                self.assertLessEqual(len(self.nginx.requests()), blocks // 8)

    def test_unpacking_and_verifying(self):
        for name, data, url, _ in self.models():
            size = (self.nginx.files / name).stat().st_size
            most = 2 + -(-size // PIECE)  # with the opening
            self.swzip("unpack", "-q", url)
            self.assertEqual((self.folder / name).with_suffix("").read_bytes(), data)
            self.assertLessEqual(len(self.nginx.requests()), most)
            self.assertEqual(hashlib.sha256(self.swzip("unpack", "-c", url)).digest(), hashlib.sha256(data).digest())
            self.nginx.requests()
            self.swzip("verify", "-q", url)
            self.assertLessEqual(len(self.nginx.requests()), most)
            target = swzip.unpack(url, self.folder / "by-python")
            self.assertEqual(pathlib.Path(target).read_bytes(), data)
            swzip.verify(url)
            self.refusal("unpack", url, code=2)  # It is there.
            (self.folder / name).with_suffix("").unlink()

    def test_redirections_are_followed_once(self):
        for name, _, url, _ in self.models():
            moved = url.replace("/minilm", "/moved/minilm")
            with swzip.safe_open(moved, "np") as there:
                for key in there.offset_keys():
                    there.get_tensor(key)
            self.assertEqual([line for line in self.nginx.requests() if line.startswith("302")],
                             [f'302 /moved/{name} "bytes=0-63,-262144"'])


class BytesTest(ServerTest):
    """Any bytes of any container are the same as on the disk."""

    def test_containers_about_as_long_as_what_opening_reads(self):
        source = random.Random(1)
        for count in [0, 1, 100, *range(255_000, 264_000, 450), 300_000, 1_000_000]:
            data = source.randbytes(count)
            path = self.serve("sample.swz", data)
            for way in ("", "/whole" if path.stat().st_size <= 262_144 else "/single"):
                url = f"{self.nginx.plain}{way}/sample.swz"
                with self.subTest(count=count, packed=path.stat().st_size, way=way), swzip.open(url) as file:
                    self.assertEqual(file.read(), data)
                    self.assertEqual(self.swzip("unpack", "-c", url), data)

    def test_any_range(self):
        source = random.Random(2)
        weights = numpy.random.default_rng(2).standard_normal(3 << 20).astype("float32")
        data = weights.tobytes() + source.randbytes(1 << 20)
        self.serve("sample.swz", data)
        for server in (self.nginx.plain, self.nginx.secure + "/single"):
            url = f"{server}/sample.swz"
            with swzip.Container(url) as container:
                for _ in range(100):
                    start = source.randrange(len(data))
                    room = bytearray(min(len(data) - start, source.choice([1, 1000, 100_000, 3 << 20, 20 << 20])))
                    container.read(0, start, room, threads=source.choice([1, 2, 5]))
                    self.assertEqual(room, data[start:start + len(room)])
            start, end = sorted(source.sample(range(len(data)), 2))
            self.assertEqual(self.swzip("cat", "--range", f"{start}:{end}", url), data[start:end])

    def test_folders(self):
        source = random.Random(3)
        folder = self.folder / "model"
        for name, count in {"a/small": 100, "a/large": 5 << 20, "b/one": 70_000, "b/two": 3000, "empty": 0}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(source.randbytes(count))
        (folder / "b" / "link").symlink_to("../a/large")
        files = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        packed = self.nginx.files / "model.swz"
        self.swzip("pack", "-q", folder, "-o", packed)
        url = self.nginx.secure + "/model.swz?download=true#part"
        self.swzip("unpack", "-q", url, "--output-dir", "all")
        self.swzip("unpack", "-q", url, "--only", "b/*", "-o", "some")
        swzip.unpack(url, self.folder / "by-python")
        for made in ("all/model", "by-python"):
            found = {path.relative_to(self.folder / made): path.read_bytes()
                     for path in (self.folder / made).rglob("*") if path.is_file()}
            self.assertEqual(found, files)
        self.assertEqual((self.folder / "some/b/link").read_bytes(), files[pathlib.Path("a/large")])
        self.assertEqual(self.swzip("cat", url, "b/two"), files[pathlib.Path("b/two")])
        self.swzip("verify", "-q", url)


if __name__ == "__main__":
    unittest.main()
