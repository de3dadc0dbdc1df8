"""The golden files, read by the independent reader: what it finds is what it found when they were made.

    reader_test.py TESTS_DIRECTORY
"""
import json
import pathlib
import subprocess
import sys

tests = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(tests / "house"))
from tap import Tap  # noqa: E402

tap = Tap()
reader = tests / "format" / "reader.py"
files = sorted((tests / "data" / "golden").glob("*/*.mere"))
tap.check([] if files else ["no golden files"], "reader: there are golden files")
for file in files:
    sentence = f"reader: {file.parent.name}/{file.name} holds what its .json says"
    run = subprocess.run([sys.executable, str(reader), str(file)], capture_output=True, text=True)
    if run.returncode != 0:
        last = run.stderr.strip().splitlines()[-1:]
        if last and "machine lacks" in last[0]:
            tap.skip(sentence, last[0])
        else:
            tap.check(last or ["it failed"], sentence)
        continue
    found, expected = json.loads(run.stdout), json.loads(file.with_suffix(".json").read_text())
    problems = [f"{key} differs" for key in expected if key != "nodes" and found.get(key) != expected[key]]
    problems += [f"node {i}: {a} is not {b}" for i, (a, b) in enumerate(zip(found["nodes"], expected["nodes"])) if a != b]
    if len(found["nodes"]) != len(expected["nodes"]):
        problems.append("another number of nodes")
    tap.check(problems, sentence)
tap.finish()
