"""Original files in memory, for what takes nothing but a path."""

from __future__ import annotations

import mmap
import os

from ._container import Container
from ._library import Bases, Path


def memory_file(path: Path, bases: Bases = ()) -> int:
    """A file descriptor of the decoded bytes of a container of one file; others open them at /proc/self/fd/N."""
    with Container(path, bases=bases) as container:
        number = container.only_member()
        descriptor = os.memfd_create(os.path.basename(container.path))
        try:
            byte_count = container.members[number].byte_count
            os.ftruncate(descriptor, byte_count)
            if byte_count:
                container.read(number, 0, mmap.mmap(descriptor, byte_count))
        except BaseException:
            os.close(descriptor)
            raise
    return descriptor
