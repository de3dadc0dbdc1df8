"""mere convert --codec: forests as archives that know trees, and back."""
import importlib.util
import json
import pathlib

import joblib
import numpy as np
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from command_case import case, main

spec = importlib.util.spec_from_file_location("reader", pathlib.Path(__file__).parent.parent / "format" / "reader.py")
reader = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reader)


def forests():
    """Name, model, by how much its archive is smaller at least."""
    X, y = make_classification(n_samples=2600, n_features=12, n_informative=8, n_classes=5, random_state=0)
    real = X[:, 0] + np.sin(X[:, 1])
    options = dict(n_estimators=3, random_state=0)
    yield "pure", RandomForestClassifier(**options).fit(X, y), 16
    yield "mixed", RandomForestClassifier(min_samples_leaf=3, **options).fit(X, y), 12
    yield "weighted", RandomForestClassifier(**options).fit(X, y, np.random.RandomState(0).rand(len(y))), 8
    yield "regressor", RandomForestRegressor(**options).fit(X, real), 6


def arrays(path):
    """The sums of the arrays' bytes, by the independent reader."""
    return [node["sha256"] for node in reader.File(path.read_bytes()).dump()["nodes"] if "sha256" in node]


@case("convert: the trees of a forest are kept as what cannot be derived, and come back to the byte")
def archive(mere):
    for name, model, ratio in forests():
        source, raw, archive = mere.path(f"{name}.joblib"), mere.path(f"{name}.mere"), mere.path(f"{name}.zlib.mere")
        joblib.dump(model, source)
        mere.good("convert", "--program", "none", source, raw)
        mere.good("convert", "--program", "none", source, archive, "--codec", "zlib", "--threads", "1")
        stored = reader.File(archive.read_bytes())
        groups = [b for b in stored.s9 if int(b["group"]) >> 31]
        assert len(groups) == 3 and all(int(b["filters"][0]) == 128 for b in groups), name
        assert raw.stat().st_size > ratio * archive.stat().st_size, (name, raw.stat().st_size, archive.stat().st_size)
        assert arrays(archive) == arrays(raw), name
        mere.good("verify", archive)
        # From many threads the same bytes; expanded, the file that would have been written raw.
        again, back = mere.path("again.mere"), mere.path("back.mere")
        mere.good("convert", "--program", "none", source, again, "--codec", "zlib", "--threads", "3")
        assert again.read_bytes() == archive.read_bytes(), name
        mere.good("convert", archive, back, "--threads", "2")
        assert back.read_bytes() == raw.read_bytes(), name
        mere.good("diff", raw, archive)
        # What was read from an archive makes the same one.
        once_more = mere.path("once_more.mere")
        mere.good("convert", archive, once_more, "--codec", "zlib", "--threads", "2")
        assert once_more.read_bytes() == archive.read_bytes(), name
        once_more.unlink()


@case("convert: other codecs know trees too")
def codecs(mere):
    name, model, _ = next(forests())
    source = mere.path("forest.joblib")
    joblib.dump(model, source)
    sizes = {}
    for codec in ("lz4", "zlib", "smallest"):
        out = mere.path(f"{codec}.mere")
        mere.good("convert", source, out, "--codec", codec)
        assert [b for b in reader.File(out.read_bytes()).s9 if int(b["filters"][0]) == 128], codec
        sizes[codec] = out.stat().st_size
    assert sizes["smallest"] <= sizes["zlib"] < sizes["lz4"], sizes


@case("an archive of the first release is read")
def golden(mere):
    folder = pathlib.Path(__file__).parent.parent / "data" / "trees"
    archive, back = folder / "archive.mere", mere.path("golden.mere")
    sums = json.loads((folder / "archive.json").read_text())
    assert [b for b in reader.File(archive.read_bytes()).s9 if int(b["filters"][0]) == 128]
    mere.good("verify", archive)
    mere.good("convert", archive, back)
    assert arrays(archive) == sums and arrays(back) == sums


main()
