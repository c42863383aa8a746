"""ZipNN on a file of bf16, since its package has no command:  zipnn_file.py pack|unpack THREADS FROM TO

Its C core as its Python layer calls it, without the seconds that importing torch takes. The length stands in its header.
"""
import pathlib
import sys

import zipnn_core

HEADER = 32
PLANES, BIT_ORDER, BYTE_ORDER, CHUNK = 2, 1, 10, 1 << 18  # Those of bf16 in coders/weights.py.


def pack(data, threads):
    header = bytearray(len(data).to_bytes(8, "little")).ljust(HEADER, b"\0")
    return zipnn_core.zipnn_core(header, bytearray(data), PLANES, BIT_ORDER, BYTE_ORDER, 0, CHUNK, 0.95, 10, threads)


def unpack(data, threads):
    count = int.from_bytes(data[:8], "little")
    return zipnn_core.combine_dtype(memoryview(data)[HEADER:], PLANES, BIT_ORDER, BYTE_ORDER, CHUNK, count, threads)


verb, threads, source, target = sys.argv[1:]
result = {"pack": pack, "unpack": unpack}[verb](pathlib.Path(source).read_bytes(), int(threads))
pathlib.Path(target).write_bytes(result)
