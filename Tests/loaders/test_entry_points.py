"""The entry points that the wheel has."""

import importlib.metadata
import pathlib
import sys
import unittest

from models import LoaderTest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "python"))
import backend  # noqa: E402


class EntryPointTest(LoaderTest):
    def test_they_lead_to_functions(self):
        (self.folder / "entry_points.txt").write_text(backend.entry_points())
        found = importlib.metadata.Distribution.at(self.folder).entry_points
        self.assertEqual({(point.group, point.name) for point in found},
                         {("vllm.general_plugins", "swzip"), ("sglang.srt.plugins", "swzip"), ("fsspec.specs", "swz")})
        for point in found:
            self.assertTrue(callable(point.load()))


if __name__ == "__main__":
    unittest.main()
