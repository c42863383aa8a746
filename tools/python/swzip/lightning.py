"""Packed checkpoints of Lightning, `Trainer(plugins=[SwzipCheckpointIO()])`, and all of a run in an archive,
`Trainer(plugins=[ArchiveCheckpointIO("run.swza")])`."""

from __future__ import annotations

import io
import posixpath
from typing import Any, Dict, Optional, Union

import torch
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem
from lightning.fabric.plugins.io import TorchCheckpointIO
from lightning.pytorch.utilities.rank_zero import rank_zero_info

from ._container import Container
from ._file import begins_container, open as open_member, unpacked
from ._library import Path, SwzipError
from ._pack import compress, write_file
from .archive import Archive, Background

__all__ = ["ArchiveCheckpointIO", "SwzipCheckpointIO"]


class SwzipCheckpointIO(TorchCheckpointIO):
    """Saves checkpoints packed, under the names that Lightning gives them (`*.ckpt`), and loads those and others, from
    every file system of fsspec. `options` are those of `swzip.compress`."""

    def __init__(self, **options: Any):
        super().__init__()
        self.options = options

    def save_checkpoint(self, checkpoint: Dict[str, Any], path: Any, storage_options: Optional[Any] = None) -> None:
        if storage_options is not None:
            raise SwzipError("SwzipCheckpointIO takes no storage_options")
        plain = io.BytesIO()
        torch.save(checkpoint, plain)
        container = compress(plain.getbuffer(), **self.options)
        files, name = url_to_fs(str(path))
        files.makedirs(posixpath.dirname(name), exist_ok=True)
        if isinstance(files, LocalFileSystem):
            write_file(name, container)
        else:
            with files.transaction:
                files.pipe(name, container)

    def load_checkpoint(self, path: Any, map_location: Any = lambda storage, location: storage,
                        weights_only: Optional[bool] = None) -> Dict[str, Any]:
        files, name = url_to_fs(str(path))
        if not files.exists(name):
            raise FileNotFoundError(f"Checkpoint file not found: {path}")
        with files.open(name, "rb") as file:
            if begins_container(file):
                return torch.load(unpacked(file), map_location=map_location, weights_only=weights_only)
        return super().load_checkpoint(path, map_location, weights_only)


class ArchiveCheckpointIO(SwzipCheckpointIO):
    """Adds checkpoints to an archive (or the path of one, made if there is none), beside training: saving copies the
    tensors to memory and returns; Lightning's log says how long that took. `options` are those of
    `swzip.archive.Background`.

    No files appear where Lightning says. Loading takes such a path all the same, as the newest checkpoint with a file
    of that name, or a step, a tag or "latest": `trainer.fit(model, ckpt_path="latest")`; files that are there are
    loaded as they are. "last.ckpt" of a step that was just saved is not saved again, and loads as "latest". What
    Lightning removes (`save_top_k`) stays: `swzip archive prune` has rules of its own."""

    def __init__(self, archive: Union[Archive, Path], **options: Any):
        super().__init__()
        self.archive = archive if isinstance(archive, Archive) else Archive(archive, create=True)
        self._background_options = options
        self._background: Optional[Background] = None
        self._step: Optional[int] = None

    def save_checkpoint(self, checkpoint: Dict[str, Any], path: Any, storage_options: Optional[Any] = None) -> None:
        if storage_options is not None:
            raise SwzipError("ArchiveCheckpointIO takes no storage_options")
        if not isinstance(checkpoint.get("global_step"), int):
            raise SwzipError("the checkpoint says no global_step, which is its step in the archive", file=str(path))
        name, step = posixpath.basename(str(path)), checkpoint["global_step"]
        if step == self._step and _is_last(name):
            return
        if self._background is None:
            self._background = Background(self.archive, **self._background_options)
        self._step = step
        rank_zero_info(f"swzip: {self._background.add_state({name: checkpoint}, step)}")

    def load_checkpoint(self, path: Any, map_location: Any = lambda storage, location: storage,
                        weights_only: Optional[bool] = None) -> Dict[str, Any]:
        files, name = url_to_fs(str(path))
        if files.exists(name):
            return super().load_checkpoint(path, map_location, weights_only)
        self.teardown()
        with self._open(posixpath.basename(name)) as container:
            return torch.load(open_member(container, container.only_member()), map_location=map_location,
                              weights_only=weights_only)

    def _open(self, name: str) -> Container:
        """The checkpoint with the file of that name, or which the name is a word of."""
        for checkpoint in reversed(self.archive.list()):
            if checkpoint.depth is not None:
                container = self.archive.open(f"id:{checkpoint.id}")
                if _is_last(name) or any(member.name == name for member in container.members):
                    return container
        return self.archive.open(name)

    def remove_checkpoint(self, path: Any) -> None:
        files, name = url_to_fs(str(path))
        if files.exists(name):
            super().remove_checkpoint(path)

    def teardown(self) -> None:
        """Waits until all is added."""
        if self._background is not None:
            self._background.flush()


def _is_last(name: str) -> bool:
    return name.startswith("last") and name.endswith(".ckpt")
