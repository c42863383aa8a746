"""Copies in memory of what is to be saved, and saving them."""

from __future__ import annotations

import copy
import os
import sys
from typing import Any, Dict, Optional


def held(value: Any, storages: Optional[Dict[int, Any]] = None) -> Any:
    """A copy that nothing of the original changes any more: tensors in the memory of the processor, those of one
    storage again of one."""
    storages = {} if storages is None else storages
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, dict):
        found = copy.copy(value)  # Of its type, with what else it has.
        for key in found:
            found[key] = held(value[key], storages)
        return found
    if type(value) in (list, tuple):
        return type(value)(held(each, storages) for each in value)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return _held_tensor(torch, value, storages)
    return copy.deepcopy(value)


def _held_tensor(torch: Any, value: Any, storages: Dict[int, Any]) -> Any:
    is_plain = type(value) in (torch.Tensor, torch.nn.Parameter) and value.layout == torch.strided
    if not is_plain or value.is_quantized or value.is_neg() or value.is_conj() or value.device.type == "meta":
        return value.detach().to("cpu", copy=True)
    storage = value.untyped_storage()
    if storage._cdata not in storages:
        # With the original, whose place nothing else gets as long as it is held.
        storages[storage._cdata] = storage, storage.clone() if storage.device.type == "cpu" else storage.cpu()
    _, own = storages[storage._cdata]
    view = torch.empty(0, dtype=value.dtype).set_(own, value.storage_offset(), value.shape, value.stride())
    if type(value) is torch.nn.Parameter:
        return torch.nn.Parameter(view, value.requires_grad)
    return view.requires_grad_(value.requires_grad)


def write(path: str, value: Any) -> None:
    """Writes bytes, tensors by name to a .safetensors file, or what torch.save takes."""
    if isinstance(value, bytes):
        with open(path, "wb") as file:
            file.write(value)
    elif os.path.splitext(path)[1] == ".safetensors":
        if all(type(each).__module__ == "numpy" for each in value.values()):
            from safetensors.numpy import save_file
        else:
            from safetensors.torch import save_file  # type: ignore[assignment]

            value = {name: tensor.contiguous() for name, tensor in value.items()}
        save_file(value, path)
    else:
        import torch

        torch.save(value, path)
