"""Models of transformers from packed folders, beside the same model from the plain folder."""

import json
import subprocess
import sys
import unittest
from unittest import mock

import torch
from transformers import AutoModel, AutoModelForCausalLM, BertModel, LlamaForCausalLM

import swzip
import swzip.transformers
from models import TOKENS, WAYS, LoaderTest, bert, llama, pack

# Loads a model in bf16 and prints by how many KiB memory grew at most.
MEASURE = """import re, sys, torch, swzip.transformers as packed
peak = lambda: int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1])
packed.from_pretrained(sys.argv[1])
before = peak()
model = packed.from_pretrained(sys.argv[2], dtype=torch.bfloat16)
print(peak() - before)"""


class TransformersTest(LoaderTest):
    def save(self, model, name="model", **options):
        model.save_pretrained(self.folder / name, **options)
        return self.folder / name

    def test_what_the_plain_folder_gives(self):
        for model, options in ((llama(), {}), (llama(tie_word_embeddings=True), {"max_shard_size": "200KB"}),
                               (bert(), {}), (llama().bfloat16(), {"variant": "half", "max_shard_size": "100KB"})):
            variant = {name: options[name] for name in options if name == "variant"}
            plain = self.save(model, f"{id(model)}", **options)
            wanted = type(model).from_pretrained(plain, **variant)
            for way in WAYS:
                with self.subTest(model=type(model).__name__, way=way, **options):
                    packed = self.packed(plain, way)
                    found = swzip.transformers.from_pretrained(packed, **variant)
                    self.assertIs(type(found), type(wanted))
                    self.assertEqual(found.name_or_path, str(packed))
                    self.assert_same_tensors(found.state_dict(), wanted.state_dict())
                    self.assertTrue(torch.equal(found(TOKENS)[0], wanted(TOKENS)[0]))
                    self.assertEqual(found.config.to_diff_dict(), wanted.config.to_diff_dict())
                    if wanted.can_generate():
                        self.assertEqual(found.generation_config.to_dict(), wanted.generation_config.to_dict())

    def test_classes(self):
        packed = self.packed(self.save(llama()), "each")
        for cls, wanted in ((None, "LlamaForCausalLM"), (LlamaForCausalLM, "LlamaForCausalLM"),
                            (AutoModel, "LlamaModel"), (AutoModelForCausalLM, "LlamaForCausalLM")):
            self.assertEqual(type(swzip.transformers.from_pretrained(packed, cls)).__name__, wanted)

    def test_types_and_devices(self):
        model = llama()
        plain = self.save(model)
        text = json.loads((plain / "config.json").read_text())
        del text["dtype"]  # So that the weights say it.
        (plain / "config.json").write_text(json.dumps(text))
        packed = self.packed(plain, "plain")
        for options in ({}, {"dtype": "auto"}, {"dtype": torch.bfloat16}, {"dtype": "float16"}, {"device_map": "auto"},
                        {"dtype": torch.bfloat16, "device_map": {"": "cpu"}}):
            with self.subTest(**options):
                found = swzip.transformers.from_pretrained(packed, **options)
                wanted = LlamaForCausalLM.from_pretrained(plain, **options)
                self.assert_same_tensors(found.state_dict(), wanted.state_dict())

    def test_options_of_the_configuration(self):
        plain = self.save(llama())
        packed = self.packed(plain, "one")
        options = {"attn_implementation": "eager", "output_attentions": True, "num_hidden_layers": 2}
        for cls in (LlamaForCausalLM, AutoModelForCausalLM):
            found = swzip.transformers.from_pretrained(packed, cls, **options)
            wanted = cls.from_pretrained(plain, **options)
            self.assert_same_tensors(found.state_dict(), wanted.state_dict())
            self.assertEqual(found.config.to_diff_dict(), wanted.config.to_diff_dict())
            self.assertEqual(len(found(TOKENS).attentions), 2)

    def test_links(self):
        """As the cache of a hub has them; one leads to a folder."""
        model = bert()
        snapshot = self.folder / "cache" / "snapshots" / "1"
        (self.folder / "cache" / "blobs").mkdir(parents=True)
        snapshot.mkdir(parents=True)
        for path in self.save(model).iterdir():
            path.rename(self.folder / "cache" / "blobs" / path.name)
            (snapshot / path.name).symlink_to(f"../../blobs/{path.name}")
        (snapshot / "blobs").symlink_to("../../blobs")
        pack(self.folder / "cache", "-o", self.folder / "cache.swz")
        self.assertTrue([member for member in swzip.Container(self.folder / "cache.swz").members if member.link])
        found = swzip.transformers.from_pretrained(self.folder / "cache.swz", subfolder="snapshots/1")
        self.assert_same_tensors(found.state_dict(), model.state_dict())

    def test_pickles(self):
        model = bert()
        plain = self.save(model)
        (plain / "model.safetensors").unlink()
        odd = {name: tensor.t().contiguous().t() if tensor.ndim == 2 else tensor  # Its rows do not lie in order.
               for name, tensor in model.state_dict().items()}
        torch.save(odd, plain / "pytorch_model.bin")
        for way in WAYS:
            found = swzip.transformers.from_pretrained(self.packed(plain, way))
            self.assert_same_tensors(found.state_dict(), model.state_dict())
        (plain / "pytorch_model.bin").rename(plain / "part.bin")
        for more in ([], ["no.such"]):
            (plain / "pytorch_model.bin.index.json").write_text(json.dumps(
                {"weight_map": {name: "part.bin" for name in [*odd, *more]}}))
            packed = self.packed(plain, "plain")
            if more:
                with self.assertRaisesRegex(swzip.SwzipError, "lacks the tensor 'no.such'"):
                    swzip.transformers.from_pretrained(packed)
            else:
                found = swzip.transformers.from_pretrained(packed)
                self.assert_same_tensors(found.state_dict(), model.state_dict())

    def test_each_tensor_is_decoded_once(self):
        packed = self.packed(self.save(llama(), max_shard_size="200KB"), "each")
        reads, read = [], swzip.Container.read

        def counted(container, member, offset, target, **options):
            reads.append((container.path, member, offset))
            read(container, member, offset, target, **options)

        with mock.patch.object(swzip.Container, "read", counted):
            swzip.transformers.from_pretrained(packed)
        starts = [read for read in reads if read[2] > 8 and read[0].endswith(".safetensors.swz")]
        tensors = sum(len(swzip.Container(path).tensors) for path in packed.glob("*.safetensors.swz"))
        self.assertEqual((len(starts), len(set(starts))), (tensors, tensors))

    def test_memory(self):
        small = self.packed(self.save(bert(), "small"), "each")
        large = LlamaForCausalLM(llama().config.__class__(hidden_size=512, intermediate_size=1024, num_hidden_layers=16,
                                                          vocab_size=4096))
        packed = self.packed(self.save(large, "large"), "each")
        plain = sum(tensor.nbytes for tensor in large.state_dict().values())
        del large
        grown = subprocess.run([sys.executable, "-c", MEASURE, small, packed], check=True, capture_output=True).stdout
        self.assertGreater(plain, 128 << 20)
        self.assertLess(int(grown) << 10, plain)  # Half of it in bf16, and what is under way.

    def test_mistakes(self):
        plain = self.save(bert(), max_shard_size="50KB")
        packed = self.packed(plain, "plain")
        (self.folder / "empty").mkdir()
        shard = sorted(packed.glob("*.safetensors.swz"))[1]
        for path, options, wanted in (
                (plain, {}, "holds no model-00001-of-.*.safetensors.swz, which model.safetensors.index.json names"),
                (self.folder / "empty", {}, "empty: holds no config.json"),
                (shard, {}, "holds no config.json"),
                (packed, {"device_map": {"": "disk"}}, "unpack the model first")):
            with self.assertRaisesRegex(swzip.SwzipError, wanted) as caught:
                swzip.transformers.from_pretrained(path, **options)
            self.assertNotIn("\n", str(caught.exception))
        (packed / "model.safetensors.index.json").unlink()
        with self.assertRaisesRegex(swzip.SwzipError, "holds no packed weights"):
            swzip.transformers.from_pretrained(packed)
        with self.assertRaises(FileNotFoundError):
            swzip.transformers.from_pretrained(self.folder / "none")

    def test_classes_that_there_are_not(self):
        packed = self.packed(self.save(bert()), "plain")
        text = json.loads((packed / "config.json").read_text())
        for name in ("NoSuchModel", "pipeline", "AutoConfig"):
            (packed / "config.json").write_text(json.dumps({**text, "architectures": [name]}))
            with self.assertRaisesRegex(swzip.SwzipError, f"is a {name}, no model .* which class"):
                swzip.transformers.from_pretrained(packed)
            self.assertIs(type(swzip.transformers.from_pretrained(packed, BertModel)), BertModel)

    def test_shards_that_lack_tensors(self):
        plain = self.save(bert())
        packed = self.packed(plain, "plain")
        (packed / "model.safetensors.index.json").write_text(json.dumps(
            {"weight_map": {"pooler.dense.bias": "part.safetensors", "no.such": "part.safetensors"}}))
        (packed / "model.safetensors.swz").rename(packed / "part.safetensors.swz")
        with self.assertRaisesRegex(swzip.SwzipError, "lacks the tensor 'no.such'"):
            swzip.transformers.from_pretrained(packed)

    def test_a_file_without_a_map(self):
        """Its tensors would be missing, and transformers would make them up."""
        plain = self.save(bert())
        pack(plain / "model.safetensors", "--format", "raw", "-o", plain / "model.safetensors.swz")
        with self.assertRaisesRegex(swzip.SwzipError, "has no map of the tensor .*unpack"):
            swzip.transformers.from_pretrained(plain, BertModel)


if __name__ == "__main__":
    unittest.main()
