"""Archives of checkpoints: what is added comes back, also from beside training, from a killed process, and after its
folder is gone."""

import hashlib
import json
import logging
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import unittest
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

import numpy
import safetensors.numpy
import safetensors.torch
import torch

import swzip
from samples import FolderTest, child_environment
from swzip.archive import Archive, Background, restore_latest

logging.getLogger("swzip.archive").setLevel(logging.CRITICAL)


class Gate:
    """Saving it waits until it is open: what comes behind in a queue waits too."""

    def __init__(self):
        self.event = threading.Event()

    def __deepcopy__(self, _):
        return self

    def __reduce__(self):
        if not self.event.wait(60):
            raise TimeoutError
        return str, ("open",)


def content(folder):
    """The bytes of all files below a folder, and where links lead, by name."""
    folder = pathlib.Path(folder)
    return {str(path.relative_to(folder)): os.readlink(path) if path.is_symlink() else path.read_bytes()
            for path in folder.rglob("*") if path.is_symlink() or path.is_file()}


class ArchiveTest(FolderTest):
    def setUp(self):
        super().setUp()
        self.path = self.folder / "run.swza"
        self.archive = Archive(self.path, create=True)
        self.first = self.weights(200, 300)

    def checkpoint(self, step, name="checkpoint"):
        """A folder, and what is in it."""
        folder = self.folder / f"{name}-{step}"
        (folder / "sub").mkdir(parents=True)
        weights = self.first + numpy.float32(step / 1000)
        safetensors.numpy.save_file({"w": weights, "b": weights[3]}, folder / "model.safetensors")
        (folder / "sub" / "state.json").write_text(json.dumps({"step": step}))
        os.symlink("../model.safetensors", folder / "sub" / "link")
        return folder, content(folder)

    def ranks(self, step, ranks=2):
        """A folder that ranks wrote, and what is in it."""
        folder = self.folder / f"step-{step}"
        folder.mkdir()
        for rank in range(ranks):
            weights = self.first + numpy.float32(step + rank / 1000)
            safetensors.numpy.save_file({"w": weights}, folder / f"rank_{rank}.safetensors")
        return folder, content(folder)

    def restored(self, word, archive=None):
        target = self.folder / f"restored-{os.urandom(4).hex()}"
        found = content((archive or self.archive).restore(word, target))
        shutil.rmtree(target)
        return found


class CallsTest(ArchiveTest):
    def test_round_trip(self):
        originals = {}
        for step in (100, 200, 300):
            folder, originals[step] = self.checkpoint(step)
            added = self.archive.add(folder, level=3 + step // 100, threads=2)
            self.assertEqual((added.name, added.step, added.is_new), (str(step), step, True))
            self.assertEqual(added.byte_count, sum(len(of) for of in originals[step].values() if isinstance(of, bytes)))
        self.assertFalse(self.archive.add(folder).is_new)
        listed = self.archive.list()
        self.assertEqual([(of.name, of.files, of.tensors, of.depth) for of in listed],
                         [("100", 3, 2, 0), ("200", 3, 2, 1), ("300", 3, 2, listed[2].depth)])
        self.assertEqual((listed[1].bases, self.archive.latest), (["100"], listed[2]))
        self.assertLess(listed[1].packed_byte_count, listed[0].packed_byte_count)
        for step, original in originals.items():
            self.assertEqual(self.restored(step), original)
            with swzip.safe_open(self.archive.open(step), "np") as file:
                weights = self.first + numpy.float32(step / 1000)
                numpy.testing.assert_array_equal(file.get_tensor("w"), weights)
                numpy.testing.assert_array_equal(file.get_slice("w")[5:9, ::7], weights[5:9, ::7])
            self.assertEqual(json.load(swzip.open(self.archive.open(f"{step}@1"), "sub/state.json")), {"step": step})
        self.assertEqual(self.restored("latest"), originals[300])
        listed = json.loads(subprocess.run([os.environ["SWZIP"], "archive", "list", "--json", self.path], check=True,
                                           stdout=subprocess.PIPE).stdout.splitlines()[1])
        self.assertEqual((listed["id"], listed["step"]), (self.archive.list()[1].id, 200))

    def test_parts(self):
        folder, original = self.ranks(7)
        self.archive.add(self.checkpoint(1)[0])
        added = self.archive.add(folder, part=(1, 2))
        self.assertEqual((added.is_new, added.parts, added.parts_there), (True, 2, 1))
        last = self.archive.list()[-1]
        self.assertEqual((last.depth, last.parts, last.parts_there, self.archive.latest.step), (None, 2, 1, 1))
        self.assertEqual(self.archive.add(folder, part=(0, 2)).parts_there, 2)
        self.assertEqual(self.restored("latest"), original)
        # Folders of their own.
        for part, other in enumerate(("a", "b")):
            (self.folder / other).mkdir()
            for file in folder.glob(f"rank_{part}.*"):
                shutil.copy(file, self.folder / other)
            self.archive.add(self.folder / other, 8, part=(part, 2), group="job 5")
        self.assertEqual(self.restored(8), original)
        for options in ({"part": (2, 2)}, {"part": (0, 1)}, {"part": (-1, 2)}, {"part": (0, 1000)}, {"group": "a"},
                        {"part": (0, 2), "group": ""}):
            with self.assertRaises(swzip.SwzipError) as caught:
                self.archive.add(folder, **options)
            self.assertEqual(caught.exception.rule, "argument")

    def test_what_is_not_exact(self):
        folder = self.folder / "step-3"
        folder.mkdir()
        moments = numpy.abs(self.first.astype(numpy.float32)) + numpy.float32(1e-6)
        file = {"w.exp_avg": moments, "w.exp_avg_sq": moments * moments, "w": moments}
        safetensors.numpy.save_file(file, folder / "optimizer.safetensors")
        subprocess.run([os.environ["SWZIP"], "archive", "add", "-q", "--moments", "update:1/64", self.path, folder],
                       check=True, stderr=subprocess.DEVNULL)
        listed, = self.archive.list()
        digest = hashlib.sha256((folder / "optimizer.safetensors").read_bytes()).hexdigest()
        self.assertEqual(listed.inexact, [("optimizer.safetensors", "update:1/64", digest, 2)])
        added = self.archive.add(folder)  # The exact one is another attempt.
        self.assertEqual((added.name, self.archive.list()[1].inexact), ("3@2", []))

    def test_what_is_open_stays_open(self):
        for step in (1, 2):
            self.archive.add(self.checkpoint(step)[0])
        with swzip.safe_open(self.archive.open(2), "np") as file:
            for path in self.path.rglob("*.swz"):
                path.unlink()
            wanted = self.first + numpy.float32(2 / 1000)
            child = os.fork()
            if child == 0:
                os._exit(0 if numpy.array_equal(file.get_tensor("w"), wanted) else 1)
            numpy.testing.assert_array_equal(file.get_tensor("w"), wanted)
            self.assertEqual(os.waitpid(child, 0)[1], 0)

    def test_restoring_some(self):
        folder, original = self.checkpoint(1)
        self.archive.add(folder)
        for only, names in (("*.json", ["sub/state.json"]), (["m*", "sub/link"], ["model.safetensors", "sub/link"])):
            self.archive.restore(1, self.folder / "some", only=only)
            self.assertEqual(content(self.folder / "some"), {name: original[name] for name in names})
            shutil.rmtree(self.folder / "some")
        with self.assertRaisesRegex(swzip.SwzipError, "no file of 1 fits"):
            self.archive.restore(1, self.folder / "some", only="*.pt")
        self.assertFalse((self.folder / "some").exists())

    def test_names_and_attempts(self):
        folder, original = self.checkpoint(5)
        self.archive.add(folder, 7)
        (folder / "more").write_bytes(b"more")
        self.assertEqual(self.archive.add(folder, 7, alone=True).name, "7@2")
        self.archive.tag("7@1", "best")
        self.assertEqual([of.tags for of in self.archive.list()], [["best"], []])
        self.assertEqual(self.restored("best"), original)
        self.assertEqual(self.restored(f"id:{self.archive.list()[0].id[:9]}"), original)
        self.assertEqual(self.restored(7)["more"], b"more")
        with self.assertRaisesRegex(swzip.SwzipError, "has the tag best"):
            self.archive.forget("best")
        self.archive.forget("latest")
        self.assertEqual([of.name for of in self.archive.list()], ["7"])

    def test_warnings(self):
        folder, _ = self.checkpoint(1)
        (folder / "empty").mkdir()
        with self.assertWarnsRegex(UserWarning, "checkpoint-1: empty: this folder is empty"):
            self.archive.add(folder)
        self.archive.add(self.checkpoint(2)[0])
        base, later = (pathlib.Path(of.container) for of in self.archive.list())
        base.write_bytes(base.read_bytes()[:-9])
        with self.assertWarnsRegex(UserWarning, base.name):
            listed = self.archive.list()
        self.assertEqual([(of.name, of.depth) for of in listed], [("2", None)])
        self.assertIsNone(self.archive.latest)
        self.archive.add(self.checkpoint(3)[0], 1)
        with self.assertWarnsRegex(UserWarning, "2 is newer, but lacks a base"):
            self.archive.open().close()
        later.write_bytes(b"nothing")
        with self.assertWarnsRegex(UserWarning, "may be newer, but cannot be read"):
            self.archive.open("latest").close()

    def test_mistakes(self):
        folder, _ = self.checkpoint(1)
        for wrong in (self.folder, self.folder / "nothing"):
            with self.assertRaises(swzip.BaseError) as caught:
                Archive(wrong)
            self.assertEqual((caught.exception.rule, caught.exception.file), ("noArchive", str(wrong)))
        with self.assertRaisesRegex(swzip.SwzipError, "it is not empty"):
            Archive(folder, create=True)
        self.assertEqual(Archive(self.path, create=True).list(), [])
        with self.assertRaises(FileNotFoundError):
            self.archive.add(self.folder / "missing-1")
        with self.assertRaisesRegex(swzip.SwzipError, "the name does not say the step"):
            self.archive.add(self.folder / "checkpoint-1" / "sub")
        for options in ({"step": 10**12}, {"level": 10}, {"max_depth": 64}):
            with self.assertRaises(swzip.SwzipError):
                self.archive.add(folder, **options)
        for word in (7, "latest", "", "no-such", "id:12"):
            with self.assertRaisesRegex(swzip.SwzipError, "no such checkpoint") as caught:
                self.archive.open(word)
            self.assertEqual(caught.exception.rule, "noSuchCheckpoint")
        whole = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(whole[:-1])
        with self.assertRaisesRegex(swzip.SwzipError, "cut short") as caught:
            self.archive.add(folder)
        self.assertEqual(caught.exception.rule, "incomplete")
        with self.assertWarnsRegex(UserWarning, "1 bytes shorter than its header says"):
            self.archive.add(folder, as_is=True)
        with self.assertRaises(FileExistsError):
            self.archive.restore(1, folder)
        self.assertEqual(len(self.archive.list()), 1)

    def test_damage(self):
        self.archive.add(self.checkpoint(1)[0])
        path = pathlib.Path(self.archive.list()[0].container)
        data = bytearray(path.read_bytes())
        data[len(data) // 3] ^= 1
        path.write_bytes(data)
        with self.assertRaises(swzip.DamagedError):
            self.archive.restore(1, self.folder / "back")
        self.assertFalse((self.folder / "back").exists())


class BackgroundTest(ArchiveTest):
    def setUp(self):
        super().setUp()
        self.pending = self.folder / "run.swza.pending"

    def test_folders_may_go_at_once(self):
        originals = {}
        with Background(self.archive, level=1) as background:
            gate = Gate()
            background.add_state({"gate.pt": gate}, 1)
            folder, originals[2] = self.checkpoint(2)
            outside = self.folder / "outside"
            outside.write_bytes(b"outside")
            os.symlink(outside, folder / "away")
            os.symlink("nowhere", folder / "dangling")
            originals[2]["away"] = b"outside"
            with self.assertLogs("swzip.archive", "INFO") as logged:
                added = background.add_folder(folder)
            self.assertRegex(logged.output[0], r"checkpoint-2: training waited \d+\.\d ms; 3 files linked")
            self.assertGreater(added.blocked_ms, 0)
            linked = [path for path in self.pending.rglob("model.safetensors") if not path.is_symlink()]
            self.assertTrue(os.path.samefile(linked[0], folder / "model.safetensors"))
            shutil.rmtree(folder)
            gate.event.set()
            self.assertEqual((added.result().name, added.result().is_new), ("2", True))
        self.assertEqual(self.restored(2), originals[2])
        self.assertEqual(os.listdir(self.pending), [])

    def test_parts(self):
        """Also those that killed ranks left: each with its group."""
        folder, original = self.ranks(7)
        backgrounds = [Background(self.archive, part=(part, 2)) for part in range(2)]
        for background in backgrounds:
            background.add_folder(folder)
        shutil.rmtree(folder)
        for background in backgrounds:
            background.close()
        self.assertEqual(self.restored(7), original)

        states = [{f"state-{rank}.safetensors": {"w": torch.arange(8) + rank}} for rank in range(2)]
        with self.assertRaisesRegex(swzip.SwzipError, "needs a group"):
            backgrounds[0].add_state(states[0], 8)
        with Background(self.archive, part=(0, 2), group="job 1/0") as background:
            background.add_state(states[0], 8)
            left = pathlib.Path(background.folder).parent / "part-1-of-2.job%201%2F0" / "8.0123456789abcdef" / "step-8"
        left.mkdir(parents=True)
        safetensors.torch.save_file(states[1]["state-1.safetensors"], left / "state-1.safetensors")
        with Background(self.archive, part=(0, 2), group="job 1/1"):
            pass
        self.assertEqual(self.archive.list()[-1].parts_there, 1)
        with Background(self.archive, part=(1, 2), group="job 1/1"):
            pass
        self.assertEqual(list(self.restored(8)), ["state-0.safetensors", "state-1.safetensors"])
        self.assertFalse(left.exists())

    def test_one_file(self):
        (self.folder / "step-3.bin").write_bytes(b"abc" * 999)
        with Background(str(self.path)) as background:
            background.add_folder(self.folder / "step-3.bin")
        self.assertEqual(self.restored(3), {"step-3.bin": b"abc" * 999})

    @unittest.skipUnless(os.path.isdir("/dev/shm") and os.stat("/dev/shm").st_dev != os.stat("/tmp").st_dev,
                         "no second file system")
    def test_on_another_file_system_they_are_copied(self):
        pending = pathlib.Path("/dev/shm") / f"swzip-test-{os.getpid()}"
        self.addCleanup(shutil.rmtree, pending)
        folder, original = self.checkpoint(2)
        with Background(self.archive, pending=pending) as background:
            with self.assertLogs("swzip.archive", "INFO") as logged:
                background.add_folder(folder)
                shutil.rmtree(folder)
                background.flush()
            self.assertIn("2 files copied", logged.output[0])
        self.assertEqual(self.restored(2), original)

    def test_states_are_what_they_were(self):
        tied, part = torch.randn(300, 20), torch.randn(40, 50)
        state = OrderedDict(weight=tied, other=tied.T, part=part[3:9, ::2], parameter=torch.nn.Parameter(part),
                            numbers=[1, 2.5, (torch.ones(3, dtype=torch.bfloat16), None)], name="x", empty=tied[:0])
        state._metadata = {"version": 2}
        array, data = self.first.copy(), bytearray(b"abc" * 99)
        files = {"model.safetensors": {"w": part.T}, "array.safetensors": {"w": array}, "sub/state.pt": state,
                 "data.bin": data}
        gate = Gate()
        with Background(self.archive) as background:
            background.add_state({"gate.pt": gate}, 1)
            kept = part.clone(), tied.clone()
            background.add_state(files, 2)
            tied.zero_(), part.zero_(), array.fill(0)
            data[:] = bytes(len(data))
            state["name"] = "y"
            gate.event.set()
        self.archive.restore(2, self.folder / "back")
        found = torch.load(self.folder / "back" / "sub" / "state.pt", weights_only=False)
        self.assertEqual((list(found), found._metadata), (list(state), {"version": 2}))
        self.assertTrue(torch.equal(found["weight"], kept[1]) and torch.equal(found["other"], kept[1].T))
        self.assertEqual(found["weight"].data_ptr(), found["other"].data_ptr())
        self.assertTrue(torch.equal(found["part"], kept[0][3:9, ::2]))
        self.assertIs(type(found["parameter"]), torch.nn.Parameter)
        self.assertEqual((found["name"], found["numbers"][2][0].dtype), ("x", torch.bfloat16))
        with swzip.safe_open(self.archive.open(2), "pt", member="model.safetensors") as file:
            self.assertTrue(torch.equal(file.get_tensor("w"), kept[0].T))
        with swzip.safe_open(self.archive.open(2), "np", member="array.safetensors") as file:
            numpy.testing.assert_array_equal(file.get_tensor("w"), self.first)
        self.assertEqual((self.folder / "back" / "data.bin").read_bytes(), b"abc" * 99)

    def test_what_fails_is_told_and_kept(self):
        bad, _ = self.checkpoint(1)
        whole = (bad / "model.safetensors").read_bytes()
        (bad / "model.safetensors").write_bytes(whole[:-1])
        good, original = self.checkpoint(2)
        background = Background(self.archive)
        with self.assertLogs("swzip.archive", "ERROR") as logged:
            background.add_folder(bad, 1)
            while not logged.output:
                threading.Event().wait(0.01)
        self.assertIn("checkpoint-1: not added", logged.output[0])
        with self.assertRaisesRegex(swzip.SwzipError, "cut short"):
            background.add_folder(good)  # It is taken all the same.
        background.close()
        self.assertEqual(self.restored(2), original)
        asked = background.add_folder(bad, 1)
        with self.assertRaisesRegex(swzip.SwzipError, "cut short"):
            asked.result()
        background.close()
        self.assertEqual([name.split(".")[0] for name in os.listdir(self.pending)], ["1", "1"])
        # Tried again, and logged, but no next run has to end for it.
        with self.assertLogs("swzip.archive", "ERROR") as logged, Background(self.archive) as background:
            background.flush()
        self.assertEqual(len(logged.output), 2)

    def test_what_is_written_to_meanwhile_is_not_added(self):
        gate, background = Gate(), Background(self.archive)
        background.add_state({"gate.pt": gate}, 1)
        folder, _ = self.checkpoint(2)
        background.add_folder(folder)
        with open(folder / "sub" / "state.json", "r+") as file:
            file.write("[")
        gate.event.set()
        with self.assertRaisesRegex(swzip.SwzipError, "state.json was written to after it was taken over"):
            background.close()
        self.assertEqual([of.step for of in self.archive.list()], [1])
        self.assertEqual([name[-8:] for name in os.listdir(self.pending)], [".changed"])
        Background(self.archive).close()
        self.assertEqual([of.step for of in self.archive.list()], [1])

    def test_few_wait(self):
        gate, background = Gate(), Background(self.archive, waiting=2)
        background.add_state({"gate.pt": gate}, 1)
        background.add_state({"a.bin": b"a"}, 2)
        third = threading.Thread(target=background.add_state, args=({"a.bin": b"b"}, 3))
        third.start()
        third.join(0.3)
        self.assertTrue(third.is_alive())
        gate.event.set()
        third.join()
        background.close()
        self.assertEqual([of.step for of in self.archive.list()], [1, 2, 3])

    CHILD = """
import os, signal, sys, test_archive
from swzip.archive import Background
background = Background(sys.argv[1])
if sys.argv[3] == "kill":
    background.add_state({"gate.pt": test_archive.Gate()}, 1)
background.add_folder(sys.argv[2])
if sys.argv[3] == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
"""

    def run_child(self, folder, way):
        environment = child_environment()
        environment["PYTHONPATH"] += os.pathsep + os.path.dirname(os.path.abspath(__file__))
        return subprocess.run([sys.executable, "-c", self.CHILD, self.path, folder, way], env=environment).returncode

    def test_the_interpreter_waits(self):
        folder, original = self.checkpoint(4)
        self.assertEqual(self.run_child(folder, "end"), 0)
        self.assertEqual(self.restored(4), original)

    def test_what_a_killed_process_left_is_added(self):
        folder, original = self.checkpoint(4)
        self.assertEqual(self.run_child(folder, "kill"), -signal.SIGKILL)
        shutil.rmtree(folder)
        self.assertEqual(self.archive.list(), [])
        (self.pending / ".swzip-1-0123456789abcdef.tmp").mkdir()
        (self.pending / "of somebody else").mkdir()
        gate, background = Gate(), Background(self.archive)
        background.close()
        self.assertEqual(self.restored("latest"), original)
        # Nobody takes what a process that lives will add.
        background.add_state({"gate.pt": gate}, 5)
        background.add_folder(self.checkpoint(6)[0])
        Background(self.archive).close()
        self.assertEqual([of.step for of in self.archive.list()], [4])
        gate.event.set()
        background.close()
        self.assertEqual([of.step for of in self.archive.list()], [4, 5, 6])
        self.assertEqual(os.listdir(self.pending), ["of somebody else"])

    def test_mistakes(self):
        with self.assertRaisesRegex(swzip.SwzipError, "at a URL"):
            Background("http://localhost/run.swza")
        with self.assertRaisesRegex(swzip.SwzipError, "waiting is 0"):
            Background(self.archive, waiting=0)
        background = Background(self.archive)
        with self.assertRaises(FileNotFoundError):
            background.add_folder(self.folder / "missing-1")
        for name in ("/tmp/x", "a/../../x"):
            with self.assertRaisesRegex(swzip.SwzipError, "leads out"):
                background.add_state({name: b"x"}, 1)
        background.close()
        self.assertEqual(os.listdir(self.pending), [])


class ResumeTest(ArchiveTest):
    def test_restore_latest(self):
        runs = self.folder / "runs"
        self.assertIsNone(restore_latest(self.folder / "nothing", runs))
        self.assertIsNone(restore_latest(self.archive, runs))
        for step in (1, 2):
            folder, original = self.checkpoint(step)
            self.archive.add(folder)
        path = restore_latest(self.path, runs)
        self.assertEqual((path, content(path)), (str(runs / "checkpoint-2"), original))
        before = os.stat(path).st_ino
        self.assertEqual((restore_latest(self.archive, runs), os.stat(path).st_ino), (path, before))
        with self.assertRaisesRegex(swzip.BaseError, "no checkpoint in it can be restored"):
            broken = shutil.copytree(self.path, self.folder / "broken")
            for container in broken.glob("ckpt/*.swz"):
                container.write_bytes(b"nothing")
            restore_latest(broken, runs)
        # One that was half removed, or has something else in it, stays, and is not what is resumed from.
        for damage in (lambda: (runs / "checkpoint-2" / "model.safetensors").unlink(),
                       lambda: (runs / "checkpoint-2.2" / "more").write_bytes(b""),
                       lambda: (runs / "checkpoint-2.3" / "sub" / "state.json").write_text("[]")):
            damage()
            path = restore_latest(self.archive, runs)
            self.assertEqual(content(path), original)
        self.assertEqual(path, str(runs / "checkpoint-2.4"))
        self.assertEqual(content(restore_latest(self.archive, runs, name="step_{:06}".format)), original)
        self.assertTrue((runs / "step_000002").is_dir())

    def test_several_at_once(self):
        folder, original = self.checkpoint(1)
        self.archive.add(folder)
        with ThreadPoolExecutor(8) as pool:
            found = set(pool.map(lambda _: restore_latest(self.archive, self.folder / "runs"), range(8)))
        self.assertEqual(found, {str(self.folder / "runs" / "checkpoint-1")})
        self.assertEqual(content(found.pop()), original)


if __name__ == "__main__":
    unittest.main()
