"""The package as such: its names, what it imports, what it says of the machine."""

import subprocess
import sys
import unittest

import swzip
from samples import child_environment


class PackageTest(unittest.TestCase):
    def test_names(self):
        for name in swzip.__all__:
            self.assertIsNotNone(getattr(swzip, name))
            self.assertIn(name, dir(swzip))
        with self.assertRaises(AttributeError):
            swzip.no_such_name

    def test_importing_it_loads_nothing_else(self):
        code = ("import sys; before = set(sys.modules); import swzip; print(*sorted(set(sys.modules) - before));"
                "swzip.open; import swzip.numpy; print('numpy' in sys.modules)")
        ended = subprocess.run([sys.executable, "-c", code], env=child_environment(), capture_output=True, text=True)
        self.assertEqual((ended.stdout, ended.stderr), ("swzip\nFalse\n", ""))

    def test_doctor(self):
        found = swzip.doctor()
        self.assertEqual((found["faults"], found["version"]), ([], swzip.version()))
        self.assertGreater(found["processors"], 0)
        self.assertGreater(min(found["copy_rate"], *found["pack_rates"], *found["unpack_rates"]), 0)


if __name__ == "__main__":
    unittest.main()
