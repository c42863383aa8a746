"""Folders of small real models, and what packs them: what the tests of the loaders share."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

TOKENS = torch.arange(24).reshape(2, 12)


def llama(**options):
    torch.manual_seed(3)
    config = LlamaConfig(hidden_size=64, intermediate_size=160, num_hidden_layers=3, num_attention_heads=4,
                         num_key_value_heads=2, vocab_size=512, **options)
    model = LlamaForCausalLM(config).eval()
    model.generation_config.update(do_sample=True, temperature=0.7)
    return model


def bert():
    torch.manual_seed(4)
    return BertModel(BertConfig(hidden_size=48, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
                                vocab_size=400)).eval()


def tokenizer():
    words = Tokenizer(models.WordLevel({"<unk>": 0, "a": 1, "cat": 2}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>")


def pack(*arguments):
    """Runs `swzip pack`."""
    subprocess.run([os.environ["SWZIP"], "pack", "-q", *map(str, arguments)], check=True)


def bits(tensor):
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8)


class LoaderTest(unittest.TestCase):
    """Each test has a folder of its own."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)

    def packed(self, plain, way):
        """Where the files of a folder are packed: "each" on its own, each with its texts left "plain", or in "one"
        container."""
        target = self.folder / f"{plain.name}-{way}"
        if way == "one":
            target = target.with_suffix(".swz")
            pack(plain, "-o", target)
            return target
        shutil.rmtree(target, ignore_errors=True)
        pack("-r", plain, "--output-dir", target, *(["--all-files"] if way == "each" else []))
        return target

    def assert_same_tensors(self, found, wanted):
        """The same names, types, shapes and bits."""
        self.assertEqual(found.keys(), wanted.keys())
        for name, tensor in wanted.items():
            self.assertEqual((found[name].dtype, found[name].shape), (tensor.dtype, tensor.shape), name)
            self.assertTrue(torch.equal(bits(found[name]), bits(tensor)), name)


WAYS = ("each", "plain", "one")
