"""mere info, ls and get: what is shown is what was dumped."""
import base64
import hashlib
import io
import math
import os
import pickle

import numpy as np

from command_case import case, main
from models import make_all, make_things


def load_npy(done):
    return np.load(io.BytesIO(done.bytes))


@case("info: --json has the documented members, and they are right")
def info_json(mere):
    make_all(mere)
    info = mere.good("info", "--json", "--sha256", mere.path("forest.mere")).json
    for name in ("file", "format_version", "file_bytes", "content_id", "program_id", "sha256", "root", "nodes", "arrays",
                 "array_bytes", "alignment", "buffers", "blocks", "stored_bytes", "raw_bytes", "manifest_bytes", "codecs",
                 "filters", "has_program", "metadata"):
        assert name in info, name
    raw = mere.path("forest.mere").read_bytes()
    assert info["file_bytes"] == len(raw) and info["sha256"] == hashlib.sha256(raw).hexdigest()
    assert info["format_version"] == "1.0" and set(info["metadata"]) == {"source", "versions"} and info["codecs"] == ["none"]
    assert info["root"] == "object sklearn.ensemble._forest.RandomForestClassifier", info["root"]
    arrays = mere.good("ls", "--arrays", "--json", mere.path("forest.mere")).json["arrays"]
    assert info["arrays"] == len(arrays) and info["array_bytes"] == sum(a["nbytes"] for a in arrays)


@case("info: for people it names format, sizes, ids and metadata")
def info_text(mere):
    make_all(mere)
    mere.good("convert", "--metadata", "cv=0.97", mere.path("regression.mere"), mere.path("m.mere"))
    text = mere.good("info", mere.path("m.mere")).out
    for word in ("format", "1.0", "content id", "LogisticRegression", "cv", "0.97"):
        assert word in text, text


@case("info: --requirements prints what the file records, as pip reads it, and nothing that pip would take for more")
def requirements(mere):
    make_all(mere)
    recorded = mere.good("info", "--json", mere.path("forest.mere")).json["metadata"]["versions"]
    lines = mere.good("info", "--requirements", mere.path("forest.mere")).out.splitlines()
    assert lines == sorted(f"{name}=={version}" for name, version in recorded.items()), lines
    assert mere.good("info", "--requirements", "--json", mere.path("forest.mere")).json == lines
    np.save(mere.path("plain.npy"), np.arange(3))
    mere.good("convert", mere.path("plain.npy"), mere.path("plain.mere"))
    assert mere.good("info", "--requirements", mere.path("plain.mere")).out == ""


@case("info, ls and get: a compressed file is never expanded, and shows the same")
def not_expanded(mere):
    make_all(mere)
    for words in (["info", "--json"], ["ls"], ["ls", "--json"], ["ls", "--arrays"], ["ls", "--map"]):
        mere.good(*words, mere.path("forest-zlib.mere"))
    path = "estimators_[3].tree_.nodes"
    assert mere.good("get", mere.path("forest-zlib.mere"), path).bytes == mere.good("get", mere.path("forest.mere"), path).bytes
    assert mere.good("cache", "--json").json["entries"] == []
    info = mere.good("info", "--json", mere.path("forest-zlib.mere")).json
    assert "zlib" in info["codecs"] and info["stored_bytes"] < info["raw_bytes"], info


@case("ls: the tree names parameters, types and shapes, and says how much it leaves out")
def tree(mere):
    make_all(mere)
    text = mere.good("ls", mere.path("forest.mere")).out
    for word in ("n_estimators  int  8", "estimators_  list of 8", "classes_  array", "sklearn.tree._tree.Tree", "\u251c\u2500 "):
        assert word in text, text
    text = mere.good("ls", mere.path("things.mere")).out
    assert "... 46 more" in text and "again  list of 1" in text, text
    assert "long_list[49]" not in text
    text = mere.good("ls", "--all", mere.path("things.mere")).out
    assert "[49]" in text, text


@case("ls: a node met before is named by its first path, also in a cycle")
def repeats(mere):
    cycle = []
    cycle.append(cycle)
    shared = [[1]]
    mere.path("rep.pkl").write_bytes(pickle.dumps({"shared": shared, "again": shared, "cycle": cycle}))
    mere.good("convert", mere.path("rep.pkl"), mere.path("rep.mere"))
    text = mere.good("ls", mere.path("rep.mere")).out
    line = next(line for line in text.splitlines() if "again" in line)
    assert "= shared" in line, text
    assert "[0]  list of 1  = cycle" in text, text


@case("ls: without a UTF-8 locale the tree is drawn in ASCII")
def ascii_tree(mere):
    make_all(mere)
    done = mere.good("ls", mere.path("regression.mere"), env={"LC_ALL": "C"})
    assert done.bytes.isascii() and b"|- " in done.bytes, done


@case("ls: --depth cuts, a PATH begins there, and --json names every node once")
def tree_json(mere):
    make_all(mere)
    top = mere.good("ls", "--json", "--depth", "1", mere.path("forest.mere")).json["nodes"]
    assert {n["depth"] for n in top} == {0, 1}
    nodes = mere.good("ls", "--json", mere.path("forest.mere")).json["nodes"]
    assert len({n["path"] for n in nodes}) == len(nodes)
    below = mere.good("ls", "--json", mere.path("forest.mere"), "estimators_[2]").json["nodes"]
    assert below[0]["path"] == "estimators_[2]" and all(n["path"].startswith("estimators_[2]") for n in below)
    for node in nodes[:200]:
        mere_node = mere.good("ls", "--json", "--depth", "0", mere.path("forest.mere"), node["path"]).json["nodes"][0]
        assert mere_node["kind"] == node["kind"] and mere_node.get("value") == node.get("value"), (node, mere_node)


@case("ls --arrays: every array with its path, type and shape; get finds each")
def arrays(mere):
    make_all(mere)
    table = mere.good("ls", "--arrays", "--json", mere.path("things.mere")).json["arrays"]
    for row in table:
        array = load_npy(mere.good("get", mere.path("things.mere"), row["path"]))
        assert list(array.shape) == row["shape"] and array.nbytes == row["nbytes"], row
    text = mere.good("ls", "--arrays", mere.path("things.mere")).out
    assert len(text.splitlines()) == 1 + len(table)


@case("ls --map: the segments lie inside the file in order, and what was just written is in memory")
def file_map(mere):
    make_all(mere)
    done = mere.good("ls", "--map", "--json", mere.path("things.mere")).json
    assert done["file_bytes"] == mere.path("things.mere").stat().st_size
    assert 0 < done["resident_bytes"] <= done["file_bytes"]
    offsets = [s["offset"] for s in done["segments"]]
    assert offsets == sorted(offsets) and offsets[0] >= 64
    assert all(s["offset"] + s["stored_bytes"] <= done["file_bytes"] for s in done["segments"])
    kinds = {s["what"] for s in done["segments"]}
    assert {"segment", "arena"} <= kinds and "nodes" in kinds, kinds
    text = mere.good("ls", "--map", mere.path("things.mere")).out
    assert "segment" in text and "S" in text, text


@case("get: scalars and containers of every kind as the documented JSON")
def values(mere):
    make_all(mere)
    things = make_things()

    def get(path):
        return mere.good("get", mere.path("things.mere"), path).json

    for name in ("none", "true", "int", "big", "negative_big", "unsigned", "float", "whole", "text", "empty", "list", "steering"):
        assert get(name) == things[name], name
    assert get("tuple") == [1, "two"] and get("long_list") == things["long_list"]
    assert get("surrogate") == "\udc80"
    assert math.copysign(1, get("minus_zero")) == -1
    assert get("nan") == "NaN" and get("infinity") == "Infinity"
    assert get("complex") == {"@complex": [1.0, -2.0]}
    assert base64.b64decode(get("bytes")["@bytes"]) == b"\x00\xff"
    assert base64.b64decode(get("bytearray")["@bytearray"]) == b"abc"
    assert get("set") == {"@set": [1]} and get("frozenset") == {"@frozenset": ["x"]}
    assert get("numbers") == {"@dict": [[1, "one"], [[2, 3], "pair"]]}
    assert get("at") == {"@dict": [["@set", 1]]}
    assert get("slice") == {"@slice": [1, None, 2]} and get("range") == {"@range": [0, 10, 3]}
    assert get("ellipsis") == {"@ellipsis": True}
    assert get("cycle") == [{"@ref": "cycle"}]
    assert get("scalar") == 0.25 and get("int8") == -3 and get("date") == "2026-11-21T20:46:26.000250"
    assert get("dtype") == {"@dtype": "float64"}
    assert get('["any key"]') == 1 and get('["quote\\""]') == 2
    assert get("objects") == {"@objects": {"shape": [3], "items": [1, "x", None]}}


@case("get: shared containers are written once, then by reference")
def shared(mere):
    make_all(mere)
    whole = mere.good("get", mere.path("things.mere"), "").json
    assert whole["shared"] == ["in two places"] and whole["again"] == {"@ref": "shared"}, whole


@case("get: an object names its type and state; names are written as text")
def objects(mere):
    make_all(mere)
    model = mere.good("get", mere.path("regression.mere"), "").json
    assert model["@object"] == "sklearn.linear_model._logistic.LogisticRegression", model
    assert model["state"]["C"] == 1.0 and model["state"]["coef_"]["@array"]["path"] == "coef_", model
    assert mere.good("get", mere.path("regression.mere"), "@type").json == {"@name": model["@object"]}


@case("get: arrays come back equal as .npy, to standard output and to a file")
def npy(mere):
    make_all(mere)
    things = make_things()
    for name in ("array", "fortran", "half", "flags", "days", "durations", "record", "zero_d", "no_rows", "words", "codes",
                 "large", "strided"):
        got = load_npy(mere.good("get", mere.path("things.mere"), name))
        assert got.dtype == things[name].dtype, (name, got.dtype)
        # By bytes: NaN equals NaN, -0.0 does not equal 0.0.
        assert got.shape == things[name].shape and got.tobytes() == things[name].tobytes(), (name, got)
        mere.good("get", mere.path("things.mere"), name, "-o", mere.path("out.npy"))
        assert mere.path("out.npy").read_bytes() == mere.good("get", mere.path("things.mere"), name, "-o", "-").bytes


@case("get --json: the elements of arrays as nested lists")
def array_values(mere):
    make_all(mere)
    things = make_things()

    def get(name):
        return mere.good("get", "--json", mere.path("things.mere"), name).json

    for name in ("array", "fortran", "flags", "zero_d", "no_rows", "words", "large", "strided"):
        got = get(name)
        assert got["kind"] == "array" and got["value"] == things[name].tolist(), (name, got)
        assert got["shape"] == list(things[name].shape) and got["dtype"] == str(things[name].dtype), got
    assert get("half")["value"] == [1.5, 65504.0, "Infinity", float(np.float16(6e-8))], get("half")
    assert get("days")["value"] == ["1969-12-31", "2024-02-29", "NaT"]
    assert get("durations")["value"] == [{"@timedelta": [25, "us"]}, {"@timedelta": [50, "us"]}]
    assert get("codes")["value"] == [{"@bytes": base64.b64encode(b"ab").decode()}, {"@bytes": base64.b64encode(b"c").decode()}]
    assert get("record")["value"][0] == {"name": "a", "value": 1.5, "pair": [1, 2]}
    assert [row["value"] for row in get("record")["value"]] == [1.5, "NaN", "-Infinity"]
    assert get("int")["value"] == 42 and get("int")["kind"] == "int"
    zlib = mere.good("get", "--json", mere.path("forest-zlib.mere"), "estimators_[0].tree_.values").json
    assert zlib["value"] == mere.good("get", "--json", mere.path("forest.mere"), "estimators_[0].tree_.values").json["value"]


@case("get: -o replaces a file only when all is written, with the usual rights")
def output_file(mere):
    make_all(mere)
    mere.path("o.npy").write_bytes(b"old")
    assert mere("get", mere.path("things.mere"), "absent", "-o", mere.path("o.npy")).code == 3
    assert mere.path("o.npy").read_bytes() == b"old"
    assert mere("get", mere.path("things.mere"), "int", "-o", mere.folder).code == 6
    mere.good("get", mere.path("things.mere"), "int", "-o", mere.path("o.json"))
    assert mere.path("o.json").read_text() == "42\n"
    mask = os.umask(0)
    os.umask(mask)
    assert mere.path("o.json").stat().st_mode & 0o777 == 0o666 & ~mask
    assert [name for name in os.listdir(mere.folder) if name.startswith(".")] == []


@case("get: a path that leads nowhere is exit 3, and nothing is printed")
def no_path(mere):
    make_all(mere)
    for path in ("absent", "list[3]", "int.x", "array.x", "@program"):
        done = mere("get", "--json", mere.path("things.mere"), path)
        assert done.code == 3 and done.bytes == b"" and done.error["code"] == "not_found", done
    assert mere("get", mere.path("things.mere"), "[").code == 6


@case("get: an array larger than --limit-memory-bytes is refused")
def too_large(mere):
    make_all(mere)
    for words in [], ["--json"]:
        assert mere("get", *words, "--limit-memory-bytes", "1K", mere.path("things.mere"), "large").code == 6


@case("text from files: control bytes never reach the output raw")
def control_bytes(mere):
    value = {"\x1b]0;title\x07": "\x1b[2J", "\u202eevil": b"\x1b[2J", "n": "\x9b1m"}
    mere.path("\x1b[31m.pkl").write_bytes(pickle.dumps(value))
    mere.good("convert", "--metadata", "k=\x1b[2J", mere.path("\x1b[31m.pkl"), mere.path("\x1b[31m.mere"))
    file = mere.path("\x1b[31m.mere")
    for words in (["info"], ["info", "--json"], ["ls"], ["ls", "--json"], ["ls", "--arrays"], ["ls", "--map"], ["verify"],
                  ["get"], ["get", "--json"]):
        done = mere.good(*words, file, *([""] if words[0] == "get" else []))
        for text in done.out, done.err:
            assert not any(ord(c) < 32 and c != "\n" or 0x7f <= ord(c) < 0xa0 or c == "\u202e" for c in text), (words, text)
    done = mere("get", file, "\x1b[5m")
    assert "\x1b" not in done.err and done.code != 0, done


@case("info, ls, get, verify: - is standard input, a file or a pipe")
def standard_input(mere):
    make_all(mere)
    raw = mere.path("forest.mere").read_bytes()
    want = mere.good("info", "--json", mere.path("forest.mere")).json["content_id"]
    assert mere.good("info", "--json", "-", input=raw).json["content_id"] == want
    assert "n_estimators" in mere.good("ls", "-", input=raw).out
    assert mere.good("get", "-", "n_estimators", input=raw).json == 8
    mere.good("verify", "-", input=raw)
    with open(mere.path("forest.mere"), "rb") as file:
        import subprocess
        out = subprocess.run([mere.program, "get", "-", "n_estimators"], stdin=file, stdout=subprocess.PIPE, check=True)
        assert out.stdout == b"8\n"


@case("-v says how long opening took, on standard error")
def verbose(mere):
    make_all(mere)
    done = mere.good("get", "-v", mere.path("forest.mere"), "n_estimators")
    assert done.out == "8\n" and "opened in" in done.err, done


@case("damaged manifests: whatever is changed, every look ends with an answer or one error, never by a signal")
def damaged_manifests(mere):
    mere.path("small.pkl").write_bytes(pickle.dumps({"a": np.arange(3.0), "b": ["x", 1, {2: (3,)}], "c": np.array([None, "x"])}))
    mere.good("convert", mere.path("small.pkl"), mere.path("small.mere"))
    raw = mere.path("small.mere").read_bytes()
    segments = mere.good("ls", "--map", "--json", mere.path("small.mere")).json["segments"]
    manifest = [s for s in segments if s["what"] not in ("segment", "arena") and s["stored_bytes"]]
    random = np.random.default_rng(1)
    for n in range(120):
        section = manifest[n % len(manifest)]
        bad = bytearray(raw)
        at = section["offset"] + int(random.integers(section["stored_bytes"]))
        bad[at] ^= 1 << int(random.integers(8)) if n % 3 else 0xff
        mere.path("bad.mere").write_bytes(bad)
        words = [["ls", "--json"], ["get"], ["ls"], ["ls", "--arrays"], ["get", "--json"], ["ls", "--map"], ["verify"],
                 ["info", "--json"]][int(random.integers(8))]
        done = mere(*words, mere.path("bad.mere"), *([""] if words[0] == "get" else []), timeout=5)
        assert done.code in (0, 3, 4, 6), (n, at, done)
        assert done.code == 0 or done.err.count("\n") == 1, (n, at, done)


@case("open options: --content-id of another file is exit 6, --verify all finds damage with exit 4")
def open_options(mere):
    make_all(mere)
    right = mere.good("info", "--json", mere.path("forest.mere")).json["content_id"]
    mere.good("info", "--content-id", right, "--populate", "--huge-pages", "--copy-on-write", mere.path("forest.mere"))
    done = mere("ls", "--json", "--content-id", "0" * 32, mere.path("forest.mere"))
    assert done.code == 6 and done.error["reason"] == "content_differs", done
    damaged = bytearray(mere.path("forest.mere").read_bytes())
    damaged[40000] ^= 1
    mere.path("d.mere").write_bytes(damaged)
    mere.good("info", mere.path("d.mere"))
    for words in (["info"], ["ls"], ["get"]):
        done = mere(*words, "--verify", "all", mere.path("d.mere"), *([""] if words[0] == "get" else []))
        assert done.code == 4, done


@case("deep nesting: ls stops at --depth, get says too_deep, nothing recurses")
def deep(mere):
    nested = b"\x80\x02" + b"]" * 200000 + b"a" * 199999 + b"."
    mere.path("deep.pkl").write_bytes(nested)
    done = mere("convert", mere.path("deep.pkl"), mere.path("deep.mere"))
    if done.code != 0:
        assert done.code == 6, done  # the importer's own limit
        nested = b"\x80\x02" + b"]" * 5000 + b"a" * 4999 + b"."
        mere.path("deep.pkl").write_bytes(nested)
        done = mere("convert", mere.path("deep.pkl"), mere.path("deep.mere"))
        if done.code == 6:
            return
        assert done.code == 0, done
    assert len(mere.good("ls", mere.path("deep.mere")).out.splitlines()) == 101
    done = mere("get", "--json", mere.path("deep.mere"), "")
    assert done.code == 6 and done.error["reason"] == "too_deep", done


@case("a graph of 2^40 paths is walked by its nodes")
def many_paths(mere):
    value = [1]
    for _ in range(40):
        value = [value, value]
    mere.path("dag.pkl").write_bytes(pickle.dumps(value))
    mere.good("convert", mere.path("dag.pkl"), mere.path("dag.mere"))
    for words in (["ls"], ["ls", "--json"], ["ls", "--all"], ["get"]):
        mere.good(*words, mere.path("dag.mere"), *([""] if words[0] == "get" else []), timeout=10)


main()
