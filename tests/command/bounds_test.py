"""What a hostile file may cost: the most memory and the stack that the command takes for it, and what verify says of a
.mere file that is whole but for what it says."""
import bz2
import gzip
import io
import lzma
import os
import subprocess
import sys
import zipfile
import zlib

from command_case import Skip, case, main
from models import make_all

MB = 10 ** 6
# Runs a program on a small stack, from a process that is small itself: what a child was before exec counts as its peak.
RUNNER = """
import os, resource, sys
pid = os.fork()
if pid == 0:
    resource.setrlimit(resource.RLIMIT_STACK, (256 << 10, 256 << 10))
    os.execv(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024, usage.ru_utime)
"""


class Cost:
    def __init__(self, mere, *words):
        # Filling freed memory with a pattern, as meson has glibc do, keeps all of it resident.
        environment = {k: v for k, v in mere.environment.items() if k != "MALLOC_PERTURB_"}
        done = subprocess.run([sys.executable, "-S", "-c", RUNNER, mere.program, *map(str, words)], check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                              env=environment, timeout=300)
        code, peak, seconds = done.stdout.split()[-3:]
        self.words, self.err = words, done.stderr.decode("utf-8", "replace")
        self.code, self.peak, self.seconds = int(code), int(peak), float(seconds)

    def __repr__(self):
        return f"mere {self.words}: exit {self.code}, {self.peak / MB:.1f} MB, {self.seconds:.1f} s\n{self.err[:1000]}"


def bound(path):
    return 64 * MB + 4 * path.stat().st_size


@case("a million nested containers cost 64 MB and 4 times the file at most, on a stack of 256 kB")
def nested(mere):
    count = 10 ** 6
    pickles = {
        "lists": b"]" * count + b"a" * (count - 1),
        "memoized": b"]\x94" * count + b"a" * (count - 1),
        "tuples": b")" + b"\x85" * (count - 1),
        "sets": b"\x8f(" * (count // 2) + b"N" + b"\x90" * (count // 2),
        "frozensets": b"(" * (count // 2) + b"N" + b"\x91" * (count // 2),
        "dicts": b"}K\x01" * (count // 2) + b"N" + b"s" * (count // 2),
    }
    for name, body in pickles.items():
        path = mere.path(name + ".pkl")
        path.write_bytes(b"\x80\x04" + body + b".")
        for words in (["convert", path, mere.path(name + ".mere")], ["audit", path]):
            cost = Cost(mere, *words)
            assert cost.code in (0, 4, 6), cost
            assert cost.code == 0 or name in ("sets", "frozensets"), cost
            assert cost.peak <= bound(path) and cost.seconds < 5, (cost, bound(path) / MB)
        if cost.code == 0:
            for words in (["verify"], ["ls"], ["info"], ["diff", mere.path(name + ".mere")]):
                cost = Cost(mere, *words, mere.path(name + ".mere"))
                assert cost.code == 0 and cost.seconds < 5, cost


def joblib_of_zeros(count):
    """The pieces of a joblib file with one array of bytes, without the array in memory."""
    head = (b"\x80\x04cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(\x8c\x08subclasscnumpy\nndarray\n\x8c\x05shape"
            b"\x8a\x08" + count.to_bytes(8, "little") + b"\x85\x8c\x05order\x8c\x01C\x8c\x05dtypecnumpy\ndtype\n"
            b"\x8c\x02u1\x89\x88\x87R(K\x03\x8c\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
            b"\x8c\x0aallow_mmap\x89ub")
    yield head
    for _ in range(count >> 20):
        yield bytes(1 << 20)
    yield b"."


def packed(codec, count):
    if codec == "gzip":
        out = io.BytesIO()
        with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9) as stream:
            for piece in joblib_of_zeros(count):
                stream.write(piece)
        return out.getvalue()
    if codec == "lz4":
        try:
            import lz4.frame
        except ImportError:
            raise Skip("no lz4 for Python")
        maker = lz4.frame.LZ4FrameCompressor(compression_level=9)
        return maker.begin() + b"".join(maker.compress(piece) for piece in joblib_of_zeros(count)) + maker.flush()
    maker = {"zlib": lambda: zlib.compressobj(9), "bz2": bz2.BZ2Compressor, "xz": lambda: lzma.LZMACompressor(preset=3),
             "lzma": lambda: lzma.LZMACompressor(lzma.FORMAT_ALONE, preset=3)}[codec]()
    return b"".join(maker.compress(piece) for piece in joblib_of_zeros(count)) + maker.flush()


@case("a decompression bomb of each codec stops at its limit, and within 64 MB and 4 times the file")
def bombs(mere):
    count = 128 << 20
    # lz4 packs zeros no more than 255 times.
    limit = ["--limit-expand-ratio", 100]
    for codec in ("zlib", "gzip", "bz2", "xz", "lzma", "lz4"):
        path = mere.path("bomb." + codec)
        path.write_bytes(packed(codec, count))
        for words in (["convert", *limit, path, mere.path("bomb.mere")], ["audit", *limit, path]):
            cost = Cost(mere, *words)
            assert cost.code == 6 and "limit" in cost.err, cost
            assert cost.peak <= bound(path), (cost, bound(path) / MB)
        assert not mere.path("bomb.mere").exists()
        # The limit lifted, it is a file like others.
        cost = Cost(mere, "audit", "--limit-expand-ratio", 0, path)
        assert cost.code == 0, cost


@case("a member of a zip file that expands to a bomb stops at its limit, and within 64 MB and 4 times the file")
def zip_bombs(mere):
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (%d,), }" % (128 << 20)
    npy = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + header.ljust(117) + b"\n"
    path = mere.path("bomb.npz")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        with archive.open("x.npy", "w") as member:
            member.write(npy)
            for _ in range(128):
                member.write(bytes(1 << 20))
    cost = Cost(mere, "convert", "--limit-expand-ratio", 100, path, mere.path("bomb.mere"))
    assert cost.code == 6 and "limit" in cost.err and not mere.path("bomb.mere").exists(), cost
    assert cost.peak <= bound(path), (cost, bound(path) / MB)


@case("verify: a tree that is broken inside a whole .mere file is corrupt, and says how")
def broken_trees(mere):
    forge = os.environ["MERE_FORGE_TREE"]  # tests/command/forge_tree.cpp
    make_all(mere)
    rows = {
        "loop": ("left_child", 0, 0, "node 0 has child 0"),
        "outside": ("right_child", 0, 10 ** 6, "node 0 has child 1000000"),
        "negative": ("left_child", 0, -7, "node 0 has child -7"),
        "shared": ("right_child", 0, 1, "is the child of two"),
        "feature": ("feature", 0, 10 ** 4, "splits on feature 10000"),
        "values": ("values", 0, 0, "the rows of values"),
    }
    for name, (field, row, value, message) in rows.items():
        path = mere.path(name + ".mere")
        subprocess.run([forge, mere.path("forest.joblib"), path, field, str(row), str(value)], check=True)
        done = mere("--json", "verify", path)
        assert done.code == 4 and done.error["code"] == "corrupt", done
        assert done.error["reason"] in ("bad_record", "schema"), done
        assert message in done.error["message"] and ".tree_" in done.error["message"], done
        # Opening and looking is allowed, making another file of it is not.
        assert mere("info", path).code == 0 and mere("convert", path, mere.path("again.mere")).code == 4
        assert mere("export", path, mere.path("again.joblib")).code == 4


main()
