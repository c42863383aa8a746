"""Packing and unpacking: files, and bytes in memory."""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import warnings
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, Dict, Iterator, List, Optional, Union

from ._container import Container
from ._library import (KEEP, Bases, Handle, OpenOptions, PackOptions, Path, Progress, SwzipError, base_fields, call,
                       call_long, function, is_url, memory, path_bytes)


def pack(path: Path, output: Optional[Path] = None, *, level: int = 3, bases: Bases = (), sha256: bool = False,
         verify: bool = True, format: Optional[str] = None, threads: int = 0, progress: Progress = None) -> str:
    """Packs a file or a folder, and returns the path of the container: `output`, or that path with `.swz` behind it. It
    gets its name when all of it is on the disk; what was there is replaced.

    Levels are 1 to 9. With `bases` (paths) a file becomes differences to these where that is smaller. `verify` decodes
    each block again; `format` ("safetensors", "gguf", "raw" ...) is otherwise found by content. Warns of what is
    unusual, and of what in a folder is left out: empty folders, devices, links that lead nowhere."""
    source = os.fsdecode(path).rstrip("/") or "/"
    target = source + ".swz" if output is None else os.fsdecode(output)
    with _pack_options(level, bases, sha256, verify, format, source) as options:
        call_long("swz_pack_file", path_bytes(path), path_bytes(target), options, threads=threads, progress=progress)
    return target


@contextmanager
def _pack_options(level: int, bases: Bases, sha256: bool, verify: bool, format: Optional[str],
                  source: str = "") -> Iterator[int]:
    """The address of options; afterwards warns of what the library says about `source`."""
    found: List[bytes] = []
    options = PackOptions(level=level, sha256=sha256, no_verify=not verify, format=format.encode() if format else None,
                          warn=KEEP, warn_context=id(found), **base_fields(bases))
    yield ctypes.addressof(options)
    for line in found:
        text = line.decode(errors="replace")
        warnings.warn(f"{source}: {text}" if source else text, stacklevel=4)


def delta(path: Path, base: Path, output: Optional[Path] = None, **options: Any) -> str:
    """Packs a file as differences to another version of it; reading it takes `bases=base`. Options are those of
    `pack`."""
    return pack(path, output, bases=base, **options)


def unpack(path: Path, output: Optional[Path] = None, *, bases: Bases = (), threads: int = 0,
           progress: Progress = None) -> str:
    """Unpacks a container, and returns the path of what was packed: `output`, or that of the container without its
    `.swz`; of a URL the last part of its path, in the current folder. A file replaces what was there, a folder must be
    new; either is complete or not there."""
    source = os.fsdecode(path)
    own = source
    if is_url(source):
        from urllib.parse import urlsplit

        own = urlsplit(source).path.rpartition("/")[2]
    if output is None and (not own.endswith(".swz") or own[:-len(".swz")] in ("", ".", "..")):
        raise SwzipError("does not end in .swz: say where to unpack it to", file=source)
    target = own[:-len(".swz")] if output is None else os.fsdecode(output)
    with Container(path, bases=bases) as container:
        if [member.name for member in container.members] != [""]:
            from ._folder import unpack_folder

            unpack_folder([container], target, threads, progress)
            return target
    options = OpenOptions(**base_fields(bases))
    call_long("swz_unpack_file", path_bytes(path), path_bytes(target), ctypes.addressof(options), threads=threads,
              progress=progress)
    return target


def verify(path: Path, *, bases: Bases = (), threads: int = 0, progress: Progress = None) -> None:
    """Decodes everything and compares every hash; raises what is wrong."""
    options = OpenOptions(**base_fields(bases))
    call_long("swz_verify", path_bytes(path), ctypes.addressof(options), threads=threads, progress=progress)


def inspect(path: Path) -> Dict[str, Any]:
    """What a container holds: "members" (dictionaries), "tensors" (dictionaries), "packed_byte_count" and "root", its
    hash."""
    with Container(path) as container:
        members, tensors = ([each._asdict() for each in found] for found in (container.members, container.tensors))
        return {**container.description, "members": members, "tensors": tensors}


def compress(data: Any, *, level: int = 3, bases: Bases = (), sha256: bool = False, verify: bool = True,
             format: Optional[str] = None, threads: int = 0, progress: Progress = None) -> bytes:
    """A container of what has the buffer protocol, or of a torch tensor. Options are those of `pack`."""
    with _pack_options(level, bases, sha256, verify, format) as options:
        return _packed("swz_pack", data, options, threads, progress)


def _packed(name: str, data: Any, options: int, threads: int, progress: Progress, *handle: Any) -> bytes:
    written = ctypes.c_size_t()
    with memory(data) as (address, byte_count):
        # Without `with`, which an interrupt meanwhile would make a BufferError.
        room = mmap.mmap(-1, function("swz_pack_bound")(byte_count))
        with memory(room, writable=True) as (target, capacity):
            call_long(name, *handle, address, byte_count, target, capacity, written, options, threads=threads,
                      progress=progress)
        return room[:written.value]


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which gets its name when all of it is on the disk."""
    from ._folder import sync_folder, temporary_name

    parent = os.path.dirname(os.fsdecode(path)) or "."
    temporary = temporary_name(parent)
    try:
        with open(temporary, "xb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
            file.flush()
            os.fsync(file.fileno())
            os.replace(temporary, path)
        sync_folder(parent)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def write_file(path: Path, data: bytes) -> None:
    """Writes a file that gets its name when all of it is on the disk."""
    with new_file(path) as file:
        file.write(data)


_new_bytes = ctypes.pythonapi.PyBytes_FromStringAndSize
_new_bytes.argtypes, _new_bytes.restype = [ctypes.c_char_p, ctypes.c_ssize_t], ctypes.py_object


def decompress(data: Any, out: Any = None, *, bases: Bases = (), threads: int = 0,
               progress: Progress = None) -> Union[bytes, int]:
    """What a container of one file in memory was made of; with `out` (a writable buffer or a torch tensor) these bytes
    are written there, and their number is returned."""
    options = OpenOptions(**base_fields(bases))
    written = ctypes.c_size_t()
    with memory(data) as (address, byte_count):
        target = out
        if out is None:
            length = ctypes.c_uint64()
            call("swz_decoded_byte_count", address, byte_count, length)
            if length.value >= 1 << 62:
                raise MemoryError(f"the original has {length.value} bytes")
            target = _new_bytes(None, length.value)  # Nobody else has seen it yet, so it may be filled.
        with memory(target, writable=out is not None) as (room, capacity):
            call_long("swz_unpack", address, byte_count, room, capacity, written, ctypes.addressof(options),
                      threads=threads, progress=progress)
    return target if out is None else written.value


class SnapshotHandle(Handle):
    close_name = "swz_snapshot_close"


class Snapshot:
    """The last version of a file that changes step by step, in memory: the sender's `encode` gives what brings the
    receiver's snapshot to the next version by `apply`. It begins with a copy of `data` and belongs to one thread at a
    time."""

    def __init__(self, data: Any):
        self._handle = SnapshotHandle()
        with memory(data) as (address, byte_count):
            call("swz_snapshot_open", address, byte_count, ctypes.addressof(self._handle))

    def encode(self, data: Any, *, level: int = 3, threads: int = 0, progress: Progress = None) -> bytes:
        """A container of the differences between the last version and `data`, which becomes the last one."""
        options = PackOptions(level=level)
        return _packed("swz_snapshot_encode", data, ctypes.addressof(options), threads, progress, self._handle)

    def apply(self, container: Any, *, threads: int = 0, progress: Progress = None) -> None:
        """Goes on to the version that a container of `encode` stands for."""
        with memory(container) as (address, byte_count):
            call_long("swz_snapshot_apply", self._handle, address, byte_count, threads=threads, progress=progress)

    def __bytes__(self) -> bytes:
        """A copy of the last version."""
        count = ctypes.c_size_t()
        address = function("swz_snapshot_bytes")(self._handle, count)
        return ctypes.string_at(address, count.value) if count.value else b""
