"""Containers for fsspec: the file system "swz" of what is in a container, and the compression "swz". Importing this
registers both.

    fsspec.open("swz://model.safetensors::s3://bucket/model.safetensors.swz")
    fsspec.open("s3://bucket/model.safetensors.swz", compression="swz")"""

from __future__ import annotations

import errno
import io
import os
import posixpath
from typing import Any, Dict, Optional

import fsspec
from fsspec.archive import AbstractArchiveFileSystem
from fsspec.compression import register_compression

from ._container import Container
from ._file import MemberFile, PackingFile, unpacked
from ._library import Bases, SwzipError

__all__ = ["SwzFileSystem"]


class SwzFileSystem(AbstractArchiveFileSystem):
    """What is in a container, to read. A packed file has the name of its container without `.swz`. `fo` is the URL or
    the path of the container, or a binary file object that can seek; `bases` are paths of files that it may need."""

    root_marker = ""
    protocol = "swz"
    cachable = False

    def __init__(self, fo: Any, target_protocol: Optional[str] = None, target_options: Optional[Dict[str, Any]] = None,
                 bases: Bases = (), **options: Any):
        super().__init__(**options)
        if isinstance(fo, (str, os.PathLike)):
            fo = fsspec.open(fo, protocol=target_protocol, **(target_options or {}))
        self._file = fo
        self.fo = fo.__enter__()
        self.container = Container.of_file(self.fo, bases=bases)
        path = str(getattr(fo, "path", "") or getattr(fo, "name", ""))
        own_name = posixpath.basename(path[:-len(".swz")] if path.endswith(".swz") else path) or "data"
        self._names = [member.name or own_name for member in self.container.members]
        self.dir_cache: Optional[Dict[str, Dict[str, Any]]] = None

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.__exit__(None, None, None)

    @classmethod
    def _strip_protocol(cls, path: Any) -> str:
        return super()._strip_protocol(path).lstrip("/")

    def _get_dirs(self) -> None:
        if self.dir_cache is not None:
            return
        members = self.container.members
        found = {name: {"name": name, "size": 0, "type": "directory"} for name in self._all_dirnames(self._names)}
        for number, (name, member) in enumerate(zip(self._names, members)):
            found[name] = {"name": name, "size": member.byte_count, "type": "file", "mode": member.mode,
                           "sha256": member.sha256}
            if member.link is not None:
                found[name].update(islink=True, destination=member.link)
                try:
                    found[name]["size"] = members[self.container.member_number(number)].byte_count
                except SwzipError:
                    found[name]["type"] = "directory"  # What is in it has other names.
        self.dir_cache = found

    def _open(self, path: str, mode: str = "rb", **_: Any) -> io.BufferedReader:
        path = self._strip_protocol(path)
        if mode != "rb":
            raise OSError(errno.EROFS, "a container can only be read here", path)
        info = self.info(path)
        if info["type"] == "directory":
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        number = self.container.member_number(self._names.index(path))
        file = io.BufferedReader(MemberFile(self.container, number), 1 << 20)
        # As files of fsspec have them; `fs` keeps the container open.
        file.fs, file.path, file.size = self, path, info["size"]
        return file


def _compression(file: Any, mode: str = "rb", **options: Any) -> Any:
    if "r" in mode:
        return unpacked(file, **options)
    if "a" in mode:
        raise SwzipError("nothing can be appended to a container")
    target = PackingFile(file, **options)
    target.write(b"")  # What stays empty is a container too.
    return target


fsspec.register_implementation("swz", SwzFileSystem, clobber=True)
register_compression("swz", _compression, "swz", force=True)
