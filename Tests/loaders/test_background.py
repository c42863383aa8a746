"""Archives of checkpoints beside training: transformers' Trainer, Lightning, torch.distributed.checkpoint."""

import contextlib
import io
import logging
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
import warnings

import lightning
import torch
import transformers
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.distributed import checkpoint
from transformers import PrinterCallback, Trainer, TrainingArguments

import ranks
import swzip
import swzip.dcp
import test_dcp
import test_lightning
from checkpoints import FolderTest
from models import llama
from swzip.archive import Archive, Background, TrainerCallback, restore_latest
from swzip.lightning import ArchiveCheckpointIO

warnings.filterwarnings("ignore", module="lightning")


class Killed(transformers.TrainerCallback):
    """Ends the process in the middle of a run, as a scheduler does."""

    def on_step_begin(self, args, state, control, **_):
        if state.global_step == 5:
            os.kill(os.getpid(), signal.SIGKILL)


def train(folder, *callbacks, resume=None, steps=8, **options):
    """The weights of a small model after so many steps, the same each time."""
    torch.manual_seed(1)
    arguments = TrainingArguments(
        folder, max_steps=steps, save_steps=2, per_device_train_batch_size=2, report_to=[], disable_tqdm=True,
        use_cpu=True, logging_strategy="no", **options)
    tokens = torch.randint(512, (32, 16), generator=torch.Generator().manual_seed(2))
    data = [{"input_ids": each, "labels": each} for each in tokens]
    trainer = Trainer(llama(), arguments, train_dataset=data, callbacks=list(callbacks))
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=resume)
    return trainer.model.state_dict()


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in pathlib.Path(folder).rglob("*")
            if path.is_file()}


class TrainerTest(FolderTest):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            cls.straight = train(folder)

    def test_each_checkpoint_is_kept(self):
        run = TrainerCallback(self.folder / "run.swza", level=1)
        with contextlib.redirect_stdout(io.StringIO()) as said:
            found = train(self.folder / "out", run, save_total_limit=1)
        self.assert_same(self.straight, found)
        for step in (2, 4, 6, 8):
            self.assertRegex(said.getvalue(), rf"swzip: checkpoint-{step}: training waited \d+\.\d ms\n")
        self.assertEqual([of.step for of in run.archive.list()], [2, 4, 6, 8])
        self.assertEqual(os.listdir(self.folder / "out"), ["checkpoint-8"])
        self.assertEqual(os.listdir(self.folder / "out.pending"), [])
        run.archive.restore(8, self.folder / "back")
        self.assertEqual(files(self.folder / "back"), files(self.folder / "out" / "checkpoint-8"))
        run.archive.restore(4, self.folder / "middle")
        self.assert_same(self.straight, train(self.folder / "again", resume=str(self.folder / "middle")))

    CHILD = """
import sys
import test_background as tests
tests.train(sys.argv[2], tests.TrainerCallback(sys.argv[1]), tests.Killed(), save_total_limit=1)
"""

    def test_a_killed_run_goes_on(self):
        archive, out = self.folder / "run.swza", self.folder / "out"
        ended = subprocess.run([sys.executable, "-W", "ignore", "-c", self.CHILD, archive, out], check=False,
                               stdout=subprocess.DEVNULL)
        self.assertEqual(ended.returncode, -signal.SIGKILL)
        shutil.rmtree(out)  # All that is left is in the archive, or waits for it.
        Background(archive, pending=f"{out}.pending").close()
        path = restore_latest(archive, out)
        self.assertEqual(path, str(out / "checkpoint-4"))
        with contextlib.redirect_stdout(io.StringIO()):
            self.assert_same(self.straight, train(out, TrainerCallback(archive), resume=path))
        self.assertEqual([of.step for of in Archive(archive).list()], [2, 4, 6, 8])


class LightningTest(FolderTest):
    def setUp(self):
        super().setUp()
        logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
        self.archive = self.folder / "run.swza"

    def train(self, steps, plugin=None, resume=None):
        lightning.seed_everything(1, verbose=False)
        data = torch.utils.data.DataLoader(torch.randn(8, 64), 2)
        newest = ModelCheckpoint(self.folder / "files", every_n_train_steps=4, save_last=True)
        trainer = lightning.Trainer(accelerator="cpu", max_steps=steps, logger=False, enable_progress_bar=False,
                                    enable_model_summary=False, plugins=plugin, callbacks=[newest])
        model = test_lightning.Model()
        trainer.fit(model, data, ckpt_path=resume, weights_only=False)
        return model.state_dict()

    def test_train_and_resume(self):
        straight = self.train(8)
        shutil.rmtree(self.folder / "files")
        self.train(4, ArchiveCheckpointIO(self.archive, level=1))
        self.assertEqual([(of.name, of.files) for of in Archive(self.archive).list()], [("4", 1)])
        name = self.folder / "files" / "epoch=0-step=4.ckpt"
        for resume in ("latest", "4", str(name)):
            with self.subTest(resume):
                self.assert_same(straight, self.train(8, ArchiveCheckpointIO(self.archive), resume))
        self.assertEqual(list(self.folder.glob("files/*")), [])
        plugin = ArchiveCheckpointIO(self.archive)
        plugin.remove_checkpoint(name)
        for path, step in ((name, 4), (self.folder / "files" / "last.ckpt", 8)):
            self.assertEqual(plugin.load_checkpoint(path)["global_step"], step)

    def test_saving_and_loading(self):
        plugin, path = ArchiveCheckpointIO(self.archive), self.folder / "a.ckpt"
        state = {"global_step": 3, "x": torch.ones(300, 20)}
        plugin.save_checkpoint(state, path)
        state["x"].zero_()
        self.assert_same({"global_step": 3, "x": torch.ones(300, 20)}, plugin.load_checkpoint(path))
        torch.save({"x": 1}, path)
        self.assertEqual(plugin.load_checkpoint(path), {"x": 1})
        plugin.remove_checkpoint(path)
        self.assertFalse(path.exists())
        with self.assertRaisesRegex(swzip.SwzipError, "no such checkpoint"):
            plugin.load_checkpoint(self.folder / "b.ckpt")
        with self.assertRaisesRegex(swzip.SwzipError, "global_step"):
            plugin.save_checkpoint({"x": 1}, path)
        with self.assertRaisesRegex(swzip.SwzipError, "storage_options"):
            plugin.save_checkpoint(state, path, storage_options={})


class DcpTest(FolderTest):
    def test_round_trip(self):
        state, path = test_dcp.sample(), self.folder / "run.swza"
        with Background(path) as background:
            (self.folder / "run.swza.pending" / "step-1").mkdir(parents=True)
            (self.folder / "run.swza.pending" / "step-1" / "__9_0.distcp").write_bytes(b"of a killed run")
            writer = swzip.dcp.ArchiveWriter(background, 1, thread_count=2)
            checkpoint.save(state, storage_writer=writer, no_dist=True)
            kept = test_dcp.sample()
            state["torch.float32"] += 1
            saving = checkpoint.async_save(state, storage_writer=swzip.dcp.ArchiveWriter(background, 2), no_dist=True)
            later = {**kept, "torch.float32": state["torch.float32"].clone()}
            state["torch.float32"] += 1
            saving.result()
            self.assertEqual(writer.pending.result().name, "1")
        for word, wanted in ((1, kept), ("latest", later)):
            found = test_dcp.blank(wanted)
            checkpoint.load(found, storage_reader=swzip.dcp.ArchiveReader(path, word), no_dist=True)
            self.assert_same(wanted, found)
        self.assertEqual([(of.name, of.files) for of in Archive(path).list()], [("1", 3), ("2", 2)])
        Archive(path).restore(1, self.folder / "back")
        found = test_dcp.blank(kept)
        checkpoint.load(found, storage_reader=swzip.dcp.FileSystemReader(self.folder / "back"), no_dist=True)
        self.assert_same(kept, found)

    def test_ranks(self):
        ranks.run(2, ranks.add, str(self.folder))
        self.assertEqual([(of.name, of.files) for of in Archive(self.folder / "run").list()], [("1", 3), ("2", 3)])
        ranks.run(1, ranks.load, str(self.folder), "run")
        self.assert_same(torch.load(self.folder / "saved.pt"), torch.load(self.folder / "loaded.pt"))

    def test_mistakes(self):
        background = Background(self.folder / "run.swza")
        with self.assertRaisesRegex(Exception, "leave out checkpoint_id"):
            checkpoint.save({}, checkpoint_id=self.folder / "x", no_dist=True,
                            storage_writer=swzip.dcp.ArchiveWriter(background, 1))
        with self.assertRaisesRegex(swzip.SwzipError, "no such checkpoint"):
            swzip.dcp.ArchiveReader(self.folder / "run.swza")


if __name__ == "__main__":
    unittest.main()
