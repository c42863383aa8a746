"""Containers as fsspec has them: a file system, and a compression."""

import functools
import http.server
import io
import os
import pathlib
import pickle
import shutil
import subprocess
import sys
import threading
import unittest
import zipfile

import fsspec
import torch

import backend
import swzip
import swzip.fsspec
from checkpoints import FolderTest, weights

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINKS = ROOT / "Tests" / "python" / "links.swz"
PACKED_FOLDER = ROOT / "Fixtures" / "golden" / "v0.2" / "folder-3.swz"


class RangeHandler(http.server.SimpleHTTPRequestHandler):
    """A file server that serves ranges, and notes them."""

    asked = []

    def send_head(self):
        data = pathlib.Path(self.translate_path(self.path)).read_bytes()
        wanted = self.headers.get("Range")
        start, end = 0, len(data)
        if wanted:
            start, end = (int(number) for number in wanted.partition("=")[2].split("-"))
            end = min(end + 1, len(data))
            if self.command == "GET":
                self.asked.append(end - start)
        self.send_response(206 if wanted else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(end - start))
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        self.end_headers()
        return io.BytesIO(data[start:end])

    def log_message(self, *_):
        pass


class FsspecTest(FolderTest):
    def setUp(self):
        super().setUp()
        self.plain = weights(900, 3000).view(torch.uint8).numpy().tobytes()
        (self.folder / "model.bin").write_bytes(self.plain)
        self.path = swzip.pack(self.folder / "model.bin")

    def check_reading(self, url):
        with fsspec.open(url) as file:
            self.assertEqual(file.read(), self.plain)
            file.seek(1001)
            self.assertEqual(file.read(5000), self.plain[1001:6001])
            file.seek(-7, os.SEEK_END)
            self.assertEqual(file.read(), self.plain[-7:])

    def test_a_packed_file(self):
        self.check_reading(f"swz://model.bin::file://{self.path}")
        system, name = fsspec.url_to_fs(f"swz://model.bin::{self.path}")
        self.assertEqual(name, "model.bin")
        self.assertEqual(system.ls("", detail=False), ["model.bin"])
        self.assertEqual(system.info(name)["size"], len(self.plain))
        self.assertEqual(system.cat_file(name, 10, -20), self.plain[10:-20])
        self.assertEqual(system.cat_file(name, -20), self.plain[-20:])
        self.assertEqual(pickle.loads(pickle.dumps(system)).cat(name), self.plain)
        for mode in ("wb", "ab", "r+b"):
            with self.assertRaises(OSError):
                system.open(name, mode)
        with self.assertRaises(FileNotFoundError):
            system.open("other.bin")

    def test_a_packed_folder(self):
        swzip.unpack(PACKED_FOLDER, self.folder / "folder")
        system = fsspec.filesystem("swz", fo=str(PACKED_FOLDER))
        local = fsspec.filesystem("file")
        root = str(self.folder / "folder")
        expected = {path[len(root) + 1:] for path in local.find(root)}
        self.assertEqual(set(system.find("")), expected)
        for name in expected:
            self.assertEqual(system.cat_file(name), local.cat_file(f"{root}/{name}"))
            self.assertEqual(system.info(name)["size"], local.size(f"{root}/{name}"))
        for path, folders, files in system.walk(""):
            self.assertEqual((set(folders), set(files)), tuple(map(set, next(os.walk(os.path.join(root, path)))[1:])))
        with self.assertRaises(IsADirectoryError):
            system.open(next(path for path in system.walk("") if path[1])[1][0])
        system.get("", str(self.folder / "copy"), recursive=True)
        copied = local.find(str(self.folder / "copy"))
        self.assertEqual({os.path.relpath(path, self.folder / "copy") for path in copied}, expected)

    def test_a_folder_with_links_and_a_file_of_its_own_name(self):
        system = fsspec.filesystem("swz", fo=shutil.copy(LINKS, f"{self.folder}/last.safetensors.swz"))
        for name in ("last.safetensors", "snapshots/a/model.safetensors", "blobs/1234"):
            self.assertEqual(system.cat_file(name), swzip.open(LINKS, name).read())
            self.assertEqual(system.info(name)["size"], len(system.cat_file(name)))

    def test_containers_in_other_file_systems(self):
        fsspec.filesystem("memory").pipe(f"{self.folder}/model.bin.swz", pathlib.Path(self.path).read_bytes())
        self.check_reading(f"swz://model.bin::memory://{self.folder}/model.bin.swz")
        with zipfile.ZipFile(self.folder / "all.zip", "w") as archive:
            archive.write(self.path, "inner/model.bin.swz")
        self.check_reading(f"swz://model.bin::zip://inner/model.bin.swz::file://{self.folder}/all.zip")

    def test_http_reads_only_what_is_needed(self):
        RangeHandler.asked.clear()
        handler = functools.partial(RangeHandler, directory=str(self.folder))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.addCleanup(server.shutdown)
            url = f"swz://model.bin::http://127.0.0.1:{server.server_port}/model.bin.swz"
            with fsspec.open(url, http={"block_size": 1 << 16}) as file:
                file.seek(2_000_000)
                self.assertEqual(file.read(100), self.plain[2_000_000:2_000_100])
            self.assertGreater(len(RangeHandler.asked), 0)
            self.assertLess(sum(RangeHandler.asked), os.path.getsize(self.path) / 2)
            self.check_reading(url)

    def test_compression(self):
        for target in (f"file://{self.folder}/new.bin.swz", f"memory://{self.folder}/new.bin.swz"):
            with fsspec.open(target, "wb", compression="infer") as file:
                file.write(self.plain[:1000])
                file.write(memoryview(self.plain)[1000:])
            with fsspec.open(target, "rb", compression="swz") as file:
                self.assertEqual(file.read(), self.plain)
                file.seek(77)
                self.assertEqual(file.read(11), self.plain[77:88])
            with fsspec.open(target) as file:
                self.assertEqual(swzip.decompress(file.read()), self.plain)
        swzip.verify(self.folder / "new.bin.swz")

    def test_compression_of_text_and_of_nothing(self):
        text = "a line\nüñ" * 400_000
        for content in (text, "", "short"):
            with fsspec.open(f"{self.folder}/x.txt.swz", "wt", compression="infer", encoding="utf-8") as file:
                file.write(content)
            with fsspec.open(f"{self.folder}/x.txt.swz", "rt", compression="infer", encoding="utf-8") as file:
                self.assertEqual(file.read(), content)
        with fsspec.open(f"{self.folder}/x.swz", "wb", compression="infer"):
            pass
        self.assertEqual(swzip.open(self.folder / "x.swz").read(), b"")
        with self.assertRaisesRegex(swzip.SwzipError, "appended"):
            fsspec.open(f"{self.folder}/x.txt.swz", "ab", compression="swz").open()

    def test_a_stream_that_cannot_seek(self):
        with open(self.path, "rb") as file:
            process = subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE)
            with process.stdout, fsspec.compression.compr["swz"](process.stdout, mode="r") as original:
                self.assertEqual(original.read(), self.plain)
            process.wait()

    def test_what_is_damaged_or_no_container(self):
        whole = pathlib.Path(self.path).read_bytes()
        broken = bytearray(whole)
        broken[len(whole) // 2] ^= 1
        for data in (broken, whole[:-100], whole[100:], self.plain, b"", b"short"):
            (self.folder / "bad.swz").write_bytes(data)
            for url in (f"swz://bad::file://{self.folder}/bad.swz", f"{self.folder}/bad.swz"):
                compression = None if "::" in url else "swz"
                with self.assertRaisesRegex(swzip.DamagedError, "bad.swz: "):
                    fsspec.open(url, compression=compression).open().read()

    def test_the_entry_point(self):
        """Without an import of swzip.fsspec, by what the wheel says."""
        info = self.folder / "swzip-0.dist-info"
        info.mkdir()
        (info / "METADATA").write_bytes(b"Metadata-Version: 2.1\nName: swzip\nVersion: 0\n")
        (info / "entry_points.txt").write_text(backend.entry_points())
        code = f"import fsspec; print(len(fsspec.open('swz://model.bin::{self.path}').open().read()))"
        paths = os.pathsep.join([str(self.folder), os.environ.get("PYTHONPATH", "")])
        found = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": paths}, text=True,
                               capture_output=True)
        self.assertEqual((found.stdout, found.stderr), (f"{len(self.plain)}\n", ""))


if __name__ == "__main__":
    unittest.main()
