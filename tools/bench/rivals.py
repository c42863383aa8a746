#!/usr/bin/env python3
"""The sizes of swzip's rivals: every way each is used, in a process of its own, remembered by the file's SHA-256.

    rivals.py RIVAL WAY CUT FILE ELEMENT      one round trip: prints its bytes, or why it failed on standard error
"""
import functools
import hashlib
import importlib.metadata
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import typing
import zipfile

os.environ["BIGSMALL_DISABLE_VERSION_CHECK"] = "1"  # It asks PyPI at every import.

import numpy as np

import coders

CACHE = pathlib.Path(__file__).with_name("rivals.json")
LIMIT = 1800  # Seconds for one round trip.


class Way(typing.NamedTuple):
    """One way to use a rival: what makes its coder, on what it is tried, and whether its speed is measured.

    cuts: "whole" gives the file's bytes in one buffer, "tensors" a buffer for each tensor, "file" the file itself.
    """

    make: typing.Callable
    cuts: tuple = ("whole", "tensors")
    timed: bool = False


class Rival(typing.NamedTuple):
    """A column of the table: a package on PyPI and the ways to use it; the smallest counts."""

    title: str
    package: str
    ways: dict


def way(maker, *options, cuts=("whole", "tensors"), timed=False):
    return Way(lambda name, data, dtype: maker(name, data, dtype, *options), cuts, timed)


def archive(maker):
    return Way(maker, ("file",))


RIVALS = {
    "zipnn": Rival("ZipNN", "zipnn", {"core": way(coders.ZipNN, timed=True)}),
    "openzl": Rival("OpenZL", "openzl", {
        "torch": way(coders.OpenZL, "torch", timed=True), "fse": way(coders.OpenZL, "fse", timed=True),
        "generic": way(coders.OpenZL, "generic")}),
    "lmz": Rival("lmz", "lmzip", {"archive": archive(coders.LmzArchive), "chunks": way(coders.Lmz, timed=True)}),
    "z4ai": Rival("z4ai", "z4ai", {
        "buffer": way(coders.Z4ai, timed=True),
        "safetensors": archive(lambda name, data, path: coders.Z4aiArchive(name, data))}),
    "bigsmall": Rival("bigsmall", "bigsmall", {"default": archive(coders.BigSmall)}),
    "pcodec": Rival("pcodec", "pcodec", {
        "level 8": way(coders.Pcodec, 8, False, timed=True), "floats level 8": way(coders.Pcodec, 8, True),
        "level 12": way(coders.Pcodec, 12, False, cuts=("tensors",))}),
    "blosc2": Rival("Blosc2", "blosc2", {
        "shuffle zstd-1": way(coders.Blosc2, "SHUFFLE", "ZSTD", 1, timed=True),
        "shuffle zstd-9": way(coders.Blosc2, "SHUFFLE", "ZSTD", 9, cuts=("whole",)),
        "bitshuffle lz4-5": way(coders.Blosc2, "BITSHUFFLE", "LZ4", 5, timed=True)}),
    "planes": Rival("byte planes", "zstandard", {
        "zstd-1": way(coders.Planes, 1, timed=True), "zstd-9": way(coders.Planes, 9, cuts=("whole",))}),
    "zstd-3": Rival("zstd -3", "zstandard", {
        "": Way(lambda name, data, dtype: coders.Zstd(name, data, 3), ("whole",), True)}),
    "zstd-19": Rival("zstd -19", "zstandard", {
        "": Way(lambda name, data, dtype: coders.Zstd(name, data, 19), ("whole",))}),
}


def version(rival):
    try:
        return importlib.metadata.version(RIVALS[rival].package)
    except importlib.metadata.PackageNotFoundError:
        return None


def tensor_spans(path, data, dtype):
    """(start, stop, element type) of each tensor of a safetensors file or a torch zip; None for other formats.

    The storages of a torch zip are all taken for `dtype`, which holds for all but a few small ones in the files here.
    """
    if path.suffix == ".safetensors":
        end, entries = coders.safetensors_header(data)
        spans = [(end + entry["data_offsets"][0], end + entry["data_offsets"][1], entry["dtype"])
                 for entry in entries.values()]
        return [(start, stop, kind if kind in coders.WIDTHS else "U8") for start, stop, kind in spans]
    if not zipfile.is_zipfile(path):
        return None

    def start_of(member):
        name_length, extra_length = np.frombuffer(data, "<u2", 2, member.header_offset + 26)
        return member.header_offset + 30 + int(name_length) + int(extra_length)

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(start_of(member), start_of(member) + member.file_size, dtype) for member in archive.infolist()
                if "/data/" in member.filename and member.compress_type == zipfile.ZIP_STORED]


def whole_elements(spans):
    """The spans without bytes that are no whole element: several rivals refuse or mistreat those."""
    cut = ((start, stop - (stop - start) % coders.WIDTHS[dtype], dtype) for start, stop, dtype in spans)
    return [(start, stop, dtype) for start, stop, dtype in cut if stop > start]


def coder(rival, name, cut, path, data, dtype):
    """A coder of the file, or None where this cut means nothing for it."""
    make = RIVALS[rival].ways[name].make
    if cut == "file":
        only_safetensors = rival in ("bigsmall", "z4ai")
        return None if only_safetensors and path.suffix != ".safetensors" else make(rival, data, path)
    spans = [(0, len(data), dtype)] if cut == "whole" else tensor_spans(path, data, dtype)
    return None if spans is None else coders.Pieces(rival, data, whole_elements(spans), make)


def round_trip(rival, name, cut, path, dtype):
    """The bytes of a round trip of the file, compared; None where the way does not apply."""
    data = path.read_bytes()
    one = coder(rival, name, cut, path, data, dtype)
    if one is None:
        return None
    one.prepare()
    one.encode()
    if one.content(one.decode()) != data:
        raise ValueError("the decoded bytes differ from the file's")
    return one.size()


def attempt(rival, name, cut, path, dtype):
    """The same in a process of its own: {"bytes": n}, {"failed": why}, or None."""
    command = [sys.executable, __file__, rival, name, cut, str(path), dtype]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return {"failed": f"no end within {LIMIT} s"}
    if run.returncode < 0:
        return {"failed": f"its process died of {signal.Signals(-run.returncode).name}"}
    if run.returncode:
        return {"failed": (run.stderr.strip().splitlines() or ["no reason given"])[-1]}
    byte_count = json.loads(run.stdout.splitlines()[-1])
    return None if byte_count is None else {"bytes": byte_count}


def entropy_bits(elements):
    """Order-0 entropy, in bits, of all elements together."""
    counts = np.bincount(elements)
    counts = counts[counts > 0]
    return float((counts * np.log2(elements.size / counts)).sum())


def field_entropy(data, spans):
    """Bytes of the file if each field of each span costs its order-0 entropy, and the rest is kept.

    The fields of a float: exponent; sign and the seven top bits of the mantissa (what there is of them); each lower
    byte. 8-bit types are one field. Spans under 2 KiB are kept: without the cost of tables their entropy means little.
    """
    total = len(data)
    for start, stop, dtype in spans:
        if stop - start < 2048:
            continue
        raw = np.frombuffer(data, f"<u{coders.WIDTHS[dtype]}", (stop - start) // coders.WIDTHS[dtype], start)
        if dtype in ("BF16", "F32", "F16"):
            exponent_bits, mantissa_bits = {"BF16": (8, 7), "F32": (8, 23), "F16": (5, 10)}[dtype]
            low = max(0, mantissa_bits - 7)
            sign = raw >> exponent_bits + mantissa_bits
            fields = [raw >> mantissa_bits & (1 << exponent_bits) - 1, sign << 7 | raw >> low & 127]
            fields += [raw >> at & (1 << min(8, low - at)) - 1 for at in range(0, low, 8)]
        else:
            fields = [raw]
        total -= (stop - start) - sum(entropy_bits(field) for field in fields) / 8
    return total


def entropies(path, data, dtype):
    """The bound with one table per field for the whole file, and with tables for each tensor, in bytes."""
    spans = tensor_spans(path, data, dtype)
    if spans is None:
        return {"file": field_entropy(data, [(0, len(data), dtype)]) if dtype == "U8" else None, "tensors": None}
    spans = whole_elements(spans)
    joined, by_type = io.BytesIO(), {}
    for start, stop, kind in spans:
        by_type.setdefault(kind, []).append(data[start:stop])
    merged = []
    for kind, parts in by_type.items():
        start = joined.tell()
        joined.write(b"".join(parts))
        merged.append((start, joined.tell(), kind))
    rest = len(data) - joined.tell()
    return {"file": rest + field_entropy(joined.getvalue(), merged), "tensors": field_entropy(data, spans)}


@functools.cache
def load_cache():
    return json.loads(CACHE.read_text()) if CACHE.exists() else {}


def save_cache():
    unfinished = CACHE.with_suffix(".part")
    unfinished.write_text(json.dumps(load_cache(), indent=1, sort_keys=True) + "\n")
    unfinished.replace(CACHE)


def sizes(path, file_name, dtype, chosen, say, again=False):
    """The results of the chosen rivals, {rival: {"way, cut": result}}; those not remembered are measured."""
    data = path.read_bytes()
    cache, digest = load_cache(), hashlib.sha256(data).hexdigest()
    for other in [key for key, value in cache.items() if value["file"] == file_name and key != digest]:
        del cache[other]  # The file was another one then.
    entry = cache.setdefault(digest, {})
    entry["file"], entry["bytes"] = file_name, len(data)
    if "entropy" not in entry:
        entry["entropy"] = entropies(path, data, dtype)
        save_cache()
    results = {}
    for rival in chosen:
        installed = version(rival)
        if installed is None:
            results[rival] = newest(entry, rival) or {"": {"failed": "not installed"}}
            continue
        known = entry.setdefault("rivals", {}).setdefault(f"{rival} {installed}", {})
        for name, one in RIVALS[rival].ways.items():
            for cut in one.cuts:
                key = ", ".join(filter(None, (name, cut)))
                if key not in known or again:
                    say(f"{file_name}: {rival} {key}")
                    known[key] = attempt(rival, name, cut, path, dtype)
                    save_cache()
        results[rival] = {key: result for key, result in known.items() if result}
    return results


def newest(entry, rival):
    """What is remembered of a rival that is not installed here."""
    kept = [key for key in entry.get("rivals", {}) if key.rsplit(" ", 1)[0] == rival]
    return {key: result for key, result in entry["rivals"][kept[-1]].items() if result} if kept else None


def best(results):
    """(bytes, way) of the smallest result, or None."""
    done = [(result["bytes"], key) for key, result in results.items() if "bytes" in result]
    return min(done) if done else None


if __name__ == "__main__":
    try:
        rival, name, cut, path, dtype = sys.argv[1:]
        print(json.dumps(round_trip(rival, name, cut, pathlib.Path(path), dtype)), flush=True)
        os._exit(0)  # OpenZL's bindings abort when the interpreter takes its objects down.
    except Exception as error:  # One line for the footnote.
        sys.exit(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"[:200])
