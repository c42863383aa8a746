"""Files and bytes: packing, unpacking, file objects, versions, commands on packed files."""

import array
import hashlib
import io
import json
import mmap
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import unittest
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy
import safetensors.torch
import torch

import swzip
import swzip.numpy
from swzip._folder import meter, unpack_folder
from samples import FIXTURES, FolderTest, child_environment

# Of a folder with blobs/1234 and two links as in the cache of a hub: last.safetensors leads to the first.
LINKS = pathlib.Path(__file__).with_name("links.swz")
# Of a folder with a file whose name is not UTF-8.
BYTES = pathlib.Path(__file__).with_name("bytes.swz")


class PackTest(FolderTest):
    def test_round_trip(self):
        data = self.weights(1000, 50).tobytes() + b"end"
        path = self.packed(data, "weights.bin", sha256=True, level=7, verify=False)
        self.assertEqual(path, str(self.folder / "weights.bin.swz"))
        swzip.verify(path)
        (self.folder / "weights.bin").unlink()
        self.assertEqual(swzip.unpack(path), str(self.folder / "weights.bin"))
        self.assertEqual((self.folder / "weights.bin").read_bytes(), data)
        self.assertEqual(swzip.unpack(pathlib.Path(path), self.folder / "other"), str(self.folder / "other"))
        self.assertEqual((self.folder / "other").read_bytes(), data)

    def test_inspect(self):
        swzip.numpy.save_file({"x": self.weights(3, 4)}, self.folder / "x.swz", sha256=True)
        found = swzip.inspect(self.folder / "x.swz")
        self.assertEqual(found["packed_byte_count"], (self.folder / "x.swz").stat().st_size)
        self.assertEqual((len(found["members"]), len(found["members"][0]["sha256"])), (1, 64))
        tensor = found["tensors"][0]
        self.assertEqual((tensor["name"], tensor["type"], tensor["shape"]), ("x", "F32", [3, 4]))
        json.dumps(found)

    def pack_named(self, name):
        path = os.path.join(os.fsencode(self.folder), os.fsencode(name))
        pathlib.Path(os.fsdecode(path)).write_bytes(b"abc" * 100)
        self.assertEqual(swzip.open(swzip.pack(path)).read(), b"abc" * 100)

    def test_names_that_are_not_ascii(self):
        self.pack_named("gewicht-\u00e4\u6a21.bin")

    def test_names_that_are_not_utf8(self):
        self.pack_named(b"bytes-\xff.bin")

    def test_delta(self):
        first, second = self.weights(300, 100), self.weights(300, 100)
        second[10:] = first[10:]
        base, path = self.folder / "base", self.folder / "next"
        base.write_bytes(first.tobytes())
        path.write_bytes(second.tobytes())
        container = swzip.delta(path, base)
        self.assertLess(os.path.getsize(container), os.path.getsize(swzip.pack(path, self.folder / "alone.swz")) / 2)
        self.assertEqual(swzip.open(container, bases=base).read(), second.tobytes())
        swzip.verify(container, bases=[path, base])
        path.unlink()
        for bases in ((), container):
            with self.assertRaises(swzip.BaseError):
                swzip.unpack(container, bases=bases)
        self.assertFalse(path.exists())
        swzip.unpack(container, bases=[base])
        self.assertEqual(path.read_bytes(), second.tobytes())

    def test_output_needs_a_name(self):
        path = self.packed(b"abc" * 99)
        os.rename(path, self.folder / "renamed")
        with self.assertRaisesRegex(swzip.SwzipError, "say where"):
            swzip.unpack(self.folder / "renamed")


class PackedFolderTest(FolderTest):
    PACKED = FIXTURES / "golden" / "v0.2" / "folder-3.swz"

    def test_unpacking(self):
        container = swzip.Container(self.PACKED)
        swzip.unpack(self.PACKED, self.folder / "new")
        for number, member in enumerate(container.members):
            path = self.folder / "new" / member.name
            if member.link is not None:
                self.assertEqual(os.readlink(path), member.link)
            for key in (number, member.name):
                with swzip.open(self.PACKED, key) as file:
                    self.assertEqual(file.read(), path.read_bytes())
            else:
                self.assertEqual(path.stat().st_mode & 0o777, member.mode)

    def test_packing(self):
        model = self.folder / "model"
        (model / "sub" / "empty").mkdir(parents=True)
        weights = self.weights(500, 40).tobytes()
        for name, data in (("a.bin", weights), ("sub/same.bin", weights), ("config.json", b"{}")):
            (model / name).write_bytes(data)
        os.symlink("../a.bin", model / "sub" / "link")
        (model / "a.bin").chmod(0o640)
        os.utime(model / "a.bin", ns=(0, -1_500_000_000))
        with self.assertWarnsRegex(UserWarning, "model: sub/empty: this folder is empty"):
            path = swzip.pack(f"{model}/")
        self.assertEqual(path, f"{model}.swz")
        self.assertLess(os.path.getsize(path), len(weights))
        swzip.unpack(path, self.folder / "back")
        self.assertEqual((self.folder / "back" / "sub" / "same.bin").read_bytes(), weights)
        self.assertEqual(os.readlink(self.folder / "back" / "sub" / "link"), "../a.bin")
        for name in ("a.bin", "config.json"):
            old, new = os.stat(model / name), os.stat(self.folder / "back" / name)
            self.assertEqual((old.st_mtime_ns, old.st_mode), (new.st_mtime_ns, new.st_mode))

    def test_packing_leaves_out_what_others_are_writing(self):
        model = self.folder / "model"
        for name in ("a.bin", ".swzip-12-0123456789abcdef.tmp", ".swzip-13-0123456789abcdef.tmp/b.bin", ".swzip-1.tmp"):
            (model / name).parent.mkdir(parents=True, exist_ok=True)
            (model / name).write_bytes(b"abc" * 99)
        members = swzip.Container(swzip.pack(model)).members
        self.assertEqual(sorted(member.name for member in members), [".swzip-1.tmp", "a.bin"])

    def test_packing_refuses(self):
        model = self.folder / "model"
        model.mkdir()
        with self.assertRaisesRegex(swzip.SwzipError, "no files") as caught:
            swzip.pack(model)
        self.assertEqual(caught.exception.file, str(model))
        (model / "a.bin").write_bytes(b"abc" * 99)
        for options in ({"output": model / "a.bin"}, {"bases": model / "a.bin"}):
            with self.assertRaises(swzip.SwzipError):
                swzip.pack(model, **options)
        self.assertEqual((model / "a.bin").read_bytes(), b"abc" * 99)
        self.assertEqual(sorted(os.listdir(self.folder)), ["model"])

    def test_only_to_a_new_folder(self):
        (self.folder / "empty").mkdir()
        (self.folder / "file").write_bytes(b"here")
        os.symlink("nothing", self.folder / "link")
        for name in ("empty", "empty/", "file", "link"):
            with self.assertRaises(FileExistsError) as caught:
                swzip.unpack(self.PACKED, f"{self.folder}/{name}")
            self.assertEqual(caught.exception.filename, f"{self.folder}/{name}".rstrip("/"))
        with self.assertRaises(FileNotFoundError) as caught:
            swzip.unpack(self.PACKED, self.folder / "no" / "folder")
        self.assertEqual(caught.exception.filename, str(self.folder / "no" / "folder"))
        self.assertEqual(sorted(os.listdir(self.folder)), ["empty", "file", "link"])
        self.assertEqual(os.listdir(self.folder / "empty"), [])

    def test_what_fails_leaves_nothing(self):
        data = bytearray(self.PACKED.read_bytes())
        data[len(data) // 2] ^= 1
        (self.folder / "bad.swz").write_bytes(data)
        with self.assertRaises(swzip.DamagedError):
            swzip.unpack(self.folder / "bad.swz")
        self.assertEqual(os.listdir(self.folder), ["bad.swz"])

    def test_an_interrupt_leaves_nothing(self):
        def stop(*_):
            raise KeyboardInterrupt

        self.addCleanup(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, stop))
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)
        warnings.simplefilter("ignore", ResourceWarning)  # An interrupt may come before a `with` has its file.
        for _ in range(30):
            # Once more later, since Python drops what is raised in a finalizer.
            signal.setitimer(signal.ITIMER_REAL, float(self.random.uniform(0.001, 0.03)), 5)
            with self.assertRaises(KeyboardInterrupt):
                while True:
                    swzip.unpack(self.PACKED, self.folder / "new")
                    shutil.rmtree(self.folder / "new")
            signal.setitimer(signal.ITIMER_REAL, 0)
            shutil.rmtree(self.folder / "new", ignore_errors=True)
            self.assertEqual(os.listdir(self.folder), [])

    def test_folders_with_links_and_names_of_bytes(self):
        swzip.unpack(LINKS, self.folder / "links")
        self.assertEqual(os.readlink(self.folder / "links" / "snapshots" / "a" / "model.safetensors"),
                         "../../blobs/1234")
        self.assertTrue((self.folder / "links" / "last.safetensors").samefile(self.folder / "links/blobs/1234"))
        swzip.unpack(BYTES, self.folder / "bytes")
        self.assertEqual((self.folder / "bytes" / os.fsdecode(b"a\xff.bin")).read_bytes(), b"abc" * 100)
        self.assertEqual(swzip.open(BYTES, os.fsdecode(b"a\xff.bin")).read(), b"abc" * 100)

    def test_names_that_lead_out(self):
        container = swzip.Container(self.PACKED)
        for name, link in [("", None), ("..", None), ("/x", None), ("a/../../x", None), ("a", ".."), ("a", "/x"),
                           ("a/b", "../../x"), ("a", "b/../../x")]:
            container.description["members"][-1].update(name=name, link=link)
            with self.assertRaisesRegex(swzip.DamagedError, "leads out"):
                unpack_folder([container], str(self.folder / "new"), 0, None)
        self.assertEqual(os.listdir(self.folder), [])

    def test_sha256(self):
        container = swzip.Container(self.PACKED)
        for number, member in enumerate(container.description["members"]):
            data = bytearray(member["byte_count"])
            container.read(number, 0, data)
            member["sha256"] = hashlib.sha256(data).hexdigest()
        unpack_folder([container], str(self.folder / "right"), 0, None)
        container.description["members"][9]["sha256"] = "0" * 64
        with self.assertRaisesRegex(swzip.DamagedError, "SHA-256"):
            unpack_folder([container], str(self.folder / "wrong"), 0, None)
        self.assertEqual(os.listdir(self.folder), ["right"])

    def test_progress(self):
        seen = []
        report = meter(seen.append)
        for count in range(1, 4):
            time.sleep(0.11)
            report(10)
            self.assertEqual(seen, [10 * number for number in range(1, count + 1)])

    def test_links_lead_to_their_files(self):
        path, container = LINKS, swzip.Container(LINKS)
        names = [member.name for member in container.members]
        self.assertEqual(sum(member.link is not None for member in container.members), 2)
        for member in ("last.safetensors", "snapshots/a/model.safetensors", names.index("last.safetensors")):
            self.assertEqual(container.member_number(member), names.index("blobs/1234"))
            self.assertEqual(swzip.open(path, member).read(), swzip.open(path, "blobs/1234").read())
            with swzip.safe_open(path, "np", member=member) as f:
                self.assertEqual(f.get_tensor("a").tolist(), numpy.ones((3, 4)).tolist())

    def test_tensors_of_one_member(self):
        found = {}
        for tensor in swzip.inspect(self.PACKED)["tensors"]:
            found.setdefault(tensor["member"], set()).add(tensor["name"])
        self.assertGreater(len(found), 1)
        for member, names in found.items():
            name = swzip.inspect(self.PACKED)["members"][member]["name"]
            for key in (member, name):
                with swzip.safe_open(self.PACKED, "np", member=key) as f:
                    self.assertEqual(set(f.keys()), names)
                    self.assertEqual(f.get_tensors().keys(), names)
        with self.assertRaisesRegex(swzip.SwzipError, "has no member"):
            swzip.safe_open(self.PACKED, "np", member="nothing")


class MemoryTest(FolderTest):
    def views(self, data):
        """The same bytes as all that has the buffer protocol, or is a tensor."""
        mapped = mmap.mmap(-1, max(1, len(data)))
        mapped[:len(data)] = data
        self.addCleanup(mapped.close)
        yield from (data, bytearray(data), memoryview(data), memoryview(mapped)[:len(data)], array.array("B", data),
                    numpy.frombuffer(data, "uint8"), torch.frombuffer(bytearray(data), dtype=torch.float32))

    def test_everything_with_bytes(self):
        data = self.weights(64, 1024).tobytes()
        container = swzip.compress(data)
        for view in self.views(data):
            with self.subTest(type(view)):
                self.assertEqual(swzip.compress(view), container)
        for view in (container, bytearray(container), memoryview(container)):
            self.assertEqual(swzip.decompress(view), data)
        for out in (bytearray(len(data)), numpy.zeros((64, 1024), "float32"), torch.zeros(64, 1024)):
            self.assertEqual(swzip.decompress(container, out), len(data))
            self.assertEqual(numpy.asarray(out).tobytes(), data)

    def test_what_is_open_keeps_its_memory(self):
        data = bytearray(swzip.compress(b"abc" * 1000))
        with swzip.Container.of_bytes(data):
            with self.assertRaises(BufferError):
                data.extend(b"x" * 1_000_000)
        data.clear()

    def test_small_ones(self):
        for count in (*range(20), 4095, 4096, 70_000):
            data = self.random.integers(0, 9, count, "uint8").tobytes()
            self.assertEqual(swzip.decompress(swzip.compress(data)), data)

    def test_wrong_memory(self):
        container = swzip.compress(b"abc" * 1000)
        for out in (b"x" * 3000, memoryview(b"x" * 3000)):
            with self.assertRaises(BufferError):
                swzip.decompress(container, out)
        with self.assertRaises(swzip.SwzipError):
            swzip.decompress(container, bytearray(2999))
        for thing in ("text", 3, None, [1]):
            with self.assertRaises(TypeError):
                swzip.compress(thing)
        with self.assertRaises((ValueError, BufferError)):
            swzip.compress(numpy.zeros((4, 4))[:, :2])
        with self.assertRaises(swzip.SwzipError):
            swzip.compress(torch.zeros(4, 4)[:, :2])

    def test_snapshots(self):
        versions = [self.weights(500, 200)]
        for _ in range(4):
            versions.append(versions[-1].copy())
            versions[-1][self.random.integers(0, 500, 9)] *= 1.01
        sender, receiver = swzip.Snapshot(versions[0]), swzip.Snapshot(versions[0])
        for version in versions[1:]:
            update = sender.encode(version)
            self.assertLess(len(update), version.nbytes / 5)
            receiver.apply(update)
            self.assertEqual(bytes(receiver), version.tobytes())
        with self.assertRaises(swzip.SwzipError):
            swzip.Snapshot(versions[0]).apply(update)
        receiver.apply(sender.encode(versions[0]))
        self.assertEqual(bytes(receiver), versions[0].tobytes())


class FileObjectTest(FolderTest):
    def test_reads_and_seeks_as_the_original(self):
        data = self.weights(700, 600).tobytes() + b"the end"
        path = self.packed(data)
        with swzip.open(path, buffer_bytes=5000) as file, io.BytesIO(data) as plain:
            self.assertTrue(file.readable() and file.seekable() and not file.writable())
            for _ in range(300):
                whence = int(self.random.integers(0, 3))
                place = int(self.random.integers(0, len(data) + 100))
                offset = [place, place - plain.tell(), place - len(data)][whence]
                self.assertEqual(file.seek(offset, whence), plain.seek(offset, whence))
                count = int(self.random.choice([0, 1, 100, 5000, 100_000]))
                self.assertEqual(file.read(count), plain.read(count))
                self.assertEqual(file.tell(), plain.tell())
            file.seek(17)
            self.assertEqual(file.read(), data[17:])
            self.assertEqual(file.read(), b"")
            with self.assertRaises(ValueError):
                file.seek(-1)
            with self.assertRaises(io.UnsupportedOperation):
                file.write(b"x")
        with self.assertRaises(ValueError):
            file.read()

    def test_torch_numpy_zip_and_safetensors_read_it(self):
        tensors = {"a": torch.randn(100, 50), "b": torch.randn(20, 30).T, "c": torch.ones(3, dtype=torch.bfloat16)}
        torch.save(tensors, self.folder / "m.pt")
        path = swzip.pack(self.folder / "m.pt")
        for name, tensor in torch.load(swzip.open(path)).items():
            self.assertTrue(torch.equal(tensor, tensors[name]) and tensor.stride() == tensors[name].stride())
        with zipfile.ZipFile(swzip.open(path)) as archive:
            self.assertIsNone(archive.testzip())
        numpy.savez(self.folder / "m.npz", x=numpy.arange(9))
        self.assertEqual(numpy.load(swzip.open(swzip.pack(self.folder / "m.npz")))["x"].tolist(), list(range(9)))
        plain = safetensors.torch.save({"a": tensors["a"]})
        loaded = safetensors.torch.load(swzip.open(self.packed(plain)).read())
        self.assertTrue(torch.equal(loaded["a"], tensors["a"]))

    def test_members_by_number_and_name(self):
        path = self.packed(b"abc" * 50)
        self.assertEqual(swzip.open(path, "").read(), swzip.open(path, 0).read())
        for member in (1, -1, "x"):
            with self.assertRaisesRegex(swzip.SwzipError, "has no member"):
                swzip.open(path, member)


class ContainerInFileObjectTest(FolderTest):
    """Containers that are read by seek and read of a file object."""

    def setUp(self):
        super().setUp()
        self.data = self.weights(1500, 1000).tobytes()
        self.file = open(self.packed(self.data), "rb")
        self.addCleanup(self.file.close)

    def test_reading(self):
        container = swzip.Container.of_file(self.file)
        self.assertEqual(container.description, swzip.Container(self.file.name).description)
        room = bytearray(len(self.data))
        for start, end in ((0, len(self.data)), (5, 8), (1_000_000, 4_000_000)):
            container.read(0, start, memoryview(room)[start:end])
            self.assertEqual(room[start:end], self.data[start:end])
        container.close()
        self.assertFalse(self.file.closed)

    def test_threads_share_it(self):
        container = swzip.Container.of_file(self.file)

        def read(start):
            room = bytearray(100_000)
            container.read(0, start, room)
            return room == self.data[start:start + len(room)]

        with ThreadPoolExecutor(8) as pool:
            self.assertTrue(all(pool.map(read, range(0, 5_000_000, 99_999))))

    def test_what_the_file_raises_comes_out(self):
        container = swzip.Container.of_file(self.file)
        self.file.close()
        with self.assertRaisesRegex(ValueError, "closed file"):
            container.read(0, 0, bytearray(9))

    def test_an_interrupt_is_no_damage(self):
        def stop(*_):
            raise KeyboardInterrupt

        self.addCleanup(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, stop))
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)
        container, room = swzip.Container.of_file(self.file), bytearray(len(self.data))
        for _ in range(100):
            signal.setitimer(signal.ITIMER_REAL, float(self.random.uniform(0.001, 0.03)), 5)
            with self.assertRaises(KeyboardInterrupt):
                while True:
                    container.read(0, 0, room)
            signal.setitimer(signal.ITIMER_REAL, 0)
        container.read(0, 0, room)
        self.assertEqual(room, self.data)

    def test_interrupts_one_after_the_other(self):
        """What is read to stays until nothing is read any longer."""
        def stop(_, frame):
            while frame is not None and frame.f_code is not swzip.Container.read.__code__:
                frame = frame.f_back
            if frame is not None:
                raise KeyboardInterrupt

        self.addCleanup(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, stop))
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)
        container = swzip.Container.of_file(self.file)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0005)
        for _ in range(100):
            with suppress(KeyboardInterrupt):
                container.read(0, 0, bytearray(len(self.data)))
        signal.setitimer(signal.ITIMER_REAL, 0)
        room = bytearray(len(self.data))
        container.read(0, 0, room)
        self.assertEqual(room, self.data)


class RunTest(FolderTest):
    def run_swzip(self, *arguments):
        return subprocess.run([sys.executable, "-m", "swzip", "run", *map(str, arguments)], env=child_environment(),
                              capture_output=True)

    def test_arguments_become_decoded_files(self):
        data = self.weights(100).tobytes()
        path = self.packed(data)
        self.assertEqual(self.run_swzip("--", "cat", path, path).stdout, data * 2)
        plain = safetensors.torch.save({"a": torch.arange(5)})
        code = "import sys, safetensors.torch as s; print(s.load_file(sys.argv[1])['a'].tolist(), sys.argv[2])"
        ended = self.run_swzip("--", sys.executable, "-c", code, self.packed(plain, "m"), "missing.swz")
        self.assertEqual(ended.stdout, b"[0, 1, 2, 3, 4] missing.swz\n")

    def test_results_and_mistakes(self):
        self.assertEqual(self.run_swzip("--", "sh", "-c", "exit 7").returncode, 7)
        (self.folder / "plain.swz").write_bytes(b"no container")
        for arguments in (["cat", self.folder / "plain.swz"], ["no-such-command"]):
            ended = self.run_swzip("--", *arguments)
            self.assertEqual((ended.returncode, ended.stdout, ended.stderr.count(b"\n")), (1, b"", 1))
            self.assertTrue(ended.stderr.startswith(b"swzip: "), ended.stderr)


if __name__ == "__main__":
    unittest.main()
