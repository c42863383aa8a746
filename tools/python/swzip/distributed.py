"""Packing of many files by many processes, or by machines that see the same files.

    with concurrent.futures.ProcessPoolExecutor() as executor:
        swzip.distributed.pack("checkpoint", "packed", executor=executor)

Called again it goes on where it was interrupted: what is packed stays as it is."""

from __future__ import annotations

import filecmp
import fnmatch
import hashlib
import os
import shutil
import warnings
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple, Union

from ._container import Container
from ._library import Path, SwzipError
from ._pack import new_file
from ._pack import pack as pack_file

__all__ = ["COPIED", "PackError", "Result", "pack"]

# What `swzip pack -r` leaves as it is: what loaders and hubs read by name.
COPIED = ("*.json", "*.txt", "*.md", "*.jinja", "*.yaml", "*.yml", "*.py", "*.vocab", "*.bpe", "*.spm", "*.tiktoken",
          "*.bpe.model", "tokenizer.model", "spiece.model", ".gitattributes", "LICENSE")
SMALL = 16 << 20  # bytes, that fewer are


class Result(NamedTuple):
    """What became of a file: `done` is "packed", "copied", "there" (from an earlier call) or "failed", by `error`."""

    path: str
    output: str
    done: str
    error: Optional[Exception]


class PackError(SwzipError):
    """Some files are not packed; `results` are those of all files."""

    results: Sequence[Result] = ()


def pack(paths: Union[Path, Iterable[Path]], output: Path, *, executor: Any, copy: Sequence[str] = COPIED,
         sha256: bool = False, threads: int = 1, **options: Any) -> List[Result]:
    """Packs files, and those below folders, each to a container of its own: `.swz` behind its name, in the folder
    `output` at its place below the folder that was named. What is found in a folder under a name that fits a pattern of
    `copy` is copied as it is if it has less than 16 MiB or is an index; so are containers. Links to what is in a folder too add nothing. Raises PackError when all others are done.

    `executor` has `submit(function, *arguments)`, which returns what has `result()`: those of concurrent.futures, or a
    few lines around another (tools/python/loaders/ray.md). A call packs one file, by `threads` threads.

    A file is there already if its container says its length and has its time of change, as rsync compares, whatever
    options it was packed with. With `sha256` containers hold the SHA-256 of their files, and that must agree instead.
    Other options are those of `swzip.pack`."""
    options.update(sha256=sha256, threads=threads)
    named = [paths] if isinstance(paths, (str, bytes, os.PathLike)) else paths
    jobs = _jobs(map(os.fsdecode, named), os.fsdecode(output), copy)
    pending = [(source, target, _submit(executor, source, target, is_copied, options))
               for target, (source, is_copied) in jobs.items()]
    results = [Result(source, target, *_outcome(future)) for source, target, future in pending]
    failed = [result for result in results if result.error is not None]
    if failed:
        others = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
        error = PackError(f"{len(failed)} of {len(results)} files are not packed: {failed[0].path}: "
                          f"{failed[0].error!r}{others}")
        error.results = results
        raise error
    return results


def _jobs(paths: Iterable[str], output: str, copy: Sequence[str]) -> Dict[str, Tuple[str, bool]]:
    """By the files that are to be written, from which one, and whether as a copy."""
    jobs: Dict[str, Tuple[str, bool]] = {}
    for path in paths:
        is_folder = os.path.isdir(path)
        root, target = os.path.realpath(path), os.path.realpath(output)
        if is_folder and root == target:
            raise SwzipError("is the folder of the containers too: name another one for them", file=path)
        for source, place in _below(path, "", root, {target}) if is_folder else [(path, os.path.basename(path))]:
            is_copied = is_folder and _is_copied(source, copy)
            written = os.path.join(output, place if is_copied else place + ".swz")
            if jobs.setdefault(written, (source, is_copied)) != (source, is_copied):
                raise SwzipError(f"{jobs[written][0]} and {source} would both become {written}")
    return jobs


def _is_copied(path: str, patterns: Sequence[str]) -> bool:
    name = os.path.basename(path)
    is_wanted = any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    return name.endswith(".swz") or is_wanted and (os.path.getsize(path) < SMALL or name.endswith(".index.json"))


def _below(folder: str, place: str, root: str, above: Set[str]) -> Iterator[Tuple[str, str]]:
    """Paths of the files below a folder, and their places below its root; none of a folder that is `above`."""
    here = os.path.realpath(folder)
    if here in above:
        return
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        inner = os.path.join(place, entry.name)
        if not (entry.is_dir() or entry.is_file()):
            warnings.warn(f"{entry.path} is neither file nor folder, and left out", stacklevel=4)
        elif entry.is_symlink() and os.path.realpath(entry.path).startswith(os.path.join(root, "")):
            continue
        elif entry.is_dir():
            yield from _below(entry.path, inner, root, above | {here})
        elif not (entry.name.startswith(".swzip-") and entry.name.endswith(".tmp")):  # What others are writing.
            yield entry.path, inner


def _submit(executor: Any, source: str, target: str, *how: Any) -> Any:
    try:
        # Who does it may have another current folder.
        return executor.submit(_do, os.path.abspath(source), os.path.abspath(target), *how)
    except Exception as error:  # A pool that is broken takes no more.
        return error


def _outcome(future: Any) -> Tuple[str, Optional[Exception]]:
    try:
        if isinstance(future, Exception):
            raise future
        return future.result(), None
    except Exception as error:
        return "failed", error


def _do(source: str, target: str, is_copied: bool, options: Dict[str, Any]) -> str:
    """Packs or copies one file, which may have been done."""
    before = os.stat(source)
    if os.path.exists(target) and _is_there(source, before, target, is_copied, options["sha256"]):
        return "there"
    os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
    if not is_copied:
        pack_file(source, target, **options)
        return "packed"
    with open(source, "rb") as plain, new_file(target) as file:
        os.fchmod(file.fileno(), before.st_mode & 0o777)
        shutil.copyfileobj(plain, file, 1 << 20)
        file.flush()
        os.utime(file.fileno(), ns=(before.st_atime_ns, before.st_mtime_ns))
    return "copied"


def _is_there(source: str, before: os.stat_result, target: str, is_copied: bool, sha256: bool) -> bool:
    if is_copied and sha256:
        return filecmp.cmp(source, target, shallow=False)
    found = os.stat(target)
    # Some file systems keep whole seconds.
    is_as_old = found.st_mtime_ns in (before.st_mtime_ns, before.st_mtime_ns // 10**9 * 10**9)
    if is_copied:
        return is_as_old and found.st_size == before.st_size
    try:
        with Container(target) as container:
            member = container.members[container.only_member()]
    except SwzipError:
        return False  # Another file was there.
    if member.byte_count != before.st_size:
        return False
    return member.sha256 == _sha256(source) if sha256 else is_as_old


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()
