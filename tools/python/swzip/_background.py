"""Adding to an archive beside training."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections import deque
from concurrent.futures import Future
from functools import partial
from typing import Any, Callable, Deque, Dict, Iterator, List, NamedTuple, Optional, Tuple, Union
from urllib.parse import quote, unquote

from ._held import held, write
from ._library import Path, SwzipError, is_url
from ._pending import Entry, PendingFolder
from .archive import Added, Archive, Part, checked_part

log = logging.getLogger("swzip.archive")


class Pending(Future):
    """A checkpoint that is being added: `result()` waits for it, and gives an `Added` or raises what went wrong.
    `name` is what the log calls it, `blocked_ms` are the milliseconds that the caller was kept for."""

    def __init__(self, name: str, is_told: bool = False):
        super().__init__()
        self.name = name
        self.blocked_ms = 0.0
        self._is_told = is_told
        self.set_running_or_notify_cancel()  # It cannot be cancelled.

    def __str__(self) -> str:
        return f"{self.name}: training waited {self.blocked_ms:.1f} ms"

    def result(self, timeout: Optional[float] = None) -> Added:
        try:
            return super().result(timeout)
        finally:
            self._is_told = self.done()

    def raise_untold(self) -> None:
        """Raises what went wrong, unless somebody asked already."""
        if not self._is_told:
            self.result()


class Job(NamedTuple):
    pending: Pending
    entry: Callable[[], Entry]  # makes it, in the worker
    group: Optional[str] = None


def _same(entry: Entry) -> Entry:
    return entry


class Background:
    """Adds checkpoints to an archive (or the path of one, made if there is none), one after the other, in a thread of
    its own. A step of training waits until its checkpoint is taken over, no longer: how long, the log "swzip.archive"
    says, and `blocked_ms` of what is returned.

    What is taken over waits in the folder `pending` (that of the archive with ".pending" behind it), which belongs on
    the file system of the checkpoints: there their files only get a second name. What a killed process left there, or
    what failed, is tried by the next Background. While `waiting` checkpoints wait or are being added, the next call
    waits too. `options` are those of `Archive.add`.

    Each rank of a sharded run may have one of its own, with `part` (rank, ranks): then `add_folder` is called on all of
    them when all have written, and the folder may go when all have returned. Where each has a folder or a state of its
    own, `group` is a word that all ranks of this start of the job have, and no other start.

    What goes wrong is logged, is raised by the next call that does not ask for it by `result`, and by `close`; the
    checkpoint stays in `pending`. The end of the interpreter waits until all is added; `close` may be left out."""

    def __init__(self, archive: Union[Archive, Path], *, pending: Optional[Path] = None, waiting: int = 2,
                 part: Optional[Part] = None, group: Optional[str] = None, **options: Any):
        checked_part(part, group)
        if waiting < 1:
            raise SwzipError(f"waiting is {waiting}, and has to be 1 at least")
        if is_url(os.fsdecode(archive.path if isinstance(archive, Archive) else archive)):
            raise SwzipError("nothing can be added to an archive at a URL")
        self.archive = archive if isinstance(archive, Archive) else Archive(archive, create=True)
        self._options, self._waiting, self._part, self._group = {"part": part, **options}, waiting, part, group
        folders = _Folders(os.fsdecode(pending) if pending else self.archive.path.rstrip("/") + ".pending", part)
        self._folder = PendingFolder(folders.own(group))
        self._changed = threading.Condition()
        self._jobs: Deque[Job] = deque()
        self._is_working = False
        self._failed: List[Pending] = []
        for path, word in folders.all():
            for entry in PendingFolder(path).left():
                name = os.path.basename(entry.content)
                log.info("%s: left in %s by another run, is added now", name, entry.path)
                # What fails again must not end each run anew: the log says it.
                self._put(Job(Pending(name, is_told=True), partial(_same, entry), word))

    def add_folder(self, path: Path, step: Optional[int] = None) -> Pending:
        """Takes over a finished checkpoint, a folder or a file, which may be removed as soon as this returns: its files
        get a second name, or are copied where that cannot be. A file must not be written to in place afterwards; where
        that happens nothing is added. The step is otherwise what the name says."""
        start = time.perf_counter()
        self._make_room()
        entry = self._folder.take(os.fsdecode(path), step)
        return self._submit(start, os.path.basename(entry.content), partial(_same, entry),
                            f"{entry.file_count} files {'copied' if entry.is_copied else 'linked'}")

    def add_state(self, files: Dict[str, Any], step: int) -> Pending:
        """Copies what is to be saved to memory and returns; the worker writes it. `files` are names with tensors by
        name ("model.safetensors"), bytes, or whatever else torch.save takes ("optimizer.pt"). Tensors of devices are
        saved as those of the processor. Until it is written, a killed process loses it."""
        start = time.perf_counter()
        self._require_own_files()
        for name in files:
            if os.path.isabs(name) or ".." in name.split("/"):
                raise SwzipError(f"a file cannot have the name {name!r}: it leads out of its folder")
        self._make_room()
        content = held(files)

        def fill(folder: str) -> None:
            for name, value in content.items():
                path = os.path.join(folder, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                write(path, value)

        return self._submit(start, f"step-{step}", lambda: self._folder.make(step, fill), "copied to memory")

    def add_made(self, path: Path, step: int) -> Pending:
        """Takes over a folder in `folder` that the caller made there, and nobody else has."""
        start = time.perf_counter()
        self._require_own_files()
        self._make_room()
        entry = self._folder.adopt(os.fsdecode(path), step)
        return self._submit(start, f"step-{step}", partial(_same, entry), "written before")

    @property
    def folder(self) -> str:
        """Where checkpoints wait."""
        return self._folder.path

    def flush(self) -> None:
        """Returns when all is added; raises the first thing that went wrong."""
        with self._changed:
            self._changed.wait_for(lambda: not self._jobs)
        self._raise()

    close = flush

    def __enter__(self) -> "Background":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _require_own_files(self) -> None:
        if self._part is not None and self._group is None:
            raise SwzipError("a part that other ranks do not see the files of needs a group")

    def _submit(self, start: float, name: str, entry: Callable[[], Entry], how: str) -> Pending:
        """Queues what is safe now, then raises what went wrong before."""
        pending = Pending(name)
        self._put(Job(pending, entry, self._group))
        pending.blocked_ms = (time.perf_counter() - start) * 1000
        log.info("%s; %s", pending, how)
        self._raise()
        return pending

    def _make_room(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: len(self._jobs) < self._waiting)

    def _put(self, job: Job) -> None:
        with self._changed:
            if not self._is_working:
                # Not a daemon, and gone when nothing is left: so the interpreter waits for it, and for nothing else.
                threading.Thread(target=self._work, name="swzip-archive").start()
                self._is_working = True
            self._jobs.append(job)

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._jobs:
                    self._is_working = False
                    return
                job = self._jobs[0]
            try:
                job.pending.set_result(self._add(job))
            except BaseException as error:
                job.pending.set_exception(error)
                log.error("%s: not added: %s", job.pending.name, error)
                self._failed.append(job.pending)
            with self._changed:
                self._jobs.popleft()
                self._changed.notify_all()

    def _add(self, job: Job) -> Added:
        start = time.perf_counter()
        entry = job.entry()
        try:
            entry.check()
            added, unusual = self.archive._add(entry.content, entry.step, group=job.group, **self._options)
            entry.remove()
        finally:
            entry.release()
        for line in unusual:
            log.warning("%s: %s", job.pending.name, line.decode(errors="replace"))
        log.info("%s: added as %s, %d => %d bytes in %.1f s", job.pending.name, added.name, added.byte_count,
                 added.packed_byte_count, time.perf_counter() - start)
        return added

    def _raise(self) -> None:
        while self._failed:
            self._failed.pop(0).raise_untold()


class _Folders:
    """Where the checkpoints of a Background wait. Each part has folders of its own, which say the group: what is left by
    one start of a job must not become a part of what another one saved."""

    def __init__(self, path: str, part: Optional[Part]):
        self._path = path
        self._start = None if part is None else f"part-{part[0]}-of-{part[1]}"

    def own(self, group: Optional[str]) -> str:
        if self._start is None:
            return self._path
        name = self._start if group is None else f"{self._start}.{quote(group, safe='', errors='surrogateescape')}"
        if len(name) > 255:
            raise SwzipError(f"the group is too long: {group!r}")
        return os.path.join(self._path, name)

    def all(self) -> Iterator[Tuple[str, Optional[str]]]:
        """Those of the part, whatever the group."""
        if self._start is None:
            yield self._path, None
            return
        for name in sorted(os.listdir(self._path)) if os.path.isdir(self._path) else ():
            if name == self._start:
                yield os.path.join(self._path, name), None
            elif name.startswith(self._start + "."):
                group = unquote(name[len(self._start) + 1:], errors="surrogateescape")
                yield os.path.join(self._path, name), group
