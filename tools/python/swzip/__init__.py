"""Model weights and checkpoints, packed without loss.


    swzip.pack("model.safetensors")                             # model.safetensors.swz
    with swzip.safe_open("model.safetensors.swz", "pt") as f:   # as safetensors' safe_open
        weight = f.get_tensor("lm_head.weight")
    tensors = swzip.torch.load_file("model.safetensors.swz")    # import swzip.torch, or swzip.numpy
    model = torch.load(swzip.open("model.pt.swz"))              # the original file, as a file object

Reading tensors: safe_open, iter_tensors, load_file and save_file of swzip.numpy and swzip.torch.
Models that stay packed: swzip.transformers, swzip.peft, swzip.diffusers, swzip.hub, and plug-ins of vLLM and SGLang.
Files: pack, unpack, verify, inspect, delta, open.
Memory: compress, decompress, Snapshot.
Checkpoints of a run: swzip.archive, also beside training.
With other packages, each to be imported: dcp, distributed, fsspec, lightning, megatron, torch_checkpointing.
This machine: doctor, version.

What reads containers takes URLs too (https://host/model.safetensors.swz), by libcurl, but for bases.

What is wrong with a container or a call is a SwzipError (DamagedError, BaseError); what the system refuses is an
OSError, a missing file a FileNotFoundError. `threads=0` takes the processors that the process may use; `progress` is
called with the bytes that are done at most ten times a second, and what it raises ends the call.
"""

__all__ = [
    "BaseError", "Container", "DamagedError", "Member", "PrefetchLoader", "Snapshot", "SwzipError", "Tensor",
    "TensorSlice", "compress", "decompress", "delta", "doctor", "inspect", "iter_tensors", "open", "pack", "safe_open",
    "unpack", "verify", "version",
]

TYPE_CHECKING = False  # As in typing, whose import takes longer than this one.
if TYPE_CHECKING:
    from ._container import Container, Member, Tensor
    from ._file import open
    from ._library import BaseError, DamagedError, SwzipError, doctor, version
    from ._pack import Snapshot, compress, decompress, delta, inspect, pack, unpack, verify
    from ._safe_open import PrefetchLoader, TensorSlice, iter_tensors, safe_open
else:
    # The modules are loaded when one of their names is first asked for.
    _NAMES = {
        "_container": ["Container", "Member", "Tensor"],
        "_file": ["open"],
        "_library": ["BaseError", "DamagedError", "SwzipError", "doctor", "version"],
        "_pack": ["Snapshot", "compress", "decompress", "delta", "inspect", "pack", "unpack", "verify"],
        "_safe_open": ["PrefetchLoader", "TensorSlice", "iter_tensors", "safe_open"],
    }

    def __getattr__(name):
        for place, names in _NAMES.items():
            if name in names:
                module = __import__(f"{__name__}.{place}", fromlist=names)
                globals().update((each, getattr(module, each)) for each in names)
                return globals()[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__():
        return sorted({*globals(), *__all__})
