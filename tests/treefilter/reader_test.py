"""Encoded trees, read by the independent reader: the bytes that scikit-learn made.

    reader_test.py TESTS_DIRECTORY

The encoded ones are the corpus of fuzz_treefilter, which our encoder wrote.
"""
import importlib.util
import pathlib
import struct
import sys
import zlib

import numpy as np

tests = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(tests / "house"))
from tap import Tap  # noqa: E402

spec = importlib.util.spec_from_file_location("reader", tests / "format" / "reader.py")
reader = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reader)

tap = Tap()
files = sorted((tests / "fuzz" / "corpus" / "treefilter").glob("encoded_*"))
tap.check([] if len(files) >= 11 else ["too few encoded trees"], "trees: there are encoded ones")
for file in files:
    name = file.name.removeprefix("encoded_")
    source = (tests / "data" / "trees" / f"{name}.tree").read_bytes()
    count, node_bytes, columns = struct.unpack_from("<III", source)
    lengths = [count * node_bytes, count * columns * 8]
    try:
        with np.errstate(all="ignore"):
            nodes, values = reader.undo_tree(file.read_bytes()[4:], lengths)
        problems = [] if nodes + values == zlib.decompress(source[12:]) else ["other bytes"]
    except (ValueError, IndexError, struct.error) as error:
        problems = [repr(error)]
    tap.check(problems, f"trees: {name} comes back by docs/filters.md alone")
tap.finish()
