#!/usr/bin/env python3
"""What archives of checkpoints take with moments within a bound, and what that costs, beside pruning and quantisation.

    moments.py --program SWZIP FOLDER        prints MOMENTS.md

FOLDER holds the safetensors files of CHECKPOINTS, in mixed precision: weights in BF16, and in F32 under `optimizer.` `master.`,
`exp_avg.` and `exp_avg_sq.`. Each archive is restored; all but moments must be what it was, and the bound must hold of each value, as
numpy computes it from the file and what is restored.

The rival prunes and quantises as ExCP does and as Kim and Belyaev do, made anew from what they publish: the change of the weights
since the checkpoint before, without what is below half its median; moments where the change is kept and |m| is above twice
its mean; 15 levels a tensor by Lloyd's algorithm; then the entropy of the levels in the context of those in the same places before.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np

CHECKPOINTS = (600, 750, 900, 901)
POLICIES = ("exact", "relative:2^-8", "update:1/64")
LEVELS = ("-3", "-7")
SHOWN = 900  # whose tensors' bits and errors are shown


def tensors(path):
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    found = {}
    for name, entry in json.loads(data[8:start]).items():
        if name != "__metadata__":
            kind = {"F32": np.float32, "BF16": np.uint16}[entry["dtype"]]
            found[name] = np.frombuffer(data[slice(*(start + at for at in entry["data_offsets"]))], kind)
    return found


def pairs(found):
    """First and second moments, as numbers of 64 bits."""
    for name in found:
        if name.startswith("optimizer.exp_avg."):
            second = name.replace(".exp_avg.", ".exp_avg_sq.")
            yield found[name].astype(np.float64), found[second].astype(np.float64), name.removeprefix("optimizer.exp_avg.")


def update(m, v):
    return np.divide(m, np.sqrt(v), out=np.zeros_like(m), where=v > 0)


def errors(before, after):
    """Errors of the update: the root of their mean square beside that of the update, and the largest."""
    squares = whole = largest = 0.0
    for (m, v, _), (new_m, new_v, _) in zip(pairs(before), pairs(after), strict=True):
        was = update(m, v)
        change = np.abs(update(new_m, new_v) - was)
        squares, whole = squares + (change**2).sum(), whole + (was**2).sum()
        largest = max(largest, change.max())
    return (squares / whole) ** 0.5, largest


def check(policy, before, after):
    """All but moments is what it was, and the bound holds."""
    for name, values in before.items():
        if policy == "exact" or ".exp_avg" not in name:
            assert np.array_equal(values.view(np.uint8), after[name].view(np.uint8)), name
    for (m, v, _), (new_m, new_v, name) in zip(pairs(before), pairs(after), strict=True):
        if policy == "relative:2^-8":
            assert (np.abs(new_m - m) <= np.abs(m) / 256).all() and (np.abs(new_v - v) <= v / 256).all(), name
        if policy == "update:1/64":
            assert (np.abs(update(new_m, new_v) - update(m, v)) <= 1 / 64).all(), name
            assert (np.abs(new_v - v) <= v / 16).all() and np.array_equal(m[v == 0], new_m[v == 0]), name


class Archive:
    """One archive of all checkpoints, restored and checked."""

    def __init__(self, program, source, place, policy, level):
        def run(*words):
            return subprocess.run([program, *map(str, words)], check=True, capture_output=True, text=True).stdout

        run("archive", "init", place)
        self.sizes, self.bits = {}, {}
        for step in CHECKPOINTS:
            name = f"ckpt-{step}.safetensors"
            added = json.loads(run("archive", "add", place, source / name, level, "--moments", policy, "--json"))
            self.sizes[step] = added["out_bytes"]
            run("archive", "restore", place, step, "-o", place / f"out-{step}")
            before, after = tensors(source / name), tensors(place / f"out-{step}" / name)
            check(policy, before, after)
            if step == SHOWN:
                self.errors = errors(before, after)
                self.add_bits(json.loads(run("inspect", "--json", added["out"]))["tensors"])

    def add_bits(self, found):
        for kind in ("exp_avg", "exp_avg_sq", "master"):
            mine = [tensor for tensor in found if tensor["name"].startswith(f"optimizer.{kind}.")]
            self.bits[kind] = 8 * sum(t["packed_bytes"] for t in mine) / sum(t["bytes"] // 4 for t in mine)


def lloyd(values, levels=15, rounds=12):
    """Each value's level, from 1 on, and the levels."""
    centers = np.quantile(values, (np.arange(levels) + 0.5) / levels)
    for _ in range(rounds):
        index = np.searchsorted((centers[1:] + centers[:-1]) / 2, values)
        counts = np.bincount(index, minlength=levels)
        centers = np.where(counts > 0, np.bincount(index, values, levels) / np.maximum(counts, 1), centers)
    return np.searchsorted((centers[1:] + centers[:-1]) / 2, values) + 1, centers


def entropy(symbols, contexts):
    """Bits of symbols of 0 to 15, each given a context of as many, by the counts of a tensor."""
    counts = np.bincount(16 * contexts + symbols, minlength=256).reshape(16, 16).astype(float)
    sums = counts.sum(1, keepdims=True)
    shares = np.divide(counts, sums, out=np.ones_like(counts), where=counts > 0)
    return -(counts * np.log2(shares)).sum()


def pruned(before, now):
    """The symbols of a checkpoint's change, first and second moments, by tensor, and the moments that come back."""
    symbols, back = {}, {}
    old = {name: values.astype(np.float64) for name, values in before.items() if "master" in name}
    for m, v, name in pairs(now):
        change = now["optimizer.master." + name].astype(np.float64) - old["optimizer.master." + name]
        kept = np.abs(change) > 0.5 * np.median(np.abs(change))
        moments = kept & (np.abs(m) > 2 * np.abs(m).mean())
        for kind, values, mask in (("change", change, kept), ("exp_avg", m, moments), ("exp_avg_sq", v, moments)):
            index, restored = np.zeros(values.size, np.int64), np.zeros(values.size)
            if mask.any():
                index[mask], centers = lloyd(values[mask])
                restored[mask] = centers[index[mask] - 1]
            symbols[kind, name], back[kind, name] = index, restored
    return symbols, back


def rival(files):
    """Bits a value by kind, error of the update, share of the energy of m that is lost, error of the weights' change."""
    before, (now, back) = pruned(files[600], files[750])[0], pruned(files[750], files[SHOWN])
    bits, counts, lost, energy = {}, {}, 0.0, 0.0
    for (kind, name), symbols in now.items():
        bits[kind] = bits.get(kind, 0) + entropy(symbols, before[kind, name])
        counts[kind] = counts.get(kind, 0) + symbols.size
    squares = whole = 0.0
    missed = moved = 0.0
    for m, v, name in pairs(files[SHOWN]):
        new_m, new_v = back["exp_avg", name], back["exp_avg_sq", name]
        lost, energy = lost + ((new_m - m) ** 2).sum(), energy + (m**2).sum()
        squares += ((update(new_m, new_v) - update(m, v)) ** 2).sum()
        whole += (update(m, v) ** 2).sum()
        change = files[SHOWN]["optimizer.master." + name].astype(np.float64) - files[750]["optimizer.master." + name]
        missed, moved = missed + ((back["change", name] - change) ** 2).sum(), moved + (change**2).sum()
    return ({kind: bits[kind] / counts[kind] for kind in bits}, (squares / whole) ** 0.5, lost / energy, (missed / moved) ** 0.5)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default="swzip")
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    files = {step: tensors(arguments.folder / f"ckpt-{step}.safetensors") for step in CHECKPOINTS}
    whole = sum((arguments.folder / f"ckpt-{step}.safetensors").stat().st_size for step in CHECKPOINTS)
    print(f"""# Moments within a bound

Archives of {len(CHECKPOINTS)} checkpoints of a mixed-precision run ({', '.join(map(str, CHECKPOINTS))}; {whole:,} bytes). Made by `tools/bench/moments`, which restores each
and finds weights and masters the same to the bit, and the bound kept by each value, by numpy. Bits a value and errors are those of
step {SHOWN}. The update is m / sqrt(v), what Adam makes of the state, in units of the learning rate; its error is the root of the mean
square beside that of the update, and the largest of all.

| moments | archive | ratio | m | v | master | error of the update | largest |
|---|---|---|---|---|---|---|---|""")
    for policy in POLICIES:
        for level in LEVELS:
            with tempfile.TemporaryDirectory() as place:
                made = Archive(arguments.program, arguments.folder, pathlib.Path(place) / "run", policy, level)
            size, (mean, largest) = sum(made.sizes.values()), made.errors
            bits = " | ".join(f"{made.bits[kind]:.2f}" for kind in ("exp_avg", "exp_avg_sq", "master"))
            print(f"| `{policy}`, {level} | {size:,} | {whole / size:.2f} | {bits} | {100 * mean:.2f} % | {largest:.4f} |")
    bits, error, lost, missed = rival(files)
    print(f"""
Pruning and 15 levels a tensor, as ExCP and Kim and Belyaev do it, with contexts from the checkpoint before, of the same step {SHOWN} given 750
(entropies, without levels and tables; made anew, as neither can be had):

| | bits a value | what is lost |
|---|---|---|
| change of the weights | {bits['change']:.2f} | {100 * missed:.1f} % of it (root of the mean square), in each checkpoint of a chain |
| first moments | {bits['exp_avg']:.2f} | {100 * lost:.0f} % of their energy |
| second moments | {bits['exp_avg_sq']:.2f} | those of pruned values; the update is off by {100 * error:.0f} %, without a bound |

That is {sum(bits.values()):.1f} bits a parameter, for other weights and another optimizer, beside {sum(made.bits.values()):.1f}. With `update:1/64` no weight changes, and a run that is resumed takes the step
that it would have taken, within 1/64 of the learning rate for each weight: {100 * made.errors[0]:.1f} % of it. The weights are most of what is left.""")


main()
