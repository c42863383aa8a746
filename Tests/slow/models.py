"""Makes safetensors files for the slow checks, of the standard library only and the same on every run."""

import json
import math
import random
import sys


def gaussian_exponents():
    """256 high bytes of bf16 as often as a gaussian of deviation 0.02 has them."""
    high = []
    for step in range(256):
        share = (step % 128 + 0.5) / 128
        value = 0.02 * math.sqrt(2) * _inverse_erf(share)
        exponent = max(0, math.frexp(value)[1] + 126)
        high.append(exponent >> 1 | (128 if step >= 128 else 0))
    return bytes(high)


def _inverse_erf(y):
    low, high = 0.0, 6.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if math.erf(middle) < y else (low, middle)
    return low


def bf16(source, count):
    """Looks like weights: skewed signs and exponents, flat mantissas."""
    out = bytearray(2 * count)
    out[0::2] = source.randbytes(count)
    out[1::2] = source.randbytes(count).translate(gaussian_exponents())
    return bytes(out)


def model(byte_count, seed=1):
    """A file of about `byte_count` bytes: bf16, a copy of a tensor, f32, i8, random bytes, zeros."""
    source = random.Random(seed)
    share = max(4096, byte_count // 16 // 256 * 256)
    weights = bf16(source, share * 2)
    f32 = bytearray(share * 2)
    f32[0::4], f32[1::4] = source.randbytes(share // 2), source.randbytes(share // 2)
    f32[2::4], f32[3::4] = (lambda b: (b[0::2], b[1::2]))(bf16(source, share // 2))
    small = bf16(source, 640)
    tensors = [
        ("layers.0.weight", "BF16", [share * 2 // 64, 64], weights),
        ("layers.0.bias", "BF16", [64], small[:128]),
        ("layers.1.weight", "BF16", [share * 2 // 64, 64], weights),
        ("layers.1.norm", "BF16", [576], small[128:]),
        ("scales", "F32", [share // 2], bytes(f32)),
        ("bytes", "I8", [share], source.randbytes(share).translate(bytes(i // 16 for i in range(256)))),
        ("random", "U8", [share], source.randbytes(share)),
        ("zeros", "BF16", [share // 2], bytes(share)),
        ("more.weight", "BF16", [share], bf16(source, share)),
    ]
    rest = byte_count - sum(len(data) for *_, data in tensors)
    if rest >= 512:
        tensors.append(("last.weight", "BF16", [rest // 2], bf16(source, rest // 2)))
    header, offset = {}, 0
    for name, dtype, shape, data in tensors:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(data for *_, data in tensors)


if __name__ == "__main__":
    with open(sys.argv[1], "wb") as file:
        file.write(model(int(sys.argv[2])))
