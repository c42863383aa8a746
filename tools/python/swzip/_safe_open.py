"""Tensors one by one, as safetensors' safe_open gives them, and all in turn."""

from __future__ import annotations

import operator
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple, Union

from ._container import Container, Tensor, opened
from ._frameworks import framework_of, read_group
from ._library import Bases, Path, Progress, SwzipError
from ._shards import shards

Plan = Dict[str, Optional[slice]]


class safe_open:
    """The tensors of a container, as `safetensors.safe_open` gives those of a file; any format that swzip knows tensors
    in.

    `framework` is "np" (arrays of NumPy, with ml_dtypes where that is needed) or "pt" (torch, on `device`). Of several
    original files `member` takes one, by name or number; of tensors of one name the first counts. `filename` may be a
    Container, which is closed with this. `backend` is taken for compatibility, and changes nothing. Any number of
    threads may use it."""

    def __init__(self, filename: Union[Path, Container], framework: str, device: Any = "cpu", *, backend: str = "mmap",
                 bases: Bases = (), member: Union[int, str, None] = None, threads: int = 0):
        self._framework, self._threads = framework_of(framework, device), threads
        self._container = opened(filename, bases)
        self._tensors: Dict[str, Tensor] = {}
        self._member = None if member is None else self._container.member_number(member)
        for tensor in self._container.tensors:
            if member is None or tensor.member == self._member:
                self._tensors.setdefault(tensor.name, tensor)

    def keys(self) -> List[str]:
        """The names of the tensors, sorted."""
        return sorted(self._tensors)

    def offset_keys(self) -> List[str]:
        """The names of the tensors in the order of the file."""
        return sorted(self._tensors, key=lambda name: self._tensors[name][3:5])

    def metadata(self) -> Optional[Dict[str, str]]:
        """What the header of a packed safetensors file says beside its tensors; None if that is nothing."""
        return metadata(self._container, self._member or 0)

    def get_tensor(self, name: str) -> Any:
        """A whole tensor, decoded to memory of its own."""
        return dict(read_group(self._container, [self._find(name)], self._framework, self._threads))[name]

    def get_tensors(self) -> Dict[str, Any]:
        """All tensors: those of one original file are views of one buffer, decoded in one go."""
        return read_all(self._container, self._framework, self._threads, tensors=self._tensors.values())

    def get_slice(self, name: str) -> "TensorSlice":
        """A tensor to take parts of: `f.get_slice(name)[:, ::8]`."""
        return TensorSlice(self._container, self._find(name), self._framework, self._threads)

    def prefetch(self, plan: Optional[Plan] = None, *, device: Any = None, threads: int = 0) -> "PrefetchLoader":
        """Decodes tensors in the background, in the order of the file: those that `plan` names, whole (None) or the
        rows of a slice; without a plan all. `device` is that of the tensors, if not the one of this object."""
        framework = self._framework if device is None else type(self._framework)(device)
        names = self.offset_keys() if plan is None else [name for name in self.offset_keys() if name in plan]
        for name in plan or names:
            framework.form(self._find(name))
        parts = {name: TensorSlice(self._container, self._find(name), framework, threads) for name in names}
        return PrefetchLoader(parts, plan or {})

    def _find(self, name: str) -> Tensor:
        if name not in self._tensors:
            raise SwzipError(f"does not contain tensor {name}", rule="noSuchTensor", file=self._container.path)
        return self._tensors[name]

    def __enter__(self) -> "safe_open":
        return self

    def __exit__(self, *_: Any) -> None:
        self._container.close()


class TensorSlice:
    """A tensor of a container that is decoded where it is indexed, with the meaning that NumPy or torch give an index:
    an integer or a slice for the first dimension decodes these rows only."""

    def __init__(self, container: Container, tensor: Tensor, framework: Any, threads: int = 0):
        self._container, self._tensor, self._framework, self._threads = container, tensor, framework, threads

    def get_shape(self) -> List[int]:
        return list(self._tensor.shape)

    def get_dtype(self) -> str:
        """As in safetensors: "BF16"."""
        return self._tensor.type

    def __getitem__(self, index: Any) -> Any:
        index = index if isinstance(index, tuple) else (index,)
        kind, shape = form = self._framework.form(self._tensor)
        if not index or not shape or self._tensor.byte_count % max(shape[0], 1) or not shape[0]:
            return self._framework.contiguous(self._rows(form, None)[index])
        first, *others = index
        if isinstance(first, slice):
            chosen = range(*first.indices(shape[0]))
            rows = range(min(chosen), max(chosen) + 1) if chosen else range(0)
            inner: Any = slice(None, None, chosen.step)
        elif hasattr(first, "__index__") and not isinstance(first, bool) and not hasattr(first, "shape"):
            row = operator.index(first)
            if not -shape[0] <= row < shape[0]:
                raise IndexError(f"index {row} is out of bounds for {self._tensor.name!r} of {shape[0]} rows")
            rows, inner = range(row % shape[0], row % shape[0] + 1), 0
        else:
            rows, inner = range(shape[0]), first
        inside = (inner, *others)
        return self._framework.contiguous(self._rows(form, rows)[inside])

    def _rows(self, form: Tuple[Any, List[int]], rows: Optional[range]) -> Any:
        """Some rows of the first dimension, or all of a tensor that need not have one."""
        tensor, (kind, shape) = self._tensor, form
        offset, byte_count = tensor.offset, tensor.byte_count
        if rows is not None:
            row = byte_count // shape[0]
            offset, byte_count, shape = offset + rows.start * row, len(rows) * row, [len(rows), *shape[1:]]
        buffer = self._framework.buffer(byte_count)
        self._container.read(tensor.member, offset, buffer, threads=self._threads)
        return self._framework.view(self._framework.to_device(buffer), 0, (kind, shape), byte_count)


class PrefetchLoader:
    """Tensors that are decoded in the background. Each is handed out once: by `take`, or as a pair with its name."""

    def __init__(self, parts: Dict[str, TensorSlice], plan: Plan):
        from concurrent.futures import ThreadPoolExecutor

        self._names = list(parts)
        self._worker = ThreadPoolExecutor(1, "swzip-prefetch")
        self._pending = {name: self._worker.submit(parts[name].__getitem__, plan.get(name) or ...) for name in parts}

    def names(self) -> List[str]:
        return list(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def take(self, name: str) -> Any:
        """The tensor of that name, when it is decoded."""
        if name not in self._pending:
            reason = "was taken already" if name in self._names else "is not in the prefetch plan"
            raise SwzipError(f"tensor {name!r} {reason}, or the loader is closed")
        return self._pending.pop(name).result()

    def __iter__(self) -> Iterator[Tuple[str, Any]]:
        while self._pending:
            name = next(iter(self._pending))
            yield name, self.take(name)

    def close(self) -> None:
        """Ends decoding; what was taken stays."""
        self._pending.clear()
        self._worker.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> "PrefetchLoader":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def metadata(container: Container, member: int) -> Optional[Dict[str, str]]:
    """`__metadata__` in the header of a member, if that is a safetensors file."""
    return (header(container, member) or {}).get("__metadata__")


def header(container: Container, member: int) -> Optional[Dict[str, Any]]:
    """The header of a member, if that is a safetensors file."""
    import json

    size = container.members[member].byte_count if container.members else 0
    length = bytearray(min(8, size))
    container.read(member, 0, length)
    count = int.from_bytes(length, "little")
    if size < 8 or count > min(size - 8, 100_000_000):
        return None
    text = bytearray(count)
    container.read(member, 8, text)
    try:
        return json.loads(text) if text.startswith(b"{") else None
    except ValueError:
        return None


def read_all(container: Container, framework: Any, threads: int = 0, progress: Progress = None,
             tensors: Optional[Iterable[Tensor]] = None) -> Dict[str, Any]:
    """All tensors by name, or those that are given; those of one member are views of one buffer. Of tensors of one name
    the first counts."""
    by_member: Dict[int, Dict[str, Tensor]] = {}
    seen = set()
    for tensor in container.tensors if tensors is None else tensors:
        if tensor.name not in seen:
            by_member.setdefault(tensor.member, {})[tensor.name] = tensor
            seen.add(tensor.name)
    return {name: array for group in by_member.values()
            for name, array in read_group(container, group.values(), framework, threads, progress)}


def iter_tensors(paths: Union[Path, Iterable[Path]], framework: str = "np", device: Any = "cpu", *,
                 buffer_bytes: int = 256 << 20, bases: Bases = (), threads: int = 0) -> Iterator[Tuple[str, Any]]:
    """All tensors of containers (or of folders and indexes of shards) with their names, in the order of the files.
    Neighbours are decoded together, to buffers of `buffer_bytes`, or of one tensor that is larger."""
    import os

    kind = framework_of(framework, device)
    for path in [paths] if isinstance(paths, (str, bytes, os.PathLike)) else paths:
        for shard, names in shards(path):
            with Container(shard, bases=bases) as container:
                wanted = [tensor for tensor in container.tensors if names is None or tensor.name in names]
                for group in groups(wanted, buffer_bytes):
                    yield from read_group(container, group, kind, threads)


def groups(tensors: List[Tensor], buffer_bytes: int) -> Iterator[List[Tensor]]:
    """Neighbours in a file, as many as a buffer takes."""
    group: List[Tensor] = []
    for tensor in sorted(tensors, key=operator.itemgetter(3, 4)):
        end = tensor.offset + tensor.byte_count
        if group and (tensor.member != group[0].member or end - group[0].offset > buffer_bytes):
            yield group
            group = []
        group.append(tensor)
    if group:
        yield group
