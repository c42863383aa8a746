"""Models in several files: folders, and indexes that say which shard holds which tensor."""

from __future__ import annotations

import json
import os
from typing import Any, BinaryIO, Callable, Dict, Iterator, Optional, Set, Tuple

from ._container import Container
from ._library import Bases, Path, Progress, SwzipError, is_url

INDEX = ".index.json"


def shards(path: Path) -> Iterator[Tuple[str, Optional[Set[str]]]]:
    """Containers and the names of the tensors that are wanted of each, None for all: of a container itself, of an index
    (`model.safetensors.index.json`, whose shards have `.swz` behind their names), or of a folder with an index or
    without."""
    path = os.fsdecode(path)
    if os.path.isdir(path):
        names = sorted(os.listdir(path))
        indexes = [name for name in names if name.endswith(INDEX)]
        if len(indexes) > 1:
            raise SwzipError(f"has several indexes, give one of them: {', '.join(indexes)}", file=path)
        if indexes:
            path = os.path.join(path, indexes[0])
        else:
            containers = [name for name in names if name.endswith(".swz")]
            if not containers:
                raise SwzipError("holds neither containers (*.swz) nor an index (*.index.json)", file=path)
            yield from ((os.path.join(path, name), None) for name in containers)
            return
    if is_url(path) and path.endswith(INDEX):
        raise SwzipError("is an index at a URL: load its shards one by one", file=path)
    if path.endswith(INDEX):
        with open(path, "rb") as file:
            for shard, tensors in tensors_by_shard(file, path).items():
                yield os.path.join(os.path.dirname(path), shard + ".swz"), tensors
    else:
        yield path, None


def tensors_by_shard(index: BinaryIO, path: str) -> Dict[str, Set[str]]:
    """What an index says: shards by their names before packing, in order, and the tensors of each."""
    try:
        weight_map = json.load(index)["weight_map"]
        pairs = [(str(tensor), str(shard)) for tensor, shard in weight_map.items()]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SwzipError("is no index of shards: it has no \"weight_map\"", file=path) from None
    found: Dict[str, Set[str]] = {}
    for tensor, shard in pairs:
        if os.path.isabs(shard) or ".." in shard.split("/"):
            raise SwzipError(f"names a shard outside of its folder: {shard!r}", file=path)
        found.setdefault(shard[:-len(".swz")] if shard.endswith(".swz") else shard, set()).add(tensor)
    return dict(sorted(found.items()))


def load_all(path: Path, framework: Any, bases: Bases, threads: int, progress: Progress, read: Callable
             ) -> Dict[str, Any]:
    """The tensors of all shards by name; `progress` counts the bytes of each shard."""
    tensors: Dict[str, Any] = {}
    for shard, names in shards(path):
        with Container(shard, bases=bases) as container:
            found = read(container, framework, threads, progress)
        missing = sorted(names - found.keys()) if names is not None else []
        if missing:
            raise SwzipError(f"lacks the tensor {missing[0]!r}, which the index says it has", file=shard)
        tensors.update(found if names is None else {name: found[name] for name in found if name in names})
    return tensors
