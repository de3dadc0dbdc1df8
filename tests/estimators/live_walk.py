"""Walks a live Python object and the graph of a .mere file side by side; shares no code with the library.

    difference(obj, Nodes(bytes), sharing=True, protocol=4, skops=False)      the first difference as text, or None

The object is taken apart by Python's own reduction protocol (copyreg, __reduce_ex__), the file is read by the plain reader
of docs/format.md; what must correspond is the table "What becomes what" of docs/importers.md.
"""
import copyreg
import pathlib
import pickle
import struct
import sys
import types

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "format"))
from reader import KINDS, NONE, PARTS, File  # noqa: E402

LEAVES = {type(None), bool, int, float, complex, str, bytes, type(Ellipsis)}


class Nodes(File):
    """Nodes of a file by number, as Python values."""

    def __init__(self, data):
        super().__init__(data)
        self.kinds = [KINDS[k] for k in self.s1["kind"].tolist()]
        self.flags_of, self.forms = self.s1["flags"].tolist(), self.s1["form"].tolist()
        self.a, self.b = self.s1["a"].tolist(), self.s1["b"].tolist()
        self.link = self.links.tolist()

    def heap_bytes(self, i):
        b = self.b[i]
        length = struct.unpack_from("<Q", self.heap, b - 8)[0] if self.flags_of[i] & 2 else self.a[i]
        return self.heap[b:b + length]

    def leaf(self, i):
        kind, b = self.kinds[i], self.b[i]
        if kind == "null":
            return None
        if kind == "bool":
            return bool(b)
        if kind == "int":
            if self.flags_of[i]:
                return int.from_bytes(self.heap[b:b + self.a[i]], "little", signed=True)
            return struct.unpack("<q", struct.pack("<Q", b))[0]
        if kind == "float":
            return struct.unpack("<d", struct.pack("<Q", b))[0]
        if kind == "complex":
            return complex(*struct.unpack_from("<dd", self.heap, b))
        if kind == "str":
            return self.heap_bytes(i).decode("utf-8", "surrogatepass")
        if kind in ("bytes", "bytearray"):
            return self.heap_bytes(i)
        return Ellipsis

    def members(self, i):
        return self.link[self.b[i]:self.b[i] + self.a[i] * (2 if self.kinds[i] == "dict" else 1)]

    def parts(self, i):
        return dict(zip([p for k, p in enumerate(PARTS) if self.flags_of[i] >> k & 1], self.members(i)))

    def name(self, i):
        b = self.b[i]
        text = self.text(b, self.a[i])
        form = len(self.heap[b:b + self.forms[i]].decode())
        return (text[:form], text[form + 1:]) if form else ("", text)

    def numbers(self, i):
        """(array, None), or (shape, member ids) of an array of objects."""
        dims, layout = self.forms[i], self.flags_of[i]
        shape = [int(n) for n in self.extents[self.b[i]:self.b[i] + dims]]
        record = self.s7[self.a[i]]
        offset = int(record["offset"])
        if layout == 3:
            return shape, self.link[offset:offset + int(np.prod(shape, dtype=object))]
        dtype, _ = self.dtype(int(record["type"]))
        data = b"" if int(record["buffer"]) == NONE else self.buffer(int(record["buffer"]))
        strides = [int(n) for n in self.extents[self.b[i] + dims:self.b[i] + 2 * dims]] if layout == 2 else None
        return np.ndarray(shape, dtype, data, offset, strides, "F" if layout == 1 else "C"), None

    def scalar(self, i):
        return np.frombuffer(self.heap, self.dtype(self.a[i])[0], 1, self.b[i])[0]


def same_bits(a, b):
    """Equal arrays, bit by bit, what no field covers left out; -0.0 and NaN apart."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.dtype.names:
        return all(same_bits(np.ascontiguousarray(a[n]), np.ascontiguousarray(b[n])) for n in a.dtype.names)
    return a.tobytes() == b.tobytes()


def global_name(thing):
    """(module, qualified name) as pickle finds them."""
    qualname = getattr(thing, "__qualname__", None) or thing.__name__
    return pickle.whichmodule(thing, qualname), qualname


def reduction(thing, protocol):
    """A string (a global of that name), or (function, args, state, items, entries, setter)."""
    reduce = copyreg.dispatch_table.get(type(thing))
    parts = reduce(thing) if reduce else thing.__reduce_ex__(protocol)
    if isinstance(parts, str):
        return parts
    parts = tuple(parts) + (None,) * (6 - len(parts))
    items = None if parts[3] is None else list(parts[3])
    entries = None if parts[4] is None else dict(parts[4])
    return parts[0], parts[1], parts[2], items, entries, parts[5]


def is_random(thing):
    """A generator of random numbers: NumPy 1 and 2 reduce the same one to different calls; skops keeps its state alone."""
    return type(thing).__module__.startswith("numpy.random")


def is_sparse(thing):
    return type(thing).__module__.startswith("scipy.sparse")


def object_parts(thing, protocol):
    """{part: value} and the form, in the canonical shape of docs/importers.md; or the name it is a global by."""
    parts = reduction(thing, protocol)
    if isinstance(parts, str):
        return parts, None
    function, args, state, items, entries, setter = parts
    form, type_, kwargs = "call", function, None
    if function is copyreg.__newobj__:
        form, type_, args = "construct", args[0], args[1:]
    elif function is copyreg.__newobj_ex__:
        form, type_, args, kwargs = "construct", *args
    elif function is copyreg._reconstructor and args[1] is object and args[2] is None:
        form, type_, args = "construct", args[0], ()
    elif function is copyreg._reconstructor and args[1] in (int, float, str, bytes, dict, list):
        # Protocols 0 and 1, of what derives from a builtin type.
        form, type_, value = "construct", args[0], args[2]
        args = () if isinstance(value, (dict, list)) else (value,)
        entries = value if isinstance(value, dict) else entries
        items = value if isinstance(value, list) else items
    elif isinstance(thing, types.MethodType) or (isinstance(thing, types.BuiltinMethodType) and function is getattr):
        form, type_ = "construct", types.MethodType
    found = {"type": type_, "args": args or None, "kwargs": kwargs or None, "items": items or None,
             "entries": entries or None, "setter": setter}
    return {k: v for k, v in found.items() if v is not None} | ({} if state is None else {"state": state}), form


def is_remade_loss(thing):
    """A compiled loss that pickles as a call of its module's own function; its module was once called _loss alone."""
    if type(thing).__module__ not in ("sklearn._loss._loss", "_loss"):
        return False
    return thing.__reduce__()[0].__name__.startswith("__pyx_unpickle_")


class Walk:
    def __init__(self, nodes, sharing, protocol, skops):
        self.nodes, self.sharing, self.protocol, self.skops = nodes, sharing, protocol, skops
        self.node_of, self.thing_of = {}, {}
        self.kept = []          # temporaries of reductions stay alive, so that ids stay theirs
        self.waiting = []

    def run(self, thing):
        self.waiting.append((thing, self.nodes.roots[0], ""))
        while self.waiting:
            found = self.step(*self.waiting.pop())
            if found:
                return found
        return None

    def push(self, thing, node, path):
        self.waiting.append((thing, node, path))

    def expect(self, path, kind, node):
        found = self.nodes.kinds[node]
        return None if found == kind else f"{path or 'the root'}: {kind} expected, {found} found"

    def step(self, thing, node, path):
        cls = type(thing)
        self.kept.append(thing)
        if cls in LEAVES:
            return self.leaf(thing, node, path)
        if isinstance(thing, np.generic):
            wrong = self.expect(path, "scalar", node)
            same = not wrong and same_bits(np.asarray(thing), np.asarray(self.nodes.scalar(node)))
            return wrong or (None if same else f"{path}: scalar {thing!r} differs")
        if isinstance(thing, np.dtype):
            wrong = self.expect(path, "dtype", node)
            return wrong or (None if self.nodes.dtype(self.nodes.a[node])[0] == thing else f"{path}: {thing} differs")
        # Seen before: the very node of then, and no other thing has it.
        if self.sharing or (id(thing), node) in self.node_of:
            key = id(thing) if self.sharing else (id(thing), node)
            if key in self.node_of:
                known = self.node_of[key]
                return None if known == node or cls is tuple else f"{path}: one object in memory, two in the file"
        shared = cls not in (tuple, frozenset) and not isinstance(thing, (type, types.FunctionType, np.ufunc))
        if self.sharing and shared and not isinstance(thing, types.BuiltinFunctionType):
            if self.thing_of.setdefault(node, id(thing)) != id(thing):
                return f"{path}: two objects in memory, one in the file"
        self.node_of[id(thing) if self.sharing else (id(thing), node)] = node
        if cls in (list, tuple):
            return self.sequence(thing, node, path, cls.__name__)
        if cls in (set, frozenset):
            wrong = self.expect(path, cls.__name__, node)
            found = None if wrong else {self.nodes.leaf(m) for m in self.nodes.members(node)}
            return wrong or (None if found == set(thing) else f"{path}: a set of other members")
        if cls is dict:
            return self.mapping(thing, node, path)
        if cls in (slice, range):
            wrong = self.expect(path, cls.__name__, node)
            for word, member in zip(("start", "stop", "step"), [] if wrong else self.nodes.members(node)):
                self.push(getattr(thing, word), member, f"{path}.{word}")
            return wrong
        if cls is bytearray:
            return self.expect(path, "bytearray", node) or (
                None if bytes(thing) == self.nodes.leaf(node) else f"{path}: another bytearray")
        if cls in (np.ndarray, np.memmap):
            return self.array(thing, node, path)
        if isinstance(thing, (type, types.FunctionType)) or (
                isinstance(thing, types.BuiltinFunctionType) and isinstance(reduction(thing, self.protocol), str)):
            return self.global_(global_name(thing), node, path)
        return self.object(thing, node, path)

    def leaf(self, thing, node, path):
        kind = {type(None): "null", type(Ellipsis): "ellipsis"}.get(type(thing), type(thing).__name__)
        wrong = self.expect(path, kind, node)
        if wrong:
            return wrong
        found = self.nodes.leaf(node)
        if kind == "float":
            same = struct.pack("<d", found) == struct.pack("<d", thing)
        else:
            same = found == thing
        return None if same else f"{path}: {thing!r} expected, {found!r} found"

    def sequence(self, thing, node, path, kind):
        wrong = self.expect(path, kind, node)
        members = [] if wrong else self.nodes.members(node)
        if not wrong and len(members) != len(thing):
            return f"{path}: {len(thing)} members expected, {len(members)} found"
        for i, (value, member) in enumerate(zip(thing, members)):
            self.push(value, member, f"{path}[{i}]")
        return wrong

    def mapping(self, thing, node, path):
        wrong = self.expect(path, "dict", node)
        members = [] if wrong else self.nodes.members(node)
        if not wrong and len(members) != 2 * len(thing):
            return f"{path}: {len(thing)} entries expected, {len(members) // 2} found"
        for (key, value), k, v in zip(thing.items(), members[::2], members[1::2]):
            self.push(key, k, f"{path}{{{key!r}}}@key")
            self.push(value, v, f"{path}.{key}" if isinstance(key, str) else f"{path}[{key!r}]")
        return wrong

    def array(self, thing, node, path):
        wrong = self.expect(path, "array", node)
        if wrong:
            return wrong
        found, members = self.nodes.numbers(node)
        if thing.dtype == object:
            if members is None or tuple(found) != thing.shape:
                return f"{path}: another array of objects"
            for i, (value, member) in enumerate(zip(thing.ravel(order="C").tolist(), members)):
                self.push(value, member, f"{path}{list(np.unravel_index(i, thing.shape))}")
            return None
        if members is not None or not same_bits(np.ascontiguousarray(thing), np.ascontiguousarray(found)):
            return f"{path}: an array of {thing.dtype} {thing.shape} differs from {getattr(found, 'dtype', 'objects')}"
        return None

    def global_(self, expected, node, path):
        wrong = self.expect(path, "name", node)
        if wrong:
            return wrong
        found = self.nodes.name(node)
        return None if found == expected else f"{path}: the name {'.'.join(expected)} expected, {'.'.join(found)} found"

    def object(self, thing, node, path):
        parts, form = object_parts(thing, self.protocol)
        if form is None:
            return self.global_((pickle.whichmodule(thing, parts), parts), node, path)
        wrong = self.expect(path, "object", node)
        if wrong:
            return wrong
        found = self.nodes.parts(node)
        if self.skops:
            # What that format does not keep: how generators and compiled losses are made again, caches of sparse
            # matrices, attributes of what derives from dict, whether a state is empty or none.
            if is_random(thing) or is_remade_loss(thing):
                return None
            if isinstance(thing, dict):
                found.pop("state", None)
            if isinstance(thing, dict) or parts.get("state") == {}:
                parts.pop("state", None)
            if "state" in found and "state" not in parts:
                wrong = self.expect(path, "dict", found["state"])
                if wrong or self.nodes.members(found.pop("state")):
                    return wrong or f"{path}: a state where none was expected"
            if is_sparse(thing):
                return self.sparse(thing, found, path)
        found_form = ("construct", "call", "record")[self.nodes.forms[node]]
        if form != found_form or set(parts) != set(found):
            return (f"{path or 'the root'}: {form} with {sorted(parts)} expected, {found_form} with {sorted(found)} found "
                    f"({type(thing).__qualname__})")
        self.kept.append(parts)
        for word, value in parts.items():
            if word == "type" and value is types.MethodType:
                wrong = self.global_(("builtins", "method"), found[word], f"{path}@type")
            elif word in ("type", "setter"):
                wrong = self.global_(global_name(value), found[word], f"{path}@{word}")
            elif word == "state" and isinstance(thing, np.ndarray):
                self.array_state(thing, value, found[word], f"{path}@state")
            elif word == "items":
                wrong = self.sequence(value, found[word], f"{path}@items", "list")
            elif word == "entries":
                wrong = self.mapping(value, found[word], f"{path}@entries")
            elif word == "kwargs":
                wrong = self.mapping(value, found[word], f"{path}@kwargs")
            else:
                self.push(value, found[word], f"{path}@{word}" if word != "state" else path)
            if wrong:
                return wrong
        return None

    def sparse(self, thing, found, path):
        members = self.nodes.members(found["state"])
        entries = {self.nodes.leaf(k): v for k, v in zip(members[::2], members[1::2])}
        for word in ("data", "indices", "indptr", "row", "col", "offsets"):
            if isinstance(getattr(thing, word, None), np.ndarray):
                if word not in entries:
                    return f"{path}.{word}: missing"
                self.push(getattr(thing, word), entries[word], f"{path}.{word}")
        return None

    def array_state(self, thing, state, node, path):
        """numpy.ndarray's state for a subclass: its bytes are an array in the file (masked arrays: its mask too)."""
        members = self.nodes.members(node)
        plain = np.asarray(thing)
        for i, (value, member) in enumerate(zip(state, members)):
            if i == 4 and self.nodes.kinds[member] == "array":
                value = plain
            if i == 5 and isinstance(thing, np.ma.MaskedArray) and self.nodes.kinds[member] == "array":
                value = np.ma.getmaskarray(thing)
            self.push(value, member, f"{path}[{i}]")


def difference(thing, nodes, sharing=True, protocol=4, skops=False):
    return Walk(nodes, sharing, protocol, skops).run(thing)
