"""Original files as file objects."""

from __future__ import annotations

import io
from typing import Any, Union

from ._container import Container
from ._library import Bases, Path


class MemberFile(io.RawIOBase):
    """The bytes of a member, decoded where they are read."""

    def __init__(self, container: Container, member: int):
        self._container, self._member, self._position = container, member, 0
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
        self._container.close()
        super().close()


def open(path: Path, member: Union[int, str] = 0, *, bases: Bases = (),
         buffer_bytes: int = 1 << 20) -> io.BufferedReader:
    """An original file in a container, given its number or its name: binary, seekable, read-only. Small reads decode
    `buffer_bytes` ahead; one file object belongs to one thread at a time."""
    container = Container(path, bases=bases)
    return io.BufferedReader(MemberFile(container, container.member_number(member)), buffer_bytes)
