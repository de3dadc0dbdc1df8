"""Writes the corpora of fuzz_codec and fuzz_filter beside this file. The filtered blocks are put together by hand from
docs/filters.md. lz4 streams need the package lz4; without it those that are there stay."""

import os
import struct
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))


def write(folder, name, content):
    path = os.path.join(HERE, "corpus", folder)
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, name), "wb") as f:
        f.write(content)


def stored(codec, raw, stream):
    return struct.pack("<BH", codec, len(raw)) + stream


def codec_corpus():
    raw = b"".join(struct.pack("<qd", i % 7, i / 4) for i in range(40))
    write("codec", "none", stored(0, raw[:40], raw[:40]))
    for level in (0, 1, 6):
        write("codec", f"zlib_{level}", stored(2, raw, zlib.compress(raw, level)))
    write("codec", "zlib_long", stored(2, bytes(60000), zlib.compress(bytes(60000))))
    write("codec", "zlib_two", stored(2, raw, zlib.compress(raw) + zlib.compress(raw)))
    try:
        import lz4.block
    except ImportError:
        return
    write("codec", "lz4", stored(1, raw, lz4.block.compress(raw, store_size=False)))
    write("codec", "lz4_long", stored(1, bytes(60000), lz4.block.compress(bytes(60000), store_size=False)))


def column(bytes_, flags=0, width=0, shift=0, like=0, bias=0, form=1, rest=b""):
    return struct.pack("<BBBBHHQ", form, flags, width, shift, bytes_, like, bias) + rest


def block(row_bytes, head, first, ends, columns, raw_bytes):
    header = struct.pack("<HHHHQ", len(columns), row_bytes, head, 0, first)
    return struct.pack("<BH", 0, raw_bytes) + header + ends + b"".join(columns)


def filter_corpus():
    rows = 70
    bitmap = bytes(0x55 for _ in range(rows // 8)) + b"\x05"
    kept = sum(bin(b).count("1") for b in bitmap)
    common = struct.pack("<Q", 2**64 - 1)
    numbers = bytes(i % 251 for i in range(8 * rows))
    write("filter", "whole_row", block(8, 3, 5, b"abcd", [column(8, 2, 2, 0, 0, 7, rest=numbers[:2 * rows])],
                                       3 + 8 * rows + 1))
    write("filter", "elided", block(16, 0, 0, b"", [
        column(8, 4 | 16, 1, 0, 0, 1, rest=common + bitmap + numbers[:kept]),
        column(8, 4 | 8 | 2, 2, 3, 0, 0, rest=common + numbers[:2 * kept])], 16 * rows))
    write("filter", "previous", block(5, 0, 9, b"", [
        column(4, 32 | 1, 3, 0, 0, 2**32 - 5, rest=common + numbers[:3 * rows]),
        column(1, form=0, rest=numbers[:rows])], 5 * rows))
    write("filter", "ordered", block(10, 0, 9, b"", [
        column(8, 64 | 4 | 32, 7, 1, 0, 3, rest=common + bitmap + common + numbers[:7 * kept]),
        column(2, 1, 2, 0, 0, 3, rest=numbers[:2 * rows])], 10 * rows))
    write("filter", "floats", block(4, 0, 0, b"", [column(4, 2, 4, 0, 0, 2**31, rest=numbers[:4 * rows])], 4 * rows))
    write("filter", "no_rows", block(100, 0, 0, bytes(10), [column(100, form=0)], 10))
    for seed in range(4):
        values = b"".join(struct.pack("<q", -1 if i % 3 else i + seed) for i in range(200))
        write("filter", f"rows_{seed}", struct.pack("<BH", 1, seed) + values)


codec_corpus()
filter_corpus()
