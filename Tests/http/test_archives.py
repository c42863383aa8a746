"""Archives on a web server: listed, looked into and restored from by the command and by Python as from a folder, and
never written to."""

import json
import pathlib
import shutil
import unittest

import numpy

import swzip
from servers import ServerTest
from swzip.archive import Archive, restore_latest


def content(folder):
    return {path.relative_to(folder): path.read_bytes() for path in pathlib.Path(folder).rglob("*") if path.is_file()}


class ArchivesTest(ServerTest):
    def setUp(self):
        super().setUp()
        self.path = self.nginx.files / "run.swza"
        self.addCleanup(shutil.rmtree, self.path)
        self.swzip("archive", "init", "-q", self.path)
        self.weights = numpy.random.default_rng(3).standard_normal((900, 700)).astype("float32") / 50
        for step in (1, 2, 3):
            self.swzip("archive", "add", "-q", self.path, self.checkpoint(step))
        self.swzip("archive", "tag", "-q", self.path, "2", "best")
        self.swzip("archive", "forget", "-q", self.path, "1")
        self.swzip("archive", "publish", "-q", self.path)
        self.nginx.requests()

    def checkpoint(self, step):
        folder = self.folder / f"step-{step}"
        folder.mkdir()
        data = (self.weights + numpy.float32(step / 1e4)).tobytes()
        header = {"w": {"dtype": "F32", "shape": self.weights.shape, "data_offsets": [0, len(data)]}}
        text = json.dumps(header).encode()
        (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + data)
        (folder / "state.json").write_text(json.dumps(step))
        return folder

    def test_as_from_a_folder(self):
        for url in (self.nginx.plain + "/run.swza", self.nginx.secure + "/run.swza/"):
            for verb in (["list", "--json"], ["list"], ["list", "--forgotten"], ["stats"]):
                here = self.swzip("archive", *verb, self.path)
                self.assertEqual(self.swzip("archive", *verb, url).replace(url.rstrip("/").encode(), b"X"),
                                 here.replace(str(self.path).encode(), b"X"))
            for word in ("latest", "best", "3"):
                target = self.folder / "back"
                self.swzip("archive", "restore", "-q", url, word, "-o", target)
                self.assertEqual(content(target), content(self.folder / ("step-2" if word == "best" else "step-3")))
                self.assertEqual(target.stat().st_mode & 0o777, 0o700)  # Who may read it there is not known here.
                shutil.rmtree(target)
            self.assertEqual(self.swzip("archive", "extract", url, "3", "w"),
                             (self.weights + numpy.float32(3 / 1e4)).tobytes())
            self.assertIn(b"w", self.swzip("archive", "diff", url, "2", "3"))
            self.swzip("archive", "verify", "-q", url)
        archive = Archive(url)
        self.assertEqual([(of.name, of.tags) for of in archive.list()], [("2", ["best"]), ("3", [])])
        with swzip.safe_open(archive.open(), "np") as file:
            numpy.testing.assert_array_equal(file.get_slice("w")[5:9], (self.weights + numpy.float32(3 / 1e4))[5:9])
        path = restore_latest(url, self.folder / "runs")
        self.assertEqual(content(path), content(self.folder / "step-3"))

    def test_few_requests(self):
        self.swzip("archive", "list", self.nginx.plain + "/run.swza")
        # SWZARCHIVE, FILES, a tag, and each container once.
        self.assertEqual(len(self.nginx.requests()), 3 + 3)

    def test_what_is_published_is_what_is_seen(self):
        url = self.nginx.plain + "/run.swza"
        self.swzip("archive", "add", "-q", self.path, self.checkpoint(4))
        self.assertEqual(Archive(url).latest.step, 3)
        self.swzip("archive", "publish", "-q", self.path)
        self.assertEqual(Archive(url).latest.step, 4)
        pathlib.Path(Archive(self.path).latest.container).unlink()
        with self.assertWarnsRegex(UserWarning, "404"):
            self.assertEqual([of.step for of in Archive(url).list()], [2, 3])

    def test_nothing_is_written(self):
        url, before = self.nginx.plain + "/run.swza", content(self.path)
        for words in (["add", url, "step-3"], ["init", url], ["tag", url, "3", "last"], ["forget", url, "2@1", "3"],
                      ["forget", url, "3"], ["unforget", url, "1"], ["publish", url]):
            self.assertIn("can only be read" if words[2:] != ["2@1", "3"] else "tag best",
                          self.refusal("archive", *words, code=2))
        self.assertEqual(content(self.path), before)

    def test_mistakes(self):
        url = self.nginx.plain + "/run.swza"
        self.assertIn("404", self.refusal("archive", "list", self.nginx.plain + "/nothing"))
        files = self.path / "FILES"
        text = files.read_text()
        for bad in (text[:-40], text.replace("ckpt/s", "ckpt/t", 1), "", "x" * 9999):
            files.write_text(bad)
            self.assertIn("publish it again", self.refusal("archive", "list", url, code=3))
        files.unlink()
        self.assertIn("swzip archive publish", self.refusal("archive", "list", url))


if __name__ == "__main__":
    unittest.main()
