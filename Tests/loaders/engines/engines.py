"""What the tests of the serving engines share: packed models, and swzip as an installed package."""

import pathlib
import sys

PLACE = pathlib.Path(__file__).resolve()
sys.path[1:1] = [str(PLACE.parents[1]), str(PLACE.parents[3] / "tools" / "python")]

import backend  # noqa: E402
import torch  # noqa: E402
from models import LoaderTest, llama, pack  # noqa: E402


class EngineTest(LoaderTest):
    def setUp(self):
        super().setUp()
        self.model = llama().bfloat16()
        self.model.model.norm.weight.data[5] = 0
        self.model.save_pretrained(self.folder / "model", max_shard_size="200KB")
        self.packed_model = self.packed(self.folder / "model", "plain")
        installed = self.folder / "site" / "swzip-1.dist-info"
        installed.mkdir(parents=True)
        (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: swzip\nVersion: 1\n")
        (installed / "entry_points.txt").write_text(backend.entry_points())
        sys.path.append(str(installed.parent))
        self.addCleanup(sys.path.remove, str(installed.parent))

    def weights(self):
        """What the plain files hold."""
        return self.model.state_dict()

    def changed(self):
        """A folder with a version of the model in which some values differ, packed with the first one as its base."""
        later = llama().bfloat16()
        with torch.no_grad():
            later.lm_head.weight.view(-1)[::97] += 0.25
            later.model.norm.weight[3] = -2
            later.model.norm.weight[5] = -0.0
        later.save_pretrained(self.folder / "later", max_shard_size="200KB")
        pack("-r", self.folder / "later", "--base", self.folder / "model", "--output-dir", self.folder / "delta")
        return self.folder / "delta", later.state_dict()
