"""vLLM as released, without a GPU: its plug-ins, its configuration and its loader."""

import unittest

import torch
from vllm.config import ModelConfig
from vllm.config.load import LoadConfig
from vllm.model_executor.model_loader import get_model_loader
from vllm.model_executor.model_loader.checkpoint_weight_patch import load_checkpoint_weight_patches
from vllm.model_executor.model_loader.default_loader import DefaultModelLoader
from vllm.plugins import load_general_plugins

import swzip
import swzip.vllm
from engines import EngineTest

NO_MODEL = torch.nn.Identity()


class Weights(torch.nn.Module):
    """A model of vLLM, as far as patches see it."""

    def __init__(self, tensors):
        super().__init__()
        self.tensors = {name: tensor.clone() for name, tensor in tensors.items()}

    def load_weights(self, weights):
        for name, tensor in weights:
            self.tensors[name].copy_(tensor)
        return set(self.tensors)


class VllmTest(EngineTest):
    def setUp(self):
        super().setUp()
        load_general_plugins()
        self.loader = get_model_loader(LoadConfig(load_format="swz"))

    def test_weights(self):
        config = ModelConfig(model=str(self.packed_model), skip_tokenizer_init=True)
        self.assertIsInstance(self.loader, DefaultModelLoader)
        self.loader.download_model(config)
        found = dict(self.loader.get_all_weights(config, NO_MODEL))
        self.assert_same_tensors(found, self.weights())
        plain = ModelConfig(model=str(self.folder / "model"), skip_tokenizer_init=True)
        self.assert_same_tensors(found, dict(get_model_loader(LoadConfig()).get_all_weights(plain, NO_MODEL)))

    def test_prefix(self):
        source = DefaultModelLoader.Source(str(self.folder), None, subfolder=self.packed_model.name, prefix="draft.")
        found = dict(self.loader._get_weights_iterator(source))
        self.assert_same_tensors(found, {f"draft.{name}": tensor for name, tensor in self.weights().items()})

    def test_plain_folder(self):
        with self.assertRaisesRegex(swzip.SwzipError, "holds no model-.*swz"):
            self.loader.download_model(ModelConfig(model=str(self.folder / "model"), skip_tokenizer_init=True))

    def test_patches(self):
        delta, wanted = self.changed()
        bases = sorted((self.folder / "model").glob("*.safetensors"))
        patches = list(swzip.vllm.weight_patches(self.packed_model, delta, bases=bases))
        self.assertEqual(sorted(patch.name for patch in patches), ["lm_head.weight", "model.norm.weight"])
        model = Weights(self.weights())
        load_checkpoint_weight_patches(model, patches)
        self.assert_same_tensors(model.tensors, wanted)


if __name__ == "__main__":
    unittest.main()
