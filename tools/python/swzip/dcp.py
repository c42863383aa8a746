"""Packed checkpoints of torch.distributed.checkpoint: each item, a shard of a tensor or an object, is a container of
its own within the files of the checkpoint.

    dcp.save(state, storage_writer=swzip.dcp.FileSystemWriter("step-100"))
    dcp.load(state, storage_reader=swzip.dcp.FileSystemReader("step-100"))

Or whole checkpoints in an archive, as differences to each other:

    background = swzip.archive.Background("run.swza")
    dcp.async_save(state, storage_writer=swzip.dcp.ArchiveWriter(background, 100))
    dcp.load(state, storage_reader=swzip.dcp.ArchiveReader("run.swza", 100))"""

from __future__ import annotations

import io
import os
from contextlib import contextmanager
from typing import IO, Any, Iterator, List, Optional, TypeVar, Union

from torch.distributed import checkpoint
from torch.distributed.checkpoint._extension import StreamTransformExtension
from torch.distributed.checkpoint.filesystem import FileSystem

from ._container import Container
from ._file import PackingFile, open as open_member, unpacked
from ._library import Path, SwzipError
from .archive import Archive, Background, Pending, Word

__all__ = ["ArchiveReader", "ArchiveWriter", "FileSystemReader", "FileSystemWriter", "SwzipExtension", "register"]


class SwzipExtension(StreamTransformExtension):
    """The extension "stream.swzip", for writers that take `_extensions`. An item is in memory while it is packed.
    `options` are those of `swzip.compress`, but for `bases`."""

    def __init__(self, **options: Any):
        if "bases" in options:
            raise SwzipError("an item of a checkpoint has no bases")
        self.options = options

    @staticmethod
    def registry_name() -> str:
        return "stream.swzip"

    def get_descriptor(self) -> str:
        return "stream.swzip/1"

    @staticmethod
    def from_descriptor(version: str) -> "SwzipExtension":
        if version != "1":
            raise SwzipError(f"the checkpoint needs a newer swzip: its items are stream.swzip/{version}")
        return SwzipExtension()

    def transform_to(self, output: IO[bytes]) -> Any:
        return PackingFile(output, **self.options)

    def transform_from(self, input: IO[bytes]) -> Any:
        return unpacked(input)


Reader = TypeVar("Reader", bound=checkpoint.FileSystemReader)


def register(reader: Reader) -> Reader:
    """Lets a reader of checkpoints read packed items too, and returns it."""
    reader.transforms.extension_registry.register(SwzipExtension)
    return reader


class FileSystemWriter(checkpoint.FileSystemWriter):
    """torch's FileSystemWriter, with packed items; `level` is that of `swzip.pack`."""

    def __init__(self, path: Any, *arguments: Any, level: int = 3, **options: Any):
        super().__init__(path, *arguments, _extensions=[SwzipExtension(level=level)], **options)


class FileSystemReader(checkpoint.FileSystemReader):
    """torch's FileSystemReader, for packed and other checkpoints."""

    def __init__(self, path: Any, *arguments: Any, **options: Any):
        super().__init__(path, *arguments, **options)
        register(self)


class ArchiveWriter(checkpoint.FileSystemWriter):
    """Writes a checkpoint plainly to the folder of `background`, which has to be one that all ranks see, and adds it to
    the archive when all have written: `pending` is then, on the coordinator, what `Background` returns. `options` are
    those of torch's FileSystemWriter. Each step takes a writer of its own. `save` returns when it is written,
    `async_save`, of threads, when it is in memory."""

    pending: Optional[Pending] = None

    def __init__(self, background: Background, step: int, **options: Any):
        super().__init__(os.path.join(background.folder, f"step-{step}"), **options)
        self._background, self._step = background, step

    def reset(self, checkpoint_id: Any = None) -> None:
        if checkpoint_id:
            raise SwzipError("the step names the checkpoint: leave out checkpoint_id")
        super().reset()

    def prepare_global_plan(self, plans: List[Any]) -> List[Any]:
        """Nobody writes yet: what a killed run left goes."""
        for name in os.listdir(self.path):
            os.unlink(os.path.join(self.path, name))
        return super().prepare_global_plan(plans)

    def finish(self, metadata: Any, results: Any) -> None:
        super().finish(metadata, results)
        self.pending = self._background.add_made(self.path, self._step)


class _Members(FileSystem):
    """The files of a container, as torch reads those of a folder."""

    def __init__(self, containers: List[Container]):
        self._containers = {member.name: part for part in containers for member in part.members}

    def concat_path(self, path: Any, suffix: str) -> str:
        return suffix

    def exists(self, path: Any) -> bool:
        return path in self._containers

    @contextmanager
    def create_stream(self, path: Any, mode: str) -> Iterator[io.IOBase]:
        with open_member(self._containers[path], path) as file:
            yield file


class ArchiveReader(FileSystemReader):
    """Reads a checkpoint from an archive (or the path of one), item by item, without unpacking it; its tensors may be
    distributed otherwise."""

    def __init__(self, archive: Union[Archive, Path], word: Word = "latest"):
        super().__init__("")
        self.fs = _Members((archive if isinstance(archive, Archive) else Archive(archive)).open_parts(word))
