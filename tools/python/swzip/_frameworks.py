"""Arrays of NumPy and tensors of torch as views of decoded bytes."""

from __future__ import annotations

from typing import Any, Iterable, Iterator, List, Tuple

from ._container import Container, Tensor
from ._library import Progress, SwzipError

# The types of safetensors: their names in NumPy (or ml_dtypes) and in torch.
TYPES = {
    **{name: (same, same) for name, same in {
        "BOOL": "bool", "U8": "uint8", "I8": "int8", "U16": "uint16", "I16": "int16", "U32": "uint32", "I32": "int32",
        "U64": "uint64", "I64": "int64", "F16": "float16", "F32": "float32", "F64": "float64", "C64": "complex64",
        "BF16": "bfloat16", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "F8_E8M0": "float8_e8m0fnu",
        "F8_E4M3FNUZ": "float8_e4m3fnuz", "F8_E5M2FNUZ": "float8_e5m2fnuz"}.items()},
    "F4": ("float4_e2m1fn", "float4_e2m1fn_x2"), "F6_E2M3": (None, None), "F6_E3M2": (None, None),
}


def _byte_shape(tensor: Tensor) -> List[int]:
    """The shape of a tensor of blocks as bytes: rows keep their number, as in the gguf package."""
    *rows, _ = tensor.shape or [1]
    count = 1
    for length in rows:
        count *= length
    return [*rows, tensor.byte_count // count] if count and tensor.byte_count % count == 0 else [tensor.byte_count]


class NumpyFramework:
    def __init__(self, device: Any = "cpu"):
        import numpy

        if str(device) != "cpu":
            raise SwzipError(f"NumPy has no device {device!r}, only \"cpu\"")
        self.numpy = numpy

    def _type(self, tensor: Tensor) -> Any:
        native, swapped, _ = tensor.type.partition("_BE")
        known = TYPES.get(native, ("uint8", "uint8"))[0]
        if known is None:
            raise SwzipError(f"NumPy has no type for {tensor.type} (tensor {tensor.name!r})")
        if not hasattr(self.numpy, known):
            try:
                import ml_dtypes
            except ImportError:
                raise SwzipError(f"{native} in NumPy needs the package ml_dtypes: pip install ml_dtypes") from None
            return self.numpy.dtype(getattr(ml_dtypes, known)).newbyteorder(">" if swapped else "<")
        return self.numpy.dtype(known).newbyteorder(">" if swapped else "<")

    def form(self, tensor: Tensor) -> Tuple[Any, List[int]]:
        """The type and the shape of a tensor here."""
        return self._type(tensor), tensor.shape if tensor.type.split("_BE")[0] in TYPES else _byte_shape(tensor)

    def buffer(self, byte_count: int) -> Any:
        return self.numpy.empty(byte_count, "uint8")

    def view(self, buffer: Any, start: int, form: Tuple[Any, List[int]], byte_count: int) -> Any:
        kind, shape = form
        data = buffer[start:start + byte_count]
        if kind.kind == "V" and kind.name == "float4_e2m1fn":
            # ml_dtypes has one in a byte, files have two: the first in the low bits.
            data = self.numpy.stack([data & 15, data >> 4], -1).reshape(-1)
        view = data.view(kind).reshape(shape)
        return view if view.flags.aligned else view.copy()

    def to_device(self, buffer: Any) -> Any:
        return buffer

    def contiguous(self, array: Any) -> Any:
        return array.copy() if isinstance(array, self.numpy.ndarray) and not array.flags.c_contiguous else array


class TorchFramework:
    def __init__(self, device: Any = "cpu"):
        import torch

        self.torch, self.device = torch, torch.device(device)

    def form(self, tensor: Tensor) -> Tuple[Any, List[int]]:
        """The type and the shape of a tensor here."""
        known = TYPES.get(tensor.type, (None, None if tensor.type.endswith("_BE") else "uint8"))[1]
        kind = known and getattr(self.torch, known, None)
        if kind is None:
            raise SwzipError(f"this torch has no type for {tensor.type} (tensor {tensor.name!r})")
        if tensor.type == "F4":
            if not tensor.shape or tensor.shape[-1] % 2:
                raise SwzipError(f"torch has two F4 in a byte, and the rows of {tensor.name!r} an odd number")
            return kind, [*tensor.shape[:-1], tensor.shape[-1] // 2]
        return kind, tensor.shape if tensor.type in TYPES else _byte_shape(tensor)

    def buffer(self, byte_count: int) -> Any:
        pinned = self.device.type == "cuda"
        return self.torch.empty(byte_count, dtype=self.torch.uint8, device="cpu", pin_memory=pinned)

    def view(self, buffer: Any, start: int, form: Tuple[Any, List[int]], byte_count: int) -> Any:
        kind, shape = form
        if buffer.device.type == "cpu" and byte_count:  # A storage of its own: who saves a tensor saves no other one.
            storage = buffer.untyped_storage()[start:start + byte_count]
            data = self.torch.asarray(storage, dtype=self.torch.uint8, device="cpu")
        else:
            data = buffer[start:start + byte_count]
        if data.data_ptr() % kind.itemsize:
            data = data.clone()
        return data.view(kind).reshape(shape)

    def to_device(self, buffer: Any) -> Any:
        return buffer if self.device.type == "cpu" else buffer.to(self.device)

    def contiguous(self, array: Any) -> Any:
        return array.contiguous()


def framework_of(name: str, device: Any = "cpu") -> Any:
    """"np" or "numpy", "pt" or "torch", as safetensors calls them."""
    kinds = {"np": NumpyFramework, "numpy": NumpyFramework, "pt": TorchFramework, "torch": TorchFramework}
    if name not in kinds:
        raise SwzipError(f"there is no framework {name!r}, but \"np\" and \"pt\"")
    return kinds[name](device)


def read_group(container: Container, tensors: Iterable[Tensor], framework: Any, threads: int = 0,
               progress: Progress = None) -> Iterator[Tuple[str, Any]]:
    """Reads tensors of one member in one go, with what lies between them; all are views of one buffer, and those that
    its alignment does not suit are copies."""
    tensors = list(tensors)
    forms = [framework.form(tensor) for tensor in tensors]
    start = min(tensor.offset for tensor in tensors)
    buffer = framework.buffer(max(tensor.offset + tensor.byte_count for tensor in tensors) - start)
    container.read(tensors[0].member, start, buffer, threads=threads, progress=progress)
    buffer = framework.to_device(buffer)
    for tensor, form in zip(tensors, forms):
        yield tensor.name, framework.view(buffer, tensor.offset - start, form, tensor.byte_count)
