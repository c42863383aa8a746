"""Containers, opened for reading at random."""

from __future__ import annotations

import ctypes
import json
import os
import posixpath
from typing import Any, Dict, List, NamedTuple, Optional, Union

from ._library import (Bases, DamagedError, Handle, OpenOptions, Path, Progress, SwzipError, base_fields, call,
                       call_apart, call_long, is_url, memory, path_bytes)


class Member(NamedTuple):
    """One original file: its name ("" of a packed file), length, target of a symbolic link, SHA-256, mode, and time of
    the last change in nanoseconds since 1970; None where they are not stored."""

    name: str
    byte_count: int
    link: Optional[str]
    sha256: Optional[str]
    mode: Optional[int]
    time: Optional[int]


class Tensor(NamedTuple):
    """A range of a member: `type` as in safetensors ("BF16"), "BF16_BE" in the other byte order, or as in GGUF
    ("Q4_K")."""

    name: str
    type: str
    shape: List[int]
    member: int
    offset: int
    byte_count: int


def _name(text: str) -> str:
    """A byte that is not UTF-8 is U+10FF00 + byte for the library, U+DC00 + byte for Python."""
    return text if text.isascii() else text.translate({0x10FF00 + byte: 0xDC00 + byte for byte in range(0x80, 0x100)})


SHORT = 1 << 20  # Fewer bytes are decoded so soon that neither progress nor a signal has to come in between.


def _is_safetensors(path: str) -> bool:
    with open(path, "rb") as file:
        start = file.read(9)
        return start[8:] == b"{" and int.from_bytes(start[:8], "little") <= os.fstat(file.fileno()).st_size - 8


class ContainerHandle(Handle):
    close_name = "swz_close"


class Container:
    """A container at `path`, or at a URL (http:// or https://, by libcurl); its index is read and checked, nothing is
    decoded. `bases` are paths of files that it may need. Any number of threads may read it, also in a forked
    process."""

    def __init__(self, path: Path, *, bases: Bases = ()):
        self.path = os.fsdecode(path)
        try:
            self._open("swz_open", path_bytes(path), bases=bases)
        except DamagedError as error:
            if error.rule == "notAContainer" and not is_url(self.path) and _is_safetensors(self.path):
                raise DamagedError("is a safetensors file that is not packed: open it with safetensors", error.code,
                                   error.rule, file=self.path) from None
            raise

    @classmethod
    def of_bytes(cls, data: Any, *, bases: Bases = ()) -> "Container":
        """A container in memory, which must not change as long as it is open."""
        container = cls.__new__(cls)
        container.path = ""
        lent = memory(data)  # Until the handle is closed: a bytearray, say, keeps its size and place.
        container._open("swz_open_memory", *lent.__enter__(), bases=bases, owner=lent)
        return container

    def _open(self, name: str, *source: Any, bases: Bases, owner: Any = None) -> None:
        handle = ContainerHandle()
        handle.owner = owner
        options = OpenOptions(**base_fields(bases))
        arguments = *source, ctypes.addressof(options), ctypes.addressof(handle)
        if is_url(self.path):
            call_apart(name, *arguments, keeping=(options, handle))
        else:
            call(name, *arguments)
        self._handle: Optional[ContainerHandle] = handle
        text = ctypes.c_char_p()
        call("swz_describe", handle, text)
        self.description: Dict[str, Any] = json.loads(text.value or b"{}")
        self.tensors = list(map(Tensor._make, self.description["tensors"]))

    @property
    def members(self) -> List[Member]:
        """Names that are not UTF-8 are as os.fsdecode gives them."""
        return [Member(_name(of["name"]), of["byte_count"], of["link"] and _name(of["link"]), of["sha256"], of["mode"],
                       of["time"] and of["time"][0] * 10**9 + of["time"][1]) for of in self.description["members"]]

    def member_number(self, member: Union[int, str]) -> int:
        """The number of a member that is named, or numbered from 0; of a symbolic link that of the file it leads to."""
        members = self.members
        numbers = {fields.name: number for number, fields in enumerate(members)}
        for _ in range(len(members) + 1):
            number = numbers.get(member, -1) if isinstance(member, str) else member
            if not 0 <= number < len(members):
                raise SwzipError(f"has no member {member!r}, but {len(members)}", file=self.path)
            name, link = members[number].name, members[number].link
            if link is None:
                return number
            member = posixpath.normpath(posixpath.join(posixpath.dirname(name), link))
        raise SwzipError(f"has links that lead to each other: {member!r}", file=self.path)

    def read(self, member: int, offset: int, target: Any, *, threads: int = 0, progress: Progress = None) -> None:
        """Fills `target` (a writable buffer or a tensor of torch) with the bytes of a member that begin at `offset`."""
        handle = self._handle
        if handle is None:
            raise SwzipError("is closed", file=self.path)
        with memory(target, writable=True) as (address, byte_count):
            call_long("swz_read", handle, member, offset, address, byte_count, threads=threads, progress=progress,
                      is_short=byte_count < SHORT and not is_url(self.path))

    def close(self) -> None:
        """Ends reading; a read in another thread still ends well."""
        self._handle = None

    def __enter__(self) -> "Container":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()
