"""The files of a model, packed each on its own in a folder (`swzip pack -r`) or together in one container
(`swzip pack FOLDER`)."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from typing import Any, BinaryIO, Dict, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple, Type

from ._container import Container, Tensor
from ._file import open as open_packed
from ._frameworks import framework_of, read_group
from ._library import Bases, Path, SwzipError
from ._safe_open import TensorSlice, groups, header
from ._shards import INDEX, tensors_by_shard

TRANSFORMERS = ("model.safetensors", "pytorch_model.bin")
DIFFUSERS = ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin")
TEXTS = (".json", ".jsonl", ".txt", ".model", ".jinja", ".py", ".tiktoken", ".spm")  # configuration and vocabulary
GROUP = 256 << 20  # bytes of tensors that are decoded at once


class Place(NamedTuple):
    """Where a file is: plain at a path, or a member of the container there."""

    path: str
    member: Optional[int]


class ModelFiles:
    """The files of a model below `subfolder`, by the names that they had before packing. What is there both plain and
    packed is read plain, but for weights, which are read packed."""

    def __init__(self, path: Path, *, subfolder: str = "", bases: Bases = ()):
        self.path, self._bases = os.fsdecode(path), bases
        self.folder = os.path.join(self.path, subfolder) if subfolder else self.path
        self._containers: Dict[str, Container] = {}
        self._plain: Dict[str, Place] = {}
        self._packed: Dict[str, Place] = {}
        if os.path.isdir(self.path):
            for folder, _, names in os.walk(self.folder):
                for path in (os.path.join(folder, name) for name in names):
                    name = os.path.relpath(path, self.folder)
                    if name.endswith(".swz"):
                        self._packed[name[:-len(".swz")]] = Place(path, 0)
                    else:
                        self._plain[name] = Place(path, None)
            return
        container = self._container(self.path)
        for number, member in enumerate(container.members):
            if not subfolder or member.name.startswith(subfolder + "/"):
                if member.link is not None:
                    try:
                        number = container.member_number(number)
                    except SwzipError:  # It leads to a folder.
                        continue
                self._packed[os.path.relpath(member.name or ".", subfolder or ".")] = Place(self.path, number)

    def _container(self, path: str) -> Container:
        if path not in self._containers:
            self._containers[path] = Container(path, bases=self._bases)
        return self._containers[path]

    def __contains__(self, name: str) -> bool:
        return name in self._plain or name in self._packed

    def open(self, name: str) -> BinaryIO:
        """A file as it was before packing, read at random."""
        place = self._plain.get(name) or self._packed.get(name)
        if place is None:
            raise SwzipError(f"holds no {name}: give the folder of a model, or the container of one", file=self.folder)
        if place.member is None:
            return open(place.path, "rb")
        return open_packed(place.path, place.member, bases=self._bases)

    @contextlib.contextmanager
    def plain(self, suffixes: Tuple[str, ...] = TEXTS, most: int = 1 << 30) -> Iterator[str]:
        """A folder with the files whose names end so, of `most` bytes each: the model's own if all are plain there,
        else one that is removed after use."""
        names = [name for name in {**self._plain, **self._packed} if name.endswith(suffixes)]
        if all(name in self._plain for name in names):
            yield self.folder
            return
        with tempfile.TemporaryDirectory(prefix="swzip-") as folder:
            for name in names:
                target = os.path.normpath(os.path.join(folder, name))
                if not target.startswith(folder + os.sep):
                    raise SwzipError(f"has a member that leads out of its folder: {name!r}", file=self.path)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                with self.open(name) as source, open(target, "xb") as copy:
                    if source.seek(0, os.SEEK_END) > most:
                        raise SwzipError(f"holds {name} of {source.tell()} bytes: unpack it first", file=self.path)
                    source.seek(0)
                    shutil.copyfileobj(source, copy, 1 << 20)
            yield folder

    def weights(self, names: Sequence[str] = TRANSFORMERS, variant: Optional[str] = None,
                part: Type[TensorSlice] = TensorSlice, threads: int = 0) -> Dict[str, Any]:
        """The weights by their names, for torch: those of packed safetensors files are decoded where they are
        indexed."""
        found: Dict[str, Any] = {}
        framework = framework_of("pt")
        for name, wanted in self._weight_files(names, variant):
            if name.endswith(".safetensors"):
                container, tensors = self._tensors(name, wanted)
                found.update((tensor.name, part(container, tensor, framework, threads)) for tensor in tensors)
            else:
                found.update(self._of_pickle(name, wanted))
        return found

    def iterate(self, names: Sequence[str] = TRANSFORMERS, variant: Optional[str] = None, threads: int = 0
                ) -> Iterator[Tuple[str, Any]]:
        """The weights in the order of the files, for torch; neighbours are decoded together."""
        framework = framework_of("pt")
        for name, wanted in self._weight_files(names, variant):
            if name.endswith(".safetensors"):
                container, tensors = self._tensors(name, wanted)
                for group in groups(tensors, GROUP):
                    yield from read_group(container, group, framework, threads)
            else:
                yield from self._of_pickle(name, wanted).items()

    def weight_files(self, names: Sequence[str] = TRANSFORMERS, variant: Optional[str] = None) -> List[str]:
        """The paths of the containers that hold the weights."""
        return [self._packed[name].path for name, _ in self._weight_files(names, variant)]

    def _weight_files(self, names: Sequence[str], variant: Optional[str]) -> List[Tuple[str, Optional[Set[str]]]]:
        """The packed files of the first of these names that is there, whole or in shards, and the tensors that are
        wanted of each, None for all."""
        kind = f".{variant}" if variant else ""
        for name in names:
            stem, suffix = os.path.splitext(name)
            if stem + kind + suffix in self._packed:
                return [(stem + kind + suffix, None)]
            index = name + INDEX[:-len(".json")] + kind + ".json"
            if index in self:
                with self.open(index) as file:
                    shards = tensors_by_shard(file, os.path.join(self.folder, index))
                missing = [shard for shard in shards if shard not in self._packed]
                if missing:
                    raise SwzipError(f"holds no {missing[0]}.swz, which {index} names", file=self.folder)
                return list(shards.items())
        wanted = " or ".join(f"{stem}{kind}{suffix}.swz" for stem, suffix in map(os.path.splitext, names))
        raise SwzipError(f"holds no packed weights ({wanted}): plain ones need no swzip", file=self.folder)

    def _tensors(self, name: str, wanted: Optional[Set[str]]) -> Tuple[Container, List[Tensor]]:
        """The tensors of a packed safetensors file. Its header says which there are: one that swzip has no map of would
        be missing in silence."""
        place = self._packed[name]
        container = self._container(place.path)
        if place.path != self.path and [member.name for member in container.members] != [""]:
            raise SwzipError("is a packed folder, not a safetensors file", file=place.path)
        said = header(container, place.member or 0)
        if said is None:
            raise SwzipError(f"is no safetensors file ({name})", file=place.path)
        found = {tensor.name: tensor for tensor in container.tensors if tensor.member == place.member}
        for one in wanted or said:
            if one not in found and one != "__metadata__":
                reason = "has no map of" if one in said else "lacks"
                raise SwzipError(f"{reason} the tensor {one!r}: unpack {name} to load it", file=place.path)
        return container, [tensor for tensor in found.values() if wanted is None or tensor.name in wanted]

    def _of_pickle(self, name: str, wanted: Optional[Set[str]]) -> Dict[str, Any]:
        """The tensors of a file of torch.save, which all are in memory then."""
        import torch

        place = self._packed[name]
        with open_packed(place.path, place.member or 0, bases=self._bases) as file:
            found = torch.load(file, map_location="cpu", weights_only=True)
        for one in wanted or ():
            if one not in found:
                raise SwzipError(f"lacks the tensor {one!r}, which the index says it has", file=place.path)
        return {one: found[one] for one in wanted or found}
