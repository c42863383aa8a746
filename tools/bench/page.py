"""TABLE.md from what table.json and rivals.json hold."""
import rivals

NOTES = """\
Sizes are whole files in % of the original; bold is the smallest of a row. Every figure comes from a round trip that
was compared byte for byte (bigsmall gives back tensors: those are compared). "H" is what the file would take if each
field of its numbers (exponent; sign and top seven mantissa bits; each lower byte) cost its order-0 entropy, without
tables or anything else, once with one distribution for the file and once for each tensor: a mark to compare with, not
a limit.

Each rival is used in every way that rivals.py lists, on the file as a whole and, for safetensors and torch zips, on
one buffer for each tensor with that tensor's type (the bytes between kept, 8 bytes for a length); its smallest result
counts.

- ZipNN: its C core in the mode of the type, called as its Python layer calls it.
- OpenZL: in 1 MiB pieces, the graph of its pytorch profile (exponents in Huffman code, the rest stored), exponents in
  FSE code with its generic compressor for the rest, and that compressor for whole numbers. No trained compressor.
- lmz: its archive, and its chunks without an archive. z4ai: buffers and its safetensors container, at the default
  effort (`effort="max"` encodes at 0.3 MB/s and was not run). bigsmall: its default; it reads safetensors only.
- pcodec: unsigned integers and floats at level 8, unsigned integers at level 12. Blosc2: shuffle with zstd -1 and -9,
  bitshuffle with lz4. Byte planes: with zstd -1 and -9.
- Bytes after the last whole element of a buffer are kept as they are: ZipNN and pcodec refuse or mistreat them.

Speeds are multiples of the processor time that memcpy takes for the original (lower is better), one thread on one
core, medians of interleaved rounds in one process, in memory; bold is the fastest of a row. swzip decodes under the
loader's policy, which compares the hash of what each block decodes to; OpenZL and lmz check theirs, ZipNN, z4ai,
Blosc2, pcodec and zstd none. swzip encodes with both its hashes, on whole files with their headers. Of a rival's two
cuts the one with the smaller result is timed. bigsmall, zstd -19 and the ways of a rival that are left out here are
slow."""


def cell(value, is_bold, digits=2):
    text = f"{value:.{digits}f}"
    return f"**{text}**" if is_bold else text


def grid(header, rows):
    """A Markdown table, numbers to the right."""
    lines = ["| " + " | ".join(header) + " |", "|---|" + "---:|" * (len(header) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def reason(results):
    """Why there is no size, from what is remembered of a rival for a file."""
    if results is None:
        return "not measured"
    return "; ".join(sorted({result["failed"] for result in results.values()})) or "does not read this format"


class Footnotes:
    """Reasons, numbered in the order in which they come up."""

    def __init__(self):
        self.texts = []

    def dash(self, text):
        if text not in self.texts:
            self.texts.append(text)
        return f"–<sup>{self.texts.index(text) + 1}</sup>"

    def render(self):
        return "\n".join(f"{number}. {text}" for number, text in enumerate(self.texts, 1))


def sizes_part(report, cache, files, chosen):
    """The table of sizes, and the rows that swzip does not win."""
    files = [file for file in files if file in report["sizes"]]
    levels = sorted({level for file in files for level in report["sizes"][file]}, key=int)
    notes, rows, lost, failed_ways = Footnotes(), [], [], []
    for file in files:
        entry = next((entry for entry in cache.values() if entry.get("file") == file), None)
        if entry is None:
            continue
        ours = report["sizes"][file]
        results = {rival: rivals.newest(entry, rival) for rival in chosen}
        theirs = {rival: rivals.best(result or {}) for rival, result in results.items()}
        smallest = min([*ours.values(), *(best[0] for best in theirs.values() if best)])
        percent = 100 / entry["bytes"]

        def show(count):
            return cell(count * percent, count == smallest)

        row = [file, f"{entry['bytes'] / 1e6:.1f}"]
        row += [show(ours[level]) if level in ours else "" for level in levels]
        row += [show(theirs[rival][0]) if theirs[rival] else notes.dash(reason(results[rival]))
                for rival in chosen]
        bounds = [entry["entropy"][scope] for scope in ("file", "tensors")]
        row.append(" / ".join(f"{bound * percent:.2f}" if bound else "–" for bound in bounds))
        rows.append(row)
        for rival in chosen:
            if theirs[rival]:
                failed_ways += [f"{rivals.RIVALS[rival].title} ({way}) on {file}: {result['failed']}"
                                for way, result in results[rival].items() if "failed" in result]
        best_level = min(ours, key=lambda level: (ours[level], int(level)))
        if ours[best_level] > smallest:
            winners = sorted((best[0], best[1], rival) for rival, best in theirs.items()
                             if best and best[0] < ours[best_level])
            lost.append(f"- {file}: swzip -{best_level} {ours[best_level] * percent:.2f}; " + ", ".join(
                f"{rivals.RIVALS[rival].title} {count * percent:.2f} ({way})" for count, way, rival in winners))
    header = ["file", "MB", *(f"swzip -{level}" for level in levels), *(rivals.RIVALS[rival].title for rival in chosen),
              "H file / tensors"]
    parts = ["## Sizes", grid(header, rows), notes.render()]
    if failed_ways:
        parts.append("Ways that failed where another way of the rival did not:\n\n"
                     + "\n".join(f"- {text}" for text in failed_ways))
    return parts + [f"### Where swzip is not the smallest ({len(lost)} of {len(rows)})", "\n".join(lost) or "Nowhere."]


def speed_rows(rows):
    """The rows of a speed run that are shown, by coder: rivals, and swzip under the loader's policy."""
    return {row["coder"]: row for row in rows if row["policy"] in ("", "loader")}


def speeds_part(report, files):
    """One table for each direction, and the rows whose level-3 decode is not the fastest."""
    runs = {file: speed_rows(report["speeds"][file]["rows"]) for file in files if file in report["speeds"]}
    if not runs:
        return []
    names = list(dict.fromkeys(name for run in runs.values() for name in run))
    names.sort(key=lambda name: not name.startswith("swzip"))
    titles = [name.replace("swzip-", "swzip -") for name in names]
    parts = []
    for side in ("decode", "encode"):
        table = []
        for file, run in runs.items():
            fastest = min(row[side]["x_memcpy"] for row in run.values())
            table.append([file, f"{report['speeds'][file]['memcpy_gb_per_s']:.1f}"] + [
                cell(run[name][side]["x_memcpy"], run[name][side]["x_memcpy"] == fastest, 1) if name in run else "–"
                for name in names])
        parts += [f"## {side.capitalize()}, x memcpy", grid(["file", "memcpy GB/s", *titles], table)]
    lost = []
    for file, run in runs.items():
        ours = run.get("swzip-3")
        if ours is None:
            continue
        faster = sorted((row["decode"]["x_memcpy"], name, row["size_percent"]) for name, row in run.items()
                        if not name.startswith("swzip") and row["decode"]["x_memcpy"] < ours["decode"]["x_memcpy"])
        if faster:
            ranked = [(ours["decode"]["x_memcpy"], "swzip -3", ours["size_percent"]), *faster]
            lost.append(f"- {file}: "
                        + ", ".join(f"{name} {ratio:.2f} at {percent:.2f} %" for ratio, name, percent in ranked))
    parts += [f"### Where a rival decodes faster than swzip -3 ({len(lost)} of {len(runs)})",
              "\n".join(lost) or "Nowhere."]
    missing = [f"- {name} on {file}: {why}"
               for file in runs for name, why in report["speeds"][file]["not_measured"].items()]
    return parts + (["Not timed:", "\n".join(missing)] if missing else [])


def levels_part(report, files):
    """Each level's size, encode and decode on a few files."""
    runs = {file: speed_rows(report["levels"][file]["rows"]) for file in files if file in report["levels"]}
    if not runs:
        return []
    names = list(dict.fromkeys(name for run in runs.values() for name in run))
    rows = []
    for name in names:
        row = [name.replace("swzip-", "")]
        for run in runs.values():
            one = run[name]
            row += [f"{one['size_percent']:.2f}", f"{one['encode']['x_memcpy']:.1f}",
                    f"{one['decode']['x_memcpy']:.2f}"]
        rows.append(row)
    header = ["level"] + [text for file in runs for text in (f"{file}: %", "encode", "decode")]
    return ["## What each level costs and gains",
            "Size in %; encode, and decode under the loader's policy, in multiples of memcpy.", grid(header, rows)]


def render(report, cache, files, chosen):
    """The page for these files and rivals."""
    machine = report["machine"]
    parts = ["# swzip and its rivals", "Written by `tools/bench/table`; do not edit."]
    if machine:
        versions = {rivals.RIVALS[rival].package: version for rival, version in machine["versions"].items() if version}
        parts.append(f"{machine['cpu']} (family and model {' '.join(machine['cpu_family_model'])}), "
                     f"{machine['cores']} cores, {machine['time'][:10]}. "
                     + ", ".join(f"{package} {version}" for package, version in versions.items()) + ".")
    parts.append(NOTES)
    parts += sizes_part(report, cache, files, chosen) + speeds_part(report, files) + levels_part(report, files)
    return "\n\n".join(part for part in parts if part) + "\n"
