"""Checkpoints that were taken over and are not in an archive yet, in a folder, each an entry: a folder of its own,
named by step and chance, that is locked by the process that will add it."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import shutil
import stat
from contextlib import suppress
from typing import Callable, Iterator, List, Optional, Tuple

from ._folder import temporary_name
from ._library import REFUSED, SwzipError

log = logging.getLogger("swzip.archive")
ENTRY = re.compile(r"(\d{1,12}|named)\.[0-9a-f]{16}")  # "named": the name of what is in it says the step
TEMPORARY = re.compile(r"\.swzip-.*\.tmp")


class Entry:
    """A checkpoint that waits: `content` is the path to add."""

    def __init__(self, path: str, lock: int):
        self.path, self._lock = path, lock
        step = os.path.basename(path).split(".")[0]
        self.step = None if step == "named" else int(step)
        names = os.listdir(path)
        if len(names) != 1:
            raise SwzipError(f"holds {len(names)} names, not the checkpoint that waits there", REFUSED, file=path)
        self.content = os.path.join(path, names[0])
        self.file_count, self.is_copied = 0, False
        self.linked: List[Tuple[str, int, int]] = []  # under their names here, with length and time of change

    def check(self) -> None:
        """Throws if somebody wrote to a file that has a second name here."""
        for name, byte_count, time in self.linked:
            now = os.stat(os.path.join(self.path, name))
            if (now.st_size, now.st_mtime_ns) != (byte_count, time):
                # Under a name that nobody adds by mistake.
                os.rename(self.path, self.path + ".changed")
                raise SwzipError(f"{name} was written to after it was taken over: it is not added", REFUSED, "changed",
                                 file=self.path + ".changed")

    def remove(self) -> None:
        """All of it, or nothing that anybody takes for a checkpoint."""
        doomed = temporary_name(os.path.dirname(self.path))
        os.rename(self.path, doomed)
        shutil.rmtree(doomed, ignore_errors=True)

    def release(self) -> None:
        """Whoever comes may take what is left."""
        os.close(self._lock)


class PendingFolder:
    def __init__(self, path: str):
        self.path = os.path.abspath(path)

    def take(self, source: str, step: Optional[int]) -> Entry:
        """An entry of second names of files, or of copies where a file system has none."""
        own = os.path.basename(os.path.abspath(source))
        taken = _Taken(os.path.realpath(source))
        entry = self._new(step, lambda folder: taken.take(source, os.path.join(folder, own)))
        entry.linked = [(os.path.relpath(path, taken.folder), size, time) for path, size, time in taken.linked]
        entry.file_count, entry.is_copied = taken.count, taken.count > len(taken.linked)
        return entry

    def make(self, step: int, fill: Callable[[str], None]) -> Entry:
        """An entry with a folder that `fill` writes the files of."""

        def fill_folder(folder: str) -> None:
            content = os.path.join(folder, f"step-{step}")
            os.mkdir(content)
            fill(content)

        return self._new(step, fill_folder)

    def adopt(self, source: str, step: int) -> Entry:
        """An entry with a folder that is here, and nobody else's."""
        return self._new(step, lambda folder: os.rename(source, os.path.join(folder, os.path.basename(source))))

    def _new(self, step: Optional[int], fill: Callable[[str], None]) -> Entry:
        """The entry appears when all of it is there."""
        os.makedirs(self.path, exist_ok=True)
        temporary = temporary_name(self.path)
        os.mkdir(temporary, 0o700)
        lock = _lock(temporary)
        try:
            fill(temporary)
            path = os.path.join(self.path, f"{'named' if step is None else step}.{os.urandom(8).hex()}")
            os.rename(temporary, path)
            assert lock is not None
            return Entry(path, lock)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            if lock is not None:
                os.close(lock)
            raise

    def left(self) -> Iterator[Entry]:
        """What processes left that are no more, by step; removes what they had not finished."""
        if not os.path.isdir(self.path):
            return
        names = os.listdir(self.path)
        for name in filter(TEMPORARY.fullmatch, names):
            lock = _lock(os.path.join(self.path, name))
            if lock is not None:
                shutil.rmtree(os.path.join(self.path, name), ignore_errors=True)
                os.close(lock)
        entries = filter(ENTRY.fullmatch, names)
        for name in sorted(entries, key=lambda name: (not name[0].isdigit(), len(name), name)):
            path = os.path.join(self.path, name)
            lock = _lock(path)
            if lock is None:
                continue
            try:
                yield Entry(path, lock)
            except FileNotFoundError:  # Added meanwhile.
                os.close(lock)
            except SwzipError as error:
                os.close(lock)
                log.error("%s", error)


def _lock(path: str) -> Optional[int]:
    """A descriptor that holds a folder; None where somebody else does, or it is gone."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(number)
        return None
    except OSError:
        pass  # A file system without locks: who loses a race finds that it was added.
    return number


class _Taken:
    """Files under a second name."""

    def __init__(self, root: str):
        self.root = root
        self.count = 0
        self.linked: List[Tuple[str, int, int]] = []

    def take(self, source: str, target: str) -> None:
        """A file or a folder; links that lead out of the checkpoint are taken for what they lead to."""
        self.folder = os.path.dirname(target)
        self._take(source, target)

    def _take(self, source: str, target: str) -> None:
        status = os.stat(source)
        if stat.S_ISREG(status.st_mode):
            self._take_file(os.path.realpath(source), target)
        elif stat.S_ISDIR(status.st_mode):
            os.mkdir(target, 0o700)
            with os.scandir(source) as entries:
                for entry in entries:
                    inner = os.path.join(target, entry.name)
                    if entry.is_symlink() and self._stays(entry.path):
                        os.symlink(os.readlink(entry.path), inner)
                    else:
                        with suppress(FileNotFoundError):  # A link that leads nowhere.
                            self._take(entry.path, inner)
            os.chmod(target, stat.S_IMODE(status.st_mode) | 0o700)

    def _stays(self, link: str) -> bool:
        return not os.path.isabs(os.readlink(link)) and os.path.realpath(link).startswith(self.root + os.sep)

    def _take_file(self, source: str, target: str) -> None:
        self.count += 1
        try:
            os.link(source, target)
        except OSError:  # Another file system, one without links, or a file of somebody else's.
            shutil.copy2(source, target)
            return
        status = os.stat(target)
        self.linked.append((target, status.st_size, status.st_mtime_ns))
