"""Every estimator that fits, in every format its libraries write: does mere convert it, and into the graph it is?

    compare_formats.py COMMAND [--json OUT] [--formats F,F...] [--estimators NAME,NAME...] [--quick]

COMMAND is the mere command. Formats: pkl0 to pkl5, joblib and joblib.CODEC, cloudpickle, skops; those whose library is
not installed are named and left out. --quick: pkl2, pkl5, joblib and joblib.zlib alone. Prints TAP-like lines for what
differs and a sum; --json writes {"versions", "estimators": {label: {format: null or the reason}}}.
"""
import argparse
import importlib
import json
import os
import pathlib
import pickle
import subprocess
import sys
import tempfile
import warnings

import joblib
import numpy
import scipy
import sklearn

from fitted_estimators import fitted
from live_walk import Nodes, difference

JOBLIB_CODECS = ("zlib", "gzip", "bz2", "xz", "lzma", "lz4")


def find(module):
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


def writers():
    """format -> (write(estimator, path), what the walk has to know of the format)."""
    # Protocols 0 and 1 take apart what derives from tuple or dict in another way.
    found = {f"pkl{p}": (lambda e, path, p=p: path.write_bytes(pickle.dumps(e, protocol=p)), {"protocol": p if p < 2 else 4})
             for p in range(6)}
    unshared = {"sharing": False}  # which arrays were one object is not kept
    found["joblib"] = (lambda e, path: joblib.dump(e, path), unshared)
    for codec in JOBLIB_CODECS:
        if codec != "lz4" or find("lz4"):
            found[f"joblib.{codec}"] = (lambda e, path, c=codec: joblib.dump(e, path, compress=(c, 3)), unshared)
    cloudpickle, skops = find("cloudpickle"), find("skops.io")
    if cloudpickle:
        found["cloudpickle"] = (lambda e, path: path.write_bytes(cloudpickle.dumps(e)), {})
    if skops:
        found["skops"] = (lambda e, path: skops.dump(e, path), {"sharing": False, "skops": True})
    return found


def judge(command, estimator, path, write, facts):
    """None if the converted graph is the estimator, else why not."""
    try:
        write(estimator, path)
    except Exception as error:
        return f"its library does not write it: {str(error).splitlines()[0][:160] if str(error) else type(error).__name__}"
    out = path.with_suffix(".mere")
    done = subprocess.run([command, "convert", "--quiet", "--durability", "none", str(path), str(out)],
                          capture_output=True, text=True)
    if done.returncode:
        return f"exit {done.returncode}: {done.stderr.strip()[-300:].replace(str(path.parent), '')}"
    try:
        return difference(estimator, Nodes(out.read_bytes()), **facts)
    except Exception as error:
        return f"the walk failed: {type(error).__name__}: {error}"


def main():
    options = argparse.ArgumentParser()
    options.add_argument("command")
    options.add_argument("--json")
    options.add_argument("--formats")
    options.add_argument("--estimators")
    options.add_argument("--quick", action="store_true")
    options = options.parse_args()
    formats = writers()
    asked = ["pkl2", "pkl5", "joblib", "joblib.zlib"] if options.quick else (options.formats or ",".join(formats)).split(",")
    for format_ in (f"joblib.{c}" for c in JOBLIB_CODECS if f"joblib.{c}" in asked and f"joblib.{c}" not in formats):
        print(f"SKIPPED {format_}: its library is not installed")
    formats = {f: w for f, w in formats.items() if f in asked}
    names = set(options.estimators.split(",")) if options.estimators else None
    results, passed, failed, unwritten = {}, 0, 0, 0
    folder_of = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=folder_of) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for label, estimator, _ in fitted():
            if names and label.split(" ")[0] not in names:
                continue
            row = results[label] = {}
            for format_, (write, facts) in formats.items():
                why = row[format_] = judge(options.command, estimator, pathlib.Path(folder, "m." + format_), write, facts)
                if why is None:
                    passed += 1
                elif why.startswith("its library does not write it"):
                    unwritten += 1
                else:
                    failed += 1
                    print(f"not ok {label} {format_}: {why}", flush=True)
    versions = {m.__name__: m.__version__ for m in (sklearn, numpy, scipy, joblib)}
    versions |= {n: m.__version__ for n, m in (("cloudpickle", find("cloudpickle")), ("skops", find("skops"))) if m}
    if options.json:
        report = {"versions": versions, "unfitted": fitted.unfitted, "estimators": results}
        pathlib.Path(options.json).write_text(json.dumps(report, indent=1))
    print(f"{', '.join(f'{k} {v}' for k, v in versions.items())}; python {sys.version.split()[0]}")
    print(f"not fitted: {', '.join(fitted.unfitted) or 'none'}; not written by their own library: {unwritten}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
