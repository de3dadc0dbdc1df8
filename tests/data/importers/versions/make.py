"""Made the files of this folder, run once under each of joblib 1.0.1, 1.3.2 and 1.5.3 (numpy 1.24.2, as `make.py arrays`), and under
scikit-learn 1.9.1 with numpy 2.4.6 and joblib 1.6.0 (as `make.py models`), all from PyPI with Python 3.11."""
import pickle
import sys

import joblib
import numpy as np

if sys.argv[1] == "arrays":
    record = np.zeros(2, [("a", "<i4"), ("b", ">f8")])
    record["a"] = [1, 2]
    arrays = {"c": np.arange(6.0).reshape(2, 3), "f": np.asfortranarray(np.arange(6).reshape(2, 3)), "o": np.array([1, "x", None], object),
              "r": record, "m": np.matrix([[1, 2]]), "z": np.array(2.5), "e": np.zeros((0, 2)), "be": np.arange(3).astype(">i2")}
    joblib.dump(arrays, f"arrays-joblib{joblib.__version__}.joblib")
else:
    import sklearn
    from sklearn.datasets import load_iris
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    X, y = load_iris(return_X_y=True)
    forest = RandomForestClassifier(3, max_depth=3, random_state=0).fit(X, y)
    for protocol in (2, 4, 5):
        with open(f"forest-sklearn{sklearn.__version__}-p{protocol}.pkl", "wb") as out:
            pickle.dump(forest, out, protocol)
    joblib.dump(forest, f"forest-sklearn{sklearn.__version__}.joblib")
    with open(f"histogram-sklearn{sklearn.__version__}.pkl", "wb") as out:
        pickle.dump(HistGradientBoostingClassifier(max_iter=2).fit(X, y), out, 5)
