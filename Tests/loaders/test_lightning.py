"""Packed checkpoints of Lightning."""

import logging
import unittest
import warnings

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.plugins.io import AsyncCheckpointIO

import swzip
from checkpoints import FolderTest, weights
from swzip.lightning import SwzipCheckpointIO

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore", module="lightning")


class Model(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.save_hyperparameters({"width": 300})
        self.layers = torch.nn.Sequential(torch.nn.Linear(64, 300), torch.nn.Linear(300, 1))

    def training_step(self, batch, _):
        return self.layers(batch).square().mean()

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters())


class LightningTest(FolderTest):
    def train(self, steps, plugin, resume=None):
        lightning.seed_everything(1, verbose=False)
        data = torch.utils.data.DataLoader(torch.randn(8, 64), 2)
        newest = ModelCheckpoint(self.folder, every_n_train_steps=2, save_last=True)
        trainer = lightning.Trainer(accelerator="cpu", max_steps=steps, logger=False, enable_progress_bar=False,
                                    enable_model_summary=False, plugins=plugin, callbacks=[newest])
        model = Model()
        trainer.fit(model, data, ckpt_path=resume)
        return model.state_dict()

    def names(self):
        return sorted(path.name for path in self.folder.iterdir())

    def check_training(self, plugin):
        straight = self.train(8, None)
        plain = {path.name: path.stat().st_size for path in self.folder.iterdir()}
        for name in plain:
            (self.folder / name).unlink()
        self.train(4, plugin)
        saved = torch.load(swzip.open(self.folder / "last.ckpt"))
        self.assertEqual(saved["global_step"], 4)
        self.assert_same(straight, self.train(8, plugin, self.folder / "last.ckpt"))
        for name, byte_count in plain.items():
            swzip.verify(self.folder / name)
            self.assertLess((self.folder / name).stat().st_size, 0.9 * byte_count)

    def test_train_and_resume(self):
        self.check_training(SwzipCheckpointIO(level=5))
        self.assertEqual(self.names(), ["epoch=1-step=8.ckpt", "last.ckpt"])  # Those of other steps are removed.

    def test_asynchronously(self):
        self.check_training(AsyncCheckpointIO(SwzipCheckpointIO()))

    def test_plain_checkpoints_load(self):
        straight = self.train(6, None)
        self.train(4, None)
        self.assert_same(straight, self.train(6, SwzipCheckpointIO(), self.folder / "last.ckpt"))

    def test_remote_files(self):
        path, plugin, state = f"memory://{self.folder}/a.ckpt", SwzipCheckpointIO(), {"x": weights(500, 700), "step": 1}
        plugin.save_checkpoint(state, path)
        self.assert_same(state, plugin.load_checkpoint(path))
        plugin.remove_checkpoint(path)
        with self.assertRaisesRegex(FileNotFoundError, "a.ckpt"):
            plugin.load_checkpoint(path)

    def test_mistakes(self):
        plugin, path = SwzipCheckpointIO(), self.folder / "a.ckpt"
        plugin.save_checkpoint({"x": weights(100)}, path)
        with self.assertRaisesRegex(swzip.SwzipError, "storage_options"):
            plugin.save_checkpoint({}, path, storage_options={})
        with self.assertRaises(Exception):
            plugin.save_checkpoint({"x": lambda: None}, path)
        self.assert_same({"x": weights(100)}, plugin.load_checkpoint(path))
        damaged = bytearray(path.read_bytes())
        damaged[len(damaged) // 2] ^= 1
        path.write_bytes(damaged)
        with self.assertRaises(swzip.DamagedError):
            plugin.load_checkpoint(path)
        self.assertEqual(self.names(), ["a.ckpt"])


if __name__ == "__main__":
    unittest.main()
