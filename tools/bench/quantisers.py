#!/usr/bin/env python3
"""Weights that real libraries quantised and made floats again, as such files are passed on.

    quantisers.py FLOATS.safetensors OUT [--tensors N] [NAME...]     writes OUT/NAME.safetensors; all when no NAME is given

A name is a kind and a type: gguf-q4_k-bf16. Quantisers read the model in bf16. What a library has no function for is done
with its own arithmetic: blocks of fp8 and mxfp4 are quantised here and made floats by transformers; AWQ's formula is all here.
"""
import argparse
import ctypes
import functools
import glob
import importlib.util
import pathlib
import typing

import numpy as np
import torch

TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}


class Kind(typing.NamedTuple):
    """`make` gives the floats of a bf16 matrix; `rows` and `columns` divide its shape, or it stays out of the file, as
    quantisers leave it. `goals`: % of a 16-bit file at levels 3 and 9."""

    make: typing.Callable
    package: str
    goals: tuple = ()
    types: tuple = ("bf16",)
    rows: int = 1
    columns: int = 1


# -- ggml, by its number of a type; bytes of a block

GGML = {"q4_0": (2, 32, 18), "q4_1": (3, 32, 20), "q5_0": (6, 32, 22), "q8_0": (8, 32, 34), "q2_K": (10, 256, 84),
        "q3_K": (11, 256, 110), "q4_K": (12, 256, 144), "q5_K": (13, 256, 176), "q6_K": (14, 256, 210),
        "iq4_nl": (20, 32, 18), "iq4_xs": (23, 256, 136), "tq2_0": (35, 256, 66)}


@functools.cache
def ggml_library():
    """ggml as xllamacpp brings it, without importing that."""
    folder, = importlib.util.find_spec("xllamacpp").submodule_search_locations
    return ctypes.CDLL(glob.glob(folder + "/*.so")[0])


def ggml(name):
    number, block, byte_count = GGML[name]

    def make(weights):
        library, weights = ggml_library(), weights.float().contiguous()
        packed, floats = np.zeros(weights.numel() // block * byte_count, np.uint8), torch.empty(weights.shape)
        library.ggml_quantize_chunk.restype = ctypes.c_size_t
        library.ggml_quantize_chunk(ctypes.c_int(number), ctypes.c_void_p(weights.data_ptr()),
                                    ctypes.c_void_p(packed.ctypes.data), ctypes.c_int64(0),
                                    ctypes.c_int64(weights.shape[0]), ctypes.c_int64(weights.shape[1]), None)
        getattr(library, f"dequantize_row_{name}")(ctypes.c_void_p(packed.ctypes.data), ctypes.c_void_p(floats.data_ptr()),
                                                   ctypes.c_int64(floats.numel()))
        return floats
    return make


def ggml_kind(name, goals=(), types=("bf16",)):
    return Kind(ggml(name), "xllamacpp", goals, types, columns=GGML[name][1])


# -- bitsandbytes

def nf4(double):
    def make(weights):
        import bitsandbytes.functional
        packed, state = bitsandbytes.functional.quantize_4bit(weights, blocksize=64, quant_type="nf4",
                                                              compress_statistics=double)
        return bitsandbytes.functional.dequantize_4bit(packed, state)
    return make


def bitsandbytes_int8(weights):
    import bitsandbytes.functional
    packed, scales, _ = bitsandbytes.functional.int8_vectorwise_quant(weights.half())
    return bitsandbytes.functional.int8_vectorwise_dequant(packed, scales)


# -- compressed-tensors

def compressed_tensors(group, storage, **arguments):
    def make(weights):
        from compressed_tensors.quantization import QuantizationArgs
        from compressed_tensors.quantization.lifecycle.forward import dequantize, quantize
        from compressed_tensors.quantization.utils import calculate_qparams
        form, more = QuantizationArgs(symmetric=True, **arguments), {}
        if form.strategy == "tensor_group":
            more["global_scale"] = (448 * 6 / weights.abs().max().float()).reshape(1)
        groups = weights.view(weights.shape[0], -1, group) if group else weights
        scale, zero = calculate_qparams(groups.amin(-1, keepdim=not group), groups.amax(-1, keepdim=not group), form, **more)
        codes = quantize(weights, scale, zero, form, dtype=storage, **more)
        return dequantize(codes, scale, zero, form, dtype=torch.bfloat16, **more)
    return make


def nvfp4(weights):
    return compressed_tensors(16, None, num_bits=4, type="float", strategy="tensor_group", group_size=16,
                              scale_dtype=torch.float8_e4m3fn)(weights)


# -- torchao

def torchao(symmetric, group, kind, *limits):
    def make(weights):
        from torchao.quantization import quant_primitives as primitives
        block = (1, group or weights.shape[1])
        mapping = primitives.MappingType.SYMMETRIC if symmetric else primitives.MappingType.ASYMMETRIC
        scale, zero = primitives.choose_qparams_affine(weights, mapping, block, kind, *limits, eps=1e-6)
        codes = primitives.quantize_affine(weights, block, scale, zero, kind, *limits)
        return primitives.dequantize_affine(codes, block, scale, zero, kind, *limits, output_dtype=torch.bfloat16)
    return make


# -- transformers

def fp8_blocks(weights):
    from transformers.integrations.finegrained_fp8 import Fp8Dequantize
    rows, columns = weights.shape
    blocks = weights.float().view(rows // 128, 128, columns // 128, 128)
    scale = blocks.abs().amax(dim=(1, 3)).clamp_min(1e-12) / 448
    codes = (blocks / scale[:, None, :, None]).to(torch.float8_e4m3fn).view(rows, columns)
    return Fp8Dequantize(None)._dequantize_one(codes, scale, torch.bfloat16)


def mxfp4(weights):
    """The shape is the transpose's, as the library returns it."""
    from transformers.integrations.mxfp4 import _convert_moe_packed_tensors
    blocks = weights.float().view(weights.shape[0], -1, 32)
    exponent = torch.floor(torch.log2(blocks.abs().amax(-1).clamp_min(1e-20))) - 2
    values = blocks / torch.exp2(exponent)[..., None]
    halfway = torch.tensor([.25, .75, 1.25, 1.75, 2.5, 3.5, 5])
    codes = (torch.bucketize(values.abs(), halfway) + 8 * (values < 0)).to(torch.uint8)
    packed = codes[..., 0::2] | codes[..., 1::2] << 4
    return _convert_moe_packed_tensors(packed[None], (exponent + 127).to(torch.uint8)[None], dtype=torch.bfloat16)


# -- AWQ: (code - zero) * scale, in fp16

def awq(weights):
    groups = weights.float().view(weights.shape[0], -1, 128)
    most, least = groups.amax(-1, keepdim=True), groups.amin(-1, keepdim=True)
    scale = ((most - least).clamp(min=1e-5) / 15).half()
    zero = (-torch.round(least / scale.float())).clamp(0, 15)
    codes = (torch.round(groups / scale.float()) + zero).clamp(0, 15)
    return ((codes - zero).to(torch.int8) * scale).view(weights.shape)


FP8, SYMMETRIC, ASYMMETRIC, INT8 = (41.5, 41.0), (22.3, 22.0), (23.2, 22.9), (45.8, 45.5)
ALL = ("bf16", "fp16", "fp32")
KINDS = {
    "hf-fp8-block": Kind(fp8_blocks, "transformers", FP8, rows=128, columns=128),
    "ct-fp8-channel": Kind(compressed_tensors(0, torch.float8_e4m3fn, num_bits=8, type="float", strategy="channel"),
                           "compressed-tensors", FP8),
    "ct-int4-g128": Kind(compressed_tensors(128, torch.int8, num_bits=4, type="int", strategy="group", group_size=128),
                         "compressed-tensors", SYMMETRIC, columns=128),
    "awq-int4-g128": Kind(awq, "AWQ's formula", ASYMMETRIC, ("fp16",), columns=128),
    "ao-int4-asym-g128": Kind(torchao(False, 128, torch.int32, 0, 15), "torchao", ASYMMETRIC, columns=128),
    "ct-nvfp4": Kind(nvfp4, "compressed-tensors", (26.8, 26.5), columns=16),
    "hf-mxfp4": Kind(mxfp4, "transformers", columns=32),
    "bnb-nf4": Kind(nf4(False), "bitsandbytes", (25.2, 25.1), columns=64),
    "bnb-nf4-dq": Kind(nf4(True), "bitsandbytes", (25.2, 25.1), columns=64),
    "bnb-int8": Kind(bitsandbytes_int8, "bitsandbytes", INT8, ALL),
    "ao-int8-channel": Kind(torchao(True, 0, torch.int8), "torchao", INT8),
    "gguf-q8_0": ggml_kind("q8_0", (50.6, 50.4), ALL),
    "gguf-q4_0": ggml_kind("q4_0", (25.6, 25.3), ("bf16", "fp16")),
    "gguf-q4_1": ggml_kind("q4_1"),
    "gguf-q5_0": ggml_kind("q5_0"),
    "gguf-iq4_nl": ggml_kind("iq4_nl"),
    "gguf-iq4_xs": ggml_kind("iq4_xs"),
    "gguf-q2_k": ggml_kind("q2_K"),
    "gguf-q3_k": ggml_kind("q3_K"),
    "gguf-q4_k": ggml_kind("q4_K", (27.6, 27.0), ALL),
    "gguf-q5_k": ggml_kind("q5_K"),
    "gguf-q6_k": ggml_kind("q6_K", (39.7, 39.3), ("bf16", "fp16")),
    "gguf-tq2_0": ggml_kind("tq2_0"),
}
NAMES = {f"{kind}-{dtype}": (kind, dtype) for kind, one in KINDS.items() for dtype in one.types}


def goals(name):
    """% of the file at levels 3 and 9, or nothing: twice the bits a value make half of it."""
    kind, dtype = NAMES[name]
    return tuple(goal / (2 if dtype == "fp32" else 1) for goal in KINDS[kind].goals)


def matrices(path):
    """The float matrices of at least 128 rows of a safetensors file or a torch zip, in bf16; a convolution's is one of a row
    for each output."""
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file
        found = load_file(path)
    else:
        found = torch.load(path, map_location="cpu", weights_only=True)
    flat = {name: value.reshape(value.shape[0], -1) for name, value in found.items() if value.dim() > 1}
    return {name: value.to(torch.bfloat16).contiguous() for name, value in flat.items()
            if value.is_floating_point() and value.shape[0] >= 128 and value.shape[1] % 128 == 0}


def write(name, weights, path, limit=None):
    """Writes the file of this name, of the first `limit` matrices that fit."""
    from safetensors.torch import save_file
    kind, dtype = NAMES[name]
    make, rows, columns = KINDS[kind].make, KINDS[kind].rows, KINDS[kind].columns
    fit = [key for key, value in weights.items() if value.shape[0] % rows == 0 and value.shape[1] % columns == 0]
    save_file({key: make(weights[key]).to(TYPES[dtype]).contiguous() for key in fit[:limit]}, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("folder", metavar="OUT", type=pathlib.Path)
    parser.add_argument("names", metavar="NAME", nargs="*", choices=[[], *NAMES], help="names of files (all)")
    parser.add_argument("--tensors", type=int, help="matrices a file (all)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    weights = matrices(arguments.model)
    for name in arguments.names or NAMES:
        write(name, weights, arguments.folder / f"{name}.safetensors", arguments.tensors)


if __name__ == "__main__":
    main()
