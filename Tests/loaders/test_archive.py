"""Checkpoints as frameworks write them, in an archive: one that lacks any file, or has one that was not written to its end, is
refused; ranks add their parts."""

import json
import os
import shutil
import subprocess
import types
import unittest

import torch
from torch.distributed import checkpoint
from torch.distributed.checkpoint.state_dict import get_state_dict

import ranks
from checkpoints import FolderTest, weights
from test_megatron import on_processors, state

RANKS = 3


def save_distributed(folder):
    model, optimizer = ranks.train(seed=1)
    parts = dict(zip(("model", "optimizer"), get_state_dict(model, optimizer)))
    checkpoint.save(parts, checkpoint_id=f"{folder}/step-7")


def save_megatron(folder):
    from megatron.core import dist_checkpointing

    with on_processors():
        dist_checkpointing.save(state(1), f"{folder}/iter_0000007")


class ArchiveTest(FolderTest):
    def setUp(self):
        super().setUp()
        self.kept = self.folder / "run.swza"
        self.archive("init", self.kept)

    def archive(self, *words, status=0):
        done = subprocess.run([os.environ["SWZIP"], "archive", *map(str, words)], capture_output=True, text=True)
        self.assertEqual(done.returncode, status, f"{words}: {done.stderr}")
        return done.stdout + done.stderr

    def save(self, files):
        """What files of DeepSpeed, Megatron's older format and verl are: torch.save of a dict."""
        for name, value in files.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            if isinstance(value, str):
                (self.folder / name).write_text(value)
            else:
                torch.save(value, self.folder / name)

    def check(self, name, free=()):
        """Any file that is missing, or half of itself, is missed; `free`: names of those that may be missing."""
        folder = self.folder / name
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        for path in files:
            content, found = path.read_bytes(), path.stat()
            ways = [lambda: path.write_bytes(content[: len(content) // 2])] + [path.unlink] * (path.name not in free)
            for spoil in ways:
                spoil()
                with self.subTest(path=str(path.relative_to(folder)), way=str(spoil)):
                    lines = self.archive("add", self.kept, folder, "--step", 7, status=2).splitlines()
                    self.assertEqual(len(lines), 1, lines)
                    self.assertIn("not complete", lines[0])
                path.write_bytes(content)
                os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
        self.archive("add", self.kept, folder, "--step", 7)
        shutil.rmtree(self.folder / "back", ignore_errors=True)
        self.archive("restore", self.kept, "latest", "-o", self.folder / "back")
        for path in files:
            self.assertEqual((self.folder / "back" / path.relative_to(folder)).read_bytes(), path.read_bytes())

    def test_distributed(self):
        ranks.run(RANKS, save_distributed, str(self.folder))
        self.check("step-7")
        (self.folder / "step-7").rename(self.folder / "last.ckpt")
        torch.save({"epoch": 1}, self.folder / "last.ckpt" / "meta.pt")
        self.check("last.ckpt")

    def test_parts(self):
        ranks.run(RANKS, save_distributed, str(self.folder))
        adding = [subprocess.Popen([os.environ["SWZIP"], "archive", "add", self.kept, self.folder / "step-7", "--part", f"{rank}/{RANKS}"])
                  for rank in range(1, RANKS)]
        self.assertEqual([process.wait() for process in adding], [0] * (RANKS - 1))
        self.assertIn(f"{RANKS - 1} of {RANKS} parts", self.archive("list", self.kept))
        self.archive("restore", self.kept, "latest", "-o", self.folder / "back", status=2)
        self.archive("add", self.kept, self.folder / "step-7", "--part", f"0/{RANKS}")
        self.archive("restore", self.kept, "latest", "-o", self.folder / "back")
        names = sorted(os.listdir(self.folder / "step-7"))
        self.assertEqual(sorted(os.listdir(self.folder / "back")), names)
        for name in names:
            self.assertEqual((self.folder / "back" / name).read_bytes(), (self.folder / "step-7" / name).read_bytes())

    def test_megatron(self):
        (self.folder / "save" / "iter_0000007").mkdir(parents=True)
        ranks.run(2, save_megatron, str(self.folder / "save"))
        self.save({"save/latest_checkpointed_iteration.txt": "7"})
        # Some versions write it, others do not; no file tells which.
        self.check("save", free=["common.pt"])

    def test_megatron_before(self):
        places = [f"save/iter_0000007/mp_rank_{model:02}_{pipe:03}" for model in range(2) for pipe in range(2)]
        self.save({f"{place}/{name}": {"iteration": 7, "w": weights(50)} for place in places
                   for name in ("model_optim_rng.pt", "distrib_optim.pt")})
        self.save({"save/latest_checkpointed_iteration.txt": "7"})
        self.check("save")

    def test_deepspeed(self):
        for prefix, stage in (("bf16_", 1), ("", 3)):
            count, models = 3, 2 if stage == 1 else 1
            tag = f"stage{stage}/global_step7"
            head = {"dp_world_size": count, "mp_world_size": models, "module": {"w": weights(50)}}
            for model in range(models):
                for rank in range(count):
                    name = f"zero_pp_rank_{rank}_mp_rank_{model:02}"
                    partitions = [count] if stage == 1 else count
                    self.save({f"{tag}/{prefix}{name}_optim_states.pt": {
                        "optimizer_state_dict": {"zero_stage": stage, "partition_count": partitions, "w": weights(50)}}})
                    if stage == 3:
                        self.save({f"{tag}/{name}_model_states.pt": head})
                if stage == 1:
                    self.save({f"{tag}/mp_rank_{model:02}_model_states.pt": head})
            self.save({f"stage{stage}/latest": "global_step7"})
            self.check(f"stage{stage}")

    def test_verl(self):
        self.save({f"save/global_step_7/actor/{kind}_world_size_2_rank_{rank}.pt": {"w": weights(50)}
                   for kind in ("model", "optim", "extra_state") for rank in range(2)})
        self.save({"save/latest_checkpointed_iteration.txt": "7"})
        self.check("save")

    def test_trainer(self):
        from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

        small = BertConfig(vocab_size=100, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
                           intermediate_size=32)
        data = [{"input_ids": torch.arange(8), "labels": torch.tensor(number % 2)} for number in range(8)]
        arguments = TrainingArguments(str(self.folder), max_steps=2, save_steps=2, per_device_train_batch_size=2,
                                      report_to=[], use_cpu=True, disable_tqdm=True)
        Trainer(BertForSequenceClassification(small), arguments, train_dataset=data).train()
        self.check("checkpoint-2", free=["config.json"])
        # As two processes leave it.
        place = self.folder / "checkpoint-2"
        arguments.distributed_state = types.SimpleNamespace(num_processes=2)
        torch.save(arguments, place / "training_args.bin")
        (place / "rng_state.pth").rename(place / "rng_state_0.pth")
        (place / "rng_state_1.pth").write_bytes((place / "rng_state_0.pth").read_bytes())
        self.check("checkpoint-2", free=["config.json"])
        self.assertEqual(json.loads((place / "trainer_state.json").read_text())["global_step"], 2)

    def test_accelerate(self):
        from accelerate import Accelerator

        accelerator = Accelerator(cpu=True)
        model = torch.nn.Linear(40, 40)
        optimizer = torch.optim.AdamW(model.parameters())
        model, optimizer = accelerator.prepare(model, optimizer)
        model(torch.randn(2, 40)).sum().backward()
        optimizer.step()
        accelerator.save_state(str(self.folder / "save"))
        self.check("save")

    def test_lightning(self):
        from test_lightning import LightningTest

        LightningTest.train(self, 2, None)
        whole = (self.folder / "last.ckpt").read_bytes()
        (self.folder / "last.ckpt").write_bytes(whole[:-1])
        self.archive("add", self.kept, self.folder / "last.ckpt", "--step", 2, status=2)
        (self.folder / "last.ckpt").write_bytes(whole)
        self.archive("add", self.kept, self.folder / "last.ckpt", "--step", 2)


if __name__ == "__main__":
    unittest.main()
