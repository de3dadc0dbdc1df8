"""A reader of .mere files that follows docs/format.md and docs/filters.md alone, and shares no code with the library.

    reader.py FILE      prints what the file holds as JSON

Python's standard library and numpy; zstd and XXH3 by way of the system's libraries, where there are some.
"""
import ctypes
import ctypes.util
import hashlib
import json
import struct
import sys
import zlib

import numpy as np

MAGIC = bytes.fromhex("894d45520d0a1a0a")
NONE = 0xFFFFFFFF
BLOCK = 1 << 20
KINDS = ("null bool int float complex str bytes bytearray list tuple set frozenset dict slice range ellipsis array scalar "
         "dtype name object opaque").split()
PARTS = "type args kwargs state items entries setter".split()
UNITS = {0: "Y", 1: "M", 2: "W", 4: "D", 5: "h", 6: "m", 7: "s", 8: "ms", 9: "us", 10: "ns", 11: "ps", 12: "fs", 13: "as"}
EXTRA = {15: "bfloat16", 16: "float8_e4m3fn", 17: "float8_e5m2", 18: "float8_e4m3fnuz", 19: "float8_e5m2fnuz",
         20: "float8_e4m3b11fnuz", 21: "float8_e8m0fnu"}
# Sections 3 to 6 of the format: the fields of each record.
RECORDS = {
    1: [("kind", "u1"), ("flags", "u1"), ("form", "<u2"), ("a", "<u4"), ("b", "<u8")],
    2: [("id", "<u4")], 3: [("byte", "u1")], 4: [("n", "<i8")],
    5: [("cls", "u1"), ("order", "u1"), ("flags", "u1"), ("unit", "u1"), ("count", "<u4"), ("size", "<u8"), ("first", "<u8"),
        ("base", "<u4"), ("reserved", "<u4")],
    6: [("name", "<u8"), ("name_bytes", "<u4"), ("type", "<u4"), ("offset", "<u8"), ("title", "<u8"), ("title_bytes", "<u4"),
        ("reserved", "<u4")],
    7: [("type", "<u4"), ("buffer", "<u4"), ("offset", "<u8")],
    8: [("raw", "<u8"), ("first", "<u4"), ("flags", "<u4")],
    9: [("offset", "<u8"), ("stored", "<u4"), ("raw", "<u4"), ("codec", "u1"), ("flags", "u1"), ("reserved", "<u2"),
        ("filters", "u1", 4), ("group", "<u4"), ("filtered", "<u4")],
    10: [("sum", "<u8")],
}


def library(name):
    path = ctypes.util.find_library(name)
    return ctypes.CDLL(path) if path else None


XXHASH, ZSTD = library("xxhash"), library("zstd")


def xxh3(data):
    XXHASH.XXH3_64bits.restype = ctypes.c_uint64
    return XXHASH.XXH3_64bits(bytes(data), ctypes.c_size_t(len(data)))


def xxh3_128(data):
    class Sum(ctypes.Structure):
        _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]
    XXHASH.XXH3_128bits.restype = Sum
    found = XXHASH.XXH3_128bits(bytes(data), ctypes.c_size_t(len(data)))
    return found.low, found.high


def need(holds, what):
    if not holds:
        raise ValueError(what)


def lz4_block(data, length):
    out, at = bytearray(), 0

    def more(n):
        nonlocal at
        if n == 15:
            while True:
                n, at = n + data[at], at + 1
                if data[at - 1] != 255:
                    break
        return n
    while True:
        token, at = data[at], at + 1
        n = more(token >> 4)
        out += data[at:at + n]
        at += n
        if at == len(data):
            break
        back, at = data[at] | data[at + 1] << 8, at + 2
        n = more(token & 15) + 4
        need(0 < back <= len(out), "lz4: a match before the start")
        start = len(out) - back
        for i in range(n):
            out.append(out[start + i])
    need(len(out) == length, "lz4: another length")
    return bytes(out)


def decode(codec, data, length):
    if codec == 0:
        out = bytes(data)
    elif codec == 1:
        out = lz4_block(bytes(data), length)
    elif codec == 2:
        out = zlib.decompress(data)
    else:
        need(codec == 3 and ZSTD, "a codec that this machine lacks")
        room = ctypes.create_string_buffer(length)
        ZSTD.ZSTD_decompress.restype = ctypes.c_size_t
        got = ZSTD.ZSTD_decompress(room, ctypes.c_size_t(length), bytes(data), ctypes.c_size_t(len(data)))
        need(got == length, "zstd: another length")
        out = room.raw
    need(len(out) == length, "a block of another length")
    return out


def undo_columns(data, length):
    """Filter 1, docs/filters.md 1."""
    count, row, head, _, first = struct.unpack_from("<HHHHQ", data)
    rows, at = (length - head) // row, 16
    tail = length - head - rows * row
    head_bytes, at = data[at:at + head], at + head
    tail_bytes, at = data[at:at + tail], at + tail
    table, place, bitmaps = np.zeros((rows, row), "u1"), 0, []
    for _ in range(count):
        form, flags, width, shift, size, like, bias = struct.unpack_from("<BBBBHHQ", data, at)
        at += 16
        bitmap = None
        if form == 0:
            table[:, place:place + size] = np.frombuffer(data, "u1", rows * size, at).reshape(rows, size)
            at += rows * size
        else:
            kept = np.ones(rows, bool)
            words = np.zeros(rows, "u8")
            if flags & 4:
                words[:] = struct.unpack_from("<Q", data, at)[0]
                at += 8
                if flags & 8:
                    kept = bitmaps[like]
                else:
                    bits = np.frombuffer(data, "u1", (rows + 7) // 8, at)
                    kept = np.unpackbits(bits, bitorder="little")[:rows].astype(bool)
                    at += (rows + 7) // 8
                bitmap = kept
            start = 0
            if flags & 32:
                start, at = struct.unpack_from("<Q", data, at)[0], at + 8
            m = int(kept.sum())
            numbers = np.zeros((m, 8), "u1")
            stored = np.frombuffer(data, "u1", m * width, at)
            numbers[:, :width] = stored.reshape(m, width) if flags & 64 else stored.reshape(width, m).T
            at += m * width
            values = (numbers.view("<u8").reshape(m) << np.uint64(shift)) + np.uint64(bias)
            if flags & 16:
                values = values + np.uint64(first) + np.nonzero(kept)[0].astype("u8")
            if flags & 32:
                values = np.cumsum(values, dtype="u8") + np.uint64(start)
            words[kept] = values
            if flags & 2:
                words = (words.astype("<i8").astype("<f8").view("<u8") if size == 8 else
                         words.astype("<u4").view("<i4").astype("<f4").view("<u4").astype("u8"))
            column = words.astype("<u8").view("u1").reshape(rows, 8)[:, :size]
            table[:, place:place + size] = column[:, ::-1] if flags & 1 else column
        bitmaps.append(bitmap)
        place += size
    need(at == len(data) and place == row, "columns: another length")
    return head_bytes + table.tobytes() + tail_bytes


def log2_of(x):
    """About log2(x), by the steps of docs/filters.md 2.3."""
    bits = int(np.float64(x).view("u8"))
    exponent = bits >> 52
    if exponent == 0 or exponent >= 2047:
        return np.float64(0)
    power = np.float64(exponent - 1023)
    m = np.uint64(bits & (1 << 52) - 1 | 1023 << 52).view("f8")
    if m > 1.4142135623730951:
        m, power = m * 0.5, power + 1
    s = (m - 1) / (m + 1)
    z = s * s
    total = np.float64(1) / 21
    for k in range(19, 0, -2):
        total = total * z + np.float64(1) / k
    return power + s * total * 2.8853900817779268


def settled(x):
    return x if x == x else np.float64(0)


def undo_tree(data, lengths):
    """Filter 128, docs/filters.md 2: a group of nodes and values."""
    rule, form, impurity_rule, _, flags, outputs, n, inner = struct.unpack_from("<BBBBHHII", data)
    (node_bytes, columns), at = (lengths[0] // n, lengths[1] // n // 8), 16
    leaf = np.unpackbits(np.frombuffer(data, "u1", (n + 7) // 8, at), bitorder="little")[:n].astype(bool)
    at += (n + 7) // 8
    need(int(leaf.sum()) == n - inner, "tree: the number of leaves")

    def part(rows, fields):
        nonlocal at
        dtype = np.dtype(fields)
        if rows == 0:
            return np.zeros(0, dtype)
        length = struct.unpack_from("<I", data, at)[0]
        raw = data[at + 4:at + 4 + (length & 0x7FFFFFFF)]
        at += 4 + (length & 0x7FFFFFFF)
        raw = undo_columns(raw, rows * dtype.itemsize) if length >> 31 else raw
        return np.frombuffer(raw, dtype, rows)
    words = [("feature", "<u8"), ("threshold", "<u8")]
    words += [("left", "<u8"), ("gap", "<u8")] if flags & 1 else []
    words += [(name, "<u8") for name, bit in (("samples", 16), ("weight", 32), ("impurity", 64)) if flags & bit]
    inner_part = part(inner, words + ([("missing", "u1")] if flags & 8 else []))
    words = [("samples", "<u8")]
    optional = ("weight", 256), ("impurity", 512), ("feature", 1024), ("threshold", 1024)
    words += [(name, "<u8") for name, bit in optional if flags & bit]
    words += [("missing", "u1")] if flags & 1024 and node_bytes == 64 else []
    leaf_part = part(n - inner, words + ([("classes", "<u2", (outputs,))] if form == 1 else []))
    row = [("words", "<u8", (columns,))]
    numbers = part(n - inner if form == 0 else 0, row)
    more = {False: part(inner if flags & 128 else 0, row), True: part(n - inner if flags & 2048 else 0, row)}
    need(at == len(data), "tree: another length")

    bits = lambda x: int(np.float64(settled(x)).view("u8"))
    real = lambda word: np.uint64(word % 2 ** 64).view("f8")
    nodes = np.zeros((n, node_bytes // 8), "u8")
    values = np.zeros((n, columns), "f8")
    classes, roots = columns // outputs, []

    def correct(i, place):
        if len(more[bool(leaf[i])]):
            values[i] = (values[i].view("u8") + more[bool(leaf[i])]["words"][place]).view("f8")

    def add(record, name):
        return int(record[name]) if name in record.dtype.names else 0

    def own_impurity(i, weight):
        weight, total = np.float64(1) if rule == 3 else weight, np.float64(0)
        if impurity_rule == 1:
            for k in range(outputs):
                squares = np.float64(0)
                for x in values[i, k * classes:(k + 1) * classes]:
                    squares += x * x
                total += 1 - squares / (weight * weight)
        elif impurity_rule == 2:
            for x in values[i]:
                if x > 0:
                    share = x / weight
                    total -= share * log2_of(share)
        return total / outputs

    def squares_of(i, start, sign):
        for x in values[i]:
            start = start + sign * (x * x)
        return start
    places = np.where(leaf, np.cumsum(leaf) - 1, np.cumsum(~leaf) - 1)
    for i in range(n - 1, -1, -1):
        place = int(places[i])
        if leaf[i]:
            record = leaf_part[place]
            weight = add(record, "weight")
            if form == 1:
                for k in range(outputs):
                    need(record["classes"][k] < classes, "tree: a class")
                    values[i, k * classes + record["classes"][k]] = 1 if rule == 3 else real(weight)
            else:
                values[i] = numbers["words"][place].view("f8")
                if rule != 3:
                    total = np.float64(0)
                    for x in values[i, :classes]:
                        total += x
                    weight += bits(total)
            w = real(weight)
            if rule != 2:
                correct(i, place)
            whole = int(w) if 0 <= w <= 2 ** 53 and w == np.floor(w) else 0
            samples = whole - int(record["samples"]) if flags & 2 else int(record["samples"])
            impurity, missing = own_impurity(i, w), add(record, "missing")
            left, right, feature, threshold = -1, -1, -2, 0xC0 << 56
        else:
            record = inner_part[place]
            if flags & 1:
                left = int(record["left"])
                right = (left + int(record["gap"])) % 2 ** 64
            else:
                left, right = roots.pop(), roots.pop()
            need(i < left < n and i < right < n, "tree: a child before its parent")
            a, b = real(int(nodes[left, 6])), real(int(nodes[right, 6]))
            weight = bits(a + b) + add(record, "weight")
            w = real(weight)
            for c in range(columns):
                x, y = values[left, c], values[right, c]
                values[i, c] = settled(x + y if rule != 3 else (x * a + y * b) / w)
            if rule != 2:
                correct(i, place)
            if impurity_rule == 3:
                x = squares_of(left, real(int(nodes[left, 4])) * outputs, 1)
                y = squares_of(right, real(int(nodes[right, 4])) * outputs, 1)
                impurity = squares_of(i, (a * x + b * y) / w, -1) / outputs
            else:
                impurity = own_impurity(i, w)
            sides = [int(nodes[side, 5].astype("i8")) for side in (left, right)]
            missing = (int(bool(flags & 4) and sides[0] > sides[1]) + add(record, "missing")) % 256
            samples, feature, threshold = sum(sides) + add(record, "samples"), 0, 0
        roots.append(i)
        fields = [left, right, feature + add(record, "feature"), threshold + add(record, "threshold"),
                  bits(impurity) + add(record, "impurity"), samples, weight, missing]
        nodes[i] = [field % 2 ** 64 for field in fields[:node_bytes // 8]]
    need(flags & 1 or len(roots) == 1, "tree: several trees")
    if rule == 2:
        for i in range(n):
            w = nodes[i, 6:7].view("f8")[0]
            values[i] = [settled(x / w) for x in values[i]]
            correct(i, int(places[i]))
    return nodes.tobytes(), values.tobytes()


class File:
    def __init__(self, data):
        self.data = data
        need(data[:8] == MAGIC, "magic")
        self.major, self.minor, self.alignment = struct.unpack_from("<HHB", data, 8)
        footer = data[-1152:]
        need(footer[1144:] == MAGIC[::-1], "end magic")
        (length, low, high, program_low, program_high, *self.roots, count, self.flags) = struct.unpack_from(
            "<QQQQQIIIII", footer, 1024)
        need(length == len(data), "length")
        self.ids = (low, high), (program_low, program_high)
        self.ends, raw = {}, {}
        for i in range(count):
            number, _, size, offset, n, model, program, total = struct.unpack_from("<HHIQQQQQ", footer, 64 * i)
            if number not in RECORDS:
                continue
            raw[number] = data[offset:offset + n * size]
            self.ends[number] = (model, program, size)
            if XXHASH:
                need(xxh3(raw[number]) == total, f"sum of section {number}")
            fields = np.dtype(RECORDS[number])
            wide = np.dtype({"names": fields.names, "formats": [fields.fields[f][0] for f in fields.names],
                             "offsets": [fields.fields[f][1] for f in fields.names], "itemsize": size})
            setattr(self, "s%d" % number, np.frombuffer(raw[number], wide, n))
        if XXHASH:
            need(xxh3(data[:56]) == struct.unpack_from("<Q", data, 56)[0], "sum of the header")
            need(xxh3(footer[:1136]) == struct.unpack_from("<Q", footer, 1136)[0], "sum of the footer")
            for which, text in ((0, b"mere content 1"), (1, b"mere program 1")):
                if self.roots[which] != NONE:
                    need(xxh3_128(self.id_bytes(raw, which, text)) == self.ids[which], "id")
        self.heap, self.links, self.extents = raw[3], self.s2["id"], self.s4["n"]
        self.raw = {}

    def id_bytes(self, raw, which, text):
        out = [text.ljust(16, b"\0"), struct.pack("<II", self.roots[which], 0)]
        for number in (1, 2, 3, 4, 5, 6, 7, 8, 10):
            model, program, size = self.ends[number]
            start, end = (0, model) if which == 0 else (model, program)
            out += [struct.pack("<QQ", number, end - start), raw[number][start * size:end * size]]
        return b"".join(out)

    def block(self, number):
        b = self.s9[number]
        stored = self.data[int(b["offset"]):int(b["offset"]) + int(b["stored"])]
        filters = [int(f) for f in b["filters"] if f]
        out = decode(int(b["codec"]), stored, int(b["filtered"] if filters else b["raw"]))
        for i in range(len(filters) - 1, -1, -1):
            need(filters[i] == 1, "unknown filter")
            length = int(b["raw"]) if i == 0 else struct.unpack_from("<I", out)[0]
            out = undo_columns(out if i == 0 else out[4:], length)
        self.compare_sum(number, out)
        return out

    def compare_sum(self, number, raw):
        if XXHASH:
            need(xxh3(raw) == int(self.s10["sum"][number]), f"sum of block {number}")

    def group(self, number, first):
        """The buffers of the group whose first block is the first one of buffer `number`."""
        b, members = self.s9[first], []
        count = int(b["group"]) & 0x7FFFFFFF
        while number + len(members) < len(self.s8) and int(self.s8[number + len(members)]["first"]) < first + count:
            members.append(number + len(members))
        need(list(b["filters"]) == [128, 0, 0, 0] and len(members) == 2, "unknown filter")
        stored = self.data[int(b["offset"]):int(b["offset"]) + int(b["stored"])]
        with np.errstate(all="ignore"):
            filtered = decode(int(b["codec"]), stored, int(b["filtered"]))
            raws = undo_tree(filtered, [int(self.s8[m]["raw"]) for m in members])
        for member, raw in zip(members, raws):
            for i, at in enumerate(range(0, len(raw), BLOCK)):
                self.compare_sum(int(self.s8[member]["first"]) + i, raw[at:at + BLOCK])
            self.raw[member] = raw

    def buffer(self, number):
        if number not in self.raw:
            b = self.s8[number]
            first = int(b["first"])
            group = int(self.s9[first]["group"])
            if group:
                leader = first if group >> 31 else first - group
                self.group(int(np.nonzero(self.s8["first"] == leader)[0][0]), leader)
            else:
                blocks = range(first, first + (int(b["raw"]) + BLOCK - 1) // BLOCK)
                self.raw[number] = b"".join(self.block(i) for i in blocks)
            need(len(self.raw[number]) == int(b["raw"]), "a buffer of another length")
        return self.raw[number]

    def text(self, offset, length):
        return self.heap[int(offset):int(offset) + int(length)].decode("utf-8", "surrogatepass")

    def dtype(self, number):
        """(numpy's dtype, our text)."""
        t = self.s5[number]
        cls, size, order = int(t["cls"]), int(t["size"]), "<>|"[int(t["order"])]
        if cls in (0, 1, 2, 3, 4):
            found = np.dtype(order + "biufc"[cls] + str(size))
        elif cls in (5, 6):
            native = np.dtype("longdouble" if cls == 5 else "clongdouble")
            found = native if size == native.itemsize else np.dtype("V%d" % size)
            return found, ("longdouble" if cls == 5 else "clongdouble") + str(size)
        elif cls in (7, 9):
            found = np.dtype("|%s%d" % ("S" if cls == 7 else "V", size))
        elif cls == 8:
            found = np.dtype("%sU%d" % (order, size // 4))
        elif cls in (10, 11):
            unit = UNITS.get(int(t["unit"]))
            found = np.dtype(order + ("M8" if cls == 10 else "m8") + (f"[{t['count']}{unit}]" if unit else ""))
        elif cls == 12:
            found = np.dtype("O")
        elif cls == 13:
            names, formats, offsets, titles = [], [], [], []
            for f in self.s6[int(t["first"]):int(t["first"]) + int(t["count"])]:
                names.append(self.text(f["name"], f["name_bytes"]))
                titles.append(self.text(f["title"], f["title_bytes"]) or None)
                formats.append(self.dtype(int(f["type"]))[0])
                offsets.append(int(f["offset"]))
            found = np.dtype({"names": names, "formats": formats, "offsets": offsets, "titles": titles, "itemsize": size})
        elif cls == 14:
            shape = tuple(int(n) for n in self.extents[int(t["first"]):int(t["first"]) + int(t["count"])])
            found = np.dtype((self.dtype(int(t["base"]))[0], shape))
        else:
            found = np.dtype("V%d" % size)
            return found, EXTRA.get(cls) or self.text(t["first"], t["count"])
        return found, str(found)

    def array(self, node):
        dims, layout = int(node["form"]), int(node["flags"])
        shape = [int(n) for n in self.extents[int(node["b"]):int(node["b"]) + dims]]
        record = self.s7[int(node["a"])]
        dtype, text = self.dtype(int(record["type"]))
        offset, out = int(record["offset"]), {"dtype": text, "shape": shape}
        if layout == 3:
            out["members"] = [int(i) for i in self.links[offset:offset + int(np.prod(shape, dtype=object))]]
            return out
        data = b"" if int(record["buffer"]) == NONE else self.buffer(int(record["buffer"]))
        strides = None
        if layout == 2:
            strides = [int(n) for n in self.extents[int(node["b"]) + dims:int(node["b"]) + 2 * dims]]
        array = np.ndarray(shape, dtype, data, offset, strides, "F" if layout == 1 else "C")
        out["layout"] = ("C", "F", strides)[layout]
        out["sha256"] = hashlib.sha256(array.tobytes()).hexdigest()
        if array.size <= 24 and dtype.kind != "V":
            out["values"] = [str(x) for x in array.ravel(order="C").tolist()]
        return out

    def lookup(self, node, key):
        """The entry of a text key, by the stored index (section 7)."""
        n, at = int(node["a"]), int(node["b"]) + 2 * int(node["a"])
        m = int(self.links[at])
        buckets = max(1, (1 << (m - 1).bit_length()) // 8)
        h, w = xxh3(key.encode("utf-8", "surrogatepass")), n.bit_length()
        bucket = h * buckets >> 64
        starts = self.links[at + 1:at + 2 + buckets]
        for slot in self.links[at + 2 + buckets + int(starts[bucket]):at + 2 + buckets + int(starts[bucket + 1])]:
            entry = int(slot) & ((1 << w) - 1)
            found = self.s1[int(self.links[int(node["b"]) + 2 * entry])]
            if int(slot) >> w == h & ((1 << (32 - w)) - 1) and self.value(found).get("value") == key:
                return entry
        return None

    def value(self, node):
        kind, flags, a, b = KINDS[int(node["kind"])], int(node["flags"]), int(node["a"]), int(node["b"])
        out = {"kind": kind}
        if kind in ("str", "bytes", "bytearray"):
            length = struct.unpack_from("<Q", self.heap, b - 8)[0] if flags & 2 else a
            raw = self.heap[b:b + length]
            out["value"] = raw.decode("utf-8", "surrogatepass") if kind == "str" else raw.hex()
        elif kind == "bool":
            out["value"] = bool(b)
        elif kind == "int":
            out["value"] = (int.from_bytes(self.heap[b:b + a], "little", signed=True) if flags
                            else struct.unpack("<q", struct.pack("<Q", b))[0])
        elif kind == "float":
            out["value"] = struct.unpack("<d", struct.pack("<Q", b))[0].hex()
        elif kind == "complex":
            out["value"] = [x.hex() for x in struct.unpack_from("<dd", self.heap, b)]
        elif kind == "array":
            out.update(self.array(node))
        elif kind == "scalar":
            dtype, out["dtype"] = self.dtype(a)
            out["value"] = str(np.frombuffer(self.heap, dtype, 1, b)[0])
        elif kind == "dtype":
            out["dtype"] = self.dtype(a)[1]
        elif kind == "name":
            text, form = self.text(b, a), len(self.heap[b:b + int(node["form"])].decode())
            out["module"], out["qualname"] = (text[:form], text[form + 1:]) if form else ("", text)
        elif kind not in ("null", "ellipsis"):
            members = [int(i) for i in self.links[b:b + a * (2 if kind == "dict" else 1)]]
            if kind == "object":
                out["form"] = ("construct", "call", "record")[int(node["form"])]
                out["parts"] = dict(zip([p for i, p in enumerate(PARTS) if flags >> i & 1], members))
            else:
                out["members"] = members
            if kind == "dict" and flags & 1 and XXHASH:
                for entry, key in enumerate(members[::2]):
                    if KINDS[int(self.s1[key]["kind"])] == "str":
                        need(self.lookup(node, self.value(self.s1[key])["value"]) == entry, "key index")
        return out

    def dump(self):
        return {"version": [self.major, self.minor], "alignment": 1 << self.alignment, "content_id": "%016x%016x" % self.ids[0][::-1],
                "program_id": "%016x%016x" % self.ids[1][::-1], "roots": [None if r == NONE else r for r in self.roots],
                "nodes": [self.value(node) for node in self.s1]}


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as source:
        print(json.dumps(File(source.read()).dump(), indent=1))
