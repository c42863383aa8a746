"""swzip's C library through ctypes: building, finding and calling it."""
import ctypes
import pathlib
import subprocess
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = ROOT / ".build" / "release" / ("libswzip_c.dylib" if sys.platform == "darwin" else "libswzip_c.so")
BUILD = ["tools/library"]
POLICIES = {"strict": 0, "loader": 1}


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
    """The four functions of swzip.h that pack and unpack whole files in memory."""

    def __init__(self, path):
        try:
            library = ctypes.CDLL(str(pathlib.Path(path).resolve()))
            self._bound, self._pack, self._unpack = library.swz_pack_bound, library.swz_pack, library.swz_unpack
            self._text = library.swz_status_text
        except (OSError, AttributeError) as error:
            raise Failure(f"cannot use the library ({error}): build it with {' '.join(BUILD)}") from None
        size, pointer, integer = ctypes.c_size_t, ctypes.c_void_p, ctypes.c_int
        arguments = [pointer, size, pointer, size, ctypes.POINTER(size), integer, integer]
        self._bound.argtypes, self._bound.restype = [size], size
        self._pack.argtypes = self._unpack.argtypes = arguments
        self._text.argtypes, self._text.restype = [integer], ctypes.c_char_p

    def bound(self, byte_count):
        """The most bytes a container of `byte_count` bytes can take."""
        return self._bound(byte_count)

    def _call(self, function, source, target, choice):
        """Calls pack or unpack with one thread; returns the number of bytes written."""
        written = ctypes.c_size_t()
        status = function(source.ctypes.data, len(source), target.ctypes.data, len(target), ctypes.byref(written),
                          choice, 1)
        if status:
            raise Failure(f"{function.__name__}: {self._text(status).decode()}")
        return written.value

    def pack(self, source, target, level):
        return self._call(self._pack, source, target, level)

    def unpack(self, container, target, policy):
        return self._call(self._unpack, container, target, POLICIES[policy])
