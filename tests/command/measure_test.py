"""mere share and bench: what they measure has the documented shape and is plausible."""
import os
import pathlib
import pickle
import signal
import time

import numpy as np

from command_case import case, main
from models import make_all


def large(mere):
    """64 MB in 8 arrays: much more than a process needs for itself."""
    path = mere.path("large.mere")
    if not path.exists():
        mere.path("large.pkl").write_bytes(pickle.dumps([np.arange(1_000_000) + i for i in range(8)], protocol=5))
        mere.good("convert", mere.path("large.pkl"), path)
    return path


@case("share: four processes that read everything hold one copy of the file")
def share(mere):
    file = large(mere)
    done = mere.good("share", "--json", "--workers", "4", file).json
    for name in ("workers", "file_bytes", "mapped_bytes", "sum_pss_bytes", "base_pss_bytes", "ratio", "sum_private_bytes",
                 "base_private_bytes", "processes"):
        assert name in done, name
    assert done["workers"] == 4 and len(done["processes"]) == 4 and len({p["pid"] for p in done["processes"]}) == 4
    assert done["file_bytes"] == file.stat().st_size == done["mapped_bytes"]
    assert done["sum_pss_bytes"] == sum(p["pss_bytes"] for p in done["processes"])
    ratio = (done["sum_pss_bytes"] - done["base_pss_bytes"]) / done["file_bytes"]
    assert abs(done["ratio"] - ratio) < 1e-9
    # The file once, and at most half a megabyte for each process.
    assert 0.99 < ratio < 1 + 4 * 0.5e6 / done["file_bytes"], done
    assert all(p["private_bytes"] - p["base_private_bytes"] < 0.5e6 for p in done["processes"]), done


@case("share: with --copy-on-write pages stay shared until written")
def copy_on_write(mere):
    done = mere.good("share", "--json", "--copy-on-write", "--workers", "3", large(mere)).json
    assert 0.99 < done["ratio"] < 1.1, done


@case("share: with --expand in_memory each process has a copy of a compressed file, with shared they have one")
def expanded(mere):
    file = mere.path("large-lz4.mere")
    mere.good("convert", "--codec", "lz4", large(mere), file)
    private = mere.good("share", "--json", "--expand", "in_memory", "--workers", "3", file).json
    assert private["sum_private_bytes"] - private["base_private_bytes"] > 3 * 60e6, private
    shared = mere.good("share", "--json", "--workers", "3", file).json
    held = shared["sum_pss_bytes"] - shared["base_pss_bytes"]
    assert shared["mapped_bytes"] > 64e6 and 0.99 < held / shared["mapped_bytes"] < 1.1, shared
    text = mere.good("share", "--workers", "2", file).out
    assert "compressed" in text, text


@case("share: for people, a line a process and the ratio")
def share_text(mere):
    text = mere.good("share", "--workers", "2", large(mere)).out
    assert "PSS" in text and "2 processes hold" in text and "x the file" in text, text


@case("share: an error in the workers is the command's, once")
def share_errors(mere):
    make_all(mere)
    mere.path("bad.mere").write_bytes(mere.path("forest.mere").read_bytes()[:-1])
    done = mere("share", "--json", "--workers", "3", mere.path("bad.mere"))
    assert done.code == 4 and done.bytes == b"", done
    assert done.error["code"] == "corrupt", done
    assert mere("share", mere.path("absent.mere")).code == 3
    assert mere("share", "--workers", "0", mere.path("forest.mere")).code == 2
    assert mere("share", "-", input=b"").code == 2


@case("share: interrupted, no worker stays behind")
def share_interrupted(mere):
    process = mere.start("share", "--workers", "8", large(mere), start_new_session=True)
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=10)
    deadline = time.monotonic() + 5
    while True:
        left = [pid for pid in os.listdir("/proc") if pid.isdigit() and is_of_session(pid, process.pid)]
        if not left or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    assert left == [], left


def is_of_session(pid, session):
    try:
        return os.getsid(int(pid)) == session and pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@case("bench: open latency and read bandwidth, checked and plausible")
def bench(mere):
    file = large(mere)
    done = mere.good("bench", "--json", file).json
    for name in "file", "file_bytes", "path", "repetitions", "open_us_p50", "open_us_p99", "read_bytes", "read_gb_s", "reread_gb_s":
        assert name in done, name
    assert done["read_bytes"] == 64_000_000 and done["repetitions"] >= 1000
    assert 0 < done["open_us_p50"] <= done["open_us_p99"] < 1e6 and done["read_gb_s"] > 0.05, done
    assert done["path"] == "[4]", done
    text = mere.good("bench", "--repetitions", "1000", file, "[1]").out
    assert "p50" in text and "[1]" in text, text


@case("bench: too few repetitions are exit 2, a path that leads nowhere exit 3")
def bench_errors(mere):
    make_all(mere)
    assert mere("bench", "--repetitions", "10", mere.path("forest.mere")).code == 2
    assert mere("bench", mere.path("forest.mere"), "absent").code == 3
    assert mere("bench", mere.path("absent.mere")).code == 3


main()
