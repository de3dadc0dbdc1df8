"""mere audit: what a file names and who vouches for it; broken states; and what the system sees of hostile files."""
import io
import lzma
import os
import pickle
import re
import shutil
import subprocess
import zipfile
import zlib

import numpy as np
import scipy.sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from command_case import Skip, case, main
from models import make_all


def put(mere, name, data):
    mere.path(name).write_bytes(data)
    return mere.path(name)


def stream(*parts):
    """A pickle of protocol 2 made by hand: nothing here ever loads it."""
    return b"\x80\x02" + b"".join(parts) + b"."


@case("audit: every name of a forest with its uses and offset, all trusted, by library and version")
def forest(mere):
    make_all(mere)
    done = mere.good("audit", "--json", mere.path("forest.joblib")).json
    names = {row["name"]: row for row in done["names"]}
    tree = names["sklearn.tree._tree.Tree"]
    assert done["format"] == "joblib" and done["trusted"] and done["untrusted"] == 0 and done["needed"] == [], done
    assert tree["uses"] == 8 and tree["offset"] > 0 and tree["by"].startswith("scikit-learn "), tree
    assert re.search(r"\d+\.\d+", done["versions"]["scikit-learn"]), done["versions"]
    text = mere.good("audit", mere.path("forest.joblib")).out
    assert "Nothing untrusted." in text and "sklearn.tree._tree.Tree" in text, text
    assert all(len(line) <= 120 for line in text.splitlines()), text


@case("audit: a .mere file gives the same names as what it was made of, with paths instead of offsets")
def mere_file(mere):
    make_all(mere)
    done = mere.good("audit", "--json", mere.path("forest.mere")).json
    names = {row["name"]: row for row in done["names"]}
    assert names["sklearn.tree._tree.Tree"]["uses"] == 8, names
    assert names["sklearn.tree._tree.Tree"]["path"] == "estimators_[0].tree_@type", names
    assert done["format"] == "mere" and "scikit-learn" in done["versions"], done


@case("audit: untrusted names come first, exit status 5, and --trust or --trust-file vouches for them")
def untrusted(mere):
    path = put(mere, "evil.pkl", stream(b"cos\nsystem\n", b"X\x02\x00\x00\x00id\x85R"))
    done = mere("audit", "--json", path)
    assert done.code == 5 and done.json["needed"] == ["os.system"], done
    assert done.json["names"][0] == {"name": "os.system", "uses": 1, "offset": 2, "trusted": False, "by": ""}, done
    assert "--trust os.system" in mere("audit", path).out
    assert mere("audit", "-q", path).bytes == b""
    assert mere("convert", path, mere.path("evil.mere")).code == 5 and not mere.path("evil.mere").exists()
    assert mere.good("audit", "--json", "--trust", "os.system", path).json["names"][0]["by"] == "--trust"
    put(mere, "names.txt", b"# vouched for\n\n  os.system   # why not\n")
    mere.good("audit", "--trust-file", mere.path("names.txt"), path)
    put(mere, "names.txt", b"os.system posix.system\n")
    assert "line 1" in mere("audit", "--trust-file", mere.path("names.txt"), path).err
    assert mere("audit", mere.path("nothing.pkl")).code == 3


@case("audit: - is standard input, a pipe or a file; what lies beside a file is out of reach")
def standard_input(mere):
    make_all(mere)
    for name in ("forest.joblib", "forest.mere"):
        path = mere.path(name)
        wanted = mere.good("audit", "--json", path).json
        piped = mere.good("audit", "--json", "-", input=path.read_bytes()).json
        with open(path, "rb") as file:
            whole = mere.good("audit", "--json", "-", stdin=file).json
        assert piped == whole == {**wanted, "file": "-"}, (piped, wanted)
    text = mere.good("audit", "-", input=mere.path("forest.joblib").read_bytes()).out
    assert text.startswith("standard input: joblib"), text
    done = mere("audit", "-", input=stream(b"cos\nsystem\n"))
    assert done.code == 5 and "--trust os.system" in done.out, done
    assert mere("audit", "-", input=b"no model").code in (4, 6)
    done = mere("--json", "audit", "--limit-memory-bytes", "1K", "-", input=bytes(4096))
    assert done.code == 6 and done.error["reason"] == "too_large", done
    companion = stream(b"cjoblib.numpy_pickle\nNDArrayWrapper\n)\x81}(X\x08\x00\x00\x00filenameX\x01\x00\x00\x000"
                       b"X\x08\x00\x00\x00subclasscnumpy\nndarray\nub")
    put(mere, "companion.pkl", companion)
    for words in ({"input": companion}, {"stdin": open(mere.path("companion.pkl"), "rb")}):
        done = mere("--json", "audit", "-", **words)
        assert done.code == 3 and done.error["reason"] == "no_file", done


@case("audit: the limits of foreign files are those of convert")
def audit_limits(mere):
    size = 80 << 20
    bomb = put(mere, "bomb.pkl.z", zlib.compress(stream(b"B", size.to_bytes(4, "little"), bytes(size))))
    done = mere("--json", "audit", "--limit-expand-ratio", 2, bomb)
    assert done.code == 6 and done.error["reason"] == "too_large", done
    mere.good("audit", "--limit-expand-ratio", 0, bomb)
    packed = put(mere, "packed.pkl.xz", lzma.compress(stream(b"N"), preset=6))
    done = mere("--json", "audit", "--limit-decoder-bytes", "1M", packed)
    assert done.code == 6 and done.error["code"] == "limit", done
    mere.good("audit", "--limit-decoder-bytes", "80M", packed)
    assert mere("export", "--limit-expand-ratio", 2, bomb, mere.path("bomb.out.pkl")).code == 6
    assert mere("export", "--limit-decoder-bytes", "1M", packed, mere.path("packed.out.pkl")).code == 6


@case("audit: names that steer a terminal are escaped")
def steering(mere):
    path = put(mere, "steer.pkl", stream(b"cevil\x1b[31m\nx\x07y\n"))
    done = mere("audit", path)
    assert done.code == 5 and "\x1b" not in done.out and "\x07" not in done.out, done
    assert "\\x1b" in done.out


@case("audit: parameters that make an object touch files or call a function are capabilities, with their paths")
def capabilities(mere):
    pipeline = Pipeline([("words", CountVectorizer(input="filename")), ("log", FunctionTransformer(np.log1p)),
                         ("scale", StandardScaler())], memory="/tmp/cache")
    path = put(mere, "pipe.pkl", pickle.dumps(pipeline))
    done = mere("audit", "--json", path)
    found = {row["name"]: row for row in done.json["capabilities"]}
    assert done.code == 5 and set(found) == {"sklearn.pipeline.Pipeline.memory",
                                             "sklearn.feature_extraction.text.CountVectorizer.input"}, done
    assert found["sklearn.pipeline.Pipeline.memory"]["what"] == "caches_to_disk"
    assert found["sklearn.pipeline.Pipeline.memory"]["detail"] == "/tmp/cache"
    assert found["sklearn.feature_extraction.text.CountVectorizer.input"]["path"] == "steps[0][1]", found
    trust = [word for name in done.json["needed"] for word in ("--trust", name)]
    mere.good("audit", *trust, path)
    # A pure function on a list is no capability; a method of an object is one.
    path = put(mere, "bound.pkl", pickle.dumps(FunctionTransformer(StandardScaler().fit_transform)))
    done = mere("audit", "--json", path)
    assert done.code == 5 and any("StandardScaler" in name or "getattr" in name for name in done.json["needed"]), done


def broken(change):
    """A fitted tree whose state is changed: pickled, not loaded."""
    x = np.random.RandomState(0).randn(40, 3)
    tree = DecisionTreeClassifier(max_depth=4, random_state=0).fit(x, np.arange(40) % 2).tree_
    make, args, state = tree.__reduce__()
    state = {**state, "nodes": state["nodes"].copy()}
    change(state)

    class Tree:
        def __reduce__(self):
            return make, args, state
    return pickle.dumps(Tree(), 4)


def set_node(field, row, value):
    def change(state):
        state["nodes"][field][row] = value
    return change


@case("convert: trees, matrices and generators that would crash their library are refused, with what was found")
def refused(mere):
    matrix = scipy.sparse.csr_matrix(np.eye(3))
    matrix.indices[1] = 7
    state = np.random.RandomState(0)
    generator = state.__reduce__()

    class Generator:
        def __reduce__(self):
            held = dict(generator[2])
            held["state"] = {**held["state"], "pos": 5000}
            return generator[0], generator[1], held
    rows = {
        "loop": (broken(set_node("left_child", 0, 0)), "node 0 has child 0"),
        "outside": (broken(set_node("right_child", 0, 10 ** 6)), "node 0 has child 1000000"),
        "feature": (broken(set_node("feature", 0, 3)), "splits on feature 3 of 3"),
        "depth": (broken(lambda s: s.update(max_depth=0)), "max_depth is 0"),
        "values": (broken(lambda s: s.update(values=s["values"][:-1])), "the rows of values"),
        "csr": (pickle.dumps(matrix), "indices[1] is 7, expected 0 to 2"),
        "pos": (pickle.dumps(Generator()), "pos is 5000, expected 0 to 624"),
    }
    for name, (data, message) in rows.items():
        path = put(mere, name + ".pkl", data)
        done = mere("convert", path, mere.path(name + ".mere"))
        assert done.code == 4 and message in done.err and not mere.path(name + ".mere").exists(), done
        # Looking is allowed: nobody makes an object of it.
        assert mere("audit", path).code == 0, name


@case("verify: sound trees pass, raw or compressed")
def verified(mere):
    make_all(mere)
    good = broken(lambda state: None)
    mere.good("convert", put(mere, "tree.pkl", good), mere.path("tree.mere"))
    mere.good("verify", mere.path("tree.mere"))
    mere.good("convert", "--codec", "zlib", mere.path("tree.mere"), mere.path("z.mere"))
    mere.good("verify", mere.path("z.mere"))


GADGETS = """
os system|posix system|nt system|subprocess Popen|builtins eval|builtins exec|builtins __import__|builtins getattr|
importlib import_module|runpy run_path|shutil rmtree|socket create_connection|webbrowser open|ctypes CDLL|pty spawn|
code interact|pickle loads|operator attrgetter|functools partial|pip main|timeit timeit|cProfile run|
asyncio.subprocess create_subprocess_shell|urllib.request urlopen|numpy fromfile|numpy save|numpy memmap|joblib load|
sklearn.datasets fetch_openml
""".replace("\n", "").split("|")


def hostile_files(mere):
    folder = mere.path("hostile")
    folder.mkdir(exist_ok=True)
    files = {}
    for number, name in enumerate(GADGETS):
        module, function = name.split()
        files[f"gadget{number}.pkl"] = stream(f"c{module}\n{function}\n".encode(), b"X\x09\x00\x00\x00/bin/true\x85R")
    companions = ["../secret.npy", "/etc/passwd", "..\\..\\x.npy", "a/../../secret.npy", "/proc/self/mem"]
    for number, name in enumerate(companions):
        text = name.encode()
        files[f"companion{number}.pkl"] = stream(
            b"cjoblib.numpy_pickle\nNDArrayWrapper\n)\x81}(X\x08\x00\x00\x00filenameX",
            len(text).to_bytes(4, "little") + text,
            b"X\x08\x00\x00\x00subclasscnumpy\nndarray\nub")
    for number, name in enumerate(["../../slip.npy", "/tmp/slip.npy", "x\x00.npy"]):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            member = io.BytesIO()
            np.save(member, np.arange(3))
            archive.writestr(zipfile.ZipInfo(name), member.getvalue())
        files[f"slip{number}.npz"] = out.getvalue()
    files["renamed.skops"] = files["gadget0.pkl"]
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder, sorted(files)


@case("hostile files: audit and convert run no program, open no socket and no file elsewhere")
def traced(mere):
    strace = shutil.which("strace")
    if strace is None:
        raise Skip("no strace")
    folder, names = hostile_files(mere)
    (folder.parent / "secret.npy").write_bytes(b"x")
    inside = (str(folder), "/lib", "/usr/lib", "/etc/ld.so", "/sys/", "/dev/null", "/etc/localtime", "/usr/share")
    for name in names:
        for words in (["audit", str(folder / name)], ["convert", str(folder / name), str(folder / "out.mere")]):
            log = mere.path("strace.log")
            trace = [strace, "-f", "-qq", "-o", str(log), "-e", "trace=execve,network,%file"]
            done = subprocess.run([*trace, mere.program, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  env=mere.environment)
            lines = log.read_text(errors="replace").splitlines()
            if done.returncode == 1 and "ptrace" in done.stderr.decode(errors="replace"):
                raise Skip("strace may not trace here")
            assert done.returncode in (4, 5, 6), (name, words, done)
            assert sum("execve(" in line for line in lines) == 1, (name, lines)
            assert not any(re.search(r"\b(socket|connect|sendto|bind)\(", line) for line in lines), (name, lines)
            for line in lines:
                opened = re.search(r'\bopen(?:at2?)?\((?:[^"]*, )?"([^"]*)".*\) = \d', line)
                if opened and not opened.group(1).startswith(inside) and os.path.isabs(opened.group(1)):
                    build = os.path.dirname(os.path.dirname(os.path.dirname(mere.program)))
                    assert opened.group(1).startswith(build), (name, line)
                assert "secret" not in line or str(folder) in line and "= -1" in line, (name, line)
            assert not (folder / "out.mere").exists(), name
    assert not os.path.exists("/tmp/slip.npy")


main()
