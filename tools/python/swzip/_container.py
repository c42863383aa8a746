"""Containers, opened for reading at random."""

from __future__ import annotations

import _thread
import ctypes
import io
import json
import os
import posixpath
import threading
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Union

from ._library import (KEEP, READ_AT, Bases, DamagedError, Handle, OpenOptions, Path, Progress, SwzipError, base_fields,
                       call, call_apart, call_long, is_url, memory, path_bytes)


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


MAGIC = b"\x89SWZ\r\n\x1a\n"  # what each container begins with
SHORT = 1 << 20  # Fewer bytes are decoded so soon that neither progress nor a signal has to come in between.


def _is_safetensors(path: str) -> bool:
    with open(path, "rb") as file:
        start = file.read(9)
        return start[8:] == b"{" and int.from_bytes(start[:8], "little") <= os.fstat(file.fileno()).st_size - 8


class ContainerHandle(Handle):
    close_name = "swz_close"


class FileSource:
    """A file object that the library reads at any position, one thread at a time."""

    def __init__(self, file: Any):
        self.file, self.raised = file, []
        file.seek(0, io.SEEK_END)
        self.byte_count = file.tell()  # What seek returns is of another file where torch views a part of one.
        self._lock = threading.Lock()

    def read(self, _: Any, position: int, target: int, count: int) -> int:
        try:
            with self._lock:
                self.file.seek(position)
                data = self.file.read(count)[:count]
            ctypes.memmove(target, data, len(data))
            return len(data)
        except BaseException as error:
            self.raised.append(error)
            return -1

    def call(self, function: Callable[[], None]) -> None:
        """Calls what reads the file, and raises what the file raised."""
        try:
            if threading.get_ident() == threading.main_thread().ident:
                _call_elsewhere(function)
            else:
                function()
        except Exception:
            if self.raised:
                raise self.raised.pop() from None
            raise


def _call_elsewhere(function: Callable[[], None]) -> None:
    """Calls a function in another thread. Python runs the handlers of signals in the main thread, where a function
    begins, before any `try` of its own: what they raise would be lost when C calls `FileSource.read`. Here it comes out
    when the call has ended, or at once if it comes twice: so the function has to hold all that it uses. Not by a pool
    of threads: their locks do not bear what handlers raise."""
    outcome: List[Optional[BaseException]] = []
    is_running = threading.Lock()

    def work() -> None:
        try:
            function()
            outcome.append(None)
        except BaseException as error:
            outcome.append(error)
        finally:
            is_running.release()

    is_running.acquire()
    _thread.start_new_thread(work, ())
    try:
        is_running.acquire()
    except BaseException:
        if not outcome:
            is_running.acquire()
        raise
    if outcome[0] is not None:
        raise outcome[0]


def opened(container: Union[Path, "Container"], bases: Bases = ()) -> "Container":
    """The container at a path, or one that is open."""
    return container if isinstance(container, Container) else Container(container, bases=bases)


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
        container._open_memory(data, bases)
        return container

    @classmethod
    def of_file(cls, file: Any, *, bases: Bases = ()) -> "Container":
        """A container in a binary file object that can seek, which stays open and is nobody else's as long as this is
        open. A forked process must not read it."""
        container = cls.__new__(cls)
        name = getattr(file, "name", None) or getattr(file, "path", None)
        container.path = name if isinstance(name, str) else ""
        source = FileSource(file)
        if source.byte_count > SHORT:
            read = READ_AT(source.read)
            container._open("swz_open_callback", read, None, source.byte_count, bases=bases, owner=source)
        else:
            file.seek(0)
            container._open_memory(file.read(), bases)
        return container

    def _open_memory(self, data: Any, bases: Bases) -> None:
        lent = memory(data)  # Until the handle is closed: a bytearray, say, keeps its size and place.
        self._open("swz_open_memory", *lent.__enter__(), bases=bases, owner=lent)

    @classmethod
    def of_checkpoint(cls, archive: Path, word: str, part: int, found: Any, warnings: List[bytes]) -> "Container":
        """A part of a checkpoint in an archive. Fills `found`, a CheckpointStruct, and `warnings`."""
        container = cls.__new__(cls)
        container.path = os.fsdecode(archive)
        container._begin(lambda handle: call("swz_archive_open", path_bytes(archive), word.encode(), part, KEEP,
                                             id(warnings), ctypes.addressof(handle), ctypes.addressof(found)))
        return container

    def _open(self, name: str, *source: Any, bases: Bases, owner: Any = None) -> None:
        options = OpenOptions(**base_fields(bases))
        self._begin(lambda handle: call(name, *source, ctypes.addressof(options), ctypes.addressof(handle)), owner,
                    source)

    def _begin(self, begin: Callable[["ContainerHandle"], None], owner: Any = None, source: Any = None) -> None:
        handle = ContainerHandle()
        handle.owner = owner, source
        if is_url(self.path):
            call_apart(lambda: begin(handle))
        else:
            self._call(owner, lambda: begin(handle))
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

    def _call(self, owner: Any, function: Callable[[], None]) -> None:
        try:
            if isinstance(owner, FileSource):
                owner.call(function)
            else:
                function()
        except SwzipError as error:
            if error.file or not self.path:
                raise
            raise error.within(self.path) from None

    def only_member(self) -> int:
        """The number of the member of a container of one file."""
        if len(self.members) != 1:
            raise SwzipError(f"holds {len(self.members)} files, not one", file=self.path)
        return 0

    def read(self, member: int, offset: int, target: Any, *, threads: int = 0, progress: Progress = None) -> None:
        """Fills `target` (a writable buffer or a tensor of torch) with the bytes of a member that begin at `offset`."""
        handle = self._handle
        if handle is None:
            raise SwzipError("is closed", file=self.path)

        def decode() -> None:
            with memory(target, writable=True) as (address, byte_count):
                call_long("swz_read", handle, member, offset, address, byte_count, threads=threads, progress=progress,
                          is_short=byte_count < SHORT and not is_url(self.path))

        self._call(handle.owner[0], decode)

    def close(self) -> None:
        """Ends reading; a read in another thread still ends well."""
        self._handle = None

    def __enter__(self) -> "Container":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()
