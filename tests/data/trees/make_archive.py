"""Writes archive.mere and archive.json here: an archive of the first release, which must be read for ever.

    /usr/bin/python3 make_archive.py MERE

The model is scikit-learn 1.2.1's; the JSON has the sums of the arrays of its raw file, by the independent reader.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import joblib
import numpy as np
from sklearn.ensemble import RandomForestClassifier

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent.parent / "format"))
from reader import File  # noqa: E402

random = np.random.RandomState(0)
model = RandomForestClassifier(2, random_state=0).fit(random.randn(420, 5).astype("f4"), random.randint(0, 10, 420))
with tempfile.TemporaryDirectory() as folder:
    source, raw = f"{folder}/forest.joblib", f"{folder}/forest.mere"
    joblib.dump(model, source)
    subprocess.run([sys.argv[1], "convert", source, raw], check=True)
    subprocess.run([sys.argv[1], "convert", "--codec", "zlib", source, here / "archive.mere"], check=True)
    nodes = File(pathlib.Path(raw).read_bytes()).dump()["nodes"]
sums = [node["sha256"] for node in nodes if "sha256" in node]
(here / "archive.json").write_text(json.dumps(sums, indent=1) + "\n")
