"""What is recorded beside a model: libraries, data, code, score. docs/importers.md, Provenance, has the keys."""
from __future__ import annotations

import inspect
import math
import os
import sys

from ._errors import MismatchError

# Libraries whose version is recorded if the process has them loaded: the package, and the name it is installed by.
_LIBRARIES = {"numpy": "numpy", "scipy": "scipy", "sklearn": "scikit-learn", "joblib": "joblib", "pandas": "pandas",
              "xgboost": "xgboost", "lightgbm": "lightgbm", "catboost": "catboost", "torch": "torch",
              "cloudpickle": "cloudpickle"}


def metadata_of(metadata, training_data, source_code, cv_score, environment):
    """The metadata of a file: a new dict. Raises MismatchError (bad_argument)."""
    if metadata is not None and not isinstance(metadata, dict):
        raise MismatchError(f"metadata is a {type(metadata).__name__}; a dict is expected", reason="bad_argument")
    entries = {} if metadata is None else dict(metadata)
    entries.setdefault("versions", library_versions())
    if training_data is not None:
        entries["training_data"] = training_data
    if source_code is not None:
        entries["source_code"] = _source_of(source_code)
    if cv_score is not None:
        entries["cv_score"] = _score_of(cv_score)
    if environment:
        entries["environment"] = installed_packages()
    return entries


def library_versions():
    """{library: version} of Python and of what the process has loaded."""
    versions = {"python": sys.version.split()[0]}
    for package, name in _LIBRARIES.items():
        version = getattr(sys.modules.get(package), "__version__", None)
        if isinstance(version, str):
            versions[name] = version
    return versions


def installed_packages():
    """{name: version} of all distributions that are installed, in order."""
    import importlib.metadata  # takes longer to import than all of mere

    found = {}
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"]
        if name and name not in found:
            found[name] = distribution.version
    return dict(sorted(found.items(), key=lambda row: row[0].lower()))


def _source_of(source):
    if isinstance(source, str):
        return source
    if isinstance(source, os.PathLike):
        with open(source, encoding="utf-8") as file:
            return file.read()
    try:
        return inspect.getsource(source)
    except (TypeError, OSError) as error:
        raise MismatchError(f"source_code is a {type(source).__name__}; a text, a path or a function is expected",
                            reason="bad_argument") from error


def _score_of(score):
    if isinstance(score, (tuple, list)) and len(score) == 2 and isinstance(score[0], str):
        import numpy as np
        scores = np.asarray(score[1], dtype=float).ravel()
        if not scores.size:
            raise MismatchError("cv_score: there are no scores", reason="bad_argument")
        score = {"metric": score[0], "mean": scores.mean(), "std": scores.std(), "n_splits": scores.size}
    required = {"metric", "mean", "std"}
    if not isinstance(score, dict) or not required <= set(score) <= required | {"n_splits"}:
        raise MismatchError("cv_score is {'metric', 'mean', 'std', 'n_splits'}, or a pair of metric and scores",
                            reason="bad_argument")
    made = {"metric": str(score["metric"]), "mean": float(score["mean"]), "std": float(score["std"])}
    if score.get("n_splits") is not None:
        made["n_splits"] = int(score["n_splits"])
    if not math.isfinite(made["mean"]) or not made["std"] >= 0 or not math.isfinite(made["std"]) or \
            made.get("n_splits", 2) < 2:
        raise MismatchError("cv_score: a finite mean, a standard deviation of 0 or more and at least 2 splits are "
                            "expected", reason="bad_argument")
    return made
