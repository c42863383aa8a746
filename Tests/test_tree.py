"""The tracked tree: names that a file system which ignores case would merge, and files that have grown too long."""

import pathlib
import subprocess
import unittest

LONGEST = 350  # lines of a file of source; one that says in its first ten why it is "Long because" may have more
SUFFIXES = (".swift", ".c", ".h", ".py", ".sh")
ROOT = pathlib.Path(__file__).resolve().parent.parent


def tracked():
    """Paths of all tracked files, relative to the root."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    return [pathlib.PurePosixPath(name) for name in listed.decode().split("\0") if name]


def source_lines(path):
    """Lines of a file of source or of a script without suffix in Sources or tools; of any other none."""
    file = ROOT / path
    if path.parts[0] not in ("Sources", "tools") or path.suffix not in (*SUFFIXES, "") or not file.is_file():
        return []
    content = file.read_bytes()
    is_source = path.suffix != "" or content.startswith(b"#!")
    return content.decode().splitlines() if is_source else []


class TreeTest(unittest.TestCase):
    def test_names_differ_in_more_than_case(self):
        spellings = {}
        for path in tracked():
            for part in [path, *path.parents]:
                spellings.setdefault(str(part).casefold(), set()).add(str(part))
        self.assertEqual([sorted(names) for names in spellings.values() if len(names) > 1], [])

    def test_files_are_short(self):
        long = {str(path): len(lines) for path in tracked() if len(lines := source_lines(path)) > LONGEST
                and not any("Long because" in line for line in lines[:10])}
        self.assertEqual(long, {})


if __name__ == "__main__":
    unittest.main()
