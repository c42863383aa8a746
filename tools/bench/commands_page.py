"""COMMANDS.md from what commands.json holds."""
import page

NOTES = """\
A bf16 model of {megabytes:.0f} MB: MiniLM's matrices again and again, each time with their rows in another order. Its base is
as large, and every value of it differs by noise of 1 % of its row's scale. Inputs are in the page cache, and the disk
({file_system}) has nothing left to write when a command starts; medians of {rounds} rounds, in which all commands take turns.
What came back was compared byte for byte.

GB/s counts bytes of the model. Processor seconds are those of user and system, of all threads; the peak is the most
memory of a round (the script that starts the commands has {least:.0f} MiB, and less cannot be told). "x dd" is the time over
that of `dd conv=fsync` in the same round. dd and swzip end when their file is on the disk; cp, zstd and ZipNN when the system
has taken it.

Limit says what takes the larger part of the time: *processor*, the processor seconds by the threads (at most the
{processors} processors), or *disk*, what dd takes for as many bytes as are written; *waiting*, where both together are less
than three quarters: for a thread that works alone, a disk that was slower than for dd, or other work on the machine.

ZipNN's package has no command: its C core, on a file that is read and written at once. zstd unpacks by one thread."""


def render(report):
    machine, rows = report["machine"], report["rows"]
    parts = ["# Whole commands", "Written by `tools/bench/commands`; do not edit."]
    parts.append(f"{machine['cpu']} (family and model {' '.join(machine['cpu_family_model'])}), {report['processors']} "
                 f"processors, {machine['time'][:10]}. {report['program']}, zstd {report['zstd']}, "
                 f"zipnn {machine['versions']['zipnn'] or 'left out'}.")
    parts.append(NOTES.format(megabytes=report["bytes"] / 1e6, file_system=report["file_system"], rounds=report["rounds"],
                              least=min(row["peak_mib"] for row in rows), processors=report["processors"]))
    header = ["command", "threads", "seconds", "GB/s", "processor s", "peak MiB", "x dd", "limit"]
    parts.append(page.grid(header, [
        [row["command"], str(row["threads"]), f"{row['seconds']:.2f}", f"{row['gb_per_s']:.2f}",
         f"{row['processor_seconds']:.2f}", f"{row['peak_mib']:.0f}", f"{row['over_dd']:.2f}", row["limit"]]
        for row in rows]))
    sizes = {row["command"]: row["written_bytes"] for row in rows if 0 < row["written_bytes"] < report["bytes"]}
    parts.append("Sizes, in % of the model: " + ", ".join(
        f"{command} {100 * size / report['bytes']:.2f}" for command, size in sizes.items()) + ".")
    return "\n\n".join(parts) + "\n"
