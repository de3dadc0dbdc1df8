"""How much memory do 8 independent processes take that hold one model? mere, and joblib with mmap beside it.

  share_bench.py MERE_COMMAND FOREST_JOBLIB FOREST_MERE [--workers 8] [--no-peer]

mere: `mere share` starts the processes; each opens the file and reads every byte of every array. joblib: Python
processes that import scikit-learn, load with mmap_mode='r' and read every array. Memory: sum of Pss less the same
processes before.
"""
import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys


def pss_bytes(pid):
    for line in open(f"/proc/{pid}/smaps_rollup"):
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/{pid}/smaps_rollup has no Pss")


def peer(path):
    """A process that holds a model by joblib: says when it has imported, loads when told, and waits."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # joblib keeps a descriptor an array
    import joblib
    import sklearn.ensemble  # noqa: F401
    print("imported", flush=True)
    sys.stdin.readline()
    model = joblib.load(path, mmap_mode="r")
    total = sum(float(tree.tree_.value.sum()) + int(tree.tree_.children_left.sum()) for tree in model.estimators_)
    print("loaded", total, flush=True)
    sys.stdin.readline()


def measure_peer(path, workers):
    processes = [subprocess.Popen([sys.executable, __file__, "--peer", path], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True) for _ in range(workers)]
    assert all(p.stdout.readline() == "imported\n" for p in processes)
    base = sum(pss_bytes(p.pid) for p in processes)
    for process in processes:
        process.stdin.write("load\n")
        process.stdin.flush()
    totals = {process.stdout.readline() for process in processes}
    assert len(totals) == 1 and totals.pop().startswith("loaded"), "the processes do not agree on the model"
    held = sum(pss_bytes(p.pid) for p in processes) - base
    for process in processes:
        process.stdin.close()
        process.wait()
    return held


def line(name, size, value, unit, reach=""):
    print(f"{name:58} {size:>12} {value:12.4g}  {'':11} {unit:6} {reach}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*")
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--peer")
    options = parser.parse_args()
    if options.peer:
        peer(options.peer)
        return
    command, theirs, ours = options.files
    for path in (theirs, ours):  # dirty pages count differently
        fd = os.open(path, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)
    subprocess.run([command, "verify", ours], check=True, stdout=subprocess.DEVNULL)
    runs = [json.loads(subprocess.run([command, "share", ours, "--workers", str(options.workers), "--json"], check=True,
                                      stdout=subprocess.PIPE).stdout) for _ in range(5)]
    runs.sort(key=lambda run: run["sum_pss_bytes"] - run["base_pss_bytes"])
    run = runs[len(runs) // 2]
    held = run["sum_pss_bytes"] - run["base_pss_bytes"]
    size = f"{run['file_bytes'] / 1e6:.1f} MB"
    limit = run["file_bytes"] + options.workers * 500_000
    line(f"F: memory of {options.workers} processes, mere", size, held / 1e6, "MB",
         f"reach: <= {limit / 1e6:.4g}  {'met' if held <= limit else 'MISSED'}")
    line(f"F: memory of {options.workers} processes / file, mere", size, held / run["file_bytes"], "x")
    if not options.no_peer:
        held = measure_peer(theirs, options.workers)
        line(f"F: memory of {options.workers} processes, joblib mmap_mode='r'",
             f"{pathlib.Path(theirs).stat().st_size / 1e6:.1f} MB", held / 1e6, "MB")


if __name__ == "__main__":
    main()
