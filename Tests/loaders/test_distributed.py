"""Packing of many files by executors."""

import concurrent.futures
import os
import pathlib
import shutil
import signal
import subprocess
import threading
import time
import unittest

os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_AUTH_MODE="disabled")  # Nothing is sent, nor kept.
import ray
import torch

import swzip
import swzip.distributed
from checkpoints import FolderTest, weights


class RayExecutor:
    """As in tools/python/loaders/ray.md."""

    def submit(self, function, *arguments):
        return ray.remote(function).remote(*arguments).future()


def own_process():
    time.sleep(0.5)  # So that another one is taken by another process.
    return os.getpid()


class DistributedTest(FolderTest):
    def setUp(self):
        super().setUp()
        self.source, self.target = self.folder / "model", self.folder / "packed"
        self.source.mkdir()

    def write(self, count, rows=500):
        """Shards of a model in two folders, with what belongs to it."""
        for number in range(count):
            path = self.source / ("optimizer" if number % 5 == 4 else "") / f"shard-{number:02}.bin"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(weights(rows, 1000, seed=number).view(torch.uint8).numpy().tobytes())
        (self.source / "config.json").write_text("{}")
        (self.source / "model.safetensors.index.json").write_text('{"weight_map": {}}')

    def pack(self, executor, **options):
        return swzip.distributed.pack(self.source, self.target, executor=executor, **options)

    def written(self):
        """The files that are there, and what tells whether one is written again. Who is killed leaves a hidden one."""
        return {path.relative_to(self.target).as_posix(): (path.stat().st_ino, path.stat().st_ctime_ns)
                for path in self.target.rglob("*") if path.is_file() and path.suffix != ".tmp"}

    def check_all(self):
        """Every file is there once, with every byte."""
        sources = {path.relative_to(self.source).as_posix() for path in self.source.rglob("*") if path.is_file()}
        names = {name if name.endswith(".json") else name + ".swz" for name in sources}
        self.assertEqual(set(self.written()), names)
        for name in sources:
            plain = (self.source / name).read_bytes()
            if name.endswith(".json"):
                self.assertEqual((self.target / name).read_bytes(), plain)
            else:
                self.assertEqual(swzip.open(self.target / f"{name}.swz").read(), plain)

    def check_again(self, executor):
        """Nothing is left to do."""
        before = self.written()
        results = self.pack(executor)
        self.assertEqual({result.done for result in results}, {"there"})
        self.assertEqual({result.output for result in results}, {str(self.target / name) for name in before})
        self.assertEqual(self.written(), before)

    def test_pools(self):
        self.write(10)
        for kind in (concurrent.futures.ThreadPoolExecutor, concurrent.futures.ProcessPoolExecutor):
            with self.subTest(kind), kind(2) as pool:
                results = self.pack(pool)
                self.assertEqual(sorted(result.done for result in results), ["copied"] * 2 + ["packed"] * 10)
                self.check_all()
                self.check_again(pool)
            shutil.rmtree(self.target)

    def test_ray_with_a_worker_that_is_killed(self):
        self.write(50, rows=2000)
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
        self.addCleanup(ray.shutdown)
        victim, *_ = ray.get([ray.remote(own_process).remote() for _ in range(2)])
        found = []

        def kill():
            while len(list(self.target.rglob("*.swz"))) < 5:
                time.sleep(0.01)
            os.kill(victim, signal.SIGKILL)
            found.append(len(self.written()))

        killer = threading.Thread(target=kill)
        killer.start()
        results = self.pack(RayExecutor())
        killer.join()
        self.assertLess(found[0], 40)
        self.assertEqual(len(results), 52)
        self.assertEqual(len({result.path for result in results}), 52)
        self.check_all()
        self.check_again(RayExecutor())

    def test_a_pool_that_breaks(self):
        self.write(30, rows=2000)
        with concurrent.futures.ProcessPoolExecutor(2) as pool:
            victim = pool.submit(os.getpid).result()

            def kill():
                while len(list(self.target.rglob("*.swz"))) < 3:
                    time.sleep(0.01)
                os.kill(victim, signal.SIGKILL)

            killer = threading.Thread(target=kill)
            killer.start()
            with self.assertRaisesRegex(swzip.distributed.PackError, "32 files .*: BrokenProcessPool") as caught:
                self.pack(pool)
            killer.join()
        before, results = self.written(), caught.exception.results
        self.assertEqual(len(results), 32)
        for result in results:
            self.assertEqual(result.done == "failed", result.error is not None)
            if result.error is None:
                self.assertIn(os.path.relpath(result.output, self.target), before)
        with concurrent.futures.ProcessPoolExecutor(2) as pool:
            self.pack(pool)
        self.check_all()
        self.assertEqual({name: self.written()[name] for name in before}, before)

    def test_what_changes_is_packed_again(self):
        self.write(4)
        shard, config = self.source / "shard-01.bin", self.source / "config.json"
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            self.pack(pool)
            shard.write_bytes(shard.read_bytes()[::-1])
            config.write_text("[]")
            os.utime(self.source / "shard-02.bin", (1, 1))
            pathlib.Path(self.target / "shard-03.bin.swz").write_bytes(b"something else")
            done = {os.path.basename(result.path): result.done for result in self.pack(pool)}
            self.assertEqual({name for name in done if done[name] != "there"},
                             {"shard-01.bin", "shard-02.bin", "shard-03.bin", "config.json"})
            self.check_all()
            self.check_again(pool)

    def test_by_sha256(self):
        self.write(3)
        shard, config = self.source / "shard-01.bin", self.source / "config.json"
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            self.pack(pool, sha256=True)
            times = {path: path.stat().st_mtime_ns for path in (shard, config)}
            shard.write_bytes(shard.read_bytes()[::-1])
            config.write_text("[]")
            for path, time_ns in times.items():
                os.utime(path, ns=(time_ns, time_ns))
            os.utime(self.source / "shard-02.bin", (1, 1))
            done = {os.path.basename(result.path): result.done for result in self.pack(pool, sha256=True)}
            self.assertEqual({name for name in done if done[name] != "there"}, {"shard-01.bin", "config.json"})
        self.check_all()

    def test_links_and_odd_names(self):
        """As `swzip pack -r` has them."""
        self.write(1)
        (self.folder / "blobs" / "inner").mkdir(parents=True)
        (self.folder / "blobs" / "1234").write_bytes(b"weights" * 1000)
        (self.folder / "blobs" / "inner" / "5678").write_bytes(b"more" * 1000)
        os.symlink("../blobs/1234", self.source / "linked.bin")
        os.symlink("../blobs", self.source / "folder")
        os.symlink("shard-00.bin", self.source / "last.bin")
        os.symlink(self.folder, self.folder / "blobs" / "inner" / "round")
        os.symlink("nowhere", self.source / "broken")
        (self.source / os.fsdecode(b"bytes-\xff.bin")).write_bytes(b"x" * 9000)
        swzip.pack(self.folder / "blobs" / "1234", self.source / "packed.swz")
        target = self.source / "packed"
        with concurrent.futures.ThreadPoolExecutor(2) as pool, self.assertWarnsRegex(UserWarning, "broken is neither"):
            for _ in range(2):
                results = swzip.distributed.pack(self.source, target, executor=pool)
        places = {os.path.relpath(result.output, target) for result in results}
        self.assertEqual(places, {"shard-00.bin.swz", "linked.bin.swz", "folder/1234.swz", "folder/inner/5678.swz",
                                  "config.json", "model.safetensors.index.json", "packed.swz",
                                  os.fsdecode(b"bytes-\xff.bin.swz")})

    def test_what_is_copied(self):
        """The same as by the command."""
        for name in ("config.json", "vocab.txt", "README.md", "chat_template.jinja", "a.yaml", "b.yml", "own.py", "x.vocab",
                     "x.bpe", "x.spm", "x.tiktoken", "s.bpe.model", "tokenizer.model", "spiece.model", ".gitattributes",
                     "LICENSE", "other.model", "data.jsonl", "CONFIG.JSON", "txt", "weights.bin"):
            (self.source / name).write_text(name)
        for name, size in (("large.json", 16 << 20), ("small.json", (16 << 20) - 1), ("model.index.json", 17 << 20)):
            (self.source / name).write_bytes(b" " * size)
        subprocess.run([os.environ["SWZIP"], "pack", "-q", "-r", self.source, "--output-dir", self.folder / "command"],
                       check=True)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            self.pack(pool)
        self.assertEqual(sorted(os.listdir(self.target)), sorted(os.listdir(self.folder / "command")))

    def test_files_that_fail_are_named(self):
        self.write(2)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            paths = [self.source / "shard-00.bin", self.source / "config.json", self.folder / "missing.bin"]
            with self.assertRaisesRegex(swzip.distributed.PackError, "1 of 3 .*missing.bin: FileNot") as caught:
                swzip.distributed.pack(paths, self.target, executor=pool)
            self.assertEqual([result.done for result in caught.exception.results], ["packed", "packed", "failed"])
            self.assertEqual(set(self.written()), {"shard-00.bin.swz", "config.json.swz"})
            (self.folder / "shard-00.bin").write_bytes(b"another one")
            with self.assertRaisesRegex(swzip.SwzipError, "would both become .*shard-00.bin.swz"):
                swzip.distributed.pack([self.source, self.folder / "shard-00.bin"], self.target, executor=pool)
            with self.assertRaisesRegex(swzip.SwzipError, "another one"):
                swzip.distributed.pack(self.source, self.source, executor=pool)


if __name__ == "__main__":
    unittest.main()
