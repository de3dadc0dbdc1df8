"""mere predict, check, bench --rows and share --predict: what the original library says, and clear errors."""
import csv
import io
import json
import sys
import types

import joblib
import numpy as np
import scipy.sparse as sp
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits, load_iris
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from command_case import case, main

KINDS = np.array(["setosa", "versicolor", "virginica"])


def digits():
    data, target = load_digits(return_X_y=True)
    return data, target


def forest(mere):
    """A forest of digits as .mere, its estimator, and the rows that it did not see as X.npy."""
    data, target = digits()
    path = mere.path("digits.mere")
    model = RandomForestClassifier(30, random_state=0).fit(data[:900], target[:900])
    if not path.exists():
        joblib.dump(model, mere.path("digits.joblib"))
        mere.good("convert", "--cv-score", "accuracy:0.93:0.02", mere.path("digits.joblib"), path)
        np.save(mere.path("X.npy"), data[900:])
        np.save(mere.path("y.npy"), target[900:])
    return path, model, data[900:]


def texts(mere):
    """A pipeline with names for columns and texts for classes."""
    iris = load_iris()
    path = mere.path("iris.mere")
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(iris.data, KINDS[iris.target])
    # As a frame of pandas would have set it.
    model[0].feature_names_in_ = np.array(iris.feature_names, dtype=object)
    if not path.exists():
        joblib.dump(model, mere.path("iris.joblib"))
        mere.good("convert", mere.path("iris.joblib"), path)
    return path, model, iris.data


def write_csv(path, names, rows):
    with open(path, "w", newline="") as out:
        csv.writer(out).writerows([names, *rows])


def loaded(done):
    return np.load(io.BytesIO(done.bytes))


@case("predict: a forest's probabilities are the library's to the bit, its classes of the same type")
def to_the_bit(mere):
    path, model, x = forest(mere)
    for method in ("predict", "predict_proba", "apply"):
        mere.good("predict", "--method", method, path, mere.path("X.npy"), "-o", mere.path("out.npy"))
        out, expected = np.load(mere.path("out.npy")), getattr(model, method)(x)
        assert out.dtype == expected.dtype and out.shape == expected.shape, (out.dtype, out.shape, expected.dtype)
        assert np.array_equal(out, expected), method


@case("predict: rows may be float32, integers, Fortran order, .npz or CSV; threads change nothing")
def inputs(mere):
    path, model, x = forest(mere)
    expected = model.predict_proba(x)
    np.save(mere.path("single.npy"), x.astype(np.float32))
    np.save(mere.path("whole.npy"), x.astype(np.int16))
    np.save(mere.path("fortran.npy"), np.asfortranarray(x))
    np.savez(mere.path("rows.npz"), X=x, other=np.arange(3))
    np.savetxt(mere.path("rows.csv"), x, delimiter=",", header=",".join(f"p{i}" for i in range(64)), comments="")
    for name in "single.npy", "whole.npy", "fortran.npy", "rows.npz", "rows.csv":
        done = mere.good("predict", "--method", "predict_proba", "-j", "2", path, mere.path(name), "-o", "-")
        assert np.array_equal(loaded(done), expected), name
    done = mere.good("predict", "--method", "predict_proba", path, "-", "-o", "-", input=mere.path("rows.csv").read_bytes())
    assert np.array_equal(loaded(done), expected)


@case("predict: columns of a CSV are found by name, in any order, others are ignored, one that is missing is named")
def by_name(mere):
    path, model, x = texts(mere)
    names = list(model[0].feature_names_in_)
    kinds = list(model.predict(x))
    write_csv(mere.path("iris.csv"), [*names[::-1], "note"], [[*row[::-1], 'x, "y"'] for row in x])
    done = mere.good("predict", path, mere.path("iris.csv"))
    assert done.out.splitlines()[0] == "predict" and done.out.splitlines()[1:] == kinds, done
    write_csv(mere.path("less.csv"), names[:3], x[:, :3])
    done = mere("predict", path, mere.path("less.csv"))
    assert done.code == 3 and "petal width (cm)" in done.err, done
    write_csv(mere.path("bad.csv"), names, [["five", *x[0, 1:]]])
    done = mere("predict", path, mere.path("bad.csv"))
    assert done.code == 4 and "line 2" in done.err and "five" in done.err, done


@case("predict: sparse rows of scipy's save_npz: csr, csc and coo; those that contradict themselves are an error")
def sparse(mere):
    x = sp.random(80, 500, 0.05, "csr", random_state=0)
    model = LogisticRegression().fit(x, np.arange(80) % 3)
    joblib.dump(model, mere.path("sparse.joblib"))
    mere.good("convert", mere.path("sparse.joblib"), mere.path("sparse.mere"))
    predict = "predict", "--method", "predict_proba", mere.path("sparse.mere"), mere.path("rows.npz"), "-o"
    for layout in "csr", "csc", "coo":
        sp.save_npz(mere.path("rows.npz"), x.asformat(layout))
        mere.good(*predict, mere.path("out.npy"))
        assert np.allclose(np.load(mere.path("out.npy")), model.predict_proba(x), rtol=1e-12), layout
    sp.save_npz(mere.path("rows.npz"), sp.eye(500).todia())
    done = mere(*predict, "-")
    assert done.code != 0 and "csr, csc and coo" in done.err, done
    x.indices[7] = 500
    np.savez(mere.path("rows.npz"), format=b"csr", shape=np.array(x.shape), data=x.data, indices=x.indices,
             indptr=x.indptr)
    done = mere(*predict, "-")
    assert done.code == 6 and "column 500 of 500" in done.err, done


@case("predict: a CSV of texts and numbers is read as the model's columns have it; what it never saw is named")
def texts_and_numbers(mere):
    cities, ages = ["Oslo", "Paris", "Rome", "Paris", "Oslo", "Rome"], [20.0, 30, 40, 50, 60, 70]
    columns = ColumnTransformer([("city", OneHotEncoder(), [0]), ("age", StandardScaler(), [1])])
    model = make_pipeline(columns, LogisticRegression())
    model.fit(np.array([cities, ages], dtype=object).T, ["a", "b", "a", "b", "a", "b"])
    columns.feature_names_in_ = np.array(["city", "age"], dtype=object)
    joblib.dump(model, mere.path("mixed.joblib"))
    mere.good("convert", "--program", "with", mere.path("mixed.joblib"), mere.path("mixed.mere"))
    write_csv(mere.path("mixed.csv"), ["age", "note", "city"], [[a, "7 \"x\"", c] for a, c in zip(ages, cities)])
    done = mere.good("predict", mere.path("mixed.mere"), mere.path("mixed.csv"))
    expected = model.predict(np.array([cities, ages], dtype=object).T)
    assert done.out.splitlines()[1:] == list(expected), done
    write_csv(mere.path("mixed.csv"), ["age", "city"], [[1, "Bern"]])
    done = mere("predict", mere.path("mixed.mere"), mere.path("mixed.csv"))
    assert done.code == 6 and "Bern" in done.err, done
    write_csv(mere.path("mixed.csv"), ["age", "town"], [[1, "Oslo"]])
    done = mere("predict", mere.path("mixed.mere"), mere.path("mixed.csv"))
    assert done.code == 3 and "'city'" in done.err, done


@case("predict: documents, from a CSV of one column or an .npy of texts")
def documents(mere):
    seen = ["the quick brown fox", "the lazy dog", "a quick dog", "brown bread, naïve café"]
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression()).fit(seen, [0, 1, 1, 0])
    joblib.dump(model, mere.path("text.joblib"))
    mere.good("convert", "--program", "with", mere.path("text.joblib"), mere.path("text.mere"))
    asked = [*seen, "a café for the quick, \"lazy\" fox"]
    write_csv(mere.path("asked.csv"), ["document"], [[text] for text in asked])
    np.save(mere.path("asked.npy"), np.array(asked))
    for name in "asked.csv", "asked.npy":
        mere.good("predict", "--method", "predict_proba", mere.path("text.mere"), mere.path(name), "-o",
                  mere.path("out.npy"))
        assert np.allclose(np.load(mere.path("out.npy")), model.predict_proba(asked), rtol=1e-12), name
    done = mere("predict", mere.path("text.mere"), mere.path("asked.npy"), "--method", "transform")
    assert done.code != 0, done


@case("convert --alias: a subclass of one's own is lowered as what it derives from, on the user's word alone")
def alias(mere):
    mine = types.ModuleType("mine")
    mine.Logit = type("Logit", (LogisticRegression,), {"__module__": "mine"})
    sys.modules["mine"] = mine
    x = np.random.RandomState(0).normal(size=(40, 3))
    model = mine.Logit().fit(x, x[:, 0] > 0)
    joblib.dump(model, mere.path("mine.joblib"))
    np.save(mere.path("mine.npy"), x)
    assert mere("convert", mere.path("mine.joblib"), mere.path("mine.mere")).code == 5
    logistic = "sklearn.linear_model._logistic.LogisticRegression"
    mere.good("convert", "--alias", f"mine.Logit={logistic}", mere.path("mine.joblib"), mere.path("mine.mere"))
    mere.good("predict", "--method", "predict_proba", mere.path("mine.mere"), mere.path("mine.npy"), "-o",
              mere.path("out.npy"))
    assert np.allclose(np.load(mere.path("out.npy")), model.predict_proba(x), rtol=1e-12)
    assert "mine.Logit" in mere.good("info", mere.path("mine.mere")).out
    done = mere("convert", "--alias", "mine.Logit=no.Such", mere.path("mine.joblib"), mere.path("mine.mere"))
    assert done.code == 6 and "no.Such" in done.err, done
    assert mere("convert", "--alias", "mine.Logit", mere.path("mine.joblib"), mere.path("mine.mere")).code == 2


@case("predict: as JSON, as CSV with a line of names, as .npy with texts")
def outputs(mere):
    path, model, x = texts(mere)
    np.save(mere.path("iris.npy"), x[:5])
    done = mere.good("predict", "--json", path, mere.path("iris.npy")).json
    assert done["values"] == list(model.predict(x[:5])) and done["rows"] == 5 and done["columns"] == 1, done
    assert done["estimator"] == "sklearn.pipeline.Pipeline" and done["method"] == "predict" and done["kernels"]
    table = mere.good("predict", "--csv", "--method", "predict_proba", path, mere.path("iris.npy")).out.splitlines()
    assert table[0] == "predict_proba_0,predict_proba_1,predict_proba_2" and len(table) == 6, table
    found = np.array([[float(cell) for cell in line.split(",")] for line in table[1:]])
    assert np.abs(found - model.predict_proba(x[:5])).max() < 1e-12
    mere.good("predict", path, mere.path("iris.npy"), "-o", mere.path("kinds.npy"))
    assert list(np.load(mere.path("kinds.npy"))) == list(model.predict(x[:5]))
    np.save(mere.path("none.npy"), np.zeros((0, 4)))
    mere.good("predict", "--method", "predict_proba", path, mere.path("none.npy"), "-o", mere.path("out.npy"))
    assert np.load(mere.path("out.npy")).shape == (0, 3)


@case("predict: what the estimator refuses, a method it lacks and rows of another width are errors that say so")
def errors(mere):
    path, _, x = forest(mere)
    bad = x[:10].copy()
    bad[7, 3] = np.nan
    np.save(mere.path("nan.npy"), bad)
    done = mere("predict", "--json", path, mere.path("nan.npy"))
    assert done.code == 6 and done.error["reason"] == "not_finite" and "row 7, column 3" in done.error["message"], done
    np.save(mere.path("narrow.npy"), x[:, :5])
    done = mere("predict", "--json", path, mere.path("narrow.npy"))
    assert done.error["reason"] == "wrong_shape" and "5" in done.error["message"] and "64" in done.error["message"], done
    done = mere("predict", "--json", "--method", "transform", path, mere.path("X.npy"))
    assert done.error["reason"] == "no_method" and "predict_proba" in done.error["message"], done
    np.save(mere.path("flat.npy"), x[0])
    done = mere("predict", "--json", path, mere.path("flat.npy"))
    assert done.error["reason"] == "wrong_shape" and "(1, n)" in done.error["message"], done
    done = mere("predict", "--json", path, mere.path("missing.npy"))
    assert done.code == 3 and done.error["reason"] == "no_file", done


@case("convert --program: beside the model, instead of it, or not at all; an estimator without one is an error by name")
def programs(mere):
    path, model, x = forest(mere)
    source = mere.path("digits.joblib")
    ids = {}
    for word in "auto", "with", "only", "none":
        out = mere.path(f"{word}.mere")
        mere.good("convert", "--program", word, source, out)
        mere.good("verify", out)
        info = mere.good("info", "--json", out).json
        ids[word] = info["content_id"], info["program_id"]
    assert ids["auto"] == ids["with"] and ids["none"] == (ids["auto"][0], None), ids
    assert ids["only"][0] != ids["with"][0] and mere.path("only.mere").stat().st_size < path.stat().st_size / 3
    expected = model.predict_proba(x)
    done = mere.good("predict", "--method", "predict_proba", mere.path("only.mere"), mere.path("X.npy"), "-o", "-")
    assert np.array_equal(loaded(done), expected)
    # From a .mere: dropped, and made again.
    mere.good("convert", "--program", "none", mere.path("with.mere"), mere.path("without.mere"))
    assert mere.path("without.mere").read_bytes() == mere.path("none.mere").read_bytes() or \
        mere.good("info", "--json", mere.path("without.mere")).json["program_id"] is None
    mere.good("convert", "--program", "with", "--codec", "zlib", mere.path("without.mere"), mere.path("again.mere"))
    assert mere.good("info", "--json", mere.path("again.mere")).json["program_id"] == ids["with"][1]
    done = mere.good("predict", "--method", "predict_proba", mere.path("again.mere"), mere.path("X.npy"), "-o", "-")
    assert np.array_equal(loaded(done), expected)
    joblib.dump(KernelDensity().fit(x[:50]), mere.path("density.joblib"))
    done = mere("convert", "--json", "--program", "with", mere.path("density.joblib"), mere.path("density.mere"))
    assert done.code == 6 and done.error["reason"] == "not_lowerable" and "KernelDensity" in done.error["message"], done
    assert not mere.path("density.mere").exists()
    mere.good("convert", mere.path("density.joblib"), mere.path("density.mere"))


@case("predict: a small model without a program is lowered when it is opened, a large one says what makes one")
def on_the_spot(mere):
    data, target = digits()
    model = LogisticRegression(solver="liblinear", tol=1e-2).fit(data, target)
    joblib.dump(model, mere.path("small.joblib"))
    mere.good("convert", "--program", "none", mere.path("small.joblib"), mere.path("small.mere"))
    np.save(mere.path("some.npy"), data[:20])
    done = mere.good("predict", mere.path("small.mere"), mere.path("some.npy"), "-o", "-")
    assert np.array_equal(loaded(done), model.predict(data[:20]))
    large = RandomForestRegressor(120, random_state=0).fit(data, target)
    joblib.dump(large, mere.path("large.joblib"))
    mere.good("convert", "--program", "none", mere.path("large.joblib"), mere.path("large.mere"))
    done = mere("predict", "--json", mere.path("large.mere"), mere.path("some.npy"))
    assert done.error["reason"] == "no_program" and "--program with" in done.error["message"], done


@case("check: the score of known data against the one that the file keeps; outside is exit status 1")
def check(mere):
    path, model, x = forest(mere)
    truth = np.load(mere.path("y.npy"))
    expected = get_scorer("accuracy")(model, x, truth)
    done = mere.good("check", "--json", path, mere.path("X.npy"), mere.path("y.npy")).json
    assert done["score"] == expected and done["within"] and done["metric"] == "accuracy", done
    done = mere("check", "--tolerance", "0", path, mere.path("X.npy"), mere.path("y.npy"))
    assert done.code == 1 and "outside" in done.out, done
    np.save(mere.path("short.npy"), truth[:5])
    done = mere("check", "--json", path, mere.path("X.npy"), mere.path("short.npy"))
    assert done.error["reason"] == "wrong_shape", done
    iris, _, _ = texts(mere)
    done = mere("check", "--json", iris, mere.path("X.npy"), mere.path("y.npy"))
    assert done.code == 3 and "--cv-score" in done.error["message"], done


@case("check: every metric gives what scikit-learn's scorer gives")
def metrics(mere):
    data, target = digits()
    odd = target % 2
    two = LogisticRegression(solver="liblinear", tol=1e-2).fit(data[:500], odd[:500])
    many = LogisticRegression(solver="liblinear", tol=1e-2).fit(data[:500], target[:500])
    numbers = RandomForestRegressor(5, random_state=0).fit(data[:500], target[:500])
    np.save(mere.path("rest.npy"), data[500:])
    np.save(mere.path("odd.npy"), odd[500:])
    np.save(mere.path("target.npy"), target[500:])
    words = {
        "odd": (two, ["accuracy", "f1", "precision", "recall", "roc_auc", "neg_log_loss"]),
        "target": (many, ["balanced_accuracy", "f1_macro", "f1_micro", "f1_weighted", "precision_macro", "recall_weighted",
                          "neg_log_loss"]),
        "numbers": (numbers, ["r2", "explained_variance", "max_error", "neg_mean_absolute_error", "neg_mean_squared_error",
                              "neg_median_absolute_error", "neg_root_mean_squared_error"]),
    }
    for name, (model, kinds) in words.items():
        truth = "odd" if name == "odd" else "target"
        joblib.dump(model, mere.path(f"{name}.joblib"))
        for kind in kinds:
            mere.good("convert", "--cv-score", f"{kind}:0:1", mere.path(f"{name}.joblib"), mere.path(f"{name}.mere"))
            found = mere("check", "--json", "--tolerance", "1e9", mere.path(f"{name}.mere"), mere.path("rest.npy"),
                         mere.path(f"{truth}.npy")).json["score"]
            expected = get_scorer(kind)(model, data[500:], np.load(mere.path(f"{truth}.npy")))
            assert abs(found - expected) <= 1e-12 * max(1, abs(expected)), (kind, found, expected)


@case("bench --rows and share --predict: predictions are measured, and what they reach of the map")
def measured(mere):
    path, _, _ = forest(mere)
    done = mere.good("bench", "--json", "--repetitions", "1000", "--rows", "200", path).json
    for name in "predict_us_p50", "predict_us_p99", "us_per_row":
        assert 0 < done[name] < 1e6, done
    assert done["method"] == "predict_proba" and "trees" in done["kernels"], done
    done = mere.good("share", "--json", "--workers", "3", "--predict", mere.path("X.npy"), path).json
    assert 0 < done["serving_bytes"] < path.stat().st_size and done["cold_bytes"] > 0, done
    assert json.dumps(done["workers"]) == "3"
    assert "reaches" in mere.good("share", "--workers", "1", "--predict", mere.path("X.npy"), path).out


main()
