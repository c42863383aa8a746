"""SGLang as released, without a GPU: its plug-ins, its configuration, and those parts of its loader's module that need
none, each as it stands there; the rest of what SGLang imports cannot be had here."""

import ast
import importlib.util
import pathlib
import sys
import types
import unittest

import swzip
from engines import EngineTest

PACKAGE = pathlib.Path(importlib.util.find_spec("sglang").submodule_search_locations[0])
LOADER = PACKAGE / "srt" / "model_loader" / "loader.py"
PARTS = {"BaseModelLoader", "DefaultModelLoader", "_validate_default_loader_extra_config", "get_model_loader"}


def module(name, path):
    """A module that has a place among the others, and nothing in it yet."""
    found = sys.modules[name] = types.ModuleType(name)
    found.__path__ = [str(path)]
    return found


def import_parts():
    """Imports SGLang's configuration without that of every model, and PARTS of the module of its loader."""
    module("sglang.srt.configs", PACKAGE / "srt" / "configs")
    module("sglang.srt.model_loader", PACKAGE / "srt" / "model_loader")
    from sglang.srt.configs.load_config import LoadFormat

    loader = module("sglang.srt.model_loader.loader", LOADER)
    tree = ast.parse(LOADER.read_text())
    own = (ast.ClassDef, ast.FunctionDef)
    known = set(sys.stdlib_module_names) | {"torch", "__future__"}
    tree.body = [node for node in tree.body if isinstance(node, own) and node.name in PARTS
                 or isinstance(node, ast.Import) and all(name.name in known for name in node.names)
                 or isinstance(node, ast.ImportFrom) and node.module in known]
    loader.LoadFormat = LoadFormat
    exec(compile(tree, LOADER, "exec"), vars(loader))
    return loader


class SglangTest(EngineTest):
    @classmethod
    def setUpClass(cls):
        cls.module = import_parts()

    def loader(self):
        from sglang.srt.configs.load_config import LoadConfig
        from sglang.srt.plugins import load_plugins

        load_plugins()
        return self.module.get_model_loader(LoadConfig(load_format="swz"))

    def config(self, path):
        return types.SimpleNamespace(model_path=str(path), revision=None)

    def test_the_format_is_a_choice(self):
        from sglang.srt.arg_groups.choices import LOAD_FORMAT_CHOICES
        from sglang.srt.configs.load_config import LoadConfig, LoadFormat

        loader = self.loader()
        self.assertIn("swz", LOAD_FORMAT_CHOICES)
        self.assertIsInstance(loader, self.module.DefaultModelLoader)
        self.assertIs(LoadConfig(load_format="safetensors").load_format, LoadFormat.SAFETENSORS)
        with self.assertRaises(ValueError):
            LoadConfig(load_format="no such")

    def test_weights(self):
        loader = self.loader()
        loader.download_model(self.config(self.packed_model))
        found = dict(loader._get_all_weights(self.config(self.packed_model), self.model))
        self.assert_same_tensors(found, self.weights())

    def test_weights_resolved_before(self):
        loader = self.loader()
        source, = loader.resolve_model_weights(self.config(self.packed_model), self.model)
        self.assertEqual({pathlib.Path(path).suffix for path in source.weight_files}, {".swz"})
        source.source.prefix = "draft."
        found = dict(loader._get_weights_iterator(source.source, resolved_source=source, startup_prefetch_started=True,
                                                  startup_prefetch_active=False))
        self.assert_same_tensors(found, {f"draft.{name}": tensor for name, tensor in self.weights().items()})

    def test_plain_folder(self):
        with self.assertRaisesRegex(swzip.SwzipError, "holds no model-.*swz"):
            self.loader().download_model(self.config(self.folder / "model"))


if __name__ == "__main__":
    unittest.main()
