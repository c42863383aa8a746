"""Folders of containers, written to disk."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import posixpath
import shutil
import time
from typing import Callable, Dict, Iterator, List, Tuple

from ._container import Container, Member
from ._library import DAMAGED, REFUSED, DamagedError, Progress, SwzipError

PIECE = 8 << 20  # bytes that are decoded at once


Place = Tuple[Container, int, Member]


def unpack_folder(containers: List[Container], target: str, threads: int, progress: Progress,
                  takes: Callable[[str], bool] = lambda name: True) -> None:
    """Writes the members whose names `takes` is true of to a new folder, which appears when all of it is on the
    disk. What several containers hold alike is written once."""
    places: Dict[str, Place] = {}
    for container in containers:
        for number, member in enumerate(container.members):
            if takes(member.name):
                _check_name(container, member)
                known = places.setdefault(member.name, (container, number, member))[2]
                if known != member and (known.link, known.sha256) != (member.link, member.sha256):
                    raise SwzipError(f"has two files of the name {member.name!r}", REFUSED, file=container.path)
    path = target.rstrip("/")
    _check_is_new(path)
    parent = os.path.dirname(path) or "."
    temporary = temporary_name(parent)
    try:
        os.mkdir(temporary, 0o700)
        held = os.open(temporary, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            content = os.path.join(temporary, "content")
            _write_members(list(places.values()), content, threads, meter(progress))
            _check_is_new(path)
            os.rename(content, path)
        finally:
            os.close(held)
    except OSError as error:
        if temporary in f"{error.filename} {error.filename2}":
            raise OSError(error.errno, error.strerror, path) from None
        raise
    finally:
        try:
            shutil.rmtree(temporary, ignore_errors=True)
        except BaseException:  # An interrupt just now.
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    sync_folder(parent)


def _check_name(container: Container, member: Member) -> None:
    """A container has no other names and links; that nothing is written elsewhere does not hang on that alone."""
    end = posixpath.normpath(posixpath.join(posixpath.dirname(member.name), member.link or ""))
    for rule, path in (("name", member.name), ("linkTarget", end)):
        if not path or path.startswith("/") or ".." in path.split("/"):
            raise DamagedError(f"has a member that leads out of its folder: {member.name!r}", DAMAGED, rule,
                               file=container.path)


def temporary_name(parent: str) -> str:
    """A new name there. swzip removes what has such a name later, left by a killed process, but nothing that is held."""
    return os.path.join(parent, f".swzip-{os.getpid()}-{os.urandom(8).hex()}.tmp")


def _check_is_new(path: str) -> None:
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)


def _write_members(places: List[Place], folder: str, threads: int, report: Callable[[int], None]) -> None:
    paths = [os.path.join(folder, member.name) for _, _, member in places]
    os.mkdir(folder)
    for place in {os.path.dirname(path) for path in paths}:
        os.makedirs(place, exist_ok=True)
    most = max((member.byte_count for _, _, member in places), default=0)
    room = memoryview(bytearray(min(PIECE, most)))
    for (container, number, member), path in zip(places, paths):
        if member.link is None:
            with open(path, "xb") as file:
                for piece in _pieces(container, number, member, room, threads):
                    file.write(piece)
                    report(len(piece))
                file.flush()
                if member.mode is not None:
                    os.fchmod(file.fileno(), member.mode)
                if member.time is not None:
                    os.utime(file.fileno(), ns=(member.time, member.time))
                os.fsync(file.fileno())
    for (_, _, member), path in zip(places, paths):
        if member.link is not None:  # After all files, so that none is written through one.
            os.symlink(member.link, path)
    for place, _, _ in os.walk(folder):
        sync_folder(place)


def _pieces(container: Container, number: int, member: Member, room: memoryview, threads: int) -> Iterator[memoryview]:
    """The bytes of a member, which `room` holds one after the other."""
    digest = hashlib.sha256()
    for position in range(0, member.byte_count, PIECE):
        piece = room[:member.byte_count - position]
        container.read(number, position, piece, threads=threads)
        if member.sha256 is not None:
            digest.update(piece)
        yield piece
    if member.sha256 not in (None, digest.hexdigest()):
        raise DamagedError(f"has a member of another SHA-256 than it says: {member.name!r}", DAMAGED, "memberSHA256",
                           file=container.path)


def sync_folder(path: str) -> None:
    number = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def meter(progress: Progress) -> Callable[[int], None]:
    """Takes numbers of bytes, and tells `progress` their sum at most ten times a second."""
    done, after = 0, time.monotonic() + 0.1

    def add(byte_count: int) -> None:
        nonlocal done, after
        done += byte_count
        if progress is not None and time.monotonic() >= after:
            progress(done)
            after = time.monotonic() + 0.1

    return add
