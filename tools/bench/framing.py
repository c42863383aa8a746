#!/usr/bin/env python3
"""What a container of 16-bit floats spends on framing.

    framing.py FILE.swz

Framing is all but what codes values: headers, sub-stream lengths, padding, block tables, directory, trailer. Raw planes,
sub-streams, row groups, patches, code tables and payloads of other modes are not framing (spec/FORMAT.md, codecs/).
"""
import pathlib
import struct
import sys

RAW_UNIT_BYTES = {(1, 0): 256, (1, 1): 224, (2, 1): 320}  # (element type, J): BF16 and F16


def tables_end(frame):
    """Where the code tables of a segment frame end (codecs/huffman.md)."""
    at = 48
    for _ in range(frame[43]):
        runs, at = frame[at], at + 1
        for _ in range(runs):
            at += 2 + (frame[at + 1] + 2) // 2
    return at


def coding_bytes(frame, segment):
    """Bytes of a block frame that code its values."""
    count, mode, flags = struct.unpack_from("<I", frame, 4)[0], frame[24], frame[25]
    if mode in (2, 3):
        return struct.unpack_from("<I", frame, 28)[0]
    if mode != 4 or (segment[40], segment[42]) not in RAW_UNIT_BYTES:
        return len(frame) - 32
    wide = flags & 1
    base = struct.unpack_from("<H", frame, 26)[0]
    streams = 32 * base + sum(struct.unpack_from("<32H" if wide else "<32B", frame, 32))
    row_length = struct.unpack_from("<I", segment, 36)[0]
    groups = (count // row_length + 3) // 4 if flags & 2 else 0
    raw = (count + 255) // 256 * RAW_UNIT_BYTES[segment[40], segment[42]]
    patches = 0
    if flags & 4:
        at = (64 + 32 * wide + groups + 15) // 16 * 16 + raw + streams
        patches = 2 + 6 * struct.unpack_from("<H", frame, at + at % 2)[0]
    return raw + streams + groups + patches


def main(path):
    data = pathlib.Path(path).read_bytes()
    end = struct.unpack_from("<Q", data, len(data) - 64)[0]
    at, coding, segment = 64, 0, b""
    while at < end:
        frame = data[at:at + 16 * int.from_bytes(data[at:at + 3], "little")]
        if frame[3] == ord("S"):
            segment = frame
            coding += tables_end(frame) - 48
        elif frame[3] == ord("B"):
            coding += coding_bytes(frame, segment)
        at += len(frame)
    framing = len(data) - coding
    print(f"{framing} of {len(data)} bytes are framing: {100 * framing / len(data):.4f} %")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip().splitlines()[2].strip())
    main(sys.argv[1])
