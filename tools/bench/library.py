"""swzip's C library through ctypes: building, finding and calling it."""
import ctypes
import os
import pathlib
import subprocess
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = ROOT / ".build" / "release" / ("libswzip_c.dylib" if sys.platform == "darwin" else "libswzip_c.so")
BUILD = ["tools/library"]
POLICIES = {"strict": 0, "loader": 1}
sys.path.insert(0, str(ROOT / "tools" / "python"))


class Failure(Exception):
    """Ends the program with one line."""


def is_current():
    """Whether the library exists and no source is newer."""
    if not LIBRARY.exists():
        return False
    built = LIBRARY.stat().st_mtime
    sources = [ROOT / "Package.swift", *(path for path in (ROOT / "Sources").rglob("*") if path.is_file())]
    return all(path.stat().st_mtime <= built for path in sources)


def build_library():
    """Builds the library unless it is current, and returns its path."""
    if not is_current():
        print("building:", " ".join(BUILD), file=sys.stderr)
        try:
            status = subprocess.run(BUILD, cwd=ROOT, stdout=sys.stderr).returncode
        except FileNotFoundError:
            raise Failure("swift is missing: get Swift 6.3 or later from https://www.swift.org/install") from None
        if status or not LIBRARY.exists():
            raise Failure(f"no {LIBRARY.name}: this failed: {' '.join(BUILD)}")
        LIBRARY.touch()  # A build that found nothing to do leaves the old time.
    return LIBRARY


def aligned(byte_count, payload_offset=0, alignment=64):
    """A touched buffer whose byte at `payload_offset` is aligned, as a loader would lay the tensors of a file."""
    memory = np.full(byte_count + alignment, 0xA5, np.uint8)
    start = -(memory.ctypes.data + payload_offset) % alignment
    return memory[start:start + byte_count]


class Library:
    """The functions of swzip.h that pack and unpack whole files in memory, by one thread."""

    def __init__(self, path):
        os.environ["SWZIP_LIBRARY"] = str(pathlib.Path(path).resolve())
        try:
            from swzip import _library
            for name in ("swz_pack_bound", "swz_pack", "swz_unpack"):
                _library.function(name)
        except (ImportError, AttributeError) as error:
            raise Failure(f"cannot use the library ({error}): build it with {' '.join(BUILD)}") from None
        self._library = _library

    def bound(self, byte_count):
        """The most bytes a container of `byte_count` bytes can take."""
        return self._library.function("swz_pack_bound")(byte_count)

    def _call(self, name, source, target, options, check=0):
        """Calls pack or unpack; returns the number of bytes written."""
        written = ctypes.c_size_t()
        call = self._library.CallStruct(threads=1, check=check)
        try:
            self._library.call(name, source.ctypes.data, len(source), target.ctypes.data, len(target), written,
                               options and ctypes.addressof(options), ctypes.addressof(call))
        except (self._library.SwzipError, OSError, MemoryError) as error:
            raise Failure(f"{name}: {error}") from None
        return written.value

    def pack(self, source, target, level):
        return self._call("swz_pack", source, target, self._library.PackOptions(level=level, no_verify=1))

    def unpack(self, container, target, policy):
        return self._call("swz_unpack", container, target, None, POLICIES[policy])
