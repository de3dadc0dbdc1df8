"""mere convert: what comes in, what comes out, and what is left behind."""
import hashlib
import io
import os
import pathlib
import pickle
import signal
import subprocess
import time

import numpy as np

from command_case import case, main
from models import make_all


@case("convert: a joblib file becomes a .mere, and --json tells what was done")
def joblib_file(mere):
    make_all(mere)
    done = mere.good("convert", "--json", mere.path("forest.joblib"), mere.path("f.mere")).json
    assert done["source_format"] == "joblib", done
    assert done["file_bytes"] == mere.path("f.mere").stat().st_size
    assert len(done["content_id"]) == 32 and done["codec"] == "none"
    assert done["content_id"] == mere.good("info", "--json", mere.path("f.mere")).json["content_id"]


@case("convert: without --json nothing goes to standard output, and -q says nothing at all")
def says_little(mere):
    make_all(mere)
    done = mere.good("convert", mere.path("regression.pkl"), mere.path("r.mere"))
    assert done.bytes == b"" and "pickle" in done.err, done
    done = mere.good("convert", "-q", mere.path("regression.pkl"), mere.path("r.mere"))
    assert done.bytes == b"" and done.err == "", done


@case("convert: pickle protocols 2 to 5 give the same content id")
def protocols(mere):
    value = {"a": [1, 2.5, "x"], "w": np.arange(10.0)}
    ids = set()
    for protocol in range(2, 6):
        mere.path("p.pkl").write_bytes(pickle.dumps(value, protocol=protocol))
        ids.add(mere.good("convert", "--json", mere.path("p.pkl"), mere.path("p.mere")).json["content_id"])
    assert len(ids) == 1, ids


@case("convert: joblib files of every codec give the content id of the raw one, and their metadata name it")
def compressed_joblib(mere):
    import joblib
    make_all(mere)
    want = mere.good("info", "--json", mere.path("forest.mere")).json["content_id"]
    model = joblib.load(mere.path("forest.joblib"))
    methods = ["zlib", "gzip", "bz2", "lzma", "xz"]
    try:
        import lz4.frame  # noqa: F401
        methods.append("lz4")
    except ImportError:
        pass  # joblib cannot write it here; the importers' tests have files of it
    for method in methods:
        joblib.dump(model, mere.path("c.joblib"), compress=(method, 3))
        done = mere.good("convert", "--json", mere.path("c.joblib"), mere.path("c.mere")).json
        assert done["content_id"] == want, (method, done)
        assert mere.good("info", "--json", mere.path("c.mere")).json["metadata"]["source"]["codec"] == method


@case("convert: the metadata tell of the source, and what is given; the same again gives the same bytes")
def provenance(mere):
    make_all(mere)
    source = mere.path("forest.joblib").read_bytes()
    mere.path("fit.py").write_text("model.fit(X, y)\n")
    words = ["--training-data", "iris, 150 rows", "--source-code", mere.path("fit.py"), "--cv-score", "roc:auc:0.93:1e-2:5"]
    mere.good("convert", *words, mere.path("forest.joblib"), mere.path("p.mere"))
    found = mere.good("info", "--json", mere.path("p.mere")).json["metadata"]
    assert found["source"] == {"format": "joblib", "codec": "none", "protocol": 4, "bytes": len(source),
                               "sha256": hashlib.sha256(source).hexdigest()}, found
    assert found["training_data"] == "iris, 150 rows" and found["source_code"] == "model.fit(X, y)\n", found
    assert found["cv_score"] == {"metric": "roc:auc", "mean": 0.93, "std": 0.01, "n_splits": 5}, found
    assert found["versions"]["scikit-learn"], found
    mere.good("verify", mere.path("p.mere"))
    mere.good("convert", *words, "--threads", "1", mere.path("forest.joblib"), mere.path("q.mere"))
    assert mere.path("p.mere").read_bytes() == mere.path("q.mere").read_bytes()
    text = mere.good("info", mere.path("p.mere")).out
    assert hashlib.sha256(source).hexdigest() in text and "roc:auc" in text, text
    mere.good("convert", "--no-source-digest", mere.path("forest.joblib"), mere.path("q.mere"))
    assert "sha256" not in mere.good("info", "--json", mere.path("q.mere")).json["metadata"]["source"]
    # A .mere of a .mere keeps them, and more can be added.
    mere.good("convert", "--training-data", "other", mere.path("p.mere"), mere.path("q.mere"))
    assert mere.good("info", "--json", mere.path("q.mere")).json["metadata"] == {**found, "training_data": "other"}
    for bad in "accuracy", "accuracy:1", ":0.5:0.1", "a:nan:0.1", "a:0.5:-1", "a:0.5:inf", "a:0.5:0.1:1", "a:0,5:0.1":
        done = mere("convert", "--cv-score", bad, mere.path("forest.joblib"), mere.path("q.mere"))
        assert done.code == 2 and "METRIC:MEAN:STD" in done.err, (bad, done)
    done = mere("convert", "--source-code", mere.path("absent.py"), mere.path("forest.joblib"), mere.path("q.mere"))
    assert done.code == 3, done


@case("convert: --trust-file admits the names in it; a line that is no name is told")
def trust_file(mere):
    mere.path("named.pkl").write_bytes(b"\x80\x02cmine\nModel\n)\x81.")
    assert mere("convert", mere.path("named.pkl"), mere.path("n.mere")).code == 5
    mere.path("names").write_text("# ours\n\nmine.Model   # the model\n")
    mere.good("convert", "--trust-file", mere.path("names"), mere.path("named.pkl"), mere.path("n.mere"))
    mere.path("names").write_text("mine.Model other\n")
    done = mere("convert", "--trust-file", mere.path("names"), mere.path("named.pkl"), mere.path("n.mere"))
    assert done.code == 6 and "line 1" in done.err, done


@case("convert: files of old joblib releases are read with their companions, and not from standard input")
def companions(mere):
    data = pathlib.Path(__file__).resolve().parent.parent / "data" / "joblib"
    ids = set()
    for file in "0.8.4/raw", "0.9.4/zfcache", "0.10.0/xz", "1.5.3/raw":
        ids.add(mere.good("convert", "--json", data / file, mere.path("j.mere")).json["content_id"])
    assert len(ids) == 1, ids
    mere.good("convert", data / "0.9.4" / "raw", mere.path("j.mere"))
    files = mere.good("info", "--json", mere.path("j.mere")).json["metadata"]["source"]["companions"]
    assert len(files) == 16 and files[0]["name"] == "raw_01.npy", files
    assert files[0]["sha256"] == hashlib.sha256((data / "0.9.4" / "raw_01.npy").read_bytes()).hexdigest(), files
    done = mere("convert", "-", mere.path("j.mere"), input=(data / "0.9.4" / "raw").read_bytes())
    assert done.code == 3 and "raw_01.npy" in done.err, done


@case("convert: a stream that expands too far is stopped, and the limit can be raised")
def bomb(mere):
    import zlib
    zeros = b"\x80\x04\x8e" + (1 << 27).to_bytes(8, "little") + bytes(1 << 27) + b"."
    mere.path("bomb.z").write_bytes(zlib.compress(zeros, 9))
    done = mere("convert", "--json", mere.path("bomb.z"), mere.path("b.mere"))
    assert done.code == 6 and done.error["reason"] == "too_large", done
    mere.good("convert", "--limit-expand-ratio", "0", mere.path("bomb.z"), mere.path("b.mere"))
    done = mere("convert", "--json", "--limit-expand-ratio", "0", "--limit-expanded-bytes", "64M", mere.path("bomb.z"),
                mere.path("b.mere"))
    assert done.code == 6 and done.error["reason"] == "too_large", done


@case("convert: .npy and .npz files, told by their bytes and not by their names")
def npy_files(mere):
    array = np.arange(12, dtype="<f4").reshape(3, 4)
    np.save(mere.path("a.npy"), array)
    os.rename(mere.path("a.npy"), mere.path("a.data"))
    assert mere.good("convert", "--json", mere.path("a.data"), mere.path("a.mere")).json["source_format"] == "npy"
    np.testing.assert_array_equal(np.load(io.BytesIO(mere.good("get", mere.path("a.mere"), "").bytes)), array)
    np.savez_compressed(mere.path("b.npz"), x=array, y=np.arange(3))
    assert mere.good("convert", "--json", mere.path("b.npz"), mere.path("b.mere")).json["source_format"] == "npz"
    np.testing.assert_array_equal(np.load(io.BytesIO(mere.good("get", mere.path("b.mere"), "x").bytes)), array)


@case("convert: a .mere keeps its content id under every codec, alignment and metadata")
def again(mere):
    make_all(mere)
    want = mere.good("info", "--json", mere.path("forest.mere")).json
    codecs = mere.good("--version").out.split("codecs:")[1].split()
    for codec in codecs + ["smallest"]:
        done = mere.good("convert", "--json", "--codec", codec, mere.path("forest.mere"), mere.path("g.mere")).json
        assert done["content_id"] == want["content_id"] and done["source_format"] == "mere", (codec, done)
        mere.good("verify", mere.path("g.mere"))
        mere.good("convert", mere.path("g.mere"), mere.path("h.mere"))
        assert mere.path("h.mere").read_bytes() == mere.path("forest.mere").read_bytes(), codec
    mere.good("convert", "--align", "2M", "--metadata", "a=b=c", "--metadata", "d=", mere.path("forest.mere"), mere.path("g.mere"))
    info = mere.good("info", "--json", mere.path("g.mere")).json
    assert info["alignment"] == 2 << 20 and info["content_id"] == want["content_id"], info
    kept = mere.good("info", "--json", mere.path("forest.mere")).json["metadata"]
    assert kept["source"]["format"] == "joblib" and info["metadata"] == {**kept, "a": "b=c", "d": ""}, info


@case("convert: --level and --no-filters change the size, not the content")
def levels(mere):
    make_all(mere)
    sizes = {}
    for words in ((), ("--level", "1"), ("--level", "9"), ("--no-filters",)):
        done = mere.good("convert", "--json", "--codec", "zlib", *words, mere.path("forest.mere"), mere.path("l.mere")).json
        sizes[words] = done["file_bytes"]
        assert done["content_id"] == mere.good("info", "--json", mere.path("forest.mere")).json["content_id"]
    assert len(set(sizes.values())) >= 3, sizes
    assert sizes[()] < sizes[("--no-filters",)], sizes


@case("convert: 1 and 2 threads, --durability none, a file and a pipe give the same bytes")
def same_bytes(mere):
    make_all(mere)
    want = mere.path("forest.mere").read_bytes()
    for words in ("--threads", "1"), ("--threads", "2"), ("--durability", "none"):
        mere.good("convert", *words, mere.path("forest.joblib"), mere.path("s.mere"))
        assert mere.path("s.mere").read_bytes() == want, words
    assert mere.good("convert", mere.path("forest.joblib"), "-").bytes == want
    with open(mere.path("forest.joblib"), "rb") as file:
        raw = file.read()
    assert mere.good("convert", "-", "-", input=raw).bytes == want
    mere.good("convert", "-", mere.path("s.mere"), input=raw)
    assert mere.path("s.mere").read_bytes() == want
    assert mere.good("convert", "--codec", "none", "-", "-", input=want).bytes == want


@case("convert: with OUT -, the result is told on standard error, as JSON too")
def result_of_pipe(mere):
    import json
    make_all(mere)
    done = mere.good("convert", "--json", mere.path("regression.pkl"), "-")
    told = json.loads(done.err)
    assert told["file_bytes"] == len(done.bytes) and told["output"] == "-", told
    assert told["source_format"] == "pickle", told


@case("convert: a name on no list is refused with exit 5 and named; --trust admits it as data")
def untrusted(mere):
    mere.path("evil.pkl").write_bytes(b"cos\nsystem\n(S'touch " + str(mere.path("ran")).encode() + b"'\ntR.")
    done = mere("convert", "--json", mere.path("evil.pkl"), mere.path("evil.mere"))
    assert done.code == 5 and done.error["reason"] == "forbidden_global" and "os.system" in done.error["message"], done
    assert not mere.path("evil.mere").exists() and not mere.path("ran").exists()
    mere.good("convert", "--trust", "os.system", mere.path("evil.pkl"), mere.path("evil.mere"))
    assert not mere.path("ran").exists()
    assert mere.good("get", mere.path("evil.mere"), "").json["@object"] == "os.system"


@case("convert: exit 3 for no file, 4 for a damaged one, 6 for bytes that nobody knows and for directories")
def bad_inputs(mere):
    make_all(mere)
    assert mere("convert", mere.path("absent"), mere.path("x.mere")).code == 3
    raw = mere.path("things.pkl").read_bytes()
    mere.path("cut.pkl").write_bytes(raw[:len(raw) // 2])
    assert mere("convert", mere.path("cut.pkl"), mere.path("x.mere")).code == 4
    damaged = bytearray(mere.path("forest.mere").read_bytes())
    damaged[40000] ^= 1
    mere.path("damaged.mere").write_bytes(damaged)
    assert mere("convert", mere.path("damaged.mere"), mere.path("x.mere")).code == 4
    mere.path("text").write_text("hello\n" * 100)
    assert mere("convert", mere.path("text"), mere.path("x.mere")).code == 6
    assert mere("convert", mere.folder, mere.path("x.mere")).code == 6
    assert mere("convert", mere.path("things.pkl"), mere.folder).code == 6
    assert mere("convert", mere.path("things.pkl"), mere.path("no/such/x.mere")).code == 3
    assert not mere.path("x.mere").exists()
    left = [name for name in os.listdir(mere.folder) if name.startswith(".")]
    assert left == [], left


@case("convert: a failure leaves the old file whole")
def old_file(mere):
    make_all(mere)
    mere.path("old.mere").write_bytes(b"old")
    mere.path("cut.pkl").write_bytes(mere.path("things.pkl").read_bytes()[:1000])
    assert mere("convert", mere.path("cut.pkl"), mere.path("old.mere")).code == 4
    assert mere.path("old.mere").read_bytes() == b"old"


@case("convert: standard input longer than --limit-memory-bytes is refused")
def long_input(mere):
    make_all(mere)
    done = mere("convert", "--json", "--limit-memory-bytes", "64K", "-", mere.path("x.mere"),
                input=mere.path("forest.joblib").read_bytes())
    assert done.code == 6 and done.error["code"] == "limit", done


def write_large(mere):
    """A pickle that takes part of a second to compress, so that it can be interrupted anywhere."""
    if mere.path("large.pkl").exists():
        return
    with open(mere.path("large.pkl"), "wb") as out:
        pickle.dump({"x": np.random.default_rng(1).integers(0, 1000, 1_500_000), "y": np.zeros(100)}, out, protocol=5)


@case("convert: SIGINT and SIGTERM at any moment exit 130 and 143 and leave neither file nor temporary")
def interrupted(mere):
    write_large(mere)
    folder = mere.path("interrupted")
    folder.mkdir()
    begin = time.monotonic()
    words = ["convert", "-q", "--codec", "zlib", "--level", "9", "--no-filters", mere.path("large.pkl"), folder / "out.mere"]
    mere.good(*words)
    os.unlink(folder / "out.mere")
    whole = time.monotonic() - begin
    stopped = 0
    for step, (number, code) in enumerate([(signal.SIGINT, 130), (signal.SIGTERM, 143)] * 8):
        process = mere.start(*words, stderr=subprocess.DEVNULL)
        time.sleep(0.01 + whole * 0.05 * step)
        process.send_signal(number)
        end = process.wait(timeout=20)
        # Before the command could ask for the signal it ends as any process does.
        assert end in (code, -number, 0), (step, end)
        stopped += end == code
        # It may have come when all was done.
        assert os.listdir(folder) in ([], ["out.mere"]) and (end != 0 or os.listdir(folder)), (step, os.listdir(folder))
        if os.listdir(folder):
            mere.good("verify", folder / "out.mere")
            os.unlink(folder / "out.mere")
    assert stopped >= 8, stopped


@case("convert: kill -9 at any moment leaves the old file whole, and the next run removes what was left")
def killed(mere):
    write_large(mere)
    folder = mere.path("killed")
    folder.mkdir()
    (folder / "out.mere").write_bytes(b"old")
    for step in range(12):
        process = mere.start("convert", "-q", mere.path("large.pkl"), folder / "out.mere", stderr=subprocess.DEVNULL)
        time.sleep(0.004 * step)
        process.kill()
        process.wait()
        if (folder / "out.mere").read_bytes()[:3] != b"old":
            mere.good("verify", folder / "out.mere")
            (folder / "out.mere").write_bytes(b"old")
    mere.good("convert", mere.path("large.pkl"), folder / "out.mere")
    assert os.listdir(folder) == ["out.mere"], os.listdir(folder)
    mere.good("verify", folder / "out.mere")


@case("convert: a file larger than RLIMIT_FSIZE is an error, not a signal, and leaves nothing")
def file_size_limit(mere):
    import resource
    write_large(mere)
    folder = mere.path("limited")
    folder.mkdir()
    done = mere("convert", mere.path("large.pkl"), folder / "out.mere",
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)))
    assert done.code == 6, done
    assert os.listdir(folder) == [], os.listdir(folder)


main()
