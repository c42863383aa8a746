"""Snapshots of packed repositories, from an endpoint on this machine that answers as the hub does."""

import hashlib
import http.server
import json
import os
import threading
import unittest
from unittest import mock

import huggingface_hub
import torch
from transformers import AutoModel

import swzip
import swzip.hub
import swzip.transformers
from models import TOKENS, LoaderTest, bert

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(http.server.BaseHTTPRequestHandler):
    """One repository, of the files of a folder."""

    folder = None

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        files = {str(path.relative_to(self.folder)): path for path in self.folder.rglob("*") if path.is_file()}
        name = self.path.partition("/resolve/")[2].partition("/")[2]
        if "/tree/" in self.path:
            body = json.dumps([{"type": "file", "path": name, "size": path.stat().st_size, "oid": name}
                               for name, path in files.items()]).encode()
        elif self.path.startswith("/api/models/"):
            body = json.dumps({"id": "some/model", "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}
                              ).encode()
        elif name in files:
            body = files[name].read_bytes()
        else:
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


def download(folder, cache):
    """Puts a folder into a cache as the repository some/model; the path of its snapshot."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Hub,), {"folder": folder})) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            return swzip.hub.snapshot_download("some/model", endpoint=f"http://127.0.0.1:{server.server_port}",
                                               cache_dir=cache)
        finally:
            server.shutdown()


class HubTest(LoaderTest):
    def setUp(self):
        super().setUp()
        self.model = bert()
        self.model.save_pretrained(self.folder / "model", max_shard_size="60KB")
        self.options = {"cache_dir": self.folder / "cache", "local_files_only": True}
        self.snapshot = download(self.packed(self.folder / "model", "plain"), self.options["cache_dir"])

    def test_left_packed(self):
        self.assertEqual(swzip.hub.snapshot_download("some/model", **self.options), self.snapshot)
        self.assertFalse([name for name in os.listdir(self.snapshot) if name.endswith(".safetensors")])
        found = swzip.transformers.from_pretrained(self.snapshot)
        self.assertTrue(torch.equal(found(TOKENS)[0], self.model(TOKENS)[0]))

    def test_unpacked(self):
        for _ in range(2):
            folder = swzip.hub.snapshot_download("some/model", unpack=True, **self.options)
            self.assertEqual(folder, self.snapshot)
            for path in (self.folder / "model").iterdir():
                with open(os.path.join(folder, path.name), "rb") as file:
                    self.assertEqual(file.read(), path.read_bytes())
            with mock.patch.object(huggingface_hub.constants, "HF_HUB_OFFLINE", True):
                found = AutoModel.from_pretrained("some/model", **self.options)
            self.assertTrue(torch.equal(found(TOKENS)[0], self.model(TOKENS)[0]))
        repository, = huggingface_hub.scan_cache_dir(self.options["cache_dir"]).repos
        self.assertEqual(repository.repo_id, "some/model")

    def test_what_is_plain_stays(self):
        name = next(name for name in os.listdir(self.snapshot) if name.endswith(".safetensors.swz"))[:-len(".swz")]
        with open(os.path.join(self.snapshot, name), "wb") as file:
            file.write(b"mine")
        swzip.hub.snapshot_download("some/model", unpack=True, **self.options)
        with open(os.path.join(self.snapshot, name), "rb") as file:
            self.assertEqual(file.read(), b"mine")

    def test_mistakes(self):
        with self.assertRaises(huggingface_hub.errors.LocalEntryNotFoundError):
            swzip.hub.snapshot_download("no/model", unpack=True, **self.options)


if __name__ == "__main__":
    unittest.main()
