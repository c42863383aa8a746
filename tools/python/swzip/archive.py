"""The checkpoints of a run, in an archive (`swzip archive`): all of them, small, any tensor of any step at hand.

    archive = swzip.archive.Archive("run.swza", create=True)
    archive.add("checkpoint-500")                              # a folder, or a file; its step from the name
    archive.restore("latest", "resumed")                       # or a step, or a tag
    swzip.safe_open(archive.open(500), "pt").get_tensor("lm_head.weight")

Ranks of a sharded run each add their part: `archive.add("checkpoint-500", part=(rank, ranks))`. Beside training:
`Background`, which adds in a thread of its own; `TrainerCallback` for transformers' Trainer;
`swzip.lightning.ArchiveCheckpointIO`; `swzip.dcp.ArchiveWriter` and `ArchiveReader`. What resumes: `restore_latest`.

A checkpoint is named by its step (500, or "500": the last attempt at it), "500@2", "id:" and the first digits of its
identity, a tag, or "latest": the one of the highest step that can be restored. Sizes are bytes. Nothing is remembered
of an archive: each call looks at what is there, and any number of threads and processes may work on it at once."""

from __future__ import annotations

import ctypes
import errno
import fnmatch
import hashlib
import json
import os
import posixpath
import warnings
from contextlib import suppress
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Tuple, Union

from ._container import Container, Member
from ._folder import unpack_folder
from ._library import (BASE, KEEP, REFUSED, AddOptions, BaseError, CheckpointStruct, Handle, Path, Progress, SwzipError,
                       call, call_apart, call_long, function, is_url, path_bytes)

__all__ = ["Added", "Archive", "Background", "Checkpoint", "Inexact", "Pending", "TrainerCallback", "restore_latest"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._background import Background, Pending
    from ._trainer import TrainerCallback
else:
    def __getattr__(name: str) -> Any:
        if name in ("Background", "Pending"):
            from . import _background as module
        elif name == "TrainerCallback":  # Which needs transformers.
            from . import _trainer as module
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(module, name)

Word = Union[str, int]
Part = Tuple[int, int]


class Inexact(NamedTuple):
    """A file of a checkpoint in which the moments of optimizers are within a `bound` of what was added
    ("update:1/64"), in so many `tensors`; all else of it is exact. `source_sha256` is of the file as it was added."""

    name: str
    bound: str
    source_sha256: str
    tensors: int


class Checkpoint(NamedTuple):
    """A checkpoint in an archive. `name` is what people call it: "500", or "500@2"; `depth` the number of other
    containers that it is read through, or None if it lacks one, or parts, and cannot be restored; `bases` are the steps
    that it is differences to; `inexact` the files that are not what was added, of most none."""

    name: str
    id: str
    step: int
    attempt: int
    byte_count: int
    packed_byte_count: int
    files: int
    tensors: int
    depth: Optional[int]
    bases: List[str]
    tags: List[str]
    container: str
    parts: int
    parts_there: int
    inexact: List[Inexact]


class Added(NamedTuple):
    """What `add` did: `is_new` is false where the same files were there for this step. Sizes are of the part that was
    added; the checkpoint is complete when all `parts` are there."""

    name: str
    id: str
    step: int
    byte_count: int
    packed_byte_count: int
    is_new: bool
    parts: int
    parts_there: int


class ListingHandle(Handle):
    close_name = "swz_listing_close"


class Archive:
    """The archive at `path`, or at a URL where `swzip archive publish` has run, to read; `create` makes one where there
    is none. A BaseError of the rule "noArchive" says that there is none."""

    def __init__(self, path: Path, *, create: bool = False):
        self.path = os.fsdecode(path)
        try:
            self._look()
        except SwzipError as error:
            if not create or error.rule != "noArchive":
                raise
            self._create()

    def _create(self) -> None:
        try:
            call("swz_archive_create", path_bytes(self.path))
        except (SwzipError, OSError):
            with suppress(SwzipError):
                self._look()  # Somebody else was faster.
                return
            raise

    def add(self, path: Path, step: Optional[int] = None, *, level: int = 3, max_depth: int = 8, alone: bool = False,
            as_is: bool = False, part: Optional[Part] = None, group: Optional[str] = None, threads: int = 0,
            progress: Progress = None) -> Added:
        """Adds a folder with all that is in it, or a file, and returns when it is on the disk, has been read again
        from there, and was decoded to what was read of `path`.

        The step is otherwise what the name says ("checkpoint-500"). It becomes differences to an earlier one, through
        at most `max_depth` (1 to 63) others, unless it is to stand `alone`. What seems to be incomplete, or is being
        written, is a SwzipError of the rule "incomplete", unless it is to be taken `as_is`. Warns of what is
        unusual.

        `part` (i, n), i from 0: only that part of it, the others are added by other processes, on any machines and in
        any order. Of a folder that all of them see it takes the files that its ranks wrote, by their names, and part 0
        the rest. With `group`, a word that all parts of one save have and no other save, all of `path` is the part."""
        added, found = self._add(path, step, level, max_depth, alone, as_is, part, group, threads, progress)
        _warn(os.fsdecode(path), found)
        return added

    def _add(self, path: Path, step: Optional[int], level: int = 3, max_depth: int = 8, alone: bool = False,
             as_is: bool = False, part: Optional[Part] = None, group: Optional[str] = None, threads: int = 0,
             progress: Progress = None) -> Tuple[Added, List[bytes]]:
        """The same, and what it would warn of."""
        found: List[bytes] = []
        number, count = checked_part(part, group)
        options = AddOptions(step=None if step is None else ctypes.pointer(ctypes.c_uint64(step)), level=level,
                             max_depth=max_depth, stands_alone=alone, as_is=as_is, warn=KEEP, warn_context=id(found),
                             part=number, parts=count, group=None if group is None else os.fsencode(group))
        added = CheckpointStruct()
        call_long("swz_archive_add", path_bytes(self.path), path_bytes(path), ctypes.addressof(added),
                  ctypes.addressof(options), threads=threads, progress=progress)
        return Added(added.name.decode(), added.id.decode(), added.step, added.byte_count, added.packed_byte_count,
                     bool(added.is_new), added.part_count, added.parts_there), found

    def list(self) -> List[Checkpoint]:
        """All checkpoints by step and attempt, without what is forgotten. Warns of containers that cannot be read."""
        found = self._look()
        for bad in found["unreadable"]:
            warnings.warn(f"{self.path}: {bad['container']}: {bad['text']}", stacklevel=2)
        return [_checkpoint(fields) for fields in found["checkpoints"]]

    @property
    def latest(self) -> Optional[Checkpoint]:
        """The checkpoint of the highest step that can be restored, or None."""
        found = self._look()
        return next((_checkpoint(of) for of in reversed(found["checkpoints"]) if of["name"] == found["latest"]), None)

    def _look(self) -> Any:
        listing = ListingHandle()

        def look() -> None:
            call("swz_archive_list", path_bytes(self.path), ctypes.addressof(listing))

        call_apart(look) if is_url(self.path) else look()
        return json.loads(function("swz_listing_json")(listing))

    def open(self, word: Word = "latest", part: int = 0) -> Container:
        """The files of a checkpoint, for `swzip.safe_open`, `swzip.open` and whatever takes a Container; they are
        decoded where they are read, through all that they are differences to. What others delete meanwhile stays
        readable. Of a checkpoint that several processes added it is one part, from 0. Warns of newer ones that "latest"
        passed over because they lack something."""
        return self._open(word, part, CheckpointStruct())

    def open_parts(self, word: Word = "latest") -> List[Container]:
        """The same, of all parts; most have one."""
        return self._open_parts(word, CheckpointStruct())

    def _open_parts(self, word: Word, found: CheckpointStruct) -> List[Container]:
        first = self._open(word, 0, found)
        return [first, *(self.open(f"id:{found.id.decode()}", part) for part in range(1, found.part_count))]

    def _open(self, word: Word, part: int, found: CheckpointStruct) -> Container:
        lines: List[bytes] = []
        container = Container.of_checkpoint(self.path, str(word), part, found, lines)
        _warn(self.path, lines, stacklevel=4)
        return container

    def restore(self, word: Word, folder: Path, *, only: Union[str, Iterable[str]] = (), threads: int = 0,
                progress: Progress = None) -> str:
        """Writes the files of a checkpoint to a new folder, which appears when all of it is on the disk, and returns
        its path. `only` are patterns, one of which the path or the name of a file has to fit ("*.safetensors")."""
        patterns = [only] if isinstance(only, str) else list(only)

        def takes(name: str) -> bool:
            return not patterns or any(fnmatch.fnmatchcase(part, pattern) for pattern in patterns
                                       for part in (name, posixpath.basename(name)))

        parts = self.open_parts(word)
        if not any(takes(member.name) for part in parts for member in part.members):
            raise SwzipError(f"no file of {word} fits {', '.join(patterns)}", REFUSED, file=self.path)
        unpack_folder(parts, os.fsdecode(folder), threads, progress, takes)
        return os.fsdecode(folder)

    def tag(self, word: Word, name: str) -> None:
        """Names a checkpoint ("best"); what had the name loses it. One with a tag is neither forgotten nor pruned."""
        call("swz_archive_tag", path_bytes(self.path), str(word).encode(), name.encode())

    def forget(self, word: Word) -> None:
        """Hides a checkpoint; a later `swzip archive prune` deletes what nothing needs any more. One with a tag, and
        the last that can be restored, are refused."""
        call("swz_archive_forget", path_bytes(self.path), str(word).encode())


def _checkpoint(fields: Dict[str, Any]) -> Checkpoint:
    fields["inexact"] = [Inexact(*(file[name] for name in Inexact._fields)) for file in fields["inexact"]]
    return Checkpoint(*(fields[name] for name in Checkpoint._fields))


def checked_part(part: Optional[Part], group: Optional[str]) -> Part:
    """The numbers as the library takes them. Those that are no C int would become others."""
    if part is None:
        if group is not None:
            raise SwzipError("group goes with part")
        return 0, 0
    number, count = part
    if not (0 <= number < count and 2 <= count <= 999) or group == "":
        raise SwzipError(f"part is {part}, and has to be (i, n), i from 0 and below n, n from 2 to 999; group is a word")
    return number, count


def _warn(path: str, lines: List[bytes], stacklevel: int = 3) -> None:
    for line in lines:
        warnings.warn(f"{path}: {line.decode(errors='replace')}", stacklevel=stacklevel)


def restore_latest(archive: Union[Archive, Path], folder: Path, *, name: Callable[[int], str] = "checkpoint-{}".format,
                   threads: int = 0, progress: Progress = None) -> Optional[str]:
    """Brings the newest checkpoint back into `folder`, and returns its path there ("checkpoint-500", by `name` of the
    step), or None where there is no archive, or nothing in it: for `trainer.train(resume_from_checkpoint=...)`. What is
    there under this name is taken if it holds exactly these files, each compared; else it stays, and a number is added
    to the name. Several processes may call it at once. If something is there, but nothing that can be restored, it is a
    BaseError: nobody should start anew unasked."""
    try:
        archive = archive if isinstance(archive, Archive) else Archive(archive)
    except SwzipError as error:
        if error.code == BASE and error.rule == "noArchive":
            return None
        raise
    seen, found = archive._look(), CheckpointStruct()
    if seen["latest"] is None:
        if not seen["checkpoints"] and not seen["unreadable"]:
            return None
        raise BaseError("no checkpoint in it can be restored: see swzip archive verify", BASE, "notInArchive",
                        file=archive.path)
    parts = archive._open_parts("latest", found)
    members = [member for part in parts for member in part.members]
    path = own = os.path.join(os.fsdecode(folder), name(found.step))
    number = 1
    os.makedirs(folder, exist_ok=True)
    while True:
        if not os.path.lexists(path):
            try:
                unpack_folder(parts, path, threads, progress)
                return path
            except OSError as error:
                if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                    raise
                continue  # Somebody else was faster.
        if _holds(path, members):
            return path
        number += 1
        path = f"{own}.{number}"


def _holds(folder: str, members: List[Member]) -> bool:
    """Whether a folder holds exactly these files and links."""
    wanted = {member.name: member for member in members}
    found = [os.path.relpath(os.path.join(place, each), folder)
             for place, folders, files in os.walk(folder)
             for each in [*files, *(inner for inner in folders if os.path.islink(os.path.join(place, inner)))]]
    return sorted(found) == sorted(wanted) and all(_is(os.path.join(folder, each), wanted[each]) for each in found)


def _is(path: str, member: Member) -> bool:
    if member.link is not None or os.path.islink(path):
        return os.path.islink(path) and os.readlink(path) == member.link
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size != member.byte_count:
            return False
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest() == member.sha256
