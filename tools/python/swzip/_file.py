"""Original files as file objects, and files that are packed while they are written."""

from __future__ import annotations

import io
from typing import Any, Optional, Union

from ._container import MAGIC, Container, opened
from ._library import Bases, Path
from ._pack import compress


BUFFER = 1 << 20  # bytes that a small read decodes ahead


class MemberFile(io.RawIOBase):
    """The bytes of a member, decoded where they are read."""

    def __init__(self, container: Container, member: int):
        self._container: Any = container
        self._member, self._position = member, 0
        self._size = container.members[member].byte_count

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if self.closed:
            raise ValueError("I/O operation on closed file.")
        position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if position < 0:
            raise ValueError(f"negative seek position {position}")
        self._position = position
        return position

    def readinto(self, buffer: Any) -> int:
        if self.closed:
            raise ValueError("I/O operation on closed file.")
        target = memoryview(buffer).cast("B")  # Without `with`, which an interrupt in `read` would make a BufferError.
        count = max(0, min(len(target), self._size - self._position))
        if count:
            self._container.read(self._member, self._position, target[:count])
        self._position += count
        return count

    def readall(self) -> bytes:
        return self.read(max(0, self._size - self._position)) or b""

    def close(self) -> None:
        self._container = None  # Which closes it, unless somebody else has it too.
        super().close()


def open(path: Union[Path, Container], member: Union[int, str] = 0, *, bases: Bases = (),
         buffer_bytes: int = BUFFER) -> io.BufferedReader:
    """An original file in a container (its path, or a Container), given its number or its name: binary, seekable,
    read-only. Small reads decode `buffer_bytes` ahead; one file object belongs to one thread at a time."""
    container = opened(path, bases)
    return io.BufferedReader(MemberFile(container, container.member_number(member)), buffer_bytes)


def begins_container(file: Any) -> bool:
    """Whether a binary file object holds a container; its position is 0 again."""
    file.seek(0)
    start = file.read(len(MAGIC))
    file.seek(0)
    return start == MAGIC


def unpacked(file: Any, *, bases: Bases = ()) -> Union[io.BufferedReader, io.BytesIO]:
    """The original, which can seek, of a container of one file in a binary file object. One that cannot seek is read as
    a whole."""
    can_seek = file.seekable()
    container = Container.of_file(file, bases=bases) if can_seek else Container.of_bytes(file.read(), bases=bases)
    original = MemberFile(container, container.only_member())
    is_short = original.seek(0, io.SEEK_END) <= BUFFER
    original.seek(0)
    return io.BytesIO(original.read()) if is_short else io.BufferedReader(original, BUFFER)


class PackingFile(io.BufferedIOBase):
    """A file to write to. It keeps what is written, and `close` writes its container to `target`, a binary file object,
    and closes that. If nothing was written, or a `with` ends by an error, or nobody closes it, then nothing is.
    `options` are those of `swzip.compress`."""

    def __init__(self, target: Any, **options: Any):
        self._target, self._options = target, options
        self._content: Optional[io.BytesIO] = None

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if self.closed:
            raise ValueError("I/O operation on closed file.")
        if self._content is None:
            self._content = io.BytesIO()
        return self._content.write(data)

    def close(self) -> None:
        if self.closed:
            return
        super().close()
        with self._target:
            if self._content is not None:
                write_all(self._target, compress(self._content.getbuffer(), **self._options))
                self._content = None

    def __exit__(self, kind: Any, *_: Any) -> None:
        if kind is not None:
            self._content = None
        self.close()

    def __del__(self) -> None:
        """Without this a file closes itself when it is dropped, as after an error."""


def write_all(file: Any, data: bytes) -> None:
    """Writes everything to a binary file object, which may take less at a time."""
    rest = memoryview(data)
    while rest:
        count = file.write(rest)
        rest = rest[len(rest) if count is None else count:]
