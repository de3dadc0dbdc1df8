"""mere verify, diff and cache: what differs and what does not."""
import hashlib
import pickle

import numpy as np

from command_case import case, main
from models import make_all


def dump(mere, name, value):
    mere.path(name + ".pkl").write_bytes(pickle.dumps(value, protocol=5))
    mere.good("convert", mere.path(name + ".pkl"), mere.path(name + ".mere"))
    return mere.path(name + ".mere")


@case("verify: a sound file is exit 0, and --json says so")
def sound(mere):
    make_all(mere)
    for name in "forest", "things", "forest-zlib":
        done = mere.good("verify", "--json", mere.path(name + ".mere")).json
        assert done["ok"] is True and done["compared"] == [], done
        assert done["file_bytes"] == mere.path(name + ".mere").stat().st_size
    assert "sound" in mere.good("verify", mere.path("forest.mere")).out
    assert mere.good("verify", "-q", mere.path("forest.mere")).out == ""


@case("verify: each flipped byte of a file is exit 4, with a message that names the file")
def damaged(mere):
    path = dump(mere, "small", {"a": np.arange(5000.0), "b": ["x", 1]})
    raw = path.read_bytes()
    for at in range(0, len(raw), 397):
        bad = bytearray(raw)
        bad[at] ^= 0x10
        mere.path("bad.mere").write_bytes(bad)
        done = mere("verify", "--json", mere.path("bad.mere"))
        assert done.code in (4, 6) and done.bytes == b"", (at, done)
        assert done.code == 4 or done.error["code"] == "unsupported", (at, done)
        assert "bad.mere" in done.error["message"], (at, done)
    for length in (0, 1, 63, 64, 1000, len(raw) - 1):
        mere.path("bad.mere").write_bytes(raw[:length])
        assert mere("verify", mere.path("bad.mere")).code == 4, length


@case("verify: --sha256 and --content-id compare, and a difference is exit 1")
def compares(mere):
    make_all(mere)
    file = mere.path("forest.mere")
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    content_id = mere.good("info", "--json", file).json["content_id"]
    mere.good("verify", "--sha256", sha256.upper(), "--content-id", content_id, file)
    for words in ["--sha256", "0" * 64], ["--content-id", "0" * 32]:
        done = mere("verify", "--json", *words, file)
        assert done.code == 1 and done.json["ok"] is False, done
        assert done.json["compared"][0]["same"] is False and done.json["compared"][0]["expected"] == words[1]
        done = mere("verify", *words, file)
        assert done.code == 1 and done.out == "" and "expected" in done.err, done
    for words in ["--sha256", "12"], ["--content-id", "xyz"]:
        assert mere("verify", *words, file).code == 2


@case("diff: the same model under another codec does not differ")
def same(mere):
    make_all(mere)
    done = mere.good("diff", "--json", mere.path("forest.mere"), mere.path("forest-zlib.mere")).json
    assert done["same"] is True and done["differences"] == [], done
    assert mere.good("cache", "--json").json["entries"] == []


@case("diff: names the parameter and the array that differ, and by how much, and is exit 1")
def differs(mere):
    a = dump(mere, "a", {"C": 1.0, "w": np.array([1.0, 2.0, 4.0]), "same": [1, 2], "gone": 1, "kind": "x"})
    b = dump(mere, "b", {"C": 0.5, "w": np.array([1.0, 2.0, 5.0]), "same": [1, 2], "new": 1, "kind": 3})
    done = mere("diff", "--json", a, b)
    assert done.code == 1, done
    found = {row["path"]: row for row in done.json["differences"]}
    assert set(found) == {"C", "w", "gone", "new", "kind"}, found
    assert {path: row["change"] for path, row in found.items()} == {
        "C": "value", "w": "elements", "gone": "removed", "new": "added", "kind": "kind"}, found
    elements = found["w"]["elements"][0]
    assert elements["values"] == 3 and elements["differing"] == 1 and elements["max_absolute"] == 1.0, elements
    assert elements["max_relative"] == 0.2 and elements["first_index"] == [2], elements
    assert found["C"]["a"].startswith("1") and "0.5" in found["C"]["b"], found["C"]
    limited = mere("diff", "--json", "--limit", "2", a, b).json
    assert limited["count"] == 5 and len(limited["differences"]) == 2, limited
    done = mere("diff", a, b)
    assert done.code == 1 and "w" in done.out and "C" in done.out and "same" not in done.out, done
    done = mere("diff", "-q", a, b)
    assert done.code == 1 and done.err == "" and done.out == "", done


@case("diff: two fitted models differ in what was fitted")
def fitted(mere):
    make_all(mere)
    done = mere("diff", "--json", mere.path("regression.mere"), mere.path("other.mere"))
    paths = {row["path"] for row in done.json["differences"]}
    assert done.code == 1 and {"C", "coef_"} <= paths and "classes_" not in paths, paths


@case("diff: sharing counts, unless --ignore-sharing")
def sharing(mere):
    one = [1]
    a, b = dump(mere, "a", {"x": one, "y": one}), dump(mere, "b", {"x": [1], "y": [1]})
    assert mere("diff", a, b).code == 1
    mere.good("diff", "--ignore-sharing", a, b)


@case("diff: a file that is missing is exit 3, a damaged one exit 4")
def bad(mere):
    make_all(mere)
    assert mere("diff", mere.path("forest.mere"), mere.path("absent.mere")).code == 3
    mere.path("bad.mere").write_bytes(mere.path("forest.mere").read_bytes()[:-1])
    assert mere("diff", mere.path("forest.mere"), mere.path("bad.mere")).code == 4


@case("cache: lists the copy that share made, and clears one or all")
def cache(mere):
    make_all(mere)
    file = mere.path("forest-zlib.mere")
    mere.good("share", "--workers", "2", file)
    listed = mere.good("cache", "list", "--json").json
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert [entry["digest"] for entry in listed["entries"]] == [digest], listed
    assert listed["bytes"] == listed["entries"][0]["bytes"] > 0 and listed["directory"].startswith(str(mere.folder))
    assert digest in mere.good("cache").out
    done = mere("cache", "clear", "0" * 64)
    assert done.code == 3, done
    assert mere.good("cache", "clear", "--json", digest).json["freed_bytes"] > 0
    assert mere.good("cache", "--json").json["entries"] == []
    mere.good("share", "--workers", "1", file)
    mere.good("cache", "clear")
    assert mere.good("cache", "--json").json["entries"] == []
    assert mere.good("cache", "clear", "--json").json["freed_bytes"] == 0


@case("cache: a directory that others may write is refused with exit 5")
def unsafe(mere):
    make_all(mere)
    folder = mere.path("open-cache")
    folder.mkdir()
    folder.chmod(0o777)
    done = mere("share", "--json", "--workers", "1", mere.path("forest-zlib.mere"), env={"MERE_CACHE_DIR": str(folder)})
    assert done.code == 5 and done.error["reason"] == "unsafe_directory", done


main()
