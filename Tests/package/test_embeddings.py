"""The example beside transformers. EMBEDDINGS: its program. MODEL: the folder of all-MiniLM-L6-v2, packed too."""

import json
import os
import pathlib
import subprocess
import unittest

import torch
from transformers import AutoModel, AutoTokenizer

MODEL = pathlib.Path(os.environ["MODEL"])
SENTENCES = [
    "How do I make a model smaller without changing it?",
    "Lossless compression of weights.",
    "Ünïcödé & naïve cafés \N{EM DASH} e\u0301t\u00e9, don't!",
    "İSTANBUL'A GİTTİM; ΣΊΣΥΦΟΣ, Straße",
    "東京は日本の首都です。豈 カタカナ",
    "한국어 문장입니다. नमस्ते दुनिया, שָׁלוֹם مَرحَبًا",
    "$1,000.00 + 5% = [x_y]^2 `~|\\ ①② ﬁnancial 😀👍🏽 «§»",
    "tab\tline\nnbsp\u00a0zero\u200bwidth\u2028separator\x7f\x01\x85\ufffd\ufeff\ue000end",
    "x" * 100 + " " + "x" * 101 + " unbelievableness antidisestablishmentarianism",
    "",
    " \n ",
    "more words than it reads " * 60,
]


def embeddings(weights):
    """What the program prints."""
    command = [os.environ["EMBEDDINGS"], str(MODEL / weights), str(MODEL / "vocab.txt"), *SENTENCES]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class EmbeddingsTest(unittest.TestCase):
    def test_packed_weights_are_the_plain_ones(self):
        self.assertEqual(embeddings("model.safetensors.swz"), embeddings("model.safetensors"))

    def test_they_are_those_of_transformers(self):
        tokenizer, model = AutoTokenizer.from_pretrained(MODEL), AutoModel.from_pretrained(MODEL)
        found = json.loads(embeddings("model.safetensors.swz"))
        self.assertEqual(len(found), len(SENTENCES))
        for sentence, numbers in zip(SENTENCES, found):
            tokens = tokenizer(sentence, truncation=True, max_length=256, return_tensors="pt")
            with torch.no_grad(), self.subTest(sentence):
                mean = model(**tokens).last_hidden_state[0].mean(0)
                torch.testing.assert_close(torch.tensor(numbers), mean / mean.norm(), rtol=0, atol=1e-5)


if __name__ == "__main__":
    unittest.main()
