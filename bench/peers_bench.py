"""What do joblib and pickle 5 take to load and dump the same models? The peers of the tables, measured on this machine.

  peers_bench.py FOREST_JOBLIB SMALL_JOBLIB FOLDER [--rounds 5]

Out-of-band: pickle 5 with its buffers in one file that is mapped when loading, the best a user can write today.
"""
import argparse
import mmap
import os
import pathlib
import pickle
import resource
import statistics
import time

import joblib
import numpy


def out_of_band_dump(model, path):
    buffers = []
    stream = pickle.dumps(model, protocol=5, buffer_callback=buffers.append)
    with open(path, "wb") as file:
        views = [buffer.raw() for buffer in buffers]
        sizes = numpy.array([len(stream)] + [len(view) for view in views], dtype="<u8")
        file.write(numpy.array([len(sizes)], dtype="<u8").tobytes() + sizes.tobytes() + stream)
        for view in views:
            file.write(bytes(-file.tell() % 64))
            file.write(view)


def out_of_band_load(path):
    with open(path, "rb") as file:
        memory = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    count = int(numpy.frombuffer(memory, "<u8", 1)[0])
    sizes = numpy.frombuffer(memory, "<u8", count, 8).tolist()
    place = 8 * (1 + count)
    stream, place = memory[place:place + sizes[0]], place + sizes[0]
    buffers = []
    for size in sizes[1:]:
        place += -place % 64
        buffers.append(memory[place:place + size])
        place += size
    # The stream was written by out_of_band_dump() a moment ago: a pickle of somebody else is never loaded here.
    return pickle.loads(stream, buffers=buffers)


def line(name, size, seconds):
    milliseconds = sorted(1e3 * s for s in seconds)
    spread = (milliseconds[(3 * len(milliseconds)) // 4] - milliseconds[len(milliseconds) // 4]) / 2
    median = statistics.median(milliseconds)
    print(f"{name:58} {size / 1e6:9.1f} MB {median:12.4g}  +-{spread:<9.3g} {'ms':6}", flush=True)


def same(a, b):
    if isinstance(a, dict):
        return list(a) == list(b) and all(numpy.array_equal(a[k], b[k]) for k in a)
    return all(numpy.array_equal(s.tree_.value, t.tree_.value) for s, t in zip(a.estimators_, b.estimators_))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("forest")
    parser.add_argument("small")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for name, source in (("F", options.forest), ("10,000 x 512 B", options.small)):
        model = joblib.load(source)
        joblib_file, pickle_file = options.folder / "peer.joblib", options.folder / "peer.pkl"
        band_file = options.folder / "peer.oob"

        def pickle_dump():
            with open(pickle_file, "wb") as file:
                pickle.dump(model, file, protocol=5)

        def pickle_load():
            with open(pickle_file, "rb") as file:
                return pickle.load(file)

        cases = {"joblib dump": lambda: joblib.dump(model, joblib_file), "pickle 5 dump": pickle_dump,
                 "pickle 5 out-of-band dump": lambda: out_of_band_dump(model, band_file),
                 "joblib load": lambda: joblib.load(joblib_file),
                 "joblib load, mmap_mode='r'": lambda: joblib.load(joblib_file, mmap_mode="r"),
                 "pickle 5 load": pickle_load, "pickle 5 out-of-band load": lambda: out_of_band_load(band_file)}
        seconds = {case: [] for case in cases}
        for number in range(-1, options.rounds):
            for case, call in cases.items():
                if case.endswith("dump"):
                    for file in (joblib_file, pickle_file, band_file):
                        if case.startswith({"peer.joblib": "joblib", "peer.pkl": "pickle 5 d",
                                            "peer.oob": "pickle 5 o"}[file.name]) and file.exists():
                            os.remove(file)
                start = time.perf_counter()
                loaded = call()
                taken = time.perf_counter() - start
                if number >= 0:
                    seconds[case].append(taken)
                elif "load" in case and not same(model, loaded):
                    raise SystemExit(f"wrong result, nothing timed: {case}")
                del loaded
        for case in cases:
            line(f"{name}: {case}", pathlib.Path(source).stat().st_size, seconds[case])
        for file in (joblib_file, pickle_file, band_file):
            file.unlink()


if __name__ == "__main__":
    main()
