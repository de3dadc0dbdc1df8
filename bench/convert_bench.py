"""How long does a conversion take, and how much memory? Against read() and write() of the same bytes, and their SHA-256

  convert_bench.py MERE_COMMAND FOREST_JOBLIB WORK_FOLDER [--rounds 7] [--no-compressed]

Every round runs each of them once, in turn, and the medians of the rounds' ratios count: machines are shared and noisy.
Memory: the most that was resident (ru_maxrss, mapped pages of files counted too), as run for the raw file and for the
same one compressed by zlib.
"""
import argparse
import hashlib
import json
import os
import pathlib
import statistics
import subprocess
import time
import zlib

PIECE = 1 << 20


def line(name, size, value, spread, unit, reach=""):
    print(f"{name:58} {size:>12} {value:12.4g}  {spread:11} {unit:6} {reach}", flush=True)


def remove(path):
    path.unlink(missing_ok=True)


def read_and_write(source, out):
    """read() and write() of the same bytes, in pieces of 1 MiB: what no conversion can do without."""
    remove(out)
    begin = time.perf_counter()
    buffer = bytearray(PIECE)
    with open(source, "rb", buffering=0) as file, open(out, "wb", buffering=0) as copy:
        while got := file.readinto(buffer):
            copy.write(memoryview(buffer)[:got])
    return time.perf_counter() - begin


def digest_alone(source, out):
    """As sha256sum: read and summed by OpenSSL, in one thread."""
    begin = time.perf_counter()
    found = hashlib.sha256()
    buffer = bytearray(PIECE // 4)
    with open(source, "rb", buffering=0) as file:
        while got := file.readinto(buffer):
            found.update(memoryview(buffer)[:got])
    out["sha256"] = found.hexdigest()
    return time.perf_counter() - begin


def convert(mere, source, out, *words):
    """Seconds and the most bytes that were resident."""
    remove(out)
    begin = time.perf_counter()
    process = subprocess.Popen([mere, "convert", "-q", "--durability", "none", *words, source, out])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"convert {source}: exit {process.returncode}"
    return time.perf_counter() - begin, usage.ru_maxrss * 1024


def info(mere, path):
    return json.loads(subprocess.run([mere, "info", "--json", path], check=True, stdout=subprocess.PIPE).stdout)


def spread(values):
    return f"{min(values):.2f}..{max(values):.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("mere")
    parser.add_argument("forest", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--no-compressed", action="store_true", help="leave out the file compressed by zlib")
    words = parser.parse_args()
    out, copy, packed = words.work / "converted.mere", words.work / "copied", words.work / "forest.joblib.z"
    size = words.forest.stat().st_size

    found = {}
    digest_alone(words.forest, found)
    convert(words.mere, words.forest, out)
    told = info(words.mere, out)
    assert told["metadata"]["source"]["sha256"] == found["sha256"], "the digest in the metadata is not the file's"
    subprocess.run([words.mere, "verify", "-q", out], check=True)
    listing = subprocess.run([words.mere, "ls", "--arrays", "--json", out], check=True, stdout=subprocess.PIPE)
    arrays = json.loads(listing.stdout)
    largest = max(array["nbytes"] for array in arrays["arrays"])

    plain, summed, resident, seconds = [], [], [], []
    for _ in range(words.rounds):
        both = read_and_write(words.forest, copy)
        remove(copy)
        took, memory = convert(words.mere, words.forest, out, "--no-source-digest")
        resident.append(memory)
        seconds.append(took)
        plain.append(took / both)
        alone = digest_alone(words.forest, found)
        took, memory = convert(words.mere, words.forest, out)
        resident.append(memory)
        summed.append(took / alone)
    size_text = f"{size / 1e6:.0f} MB"
    line("convert F, no digest", size_text, statistics.median(seconds), spread(seconds), "s")
    line("convert F, no digest, against read() and write()", size_text, statistics.median(plain), spread(plain), "x",
         "<= 1.5")
    line("convert F, against its SHA-256 alone", size_text, statistics.median(summed), spread(summed), "x", "<= 1.2")
    megabytes = [m / 1e6 for m in resident]
    line("convert F: most resident memory", size_text, max(megabytes), spread(megabytes), "MB", "<= 64")

    if not words.no_compressed:
        pack = zlib.compressobj(1)
        with open(words.forest, "rb") as file, open(packed, "wb") as target:
            while piece := file.read(16 * PIECE):
                target.write(pack.compress(piece))
            target.write(pack.flush())
        took, memory = convert(words.mere, packed, out)
        assert info(words.mere, out)["content_id"] == told["content_id"], "another content id"
        line("convert F of zlib", f"{packed.stat().st_size / 1e6:.0f} MB", took, "", "s")
        line("convert F of zlib: most resident memory", f"largest array {largest / 1e6:.1f} MB", memory / 1e6, "", "MB",
             f"<= {64 + largest / 1e6:.0f}")
    for path in out, copy, packed:
        remove(path)


main()
