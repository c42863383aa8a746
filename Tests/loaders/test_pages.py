"""The block of Python on each page of tools/python/loaders, run as it stands in a folder of packed models."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

import test_diffusers
import test_hub
import test_peft
from models import LoaderTest, llama, pack, tokenizer

PAGES = pathlib.Path(__file__).resolve().parents[2] / "tools" / "python" / "loaders"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def of_model(test):
    """`model`, each of its files packed on its own, and `model.swz`, the container of the folder."""
    plain = test.folder / "plain" / "model"
    llama().save_pretrained(plain)
    tokenizer().save_pretrained(plain)
    shutil.move(test.packed(plain, "plain"), test.folder / "model")
    pack(plain, "-o", test.folder / "model.swz")
    pack(plain / "model.safetensors", "-o", test.folder / "model.safetensors.swz")


def of_adapter(test):
    of_model(test)
    shutil.move(test.packed(test_peft.adapter(test.folder / "plain" / "adapter", 1), "plain"), test.folder / "adapter")


def of_pipeline(test):
    plain = test.folder / "plain" / "pipeline"
    test_diffusers.pipeline(test.folder).save_pretrained(plain)
    shutil.move(test.packed(plain, "plain"), test.folder / "pipeline")


def of_cache(test):
    of_model(test)
    test_hub.download(test.folder / "model", test.folder / "cache")


PREPARED = {"diffusers": of_pipeline, "hub": of_cache, "peft": of_adapter}  # All others need a model.


class PageTest(LoaderTest):
    def test_pages(self):
        pages = sorted(PAGES.glob("*.md"))
        self.assertTrue(pages)
        for page in pages:
            blocks = BLOCK.findall(page.read_text())
            self.assertLessEqual(len(blocks), 1, page)
            for block in blocks:
                with self.subTest(page=page.name):
                    self.run_block(block, PREPARED.get(page.stem, of_model))

    def run_block(self, block, prepare):
        super().setUp()
        prepare(self)
        environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
        ended = subprocess.run([sys.executable, "-W", "ignore", "-c", block], cwd=self.folder, env=environment,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(ended.returncode, 0, ended.stdout)


if __name__ == "__main__":
    unittest.main()
